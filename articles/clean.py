"""HTML from outside made safe, and turned into plain text. Pure.

nh3 (ammonia) does the cleaning; size is cut first, because deep nesting costs it quadratic time
(250 KB of nested tags took 15 s).
"""

import html
import re
import unicodedata

import nh3

LONGEST_HTML = 400_000  # characters; a feed entry beyond that is cut, a story is refused
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "cite", "code", "dd", "del", "dl", "dt", "em",
    "figcaption", "figure", "h2", "h3", "h4", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol",
    "p", "pre", "q", "s", "samp", "small", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "time", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "time": {"datetime"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_DEEPEST = 200
_BLOCK_END = re.compile(
    r"</(?:p|div|h[1-6]|li|blockquote|tr|figure|pre)\s*>|<br\s*/?>|<hr\s*/?>", re.I
)
_INVISIBLE = dict.fromkeys(
    [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0x202A, 0x202F),
     *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF, *range(0xD800, 0xE000)]
)  # fmt: skip
"""Control characters, bidirectional overrides and lone surrogates: none belongs into copy."""
_ANY_INVISIBLE = re.compile(f"[{re.escape(''.join(map(chr, _INVISIBLE)))}]")

_UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}  # Unicode's spaces, controls and formatting marks


def clean_html(markup: str) -> str:
    """`markup` reduced to what copy may hold: no script, style, frame, form or event handler.

    Links keep http, https and mailto only. The result is at most `LONGEST_HTML` characters and
    safe to show in the console and to publish.
    """
    markup = strip_invisible(markup)[:LONGEST_HTML]
    if too_deep(markup):
        return f"<p>{html.escape(plain_text(markup))}</p>"
    return nh3.clean(
        markup,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    ).strip()


def plain_text(markup: str) -> str:
    """The words of `markup` alone, a line per block, no tags, entities resolved."""
    text = strip_invisible(markup)[:LONGEST_HTML]
    if "<" in text:
        text = _BLOCK_END.sub("\n", text)
        text = nh3.clean(text, tags=set()) if not too_deep(text) else _without_tags(text)
    text = html.unescape(text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str, longest: int) -> str:
    """Plain text on one line, cut to `longest` characters with an ellipsis at a word."""
    line = " ".join(plain_text(text).split())
    if len(line) <= longest:
        return line
    return line[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


def strip_invisible(text: str) -> str:
    """Without control characters, bidirectional overrides, lone surrogates and NUL."""
    # Beyond ASCII looking is ten times as fast as translating, and most texts hold none.
    if text.isascii() or _ANY_INVISIBLE.search(text):
        return text.translate(_INVISIBLE)
    return text


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: only spaces, zero-width characters and the like."""
    return all(unicodedata.category(each) in _UNSEEN for each in text)


def too_deep(markup: str) -> bool:
    """Whether nesting could make cleaning slow: more open tags at once than any real text has."""
    if markup.count("<") <= _DEEPEST:
        return False
    depth = deepest = 0
    for tag in re.finditer(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)", markup):
        if tag[2].lower() in {"br", "img", "hr", "input", "meta", "link", "wbr", "source"}:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    # unclosed paragraphs and list items are common and close themselves
    unclosed = len(re.findall(r"<(?:p|li|td|tr|dt|dd)\b", markup, re.I))
    return deepest - unclosed > _DEEPEST


def _without_tags(markup: str) -> str:
    return re.sub(r"<[^>]{0,2000}>", "", markup)
