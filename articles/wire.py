"""Copy as it comes over the wire, before anything of ours has touched it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson


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

    def fingerprint(self) -> str:
        """A digest of what an editor would call the text: it changes when the piece was rewritten.

        Scores, comment counts and dates move all the time without the piece being another one,
        so they stay out.
        """
        parts = asdict(self)
        for moving in ("metadata", "published_at", "updated_at"):
            del parts[moving]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
