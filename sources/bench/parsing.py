"""Our parser beside feedparser, on the same documents in the same process.

Each document is read by every reader some times in a row, and each reader's best time counts:
whatever else the machine does makes a reading slower, never faster.
"""

import io
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sources.feedparsing import FeedError, parse

OURS, AS_IT_COMES, BARE = "ours", "feedparser", "feedparser without sanitising"


@dataclass(frozen=True, slots=True)
class Reading:
    """One document: how long each reader takes for it at best, in seconds."""

    name: str
    size: int  # bytes
    entries: int  # that we found
    seconds: Mapping[str, float]  # by reader


def measured(documents: Mapping[str, bytes], rounds: int) -> list[Reading]:
    """Every document read `rounds` times by every reader; what is no feed for us is left out."""
    logging.getLogger("feedparser").setLevel(logging.ERROR)
    found = []
    for name, document in documents.items():
        try:
            entries = len(parse(document).entries)
        except FeedError:
            continue
        best = dict.fromkeys(_READERS, float("inf"))
        for reader, read in _READERS.items():
            for _ in range(rounds):
                began = time.process_time()
                read(document)
                best[reader] = min(best[reader], time.process_time() - began)
        found.append(Reading(name, len(document), entries, best))
    return found


def ratios(readings: Sequence[Reading]) -> dict[str, float]:
    """How many times our time each reader takes for all of them together."""
    totals = {reader: sum(each.seconds[reader] for each in readings) for reader in _READERS}
    return {reader: total / totals[OURS] for reader, total in totals.items()}


def _ours(document: bytes) -> None:
    parse(document)


def _as_it_comes(document: bytes) -> None:
    import feedparser

    feedparser.parse(io.BytesIO(document))


def _bare(document: bytes) -> None:
    import feedparser

    feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False)


_READERS: Mapping[str, Callable[[bytes], None]] = {
    OURS: _ours,
    AS_IT_COMES: _as_it_comes,
    BARE: _bare,
}
