"""When a source may be asked again. Pure.

The schedule itself (every 15 minutes …) is a PeriodicTask that an administrator edits. What is
decided here can only make a source wait longer than that: a failure, or its own wish.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NotBefore:
    """The earliest next sync and why; no moment means "as scheduled"."""

    at: datetime | None = None
    reason: str = ""


def after_success(now: datetime, wait: float | None) -> NotBefore:
    """After a sync that worked: at once by the schedule, unless the source named a wait."""
    if not wait or not wait > 0:
        return NotBefore()
    return NotBefore(now + _asked(wait), "The source asked to be left alone until then.")


def after_failure(
    now: datetime, failures: int, retry_after: float | None, rng: random.Random
) -> NotBefore:
    """After the `failures`-th failure in a row: twice as long each time, with jitter.

    What the source asks for (Retry-After) is the least. A day is the most.
    """
    bound = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 20))
    wait = bound * rng.uniform(0.5, 1.0)
    if retry_after is not None and _asked(retry_after) > wait:
        return NotBefore(now + _asked(retry_after), "The source asked to be left alone until then.")
    times = "once" if failures == 1 else f"{failures} times in a row"
    return NotBefore(now + wait, f"It failed {times}; the desk waits longer each time.")


def _asked(seconds: float) -> timedelta:
    """A wait that the source named; a day for more than that, none for what is no number."""
    bounded = min(seconds, LONGEST_WAIT.total_seconds())
    return timedelta(seconds=bounded if bounded > 0 else 0)
