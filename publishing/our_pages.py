"""The desk's own pages, where a platform of ours publishes without leaving the house. Pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a post's job knows us
    from publishing.post import Post


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery's post as it stands on our pages."""

    number: str  # the same for ever, whatever is changed
    address: str  # of its own page
    text: str = ""  # its words


class OurPages(Protocol):
    """One delivery's place there, as the queue keeps it."""

    async def put(self, post: "Post") -> Shown:
        """Make it say what `post` says; again with the same words changes nothing.

        Raises `LostClaim` when another worker has the delivery, `Refusal` when it is taken down.
        """

    async def take_down(self) -> None:
        """Take it away, and say so to who asks for it; again changes nothing.

        Raises `LostClaim`.
        """

    async def shown(self) -> Shown | None:
        """How it stands now; None when it isn't there, or not any more."""
