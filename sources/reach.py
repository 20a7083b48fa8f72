"""How far back a backfill goes, and when it ends. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.wire import WireCopy

MOST_PAGES = 1000
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=2), timedelta(hours=6)
MOST_FAILURES = 6


@dataclass(frozen=True, slots=True)
class Aim:
    """How far to go: no piece older than `until`, and at most `left` more pieces."""

    until: datetime | None
    left: int


@dataclass(frozen=True, slots=True)
class Step:
    """What a page comes to."""

    wanted: tuple[WireCopy, ...]  # of its pieces
    oldest: datetime | None  # of all its pieces
    ended: str  # why the job is done with this page; "" when it goes on


def step(
    copies: Sequence[WireCopy], following: str, been: Sequence[str], pages: int, aim: Aim
) -> Step:
    """Which pieces of the `pages`-th page are wanted, and whether the page `following` is.

    `been` are the digests of the cursors so far. A piece without a date is wanted: nobody knows.
    """
    dates = [copy.published_at for copy in copies if copy.published_at is not None]
    oldest, newest = min(dates, default=None), max(dates, default=None)
    wanted = [copy for copy in copies if not _older(copy.published_at, aim.until)]
    ended = ""
    if len(wanted) >= aim.left:
        ended = "It has looked at as many pieces as were asked for."
    elif newest is not None and len(dates) == len(copies) and _older(newest, aim.until):
        ended = "It has reached the day that was asked for."
    elif not following:
        ended = "The source has nothing older."
    elif digest(following) in been or len(following) > 5000:
        ended = "The source leads in a circle; it has nothing older."
    elif pages >= MOST_PAGES:
        ended = f"It has read {MOST_PAGES} pages, which is the most."
    return Step(tuple(wanted[: aim.left]), oldest, ended)


def digest(cursor: str) -> str:
    """A short mark of a cursor, to know it again."""
    return hashlib.sha256(cursor.encode(errors="replace")).hexdigest()[:16]


def wait_after(failures: int, asked: float | None) -> timedelta:
    """How long to leave a source alone that failed so many times in a row."""
    ours = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(max(failures - 1, 0), 10)))
    named = timedelta(seconds=min(max(asked or 0.0, 0.0), 24 * 3600.0))
    return max(ours, named)


def _older(moment: datetime | None, until: datetime | None) -> bool:
    return moment is not None and until is not None and moment < until
