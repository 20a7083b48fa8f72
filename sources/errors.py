"""What can go wrong with a source. Each text says what is wrong and what to do.

`SourceError`: the root; temporary unless it says otherwise.
├── `NotAFeed`: what came is no feed (and what it is instead).
├── `Gone`: 404 or 410.
├── `Denied`: the credentials are refused, or access needs some.
├── `Limited`: asked too often; carries the seconds to wait, if named.
│   └── `NotNow`: by our own limits; nothing was asked, and it is no failure of the source.
├── `Misconfigured`: an option or credential is missing or wrong; nothing was fetched.
└── `Unreachable`: no usable answer came.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sources.connectors.base import Payload


class SourceError(Exception):
    """A sync that brought nothing. `kind` names it for programs.

    `payload` is the answer that could not be read, for the archive.
    """

    kind = "failed"
    permanent = False

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        payload: "Payload | None" = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after
        self.payload = payload


class NotAFeed(SourceError):
    """The document can't be read as what the connector expects."""

    kind = "not_a_feed"


class Gone(SourceError):
    """Nothing is at this address."""

    kind = "gone"


class Denied(SourceError):
    """Access is refused."""

    kind = "denied"
    permanent = True


class Limited(SourceError):
    """The far end asks for patience."""

    kind = "limited"


class NotNow(Limited):
    """It is not this source's turn; `retry_after` says when."""

    kind = "not_now"


class Misconfigured(SourceError):
    """The source itself is not right. `option` names the option to look at, if it is one."""

    kind = "misconfigured"
    permanent = True

    def __init__(self, sentence: str, *, option: str = "") -> None:
        super().__init__(sentence)
        self.option = option


class Unreachable(SourceError):
    """No usable answer."""

    kind = "unreachable"
