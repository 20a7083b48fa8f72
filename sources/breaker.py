"""Hosts that don't answer: after a few failures in a row they are left alone for a while.

Shared by all workers (`config.turns.Fuse`), and for every source of the host. Only what happens
on the way counts: no name, no connection, no answer in time. A status of 500 is an answer.
"""

import time

from config import turns
from config.outbound import NoAnswer, OutboundError, Unreachable
from config.turns import Fuse

FAILURES = 5  # in a row, without any answer of the host meanwhile
SHORTEST = 60.0  # seconds
LONGEST = 1800.0

_answered: dict[str, float] = {}  # when each host last answered this process, by its own clock
_MOST_REMEMBERED = 5000


def fuse(host: str) -> Fuse:
    """What guards this host."""
    return Fuse(f"host:{host}", FAILURES, SHORTEST, LONGEST)


def note_answer(host: str) -> None:
    """The host has answered just now, whatever it said."""
    if len(_answered) >= _MOST_REMEMBERED:
        _answered.clear()
    _answered[host] = time.monotonic()


def works_again(host: str) -> None:
    """The host has answered after failures: everybody may ask it again."""
    turns.report(fuse(host), works=True)


def failed(host: str, problem: OutboundError, began: float) -> None:
    """A request that `began` (`time.monotonic`) ended so.

    It says nothing about the host when that has answered somebody else meanwhile: then one of
    its pages hangs, not the host.
    """
    if not isinstance(problem, Unreachable | NoAnswer) or _answered.get(host, 0.0) > began:
        return
    turns.report(fuse(host), works=False)


def words(host: str, failures: int) -> str:
    """Why its sources wait, for their pages."""
    return f"{host} has not answered {failures} times in a row; it is left alone for a while."
