"""Links of a feed made absolute. Pure."""

import re
from urllib.parse import urljoin

_RELATIVE = re.compile(
    r"""(<(?:a|img)\s[^<>]{0,2000}?\b(?:href|src)\s*=\s*)(["'])(?![a-z][a-z0-9+.-]*:|\#)"""
    r"""([^"'<>]{1,2000})\2""",
    re.I,
)


def absolute(base: str, link: str) -> str:
    """`link` seen from `base`; "" for what is no address at all."""
    try:
        return urljoin(base, link.strip())
    except ValueError:  # such as "http://[half"
        return ""


def with_absolute_links(markup: str, base: str) -> str:
    """HTML whose links and pictures lead where its author meant, wherever it is shown."""
    if not base:
        return markup

    def found(match: "re.Match[str]") -> str:
        return f"{match[1]}{match[2]}{absolute(base, match[3])}{match[2]}"

    return _RELATIVE.sub(found, markup)
