"""RSS 0.9x to 2.0, RDF and Atom, from an XML tree to pieces.

Namespaces are read by their local meaning, because feeds declare them in many spellings.
"""

import html
import re
from typing import Any

from lxml import etree

from articles.wire import WireCopy
from sources.feedparsing import MOST_ENTRIES, Feed, FeedError
from sources.feedparsing.about import with_declared
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import absolute, with_absolute_links
from sources.feedparsing.xmltree import Element, tree

_ATOM = {"http://www.w3.org/2005/Atom": "1.0", "http://purl.org/atom/ns#": "0.3"}
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_DCTERMS = "http://purl.org/dc/terms/"
_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_MEDIA = "http://search.yahoo.com/mrss/"
_PREFIXES = {
    "content": _CONTENT, "dc": _DC, "dcterms": _DCTERMS, "itunes": _ITUNES, "media": _MEDIA,
}  # fmt: skip
_RSS = (
    "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/", "http://backend.userland.com/rss2",
)  # fmt: skip
_XML = "{http://www.w3.org/XML/1998/namespace}"
_EMAIL_NAME = re.compile(r"^\S+@\S+\s+\((.+)\)$|^(.+?)\s*<\S+@\S+>$")


def parse(document: bytes, content_type: str, url: str) -> Feed:
    """The feed in an XML document; raises `FeedError`."""
    root, warnings = tree(document, content_type)
    try:
        return _feed(root, url, warnings)
    except UnicodeDecodeError:  # lxml repaired the document into text that is none
        raise FeedError("The document's text is damaged beyond repair.") from None


def _feed(root: Element, url: str, warnings: list[str]) -> Feed:
    name, space = _name(root), _space(root)
    if name == "feed" and space in (*_ATOM, ""):
        return _atom(root, url, _ATOM.get(space, "1.0"), warnings)
    if name in ("rss", "RDF", "rdf", "channel"):
        return _rss(root, url, warnings)
    if name.lower() == "html":
        raise FeedError("This is a web page, not a feed; give the address of its feed.")
    raise FeedError(f"This is XML, but no feed: its outermost element is “{name[:60]}”.")


def _rss(root: Element, url: str, warnings: list[str]) -> Feed:
    channel = root if _name(root) == "channel" else _child(root, "channel")
    if channel is None and not _children(root, "item"):
        raise FeedError("This is RSS without a channel: there is nothing in it.")
    head = channel if channel is not None else root
    items = _children(head, "item") or _children(root, "item")
    language = _text(head, "language")
    version = "rdf" if _name(root).lower() == "rdf" else f"rss {root.get('version', '')}".strip()
    base = absolute(url, head.get(f"{_XML}base") or "")
    feed = Feed(
        title=_text(head, "title"),
        url=_link(head, base),
        language=language,
        version=version,
        entries=tuple(_rss_item(item, base, language) for item in items[:MOST_ENTRIES]),
        warnings=_counted(items, warnings),
    )
    return with_declared(feed, head, base)


def _rss_item(item: Element, base: str, language: str) -> WireCopy:
    base = absolute(base, item.get(f"{_XML}base") or "")
    guid = _child(item, "guid")
    own = (guid.text or "").strip() if guid is not None else item.get(_rdf("about")) or ""
    link = _link(item, base)
    permalink = guid is not None and guid.get("isPermaLink", "true").lower() == "true"
    if not link and permalink and own.startswith(("http://", "https://")):
        link = own
    title = _flat(_child(item, "title"))
    description = _markup(_child(item, "description"))
    content = _markup(_child(item, "encoded", _CONTENT)) or _markup(_child(item, "body"))
    published = _date(item, ("pubDate", ""), ("date", _DC), ("published", ""), ("issued", _DCTERMS))
    return WireCopy(
        external_id=identity(own, link, title, published, content or description),
        title=title,
        url=link,
        content=with_absolute_links(content or description, link or base),
        summary=description if content else "",
        authors=_rss_authors(item),
        tags=tuple(dict.fromkeys(filter(None, map(_flat, _children(item, "category"))))),
        language=_text(item, "language", _DC) or language,
        published_at=published,
        updated_at=_date(item, ("modified", _DCTERMS), ("updated", "")),
        metadata=_enclosed(item, base),
    )


def _atom(root: Element, url: str, version: str, warnings: list[str]) -> Feed:
    entries = _children(root, "entry")
    base = absolute(url, root.get(f"{_XML}base") or "")
    language = root.get(f"{_XML}lang") or ""
    authors = _persons(root)
    feed = Feed(
        title=_atom_plain(_child(root, "title")),
        url=_link(root, base),
        language=language,
        version=f"atom {version}",
        entries=tuple(
            _atom_entry(entry, base, language, authors) for entry in entries[:MOST_ENTRIES]
        ),
        warnings=_counted(entries, warnings),
    )
    return with_declared(feed, root, base)


def _atom_entry(
    entry: Element, base: str, language: str, feed_authors: tuple[str, ...]
) -> WireCopy:
    base = absolute(base, entry.get(f"{_XML}base") or "")
    link = _link(entry, base)
    title = _atom_plain(_child(entry, "title"))
    content = _atom_markup(_child(entry, "content"))
    summary = _atom_markup(_child(entry, "summary")) or _text(
        _child(entry, "group", _MEDIA), "description", _MEDIA
    )
    published = _date(entry, ("published", ""), ("issued", ""), ("created", ""), ("updated", ""))
    return WireCopy(
        external_id=identity(_text(entry, "id"), link, title, published, content or summary),
        title=title,
        url=link,
        content=with_absolute_links(content or summary, base),
        summary=summary if content else "",
        authors=_persons(entry) or feed_authors,
        tags=tuple(
            dict.fromkeys(
                name
                for each in _children(entry, "category")
                if (name := each.get("label") or each.get("term") or _flat(each))
            )
        ),
        language=entry.get(f"{_XML}lang") or language,
        published_at=published,
        updated_at=_date(entry, ("updated", ""), ("modified", "")),
        metadata=_enclosed(entry, base),
    )


def _link(element: Element, base: str) -> str:
    """The address for readers: Atom's alternate link, RSS's text, in whichever dialect."""
    fallback = ""
    for link in _children(element, "link"):
        href, rel = link.get("href"), link.get("rel", "alternate")
        if href is None:
            if (link.text or "").strip() and _space(link) not in _ATOM:
                return absolute(base, link.text or "")
        elif rel == "alternate":
            if "html" in link.get("type", "html"):
                return absolute(base, href)
            fallback = fallback or absolute(base, href)
    return fallback


def _enclosed(element: Element, base: str) -> dict[str, Any]:
    """Enclosures and media, by address, each once."""
    found: dict[str, dict[str, str]] = {}
    for each in element.iter(tag=etree.Element):
        name, space = _name(each), _space(each)
        address = ""
        if name == "enclosure" or (space == _MEDIA and name in ("content", "thumbnail")):
            address = each.get("url", "")
        elif name == "link" and each.get("rel") == "enclosure":
            address = each.get("href", "")
        if address and len(found) < 20:
            kind = each.get("type", "") or ("image" if name == "thumbnail" else "")
            found.setdefault(absolute(base, address), {"type": kind})
    return {"enclosures": [{"url": url, **more} for url, more in found.items()]} if found else {}


def _rss_authors(item: Element) -> tuple[str, ...]:
    names = [_flat(each) for each in _children(item, "creator", _DC)]
    names = names or [_flat(each) for each in _children(item, "author")]
    names = names or [_flat(each) for each in _children(item, "author", _ITUNES)]
    return tuple(dict.fromkeys(_person_name(name) for name in names if name))


def _person_name(text: str) -> str:
    """The name in `mail@example.org (Name)` and `Name <mail@example.org>`; else all of it."""
    match = _EMAIL_NAME.match(text[:300])
    return (match[1] or match[2]).strip().strip('"') if match else text


def _persons(element: Element) -> tuple[str, ...]:
    names = (
        _text(each, "name") or _text(each, "email") or _flat(each)
        for each in _children(element, "author")
    )
    return tuple(dict.fromkeys(name for name in names if name))


def _atom_plain(element: Element | None) -> str:
    """A text construct in plain text, RFC 4287 §3.1."""
    if element is None:
        return ""
    if _atom_kind(element) in ("html", "xhtml"):
        return _without_tags(_atom_markup(element))
    return " ".join(_words(element).split())


def _atom_markup(element: Element | None) -> str:
    """A text construct or content as HTML."""
    if element is None:
        return ""
    kind = _atom_kind(element)
    if kind == "xhtml" or len(element):
        return _inner(element)
    text = element.text or ""
    if kind == "html":
        return text.strip()
    if kind.startswith("text"):
        return html.escape(text.strip(), quote=False)
    return ""  # base64 or another media type: nothing an editor can read


def _atom_kind(element: Element) -> str:
    kind = (element.get("type") or "text").lower().strip()
    kind = {"text/html": "html", "application/xhtml+xml": "xhtml", "text/plain": "text"}.get(
        kind, kind
    )
    if element.get("mode") == "escaped":  # Atom 0.3
        return "html"
    return "xhtml" if element.get("mode") == "xml" and kind != "text" else kind


def _markup(element: Element | None) -> str:
    """What an RSS element holds, as HTML: escaped markup, CDATA, or elements of its own."""
    if element is None:
        return ""
    return _inner(element) if len(element) else (element.text or "").strip()


def _inner(element: Element) -> str:
    parts = [html.escape(element.text or "", quote=False)]
    parts += [etree.tostring(child, encoding="unicode", method="html") for child in element]
    return "".join(parts).strip()


def _flat(element: Element | None) -> str:
    """An RSS text in plain text: titles hold escaped markup and double-escaped entities."""
    if element is None:
        return ""
    return _without_tags(_words(element))


def _words(element: Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _without_tags(markup: str) -> str:
    text = re.sub(r"</?[a-zA-Z][^<>]{0,500}>", "", markup) if "<" in markup else markup
    return " ".join(html.unescape(text).split())


def _date(element: Element, *names: tuple[str, str]) -> Any:
    for name, space in names:
        text = _text(element, name, space) if space else _text(element, name)
        if moment := parse_date(text):
            return moment
    return None


def _text(element: Element | None, name: str, space: str | None = None) -> str:
    found = _child(element, name, space) if element is not None else None
    return " ".join(_words(found).split()) if found is not None else ""


def _child(element: Element, name: str, space: str | None = None) -> Element | None:
    return next(iter(_children(element, name, space)), None)


def _children(element: Element, name: str, space: str | None = None) -> list[Element]:
    """Children by local name: of one namespace, or of the feed's own (its parent's, none, Atom)."""
    spaces = (space,) if space else ("", _space(element), *_ATOM, *_RSS)
    return [
        child
        for child in element.iterchildren(tag=etree.Element)
        if _name(child) == name and _space(child) in spaces
    ]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def _space(element: Element) -> str:
    """Its namespace; by the usual prefix where a broken feed forgot to declare it."""
    space, _, name = str(element.tag).rpartition("}")
    prefix = name.rpartition(":")[0]
    return space.removeprefix("{") or _PREFIXES.get(prefix, prefix)


def _rdf(name: str) -> str:
    return f"{{http://www.w3.org/1999/02/22-rdf-syntax-ns#}}{name}"


def _counted(entries: list[Element], warnings: list[str]) -> tuple[str, ...]:
    if len(entries) > MOST_ENTRIES:
        words = f"Only the first {MOST_ENTRIES} of {len(entries)} entries were read."
        return (*warnings, words)
    return tuple(warnings)
