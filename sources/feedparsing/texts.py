"""The text of an element: plain for titles, HTML for the rest. Pure."""

import base64
import binascii
import html
import re
from collections.abc import Iterator

from lxml import etree

from sources.feedparsing.vocabulary import Element

TEXT, HTML, XHTML, BASE64, GUESS = "text", "html", "xhtml", "base64", "guess"
_KINDS = {
    "text": TEXT, "plain": TEXT, "text/plain": TEXT, "html": HTML, "text/html": HTML,
    "text/x-html": HTML, "xhtml": XHTML, "application/xhtml+xml": XHTML, "application/xhtml": XHTML,
}  # fmt: skip
_LONGEST_TITLE = 20_000
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|blockquote|br|center|cite|code|del|dfn|div|em|font|h[1-6]|hr|i|"
    "img|ins|kbd|li|mark|nobr|ol|p|pre|q|s|samp|small|span|strike|strong|sub|sup|tt|u|ul|var|wbr"
)
_KNOWN_TAG = re.compile(rf"</?(?:{_INLINE})(?:\s[^<>]{{0,1000}})?/?>", re.I)
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
_CLOSES = re.compile(r"</\w+\s*>|<(?:br|hr|img|p)\b|&#?\w{1,30};", re.I)
_DECLARES = re.compile(r"<[^<>]*\sxmlns[^<>]*>")
_DECLARATION = re.compile(r"""\sxmlns(?::[\w.-]+)?=(?:"[^"]*"|'[^']*')""")
_PREFIXED = re.compile(r"<(/?)[A-Za-z_][\w.-]*:(?=[A-Za-z])")
_EMPTY = re.compile(r"<(br|hr|img|input|wbr)((?:\s[^<>]{0,2000})?)></\1>", re.I)
_BREAK = "\\t\\n\\r\\f\\v\\x1c-\\x1f\\x85\\u2028\\u2029"
_BREAKS = re.compile(f"(?:[{_BREAK}]| [ {_BREAK}])[ {_BREAK}]*")  # but not a blank alone
_OPENING = re.compile(r"<(?=[A-Za-z])")
_SLICE = 500_000
_WRAPPED = re.compile(r"\s*<div(?:\s[^<>]*)?>(.*)</div>\s*", re.S)


def words(element: Element | None) -> str:
    """All text in an element, on one line."""
    if element is None:
        return ""
    text = raw(element) if len(element) else element.text or ""
    return " ".join(text.split()) if text.isascii() else one_line(text)


def one_line(text: str) -> str:
    """The text without line breaks and runs of blanks.

    A no-break space and its like stay: they are the writer's (French puts them before “?”).
    """
    return _BREAKS.sub(" ", text).strip()


def plain(element: Element | None, default: str = GUESS) -> str:
    """A title in plain text on one line, mark-up removed and entities resolved.

    `default` is the kind of text where the element says nothing: Atom's is TEXT (RFC 4287
    §3.1.1); RSS never said, so there it is guessed.
    """
    if element is None:
        return ""
    kind = _kind(element, default)
    text = raw(element)
    if kind == BASE64:
        text, kind = _decoded(text), GUESS
    text = text[:_LONGEST_TITLE]
    if "<" not in text and "&" not in text:
        pass
    elif len(element) and kind != HTML:
        pass  # mark-up of its own is gone already, and what is left means itself
    elif kind in (HTML, XHTML):
        text = _without_tags(text, _ANY_TAG)
    elif kind == GUESS:
        text = _without_tags(text, _KNOWN_TAG)
    return " ".join(text.split()) if text.isascii() else one_line(text)


def _without_tags(text: str, tag: "re.Pattern[str]") -> str:
    if "<" in text:
        text = tag.sub("", _UNSEEN.sub("", text))
    return html.unescape(text) if "&" in text else text


def markup(element: Element | None, default: str = HTML) -> str:
    """A text as HTML, as received; "" for a media type that is none an editor can read."""
    if element is None:
        return ""
    kind = _kind(element, default)
    if kind == BASE64:
        text = _decoded(raw(element)).strip()
        return text if looks_like_html(text) else html.escape(text, quote=False)
    if len(element):
        return _inner(element, unwrap=kind == XHTML)
    text = (element.text or "").strip()
    if not text:
        return ""
    if kind in (TEXT, XHTML) or (kind == GUESS and not looks_like_html(text)):
        text = html.escape(text, quote=False)
    return text


def looks_like_html(text: str) -> bool:
    """Whether a text that doesn't say so is HTML: it has an end tag or an entity."""
    return ("<" in text or "&" in text) and bool(_CLOSES.search(text[:100_000]))


def raw(element: Element) -> str:
    """All text in an element, as it stands there."""
    if not len(element):
        return element.text or ""
    return "".join(str(part) for part in element.itertext())


def _kind(element: Element, default: str) -> str:
    """What the element's `type` (Atom, Media RSS) and `mode` (Atom 0.3) say of its text."""
    if not element.attrib:
        return default
    mode = element.get("mode", "").strip().lower()
    given = element.get("type", "").partition(";")[0].strip().lower()
    if mode == "base64":
        return BASE64
    if mode == "escaped" and given in ("", "text/plain", "text"):
        return GUESS if default == TEXT and not given else default if not given else TEXT
    kind = _KINDS.get(given)
    if kind or not given:
        return kind or default
    if given.endswith(("+xml", "/xml")):
        return XHTML
    if given.startswith("text/"):
        return TEXT
    return BASE64 if "/" in given else default


def _decoded(text: str) -> str:
    """Base64 that holds text; "" for a picture or the like."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return text if looks_like_html(text) else ""


def _inner(element: Element, *, unwrap: bool) -> str:
    """What stands between an element's tags, as HTML without namespaces.

    RFC 4287 §3.1.1.3: the div around XHTML is no part of the text.
    """
    parts = [html.escape(element.text or "", quote=False)]
    for child in element:
        text = str(etree.tostring(child, encoding="unicode", method="html"))
        if "xmlns" in text:
            text = _DECLARES.sub(lambda match: _DECLARATION.sub("", match[0]), text)
        if _PREFIXED.search(text):  # lxml knows HTML's empty elements by their bare names only
            parts += (_EMPTY.sub(r"<\1\2>", _PREFIXED.sub(r"<\1", some)) for some in _sliced(text))
        else:
            parts.append(text)
    whole = "".join(parts).strip()
    if unwrap and len(element) == 1 and (match := _WRAPPED.fullmatch(whole)):
        return match[1].strip()
    return whole


def _sliced(markup: str) -> Iterator[str]:
    """Long mark-up a slice at a time, each ending before an element: less memory for a change."""
    done = 0
    while cut := _OPENING.search(markup, done + _SLICE):
        yield markup[done : cut.start()]
        done = cut.start()
    yield markup[done:]
