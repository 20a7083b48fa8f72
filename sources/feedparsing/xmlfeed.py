"""RSS, Atom and CDF from an XML tree to a feed. Pure."""

from datetime import UTC, datetime
from itertools import islice

from sources.feedparsing import MOST_ENTRIES, Feed, FeedError, Unreadable
from sources.feedparsing.about import with_declared
from sources.feedparsing.links import Links
from sources.feedparsing.people import authors
from sources.feedparsing.texts import words
from sources.feedparsing.vocabulary import (
    XML_LANG,
    Element,
    Fields,
    Words,
    fields,
    word_of,
)
from sources.feedparsing.xmlentry import (
    About,
    based,
    entry,
    entry_date,
    entry_link,
    first_plain,
    one_language,
)
from sources.feedparsing.xmltree import tree

_TOPS = frozenset({"rss", "rdf:rdf", "rdf", "feed", "channel"})
_OUTER = frozenset({"rss", "rdf:rdf", "rdf"})  # their channel describes the feed, not they
_PIECES = ("item", "entry")
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


def parse_xml(document: bytes, content_type: str, url: str) -> Feed:
    """The feed in an XML document; raises `FeedError`."""
    root, warnings = tree(document, content_type)
    try:
        return _feed(root, url, warnings)
    except UnicodeDecodeError:  # lxml repaired the document into text that is none
        raise FeedError("The document's text is damaged beyond repair.") from None


def _feed(root: Element, url: str, warnings: list[str]) -> Feed:
    known = Words()
    top = _top(root, known)
    dialect = word_of(top, known)
    head = next(iter(fields(top, known).get("channel", ())), top) if dialect in _OUTER else top
    given = fields(head, known)
    pieces = _pieces(top, head, given, known)
    if head is top and dialect == "rss" and not pieces:
        raise Unreadable("This is RSS without a channel: there is nothing in it.")
    base = based(top, url or _own_address(given))
    base = based(head, base) if head is not top else base
    read = _newest(pieces, known)
    about = About(
        known=known,
        base=base,
        language=_language(top, head, given),
        authors=authors(given, known),
        is_atom=dialect == "feed",
        links=Links(),
    )
    if len(read) < len(pieces):
        warnings = [*warnings, f"Only {len(read)} of {len(pieces)} entries were read."]
    feed = Feed(
        title=first_plain(given, ("title", "dc:title", "itunes:title"), about.is_atom),
        url=entry_link(head, given, base),
        language=about.language,
        version=_version(top, dialect, known),
        entries=tuple(entry(piece, about) for piece in read),
        warnings=tuple(warnings),
    )
    return with_declared(feed, given, base)


def _top(root: Element, known: Words) -> Element:
    """The feed's own outermost element: usually the document's, sometimes wrapped in another."""
    for element in islice(root.iter(), 200):
        if word_of(element, known) in _TOPS:
            return element
    name = word_of(root, known).rpartition(":")[2]
    if name == "html":
        raise FeedError("This is a web page, not a feed; give the address of its feed.")
    given = fields(root, known)
    if any(word in given for word in ("item", "entry")):
        return root
    raise Unreadable(f"This is XML, but no feed: its outermost element is “{name[:60]}”.")


def _pieces(top: Element, head: Element, given: Fields, known: Words) -> list[Element]:
    """The entries, in their order: in the channel, or beside it (RSS 1.0)."""
    found = [each for word in _PIECES for each in given.get(word, ())]
    if head is not top:
        around = fields(top, known)
        found += [each for word in _PIECES for each in around.get(word, ())]
        for channel in around.get("channel", ())[1:]:
            more = fields(channel, known)
            found += [each for word in _PIECES for each in more.get(word, ())]
    return found or [each for each in head.iter() if word_of(each, known) in _PIECES]


def _own_address(given: Fields) -> str:
    """Where relative links lead from when nobody said where the document came from."""
    for link in given.get("link", ()):
        address = (link.get("href") or words(link)).strip()
        if address.startswith(("https://", "http://")):
            return address
    return ""


def _newest(pieces: list[Element], known: Words) -> list[Element]:
    """Not more than a desk can use, in their order: the newest if they are dated."""
    if len(pieces) <= MOST_ENTRIES:
        return pieces
    ranked = sorted(
        range(min(len(pieces), 20 * MOST_ENTRIES)),
        key=lambda n: entry_date(pieces[n], known) or _OLDEST,
        reverse=True,
    )
    return [pieces[n] for n in sorted(ranked[:MOST_ENTRIES])]


def _language(top: Element, head: Element, given: Fields) -> str:
    for word in ("language", "dc:language"):
        if text := words(next(iter(given.get(word, ())), None)):
            return one_language(text)
    return one_language(head.get(XML_LANG) or top.get(XML_LANG) or head.get("lang") or "")


def _version(top: Element, dialect: str, known: Words) -> str:
    if dialect == "feed":
        old = "purl.org" in str(top.tag) or top.get("version", "").startswith("0.")
        return "atom 0.3" if old else "atom 1.0"
    if dialect in ("rdf:rdf", "rdf"):
        return "rss 0.90" if any("netscape" in tag for tag in known) else "rss 1.0"
    if dialect == "channel":
        return "cdf"
    return f"rss {top.get('version', '').strip()[:10]}".strip()
