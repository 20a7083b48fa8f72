"""Copy as it comes over the wire, before anything of ours has touched it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_FUTURE_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WireCopy:
    """One incoming piece as a connector read it. Hostile until `articles.intake` has cleaned it."""

    external_id: str  # the source's own identity of the piece, stable over its updates
    title: str  # plain text
    url: str = ""  # where a reader finds it
    content: str = ""  # HTML as received
    summary: str = ""  # HTML or plain text as received
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""  # BCP 47, empty when the source doesn't say
    published_at: datetime | None = None  # aware; None when the source doesn't say
    updated_at: datetime | None = None  # aware
    metadata: Mapping[str, Any] = field(default_factory=dict)  # JSON: score, comments, enclosures …
    firm_id: bool = False  # a service's database gave the id: never another for the same piece

    def fingerprint(self) -> str:
        """A digest of the piece as received: 64 hex signs, another one when it was rewritten.

        Scores, comment counts and dates move all the time without the piece being another one,
        so they stay out; so does the id, which some sources change for nothing.
        """
        # Joined by signs that a text can't hold (NUL is scrubbed, and nothing else nests): the
        # fields of two different pieces never make one string. Lone surrogates are hashed, too.
        parts = (
            self.title, self.url, self.content, self.summary, self.language,
            "\x01".join(self.authors), "\x01".join(self.tags),
        )  # fmt: skip
        return hashlib.sha256("\x00".join(parts).encode(errors="surrogatepass")).hexdigest()

    def dated(self, now: datetime) -> datetime:
        """The source's date; `now` for none, for the future, for times before there were feeds."""
        moment = self.published_at
        if moment is None or moment > now + _FUTURE_SLACK or moment.year < 1990:
            return now
        return moment
