"""Links of a feed made absolute. Pure."""

import re
from functools import lru_cache
from urllib.parse import urljoin

_TAG = re.compile(
    r"<(?:a|area|audio|blockquote|body|del|embed|form|frame|iframe|img|input|ins|link|object|q|"
    r"script|source|track|video)\s[^<>]{1,5000}>",
    re.I,
)
_RELATIVE = re.compile(
    r"""(\s(?:href|src|cite|poster|action|longdesc|background|data|codebase)\s*=\s*)"""
    r"""(?:"\s*(?![a-z][a-z0-9+.-]*:|\#)([^"<>]{1,2000})"|'\s*(?![a-z][a-z0-9+.-]*:|\#)"""
    r"""([^'<>]{1,2000})'|(?!["'\s]|[a-z][a-z0-9+.-]*:|\#)([^\s"'<>]{1,2000}))""",
    re.I,
)
# It begins with its rarest sign: so texts without relative links, nearly all, are through at once.
_MAY_BE_RELATIVE = re.compile(
    r"""=(?:(?<=\shref=)|(?<=\ssrc=)|(?<=\scite=)|(?<=\sposter=))(?!["']?(?:[a-z][a-z0-9+.-]*:|\#))""",
    re.I,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,20}:", re.I)
_PATH = re.compile(r"/?[\w~%@-][\w~%@.-]*(?:/[\w~%@-][\w~%@.-]*)*", re.ASCII)


def absolute(base: str, link: str) -> str:
    """`link` seen from `base`; "" for what is no address at all."""
    link = link.strip()
    if link.startswith(("https://", "http://")) and "[" not in link:
        return link
    try:
        if _PATH.fullmatch(link):
            root, folder = _places(base)
            return (root if link[0] == "/" else folder) + link
        return urljoin(base, link)
    except ValueError:  # such as "http://[half"
        return ""


@lru_cache(maxsize=64)
def _places(base: str) -> tuple[str, str]:
    """What stands before a path from the root and before one from `base`'s own folder."""
    return urljoin(base, "/x").removesuffix("/x"), urljoin(base, "x").removesuffix("x")


class Links:
    """The links in the texts of one document, made absolute as far as a bound on the work.

    Looking at an element takes about a microsecond, resolving a link ten.
    """

    def __init__(self, microseconds: int = 300_000) -> None:
        self._left = microseconds

    def made_absolute(self, markup: str, base: str) -> str:
        """HTML whose links and pictures lead where its author meant, wherever it is shown."""
        if self._left <= 0 or not (_MAY_BE_RELATIVE.search(markup) and _SCHEME.match(base)):
            return markup

        def link(match: "re.Match[str]") -> str:
            if self._left <= 0:
                return match[0]
            self._left -= 10
            whole = match[2] or match[3] or match[4]
            quote = '"' if match[2] else "'" if match[3] else ""
            return f"{match[1]}{quote}{absolute(base, whole)}{quote}"

        changed, looked_at = _TAG.subn(
            lambda tag: _RELATIVE.sub(link, tag[0]), markup, count=self._left
        )
        self._left -= looked_at
        return changed
