"""When a source may be asked again. Pure.

The schedule itself (every 15 minutes …) is a PeriodicTask that an administrator edits. What is
decided here can only make a source wait longer than that: a failure, its own wish, its rhythm.
"""

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=24)
LONGEST_QUIET = timedelta(hours=2)  # what rhythm alone makes wait: rare news is news all the same
SAFETY_NET = timedelta(hours=1)  # how long a source is not asked whose hub pushes
WHOLE_EVERY = timedelta(hours=24)  # a server that says 304 by mistake is found out after that
MOVED_SIGHTINGS = 5
MOVED_FOR = timedelta(hours=48)

_SHARE_OF_GAP = 24  # a piece is at most so small a part of its usual gap late
_MEMORY = 7.0  # days that a rhythm is mostly made of
_SHORTEST_SPAN = 1 / 24  # of a day: what came within less says little about a day
_ASKED = "The source asked to be left alone until then."
_WEEK_HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class NotBefore:
    """The earliest next sync and why; no moment means "as scheduled"."""

    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What makes a source that answers wait."""

    wait: float | None = None  # seconds that it named (Retry-After, a service's window)
    fresh_for: float | None = None  # seconds, by Cache-Control, Expires or ttl
    skip_hours: Collection[int] = ()  # of UTC
    skip_days: Collection[int] = ()  # Monday is 0
    pieces_per_day: float | None = None  # None: unknown, or not to be followed
    pushed: bool = False  # its hub pushes what is new, and keeps its promise


def after_success(now: datetime, wishes: Wishes) -> NotBefore:
    """After a sync that worked: at once by the schedule, unless its wishes or its rhythm say later.

    The longest of them counts, and a day is the most.
    """
    told = (
        _span(wishes.wait),
        _span(wishes.fresh_for),
        _quiet(wishes.pieces_per_day),
        SAFETY_NET if wishes.pushed else timedelta(),
    )
    words = (
        _ASKED,
        "What it sent stays fresh until then, it says.",
        f"It brings {_often(wishes.pieces_per_day)}; the desk asks less often.",
        "Its hub pushes what is new; asking is the safety net.",
    )
    longest = max(told)
    at, reason = now + longest, words[told.index(longest)] if longest else ""
    awake = _awake(at, wishes.skip_hours, wishes.skip_days)
    if awake > at:
        at, reason = min(awake, now + LONGEST_WAIT), "It brings nothing at these hours, it says."
    return NotBefore(at, reason) if at > now else NotBefore()


def after_failure(
    now: datetime, failures: int, retry_after: float | None, rng: random.Random
) -> NotBefore:
    """After the `failures`-th failure in a row: longer each time, with full jitter.

    What the source asks for (Retry-After) is the least. A day is the most.
    """
    bound = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 20))
    # Full jitter spreads sources that failed together best; the floor keeps it from being none.
    wait = min(LONGEST_WAIT, FIRST_WAIT / 2 + bound * rng.random())
    if _span(retry_after) > wait:
        return NotBefore(now + _span(retry_after), _ASKED)
    times = "once" if failures == 1 else f"{failures} times in a row"
    return NotBefore(now + wait, f"It failed {times}; the desk waits longer each time.")


def rhythm(former: float | None, brought: int, days: float) -> float | None:
    """Pieces a day, after `brought` new ones came in the last `days`; the last week counts most."""
    if former is None or days <= 0:
        return former
    kept = math.exp(-days / _MEMORY)
    return former * kept + brought / days * (1 - kept)


def first_rhythm(dates: Sequence[datetime], now: datetime) -> float | None:
    """Pieces a day by the dates of a source's first answer; None when they tell nothing."""
    past = [each for each in dates if each <= now]
    if len(past) < 2:
        return None
    # As many as are listed took so long; a list of yesterday's only says "many".
    return len(past) / max((now - min(past)).total_seconds() / 86400, _SHORTEST_SPAN)


def wants_whole(last_whole: datetime | None, now: datetime) -> bool:
    """Whether to ask without conditions: once a day, against servers that say 304 by mistake."""
    return last_whole is not None and now - last_whole >= WHOLE_EVERY


def is_burst(new: int, known: int, pieces_per_day: float | None, days: float | None) -> bool:
    """Whether so many new pieces at once are no news but an accident, to be decided on.

    All are new (`known` is 0), at least `LEAST_BURST`, and more than ten times what the rhythm
    would have brought in the `days` since the last success.
    """
    if known or new < LEAST_BURST or pieces_per_day is None or days is None:
        return False
    return new > BURST_TIMES * expected(pieces_per_day, days)


LEAST_BURST = 50
BURST_TIMES = 10


def expected(pieces_per_day: float, days: float) -> float:
    """How many pieces a rhythm brings in so many days; a quiet hour is never less than one."""
    return max(1.0, pieces_per_day * days)


def has_moved(times: int, since: datetime | None, now: datetime) -> bool:
    """Whether a move for good was seen often and long enough to be believed."""
    return times >= MOVED_SIGHTINGS and since is not None and now - since >= MOVED_FOR


def _quiet(pieces_per_day: float | None) -> timedelta:
    """What a source's rhythm makes it wait: a small part of the time between two pieces."""
    if pieces_per_day is None:
        return timedelta()
    hours = 24 / max(pieces_per_day, 0.01) / _SHARE_OF_GAP
    return min(LONGEST_QUIET, timedelta(hours=hours))


def _often(pieces_per_day: float | None) -> str:
    if not pieces_per_day or pieces_per_day < 1 / 30:
        return "next to nothing"
    if pieces_per_day < 1:
        return f"about {_number(pieces_per_day * 7)} a week"
    return f"about {_number(pieces_per_day)} a day"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 3 else f"{value:.1f}".removesuffix(".0")


def _awake(at: datetime, hours: Collection[int], days: Collection[int]) -> datetime:
    """The first moment from `at` on that is in no hour and on no day to be skipped.

    A source that skips them all means none of it.
    """
    moment = at
    for _ in range(_WEEK_HOURS):
        if moment.hour not in hours and moment.weekday() not in days:
            return moment
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at


def _span(seconds: float | None) -> timedelta:
    """A wait that the source named; a day for more than that, none for what is no number."""
    bounded = min(seconds or 0.0, LONGEST_WAIT.total_seconds())
    return timedelta(seconds=bounded if bounded > 0 else 0)
