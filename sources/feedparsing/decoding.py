"""Which encoding a document is really in. Pure.

RFC 7303 lets the HTTP header win over the document's own declaration. In the wild both lie, so a
byte order mark comes first, then UTF-8 wherever somebody names it and it fits (nothing else happens
to be valid UTF-8), then the header, then the declaration. A charset is read as browsers read it
(https://encoding.spec.whatwg.org/#names-and-labels): who says Latin-1 means Windows-1252.
"""

import codecs
import re
from functools import lru_cache

_UTF8 = "utf-8"
_AS_BROWSERS_DO = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift-jis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
}
_MORE_LABELS = {
    "mac": "mac-roman", "csmacintosh": "mac-roman", "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic", "ms-cyrl": "cp1251", "ms-ee": "cp1250", "ms-ansi": "cp1252",
    "ms-greek": "cp1253", "ms-turk": "cp1254", "ms-hebr": "cp1255", "ms-arab": "cp1256",
    "x-sjis": "shift-jis", "x-gbk": "gbk", "x-euc-jp": "euc-jp", "x-user-defined": "cp1252",
    "unicode": "utf-16", "utf-8859-1": "cp1252", "utf": "utf-8", "utf-8-bom": "utf-8",
}  # fmt: skip
_NO_CHARSETS = frozenset({
    "punycode", "idna", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined", "mbcs", "oem",
})  # fmt: skip
"""Python's codecs that are none of documents: some cost quadratic time, UTF-7 hides markup."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# XML 1.0, appendix F: how "<?xml" or "<" looks where nobody marked the byte order
_FAMILIES = (
    (b"\x00\x00\x00<", "utf-32-be"), (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"), (b"<\x00?\x00", "utf-16-le"), (b"<\x00", "utf-16-le"),
)  # fmt: skip
_EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
_MOST_BAD_BYTES, _MOST_CHANGES = 2000, 100_000
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_C1_REFERENCE = re.compile(rb"&#(1[2-5]\d|[xX][89][0-9a-fA-F]);")
_LATIN = re.compile(rb"(?:\xc2[\x80-\xbf]|\xc3[\x80-\xbf]){1,200}")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_DECLARED = re.compile(
    rb"\s*<\?xml(?=\s)[^>]{0,200}?\bencoding\s*=\s*[\"']\s*([A-Za-z0-9_.:-]{1,40})"
)
_DECLARATION = re.compile(r"^\s*<\?xml(?=[\s?])[^>]{0,400}?>")


def to_utf8(document: bytes, content_type: str) -> tuple[bytes, list[str]]:
    """The document in UTF-8, and a warning where what it says of its encoding is not so.

    A document that says it is UTF-8 is passed on unchecked: checking is the XML parser's work,
    and `mended_utf8` is for what fails it.
    """
    header = _CHARSET.search(content_type[:300])
    named = {"the header": header[1]} if header else {}
    mark, marked = _marked(document)
    declared = _DECLARED.match(document[:1000]) if marked in ("", "utf-8-sig") else None
    if document.startswith(_EBCDIC):
        declared = _DECLARED.match(document[:1000].decode("cp037").encode("ascii", "replace"))
        marked = _python_name(declared[1].decode() if declared else "") or "cp037"
        marked = marked if marked.startswith("cp") and marked != "cp1252" else "cp037"
    if declared:
        named["the document"] = declared[1].decode()
    codes = {who: _python_name(name) for who, name in named.items()}
    if marked in ("", "utf-8-sig") and set(codes.values()) <= {_UTF8}:
        return document[len(mark) :], []
    text, used = _decoded(document, marked, list(codes.values()))
    wrong = [f"{who} says “{named[who]}”" for who in named if codes[who] != _python_name(used)]
    warnings = [f"It was read as {used}, but {' and '.join(wrong)}."] if wrong else []
    return _DECLARATION.sub("", text, count=1).encode(_UTF8, "replace"), warnings


def without_c1(document: bytes) -> bytes:
    """UTF-8 with two old accidents undone: Windows-1252 and UTF-8 itself, read as Latin-1.

    Both leave control characters (C1) that no text has; a document without them is passed on.
    """
    if _C1_REFERENCE.search(document):
        document = _C1_REFERENCE.sub(_referred, document, count=_MOST_CHANGES)
    return _LATIN.sub(_reread, document, count=_MOST_CHANGES) if _C1.search(document) else document


def _referred(match: "re.Match[bytes]") -> bytes:
    code = int(match[1][1:], 16) if match[1][:1] in b"xX" else int(match[1])
    return bytes([code]).decode("cp1252", "ignore").encode() if code < 0xA0 else match[0]


def _reread(match: "re.Match[bytes]") -> bytes:
    if not _C1.search(match[0]):
        return match[0]
    once = match[0].decode().encode("latin-1")
    try:
        return once.decode(_UTF8).encode()
    except ValueError:
        return once.decode("cp1252", "ignore").encode()


def mended_utf8(document: bytes) -> tuple[bytes, list[str]]:
    """The document in valid UTF-8: stray bytes are read as Windows-1252, the usual culprit."""
    try:
        document.decode(_UTF8)
    except UnicodeDecodeError:
        pass
    else:
        return document, []
    if document.decode(_UTF8, "replace").count("\ufffd") > _MOST_BAD_BYTES:
        text = document.decode("cp1252", "replace")
    else:
        text = document.decode(_UTF8, "newsdesk.windows1252")
    return text.encode(_UTF8), ["It says it is UTF-8, but has bytes that are not."]


def _stray(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    return problem.object[problem.start : problem.end].decode("cp1252", "replace"), problem.end


codecs.register_error("newsdesk.windows1252", _stray)


def _marked(document: bytes) -> tuple[bytes, str]:
    """The byte order mark and its encoding; without one, what the first bytes give away."""
    if document.startswith(b"<") and not document.startswith(b"<\x00"):
        return b"", ""
    for mark, name in _MARKS:
        if document.startswith(mark):
            return mark, name
    return next(((b"", name) for begin, name in _FAMILIES if document.startswith(begin)), (b"", ""))


def _decoded(document: bytes, marked: str, named: list[str]) -> tuple[str, str]:
    """The text, and the encoding that gave it."""
    first = [marked] if marked else []
    first += [_UTF8] if _UTF8 in named else []
    fitting = [name for name in named if name and not name.startswith(("utf-16", "utf-32"))]
    for name in (*first, *fitting, *(name for name in named if name), _UTF8):
        try:
            text = document.decode(name)
        except ValueError:
            continue
        if "\x00" not in text[:200]:
            return text.removeprefix("\ufeff"), name
    name = marked or (fitting[0] if fitting else "cp1252")
    name = "cp1252" if name in (_UTF8, "utf-8-sig") else name
    return document.decode(name, "replace").removeprefix("\ufeff"), name


@lru_cache(maxsize=256)
def _python_name(label: str) -> str:
    """Python's name of a charset as browsers read the label; "" for what is none."""
    try:
        name = codecs.lookup(_MORE_LABELS.get(label.lower(), label)).name.replace("_", "-")
    except (LookupError, ValueError):
        return ""
    if name in _NO_CHARSETS or not codecs.lookup(name)._is_text_encoding:
        return ""
    return _AS_BROWSERS_DO.get(name, "utf-8" if name == "utf-8-sig" else name)
