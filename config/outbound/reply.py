"""What came back: plain values that outlive the connection."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from config.outbound.errors import BadBody


class Headers(Mapping[str, str]):
    """The header fields of a reply. Names match in any case; repeated fields keep their order."""

    def __init__(self, fields: tuple[tuple[str, str], ...] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._fields[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        # Names only: a reply may set a session cookie.
        return f"Headers({', '.join(self._fields)})"

    def get_all(self, name: str) -> list[str]:
        """Every value of a field that may be repeated, such as Link or Set-Cookie."""
        return list(self._fields.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class Redirect:
    """One hop on the way: the status that sent us on, and where to."""

    status: int
    url: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read to its end. Any status is an answer; only transport trouble raises."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)  # decoded: never longer than the caller's max_bytes
    url: str = field(repr=False)  # where the answer came from, after redirects
    redirects: tuple[Redirect, ...] = field(default=(), repr=False)
    elapsed: float = 0.0  # seconds, from the call to the last byte

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def http_date(self) -> datetime | None:
        """The far end's clock when it answered (Date), if it gave a readable one."""
        return _http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds the far end asks us to wait (Retry-After), measured on its own clock."""
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit() and len(asked) < 10:
            return float(asked)
        until = _http_date(asked)
        if until is None:
            return None
        return max(0.0, (until - (self.http_date or datetime.now(UTC))).total_seconds())

    def text(self) -> str:
        """The body in the charset its header names, else UTF-8; broken bytes become U+FFFD."""
        try:
            return self.body.decode(_charset(self.headers.get("content-type", "")), "replace")
        except (LookupError, ValueError):  # an unknown charset, or a codec that is no charset
            return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON. Raises `BadBody` if it is not, or is nested or numbered absurdly."""
        try:
            return json.loads(self.body, parse_constant=_not_a_number)
        except RecursionError as error:
            raise BadBody("The answer is JSON nested too deeply to read.") from error
        except ValueError as error:  # also broken UTF-8, and integers of thousands of digits
            raise BadBody("The answer should be JSON and is not.") from error


def _charset(content_type: str) -> str:
    parsed = Message()
    parsed["content-type"] = content_type
    return parsed.get_content_charset("utf-8")


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
