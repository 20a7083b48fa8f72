"""What every receiving platform can tell about the posts that arrived there."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Posting:
    """One post as it stands on a platform now."""

    id: str
    marker: str  # what the sender chose to tell one post from another: key, slug or message id
    title: str
    html: str
    path: str  # of its page on this server; empty when readers can't see it
    at: datetime
    public: bool  # False for drafts, planned and withdrawn posts


class Platform(Protocol):
    """A receiving platform, as the front page and the control interface see it."""

    name: str

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        ...

    def postings(self) -> list[Posting]:
        """Everything that arrived and wasn't erased, oldest first."""
        ...

    def clear(self) -> None:
        """Forgets everything that arrived."""
        ...


def as_json(posting: Posting) -> dict[str, Any]:
    """A posting for `/_control/posts`."""
    return asdict(posting) | {"at": posting.at.isoformat()}
