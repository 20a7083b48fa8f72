"""One entry of an XML feed, of whichever dialect, as a piece. Pure.

RSS and Atom say the same things in different words, and feeds mix them freely. So every field is
looked for under all of its words, the most telling first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from articles.wire import WireCopy
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import Links, absolute
from sources.feedparsing.people import authors
from sources.feedparsing.texts import GUESS, HTML, TEXT, markup, plain, raw, words
from sources.feedparsing.vocabulary import (
    XML_BASE,
    XML_LANG,
    Element,
    Fields,
    Words,
    fields,
)

_MOST_ENCLOSURES, _MOST_TAGS = 20, 50
_MOST_ATTACHED = 1_000  # looked at, for those that are the same one many times
_PUBLISHED = ("pubdate", "published", "issued", "dcterms:issued", "dc:date", "date",
              "dcterms:created", "created", "dcterms:date")  # fmt: skip
_UPDATED = ("updated", "modified", "dcterms:modified", "lastbuilddate")
_TITLES = ("title", "dc:title", "media:title", "itunes:title")
_CONTENTS = ("content:encoded", "encoded", "content", "xhtml:body", "body", "xhtml:div", "fullitem")
_TEXTS = (*_CONTENTS, "summary", "description", "title")
_SUMMARIES = ("description", "summary", "abstract", "dc:description", "dcterms:abstract",
              "media:description", "itunes:summary", "itunes:subtitle", "subtitle")  # fmt: skip
_CATEGORIES = ("category", "media:category", "dc:subject", "itunes:category")
_KEYWORDS = ("keywords", "itunes:keywords", "media:keywords", "tags")
_TAGGING = frozenset({*_CATEGORIES, *_KEYWORDS})
_ATTACHING = frozenset({"enclosure", "media:content", "media:peerlink", "media:thumbnail"})
_EPISODE = ("itunes:duration", "itunes:season", "itunes:episode")
_DESCRIBING = frozenset({"itunes:image", "media:credit", *_EPISODE})
_PLAIN_BY_DEFAULT = frozenset(
    {"itunes:summary", "itunes:subtitle", "media:description", "abstract"}
)


@dataclass(frozen=True, slots=True)
class About:
    """What an entry inherits from its feed."""

    known: Words
    links: Links  # of the document's texts
    base: str  # for relative links
    language: str = ""
    authors: tuple[str, ...] = ()
    is_atom: bool = False  # where a text without a type is plain


def entry(element: Element, feed: About) -> WireCopy:
    """The piece that `element` (an item or an entry) is."""
    given = _with_media(fields(element, feed.known), feed.known)
    base = based(element, feed.base)
    own = _own_id(element, given)
    link = _original(given) or entry_link(element, given, base) or _permalink(given, base)
    title = first_plain(given, _TITLES, feed.is_atom)
    summary = first_markup(given, _SUMMARIES, feed, base, link)
    content = first_markup(given, _CONTENTS, feed, base, link)
    if not content and "summary" in given and "description" in given:  # then it is the longer
        content = summary
        summary = first_markup(given, ("summary",), feed, base, link)
    updated = _date(given, _UPDATED) or parse_date(attribute(element, "lastmod"))
    published = _date(given, _PUBLISHED) or updated
    language = _language(element, given)
    return WireCopy(
        external_id=identity(own, link, title, published, content or summary),
        title=title,
        url=link,
        content=content or summary,
        summary=summary if content else "",
        authors=authors(given, feed.known) or _sources_authors(given, feed.known) or feed.authors,
        tags=tags(given),
        language=feed.language if language is None else language,
        published_at=published,
        updated_at=updated or _date(given, ("dc:date",)),
        metadata=_metadata(given, base),
    )


def entry_date(element: Element, known: Words) -> datetime | None:
    """When it was published, without reading the rest of it."""
    given = fields(element, known)
    return _date(given, _PUBLISHED) or _date(given, _UPDATED)


def based(element: Element, base: str) -> str:
    """The base of relative links inside `element`, RFC 4287 §2."""
    own = element.get(XML_BASE) if element.attrib else None  # most have no attribute at all
    return (absolute(base, own) or base) if own else base


def attribute(element: Element, name: str) -> str:
    """An attribute by its name in whatever case: CDF and old RSS shout."""
    if not element.attrib:
        return ""
    value = element.get(name)
    if value is None:
        value = element.get(name.upper())
    return (value or "").strip()


def first_plain(given: Fields, names: Sequence[str], is_atom: bool) -> str:
    """The first of `names` that holds a text, in plain text."""
    for name in names:
        if name in given:
            default = TEXT if is_atom and ":" not in name else GUESS
            for element in given[name]:
                if text := plain(element, default):
                    return text
    return ""


def first_markup(given: Fields, names: Sequence[str], feed: About, base: str, link: str) -> str:
    """The first of `names` that holds a text, as HTML with absolute links."""
    for name in names:
        if name not in given:
            continue
        default = TEXT if feed.is_atom and ":" not in name else HTML
        default = GUESS if name in _PLAIN_BY_DEFAULT else default
        for element in given[name]:
            if text := markup(element, default):
                inside = based(element, base)
                # Without xml:base, what is relative in an RSS text is meant as on its page.
                seen_from = inside if feed.is_atom or inside != feed.base else link or inside
                return feed.links.made_absolute(text, seen_from)
    return ""


def entry_link(element: Element | None, given: Fields, base: str) -> str:
    """The address for readers: Atom's alternate link, RSS's text, CDF's attribute."""
    fallback = ""
    for link in given.get("link", ()):
        href = (link.get("href") or link.get("url") or link.get("uri")) if link.attrib else None
        if href is None:
            if text := words(link):
                return absolute(based(link, base), text.replace("&amp;", "&"))
        elif "alternate" in relations(link):
            if "html" in link.get("type", "html"):
                return absolute(based(link, base), href)
            fallback = fallback or absolute(based(link, base), href)
    if not fallback and element is not None and (href := attribute(element, "href")):
        fallback = absolute(base, href)
    return fallback


def relations(link: Element) -> list[str]:
    """What a link's `rel` says; the long form of a registered one is the short one."""
    if (relation := link.get("rel", "alternate")).isalpha():
        return [relation.lower()]
    return [name.rpartition("/")[2] for name in link.get("rel", "alternate").lower().split()]


def tags(given: Fields) -> tuple[str, ...]:
    """Categories by their label, else their term, and keywords; each once."""
    if _TAGGING.isdisjoint(given):
        return ()
    return tuple(dict.fromkeys(islice(_tags(given), _MOST_TAGS)))


def _tags(given: Fields) -> Iterator[str]:
    for word in _CATEGORIES:
        for each in given.get(word, ()):
            named = each.get("label") or each.get("term") or each.get("text") if each.attrib else ""
            if text := (named or "").strip() or plain(each):
                yield text
            for inner in each if word == "itunes:category" else ():
                if text := (inner.get("text") or "").strip():
                    yield text
    for word in _KEYWORDS:
        for each in given.get(word, ()):
            yield from (text for part in words(each).split(",") if (text := part.strip()))


def _with_media(given: Fields, known: Words) -> Fields:
    """A Media RSS group's parts beside the entry's own."""
    for name in ("media:group", "media:content"):
        for group in given.get(name, ())[:_MOST_ENCLOSURES]:
            if len(group):
                for word, found in fields(group, known).items():
                    if word.startswith("media:"):
                        given[word] = given.get(word, []) + found
    return given


def _own_id(element: Element, given: Fields) -> str:
    for word in ("guid", "id", "dc:identifier"):
        for each in given.get(word, ()):
            if text := words(each):
                return text
    if not element.attrib:
        return ""
    about = element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about") or element.get(
        "about"
    )
    return (about or "").strip()


def _original(given: Fields) -> str:
    """The publisher's own address, where a feed's proxy put one of its own in its place."""
    if "feedburner:origlink" not in given:
        return ""
    text = words(given["feedburner:origlink"][0])
    return text if text.startswith(("https://", "http://")) else ""


def _permalink(given: Fields, base: str) -> str:
    """The guid where it says that it is the address, or says nothing."""
    for guid in given.get("guid", ()):
        text = words(guid)
        means_address = attribute(guid, "isPermaLink").lower() in ("", "true")
        if means_address and text.startswith(("http://", "https://", "/")):
            return absolute(base, text)
    sources = [each.get("src", "") for each in given.get("content", ())]
    sources += [each.get("url", "") for each in given.get("media:player", ())]
    return next((absolute(base, address) for address in sources if address), "")


def _date(given: Fields, names: Sequence[str]) -> datetime | None:
    for name in names:
        if name in given:
            for element in reversed(given[name]):
                if moment := parse_date(raw(element).strip()):
                    return moment
    return None


def _language(element: Element, given: Fields) -> str | None:
    """The language of the piece's text; None where it is its feed's, "" where it is none."""
    for word in _TEXTS:
        if word in given:
            for each in given[word]:
                if each.attrib and (language := each.get(XML_LANG)) is not None:
                    return one_language(language)
    for name in (XML_LANG, "lang") if element.attrib else ():
        if (language := element.get(name)) is not None:
            return one_language(language)
    for word in ("dc:language", "language"):
        if word in given and (named := words(given[word][0])):
            return one_language(named)
    return None


def one_language(text: str) -> str:
    """A language tag as BCP 47 writes it; many feeds write `en_US`."""
    return text.strip().replace("_", "-")[:50]


def _sources_authors(given: Fields, known: Words) -> tuple[str, ...]:
    """The authors of the feed that an Atom entry was taken from, RFC 4287 §4.2.11."""
    for each in given.get("source", ()):
        if names := authors(fields(each, known), known):
            return names
    return ()


def _metadata(given: Fields, base: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    attaches = not _ATTACHING.isdisjoint(given) or any(map(_is_enclosure, given.get("link", ())))
    if attaches and (enclosures := list(_enclosures(given, base))):
        found["enclosures"] = enclosures
    if "comments" in given and (comments := words(given["comments"][0])):
        found["comments_url"] = absolute(base, comments)
    if _DESCRIBING.isdisjoint(given):
        return found
    for image in given.get("itunes:image", ()):
        if address := image.get("href") or words(image):
            found["image"] = absolute(base, address)
    for word in _EPISODE:
        if word in given and (text := words(given[word][0])):
            found[word.removeprefix("itunes:")] = text[:40]
    if credit := [text for each in given.get("media:credit", ()) if (text := words(each))]:
        found["credits"] = credit[:_MOST_ENCLOSURES]
    return found


def _enclosures(given: Fields, base: str) -> Iterator[dict[str, Any]]:
    """Enclosures, then media, then their pictures: by address, each once."""
    seen: set[str] = set()
    for each, address, kind in islice(_attached(given), _MOST_ATTACHED):
        absolute_address = absolute(based(each, base), address)
        if absolute_address and absolute_address not in seen and len(seen) < _MOST_ENCLOSURES:
            seen.add(absolute_address)
            length = (each.get("length") or each.get("fileSize") or "").strip()
            size = (
                int(length)
                if length.isascii() and length.isdecimal() and len(length) < 16
                else None
            )
            yield {"url": absolute_address, "type": each.get("type", "") or kind, "length": size}


def _is_enclosure(link: Element) -> bool:
    relation = link.get("rel", "").lower()
    return "enclosure" in relation and "enclosure" in relations(link)


def _attached(given: Fields) -> Iterator[tuple[Element, str, str]]:
    """Element, address, kind by its word."""
    for each in given.get("enclosure", ()):
        yield each, attribute(each, "url") or attribute(each, "href"), ""
    for each in given.get("link", ()):
        if _is_enclosure(each):
            yield each, each.get("href", ""), ""
    for each in given.get("media:content", ()):
        yield each, each.get("url", ""), each.get("medium", "")
    for each in given.get("media:peerlink", ()):
        yield each, each.get("href", ""), ""
    for each in given.get("media:thumbnail", ()):
        yield each, each.get("url") or words(each), "image"
