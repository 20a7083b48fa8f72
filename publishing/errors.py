"""How a call to a platform can end other than well.

`PlatformError`: the root; its text is for the editor. `excerpt` is what the platform said.
├── `Refusal`: definitely not posted, and the same again would be refused again.
├── `Wait`: definitely not posted; try again, not before `seconds` if the platform named them.
│   └── `Unfinished`: part of it is out and on record; the rest goes on after `seconds`.
├── `Reauthorise`: definitely not posted, and nothing will be before an administrator has looked
│   at the channel: its credentials or its address are not accepted any more.
│   └── `Expired`: the token has run out; the queue renews it once, where that can be done.
└── `Unknown`: it may have been posted.
    └── `Undecidable`: and nobody but a person can say.
"""


class PlatformError(Exception):
    """A call that did not end with a receipt."""

    def __init__(self, sentence: str, *, status: int | None = None, excerpt: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.excerpt = excerpt[:1000]


class Refusal(PlatformError):
    """Definite and permanent."""


class Wait(PlatformError):
    """Definite and temporary."""

    def __init__(
        self,
        sentence: str,
        *,
        seconds: float | None = None,
        status: int | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(sentence, status=status, excerpt=excerpt)
        self.seconds = seconds


class Unfinished(Wait):
    """It goes well and takes longer than one attempt; no attempt in vain."""


class Reauthorise(PlatformError):
    """The channel's connection is dead; its deliveries wait."""


class Expired(Reauthorise):
    """The token has run out, which a renewal may mend."""


class Unknown(PlatformError):
    """The outcome is not known."""


class Undecidable(Unknown):
    """The desk has done what it can; a person is asked."""


class LostClaim(Exception):
    """Another worker has taken the delivery over: whoever reads this must send nothing more."""
