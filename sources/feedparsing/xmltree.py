"""A feed's bytes as a tree: decoded, bounded, repaired where it must be, nothing followed. Pure."""

import codecs
import re
from html.entities import html5
from typing import Any

from lxml import etree

from sources.feedparsing import FeedError

Element = etree._Element
_DEEPEST, _MOST_ATTRIBUTES, _MOST_TAGS = 150, 100, 400_000
_CONTROLS = bytes({*range(0x20)} - {9, 10, 13})  # XML allows none of them; feeds have them
_ENTITY = re.compile(rb"&([a-zA-Z][a-zA-Z0-9]{1,30});")
_NUMBER = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_XML_ENTITIES = {b"amp", b"lt", b"gt", b"quot", b"apos"}


def tree(document: bytes, content_type: str) -> tuple[Element, list[str]]:
    """The outermost element, with warnings when the XML had to be repaired; raises `FeedError`."""
    document = _decoded(document, content_type)
    prolog = document[: start.start()] if (start := re.search(rb"<[A-Za-z_]", document)) else b""
    if b"<!entity" in prolog.lower():
        raise FeedError("The document declares entities of its own; no feed needs that.")
    document = _with_named_entities(document.translate(None, _CONTROLS))
    _must_be_sane(document)
    options: dict[str, Any] = {
        "resolve_entities": False, "no_network": True, "load_dtd": False,
        "dtd_validation": False, "huge_tree": False, "remove_comments": True,
        "remove_pis": True,
    }  # fmt: skip
    try:
        return etree.fromstring(document, etree.XMLParser(**options)), []
    except (etree.XMLSyntaxError, ValueError) as problem:
        strictly = str(problem)
    try:
        root = etree.fromstring(document, etree.XMLParser(recover=True, **options))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise FeedError(f"This can't be read as XML: {strictly[:200]}.")
    return root, [f"The XML has errors and was repaired: {strictly[:200]}."]


def _decoded(document: bytes, content_type: str) -> bytes:
    """The document in UTF-8, as far as its mark, its header or its declaration say how to read it.

    RFC 7303 lets the header win. In the wild both lie, so UTF-8 wins where either names it and it
    fits: nothing else happens to be valid UTF-8.
    """
    declared = re.match(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", document)
    header = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.I)
    names = [header[1]] if header else []
    names += [declared[1].decode("ascii", "replace")] if declared else []
    if any(name.lower() in ("utf-8", "utf8") for name in names):
        names.insert(0, "utf-8")
    for mark, name in _MARKS.items():
        if document.startswith(mark):
            names.insert(0, name)
    for name in names:
        try:
            text = document.decode(name) if _is_charset(name) else None
        except (LookupError, ValueError):
            continue
        if text is not None:
            text = re.sub(
                r"^(\s*<\?xml[^>]{0,200}?)\bencoding\s*=\s*[\"'][^\"']*[\"']", r"\1", text
            )
            return text.lstrip().encode("utf-8", "replace")
    return document.lstrip()


_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NO_CHARSETS = ("punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined")


def _is_charset(name: str) -> bool:
    """Whether Python's codec of that name is one of documents; some cost quadratic time."""
    return codecs.lookup(name).name.replace("_", "-") not in {
        each.replace("_", "-") for each in _NO_CHARSETS
    }


def _with_named_entities(document: bytes) -> bytes:
    """HTML's named entities as numbers: XML knows five of them and drops or refuses the rest."""

    def number(match: "re.Match[bytes]") -> bytes:
        if match[1] in _XML_ENTITIES:
            return match[0]
        characters = html5.get(match[1].decode() + ";")
        if characters is None:
            return b"&amp;" + match[1] + b";"
        return b"".join(b"&#%d;" % ord(character) for character in characters)

    parts = re.split(rb"(<!\[CDATA\[.*?(?:\]\]>|\Z))", document, flags=re.S)
    return b"".join(
        part if part.startswith(b"<![CDATA[") else _NUMBER.sub(_legal, _ENTITY.sub(number, part))
        for part in parts
    )


def _legal(match: "re.Match[bytes]") -> bytes:
    """A character by its number; one that is none breaks lxml (surrogates) or ends the text."""
    digits = match[1] or match[2]
    code = int(digits, 16 if match[1] else 10) if len(digits) <= 20 else 0
    if code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
        return match[0]
    return match[0] if 0x10000 <= code <= 0x10FFFF else b"&#65533;"


def _must_be_sane(document: bytes) -> None:
    """Refuse what costs a parser far more than it says: deep nesting, crowds of attributes."""
    depth = tags = 0
    for match in re.finditer(
        rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(/?)[A-Za-z_][^<>]*?(/?)>",
        document,
        re.S,
    ):
        if match[1] is None:
            continue
        tags += 1
        if tags > _MOST_TAGS:
            raise FeedError("The document has more elements than any feed.")
        if match[1]:
            depth -= 1
        elif not match[2]:
            depth += 1
            if depth > _DEEPEST:
                raise FeedError(f"The document is nested deeper than {_DEEPEST} levels.")
        if len(match[0]) > 5000 and match[0].count(b"=") > _MOST_ATTRIBUTES:
            raise FeedError("An element of the document has far too many attributes.")
