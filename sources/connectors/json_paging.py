"""Page after page of a JSON service: by number, offset, cursor or Link header. Pure.

A position is a text that says where a page is ("" is the beginning), so that reading can go on
from it another day.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from sources.connectors.base import Option
from sources.connectors.json_paths import BadPath, Path
from sources.errors import Misconfigured

KINDS = (
    ("none", "No further pages"),
    ("page", "Page number"),
    ("offset", "Offset"),
    ("cursor", "Cursor, or the next page's address, in the answer"),
    ("link", "Link header (RFC 8288)"),
)
_GROUP = "Further pages"
OPTIONS = (
    Option("paging", "Further pages by", "choice", default="none", choices=KINDS, group=_GROUP),
    Option(
        "page_parameter", "Page parameter", group=_GROUP,
        help="The query parameter for number, offset or cursor; empty: page, offset, cursor.",
    ),
    Option("first_page", "First page's number", "number", default=1, group=_GROUP),
    Option(
        "cursor", "Next page", group=_GROUP,
        help="Where the answer has the cursor or the address: meta.next_cursor",
    ),
    Option("size_parameter", "Size parameter", help="Such as per_page, if any.", group=_GROUP),
    Option("size", "Pieces on a page", "number", default=50, group=_GROUP),
    Option("pages", "At most so many pages", "number", default=3, group=_GROUP),
)  # fmt: skip
_USUAL = {"page": "page", "offset": "offset", "cursor": "cursor"}


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer says about the way on."""

    document: Any
    url: str  # where it came from, without secrets
    links: Sequence[str] = ()  # its Link headers
    entries: int = 0  # in its list


class Paging:
    """The way from page to page. Raises `Misconfigured` naming the option."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.kind = options["paging"]
        self._parameter = str(options["page_parameter"]).strip() or _USUAL.get(self.kind, "")
        self._first = options["first_page"]
        self._size_parameter = str(options["size_parameter"]).strip()
        self._size = options["size"]
        self._cursor = self._compiled(options) if self.kind == "cursor" else None

    def address(self, endpoint: str, position: str) -> str:
        """The address of the page at `position`."""
        if position and self.kind in ("cursor", "link") and _is_address(position):
            return position
        given = {}
        if self._size_parameter and self._size:
            given[self._size_parameter] = str(self._size)
        if self.kind in ("page", "offset"):
            given[self._parameter] = position or str(self._beginning)
        elif self.kind == "cursor" and position:
            given[self._parameter] = position
        return with_parameters(endpoint, given)

    def after(self, position: str, page: Page) -> str:
        """The position of the page behind this one; "" where there is none, or on a foreign host.

        A cursor or link to the same place again is the end, too.
        """
        if self.kind in ("page", "offset"):
            return self._counted(position, page.entries)
        found = self._found(page)
        if self.kind == "link" or _is_address(found) or found.startswith(("/", "?")):
            found = _near(page.url, found)
        return "" if found in (position, page.url) else found

    def _counted(self, position: str, entries: int) -> str:
        if not entries or (self._size_parameter and entries < self._size):
            return ""
        here = int(position) if position.isdecimal() else self._beginning
        return str(here + (1 if self.kind == "page" else entries))

    @property
    def _beginning(self) -> int:
        return int(self._first) if self.kind == "page" else 0

    def _found(self, page: Page) -> str:
        if self.kind == "link":
            return next_link(page.links)
        if self._cursor is None:
            return ""
        try:
            value = self._cursor(page.document)
        except BadPath as problem:
            raise Misconfigured(f"“Next page”: {problem}", option="cursor") from None
        usable = isinstance(value, str | int) and not isinstance(value, bool)
        found = str(value).strip() if usable else ""
        return found if len(found) <= 2000 else ""

    def _compiled(self, options: Mapping[str, Any]) -> Path:
        if not str(options["cursor"]).strip():
            raise Misconfigured(
                "Say where the answer has the cursor or the next page's address.", option="cursor"
            )
        try:
            return Path(options["cursor"])
        except BadPath as problem:
            raise Misconfigured(f"“Next page”: {problem}", option="cursor") from None


_LINK = re.compile(
    r"<([^<>]{1,2000})>"
    r"((?:\s*;\s*[\w!#$&+.^`|~*-]{1,40}\s*=\s*(?:\"[^\"]{0,200}\"|[^\s;,\"]{1,200}))*)"
)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))')


def next_link(headers: Sequence[str]) -> str:
    """The target of `rel="next"` in Link headers (RFC 8288 §3); "" when there is none."""
    for header in headers:
        for target, parameters in _LINK.findall(header[:20_000]):
            for name, quoted, plain in _PARAMETER.findall(parameters):
                if name.lower() == "rel" and "next" in (quoted or plain).lower().split():
                    return str(target).strip()
    return ""


def with_parameters(url: str, given: Mapping[str, str]) -> str:
    """`url` with these query parameters, in place of any of the same name."""
    if not given:
        return url
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in given
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *given.items()])))


def without_parameter(url: str, name: str) -> str:
    """`url` without a query parameter; the others keep their spelling."""
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if not any(name == found for found, _ in parse_qsl(pair, keep_blank_values=True))
    ]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _near(url: str, link: str) -> str:
    """`link` seen from `url`, if it stays on the same scheme, host and port."""
    if not link:
        return ""
    try:
        target = urljoin(url, link)
        here, there = urlsplit(url), urlsplit(target)
    except ValueError:
        return ""
    return target if (here.scheme, here.netloc) == (there.scheme, there.netloc) else ""


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))
