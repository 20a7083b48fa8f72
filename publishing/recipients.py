"""Whom a mailing goes to, one after the other, each written down before and after. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Recipient:
    """One subscriber, whose letter is on record as leaving now."""

    number: int  # of the letter
    address: str
    mark: str  # the same for this subscriber in every letter, and telling nobody who it is
    unsubscribe_url: str  # works without a login, by POST


class Ending(StrEnum):
    """What became of one letter."""

    SENT = "sent"  # their server, or ours, has taken it on
    REFUSED = "refused"  # definitely not, and not because of the address
    NO_SUCH = "no_such"  # definitely not: there is no such mailbox
    PUT_OFF = "put_off"  # definitely not yet
    NOT_BEGUN = "not_begun"  # the line broke, or the sender wasn't taken, before its turn
    IN_DOUBT = "in_doubt"  # the line broke when all had been said


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a mailing has come, in letters."""

    sent: int = 0
    refused: int = 0
    waiting: int = 0
    in_doubt: int = 0


class Recipients(Protocol):
    """A mailing's letters, as the queue keeps them."""

    async def next(self) -> Recipient | None:
        """Who is next, on record as being written to; None when nobody is left for now.

        Raises `LostClaim` when another worker has the mailing: send nothing more.
        """

    async def ended(self, recipient: Recipient, ending: Ending, said: str = "") -> None:
        """Write down what became of the letter, with what the server said."""

    async def tally(self) -> Tally:
        """All letters of this mailing, earlier attempts included."""
