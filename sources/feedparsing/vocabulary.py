"""What an element means, in one word, whatever its namespace is called. Pure.

Feeds write namespaces in many spellings, or none. An element's word is its name in lower case,
after the usual prefix of its vocabulary: `title`, `dc:creator`, `media:content`. RSS and Atom
have no prefix: their names mean the same, and many feeds mix them.
"""

from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element
Fields: TypeAlias = dict[str, list[Element]]

PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "georss": "http://www.georss.org/georss",
    "thr": "http://purl.org/syndication/thread/1.0",
}
"""The usual prefixes, and what they stand for."""

XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_OWN = (
    "http://www.w3.org/2005/atom", "http://purl.org/atom/ns", "http://purl.org/rss/1.0",
    "http://purl.org/atom/app", "http://purl.org/rss/1.0/modules/rss091",
    "http://my.netscape.com/rdf/simple/0.9", "http://channel.netscape.com/rdf/simple/0.9",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd", "http://purl.org/echo",
    "http://purl.org/pie", "uri/of/echo/namespace", "http://example.com/necho",
    "http://example.com/newformat", "http://blogs.law.harvard.edu/tech/rss",
    "http://cyber.law.harvard.edu/rss", "http://purl.org/net/rss1.1",
)  # fmt: skip
"""RSS's and Atom's own namespaces over the years, without their last sign."""

_WORDS = {space.lower().rstrip("/#"): prefix for prefix, space in PREFIXES.items()} | {
    "http://purl.org/dc/elements/1.0": "dc",
    "http://www.itunes.com/dtds/podcast-1.0": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.google.com/schemas/play-podcasts/1.0": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://purl.org/rss/1.0/modules/content": "content",
}
_WORDS |= dict.fromkeys(_OWN, "")
_KNOWN_PREFIXES = frozenset(PREFIXES)
_STRANGE = "?"


class Words(dict[str, str]):
    """An element's tag to its word, each worked out once a document."""

    def __missing__(self, tag: str) -> str:
        space, closed, name = tag.rpartition("}")
        name = name.lower()
        if not closed:  # a prefix that nobody declared stands in the name
            prefix, _, name = name.rpartition(":")
            word = "" if prefix in ("", "atom", "rss") else prefix
        else:
            space = space[1:].strip().lower().rstrip("/#")
            word = _WORDS.get(space, _STRANGE)
            if "backend.userland.com/rss" in space:
                word = ""
        self[tag] = found = f"{word}:{name}" if word else name
        return found


def fields(element: Element, words: Words) -> Fields:
    """The children of `element` by their word, in the document's order."""
    found: Fields = {}
    for child in element[:]:  # type: ignore[index]  # faster than its iterator; not in the stubs
        tag = child.tag
        if type(tag) is not str:
            continue
        word = words[tag]
        if word[0] == _STRANGE:
            word = _by_prefix(child, word[2:])
        if word in found:
            found[word].append(child)
        else:
            found[word] = [child]
    return found


def word_of(element: Element, words: Words) -> str:
    """The word of one element; "" for a comment or the like."""
    if type(element.tag) is not str:
        return ""
    word = words[element.tag]
    return _by_prefix(element, word[2:]) if word[0] == _STRANGE else word


def _by_prefix(element: Element, name: str) -> str:
    """A namespace that nobody knows under a prefix that everybody knows, or under none."""
    prefix = (element.prefix or "").lower()
    if not prefix or prefix in ("atom", "rss"):
        return name
    return f"{prefix}:{name}" if prefix in _KNOWN_PREFIXES else f"{_STRANGE}:{name}"
