"""A broken document mended as far as it can be without guessing. Pure.

Every step is bounded, so that no document costs more than a fixed multiple of its size.
"""

import re
from collections.abc import Callable, Mapping
from html.entities import html5

from sources.feedparsing import FeedError
from sources.feedparsing.decoding import mended_utf8
from sources.feedparsing.vocabulary import PREFIXES

_MOST_CHANGES, _MOST_GROWTH = 200_000, 2_000_000
_CONTROLS = bytes({*range(0x20)} - {9, 10, 13})  # XML allows none of them; feeds have them
_ENTITY = re.compile(rb"&([a-zA-Z_][\w.-]{0,60});")
_NUMBER = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_NO_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf].")
_XML_ENTITIES = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_OPEN, _CLOSE = b"<![CDATA[", b"]]>"
_VOID = re.compile(rb"<(br|hr|img|input|wbr)((?:\s[^<>]{0,2000})?)(?<!/)>", re.I)
_CLOSED_VOID = re.compile(rb"</(?:br|hr|img|input|wbr)\s*>", re.I)
_UNQUOTED = re.compile(rb"<[A-Za-z_][^<>\s]{0,60}\s[^<>=]{1,60}=[^\s\"'<>][^<>]{0,500}>")
_VALUE = re.compile(rb"(\s[\w:.-]{1,60}=)([^\s\"'<>]{1,300}?)(?=\s|/?>)")
_ROOT = re.compile(rb"<(?:[\w]+:)?(?:rss|rdf|feed|channel)(?=[\s>])", re.I)


def repaired(document: bytes, entities: Mapping[bytes, bytes]) -> tuple[bytes, list[str]]:
    """The document in UTF-8 with only what XML allows in a text, and what was wrong with it.

    Named entities (HTML's and `entities`) become characters, a bare ampersand becomes `&amp;`,
    the usual prefixes are declared, control characters go. Raises `FeedError` for hopeless ones.
    """
    document, warnings = mended_utf8(document.translate(None, _CONTROLS))
    if b"\xef\xbf" in document or b"\xed" in document:
        document = _NO_CHARACTER.sub("\ufffd".encode(), document, count=_MOST_CHANGES)
    if document.rfind(_OPEN) > document.rfind(_CLOSE):
        document += _CLOSE
    document = outside_cdata(document, lambda part: _without_odd_entities(part, entities))
    return _with_prefixes(document), warnings


def without_html_habits(document: bytes) -> bytes:
    """HTML's empty elements made XML's, and attributes quoted.

    An open `<br>` would swallow the rest of the feed.
    """

    def change(part: bytes) -> bytes:
        part = _VOID.sub(rb"<\1\2/>", _CLOSED_VOID.sub(b"", part))
        return _UNQUOTED.sub(lambda tag: _VALUE.sub(rb'\1"\2"', tag[0]), part)

    return outside_cdata(document, change)


def outside_cdata(document: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """`change` applied to everything but CDATA sections, where nothing is mark-up."""
    if _OPEN not in document:
        return change(document)
    parts = cdata_apart(document)
    return b"".join(part if n % 2 else change(part) for n, part in enumerate(parts))


def cdata_apart(document: bytes) -> list[bytes]:
    """The document in pieces: every second one is a CDATA section, open to the end if unclosed."""
    parts, done = [], 0
    while (start := document.find(_OPEN, done)) >= 0:
        end = document.find(_CLOSE, start)
        end = len(document) if end < 0 else end + len(_CLOSE)
        parts += [document[done:start], document[start:end]]
        done = end
    return [*parts, document[done:]]


def _without_odd_entities(part: bytes, entities: Mapping[bytes, bytes]) -> bytes:
    if b"&" not in part:
        return part

    def character(match: "re.Match[bytes]") -> bytes:
        name = match[1]
        if name in _XML_ENTITIES:
            return match[0]
        if name in entities:
            return entities[name]
        characters = html5.get(name.decode("ascii", "replace") + ";")
        return match[0] if characters is None else _escaped(characters)

    longest = max(map(len, entities.values()), default=1)
    part = _changed(_ENTITY, character, part, min(_MOST_CHANGES, _MOST_GROWTH // longest))
    part = _changed(_NUMBER, _legal, part, _MOST_CHANGES)
    return _changed(_BARE, lambda _: b"&amp;", part, _MOST_CHANGES)


def _changed(
    wrong: "re.Pattern[bytes]",
    right: Callable[["re.Match[bytes]"], bytes],
    part: bytes,
    most: int,
) -> bytes:
    part, changes = wrong.subn(right, part, count=most)
    if changes == most:
        raise FeedError("The document has more mistakes than can be mended.")
    return part


def _escaped(characters: str) -> bytes:
    """As a feed's author would have written them: an entity never makes mark-up."""
    return b"".join(
        b"&#%d;" % ord(each) if each in "<>&\"'" else each.encode() for each in characters
    )


def _legal(match: "re.Match[bytes]") -> bytes:
    """A character by its number; one that is none breaks lxml (surrogates) or ends the text."""
    digits = match[1] or match[2]
    code = int(digits, 16 if match[1] else 10) if len(digits) <= 20 else 0
    if code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
        return b"&#%d;" % code
    return b"&#%d;" % code if 0x10000 <= code <= 0x10FFFF else b"&#65533;"


def _with_prefixes(document: bytes) -> bytes:
    """The usual prefixes declared where a feed uses them and forgot to."""
    root = _ROOT.search(document[:50_000])
    if root is None:
        return document
    missing = b"".join(
        b' xmlns:%s="%s"' % (prefix.encode(), space.encode())
        for prefix, space in PREFIXES.items()
        if b"<%s:" % prefix.encode() in document and b"xmlns:%s=" % prefix.encode() not in document
    )
    return document[: root.end()] + missing + document[root.end() :]
