"""Deliveries and attempts in words: what happened, what happens next, what a person can do. Pure.

Moments come in the reader's zone already.
"""

from dataclasses import dataclass
from datetime import datetime

from publishing.lifecycle import Status
from publishing.retry import MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a delivery, as far as a sentence needs it."""

    status: str
    channel: str
    scheduled: datetime
    now: datetime
    by_hand: bool = False  # a person's task
    published: datetime | None = None
    next_attempt: datetime | None = None
    attempts: int = 0
    confirmed_by: str = ""
    cancelled_by: str = ""
    kept_back: str = ""  # why its channel sends nothing now


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, as far as a sentence needs it."""

    outcome: str
    platform: str
    started: datetime
    finished: datetime | None = None
    http_status: int | None = None


_CONFIRMED = {
    "answer": "the platform confirmed it",
    "look_up": "the desk found it there",
    "person": "a person found it there",
}


def in_words(what: Standing) -> str:
    """A sentence or two: where a delivery stands and what comes next."""
    match Status(what.status):
        case Status.PENDING:
            return _waits(what)
        case Status.CLAIMED:
            return f"It is about to be sent to {what.channel}."
        case Status.SENDING:
            return f"It is being sent to {what.channel} at this moment."
        case Status.RETRY:
            return f"It has not gone out yet. {_again(what)}"
        case Status.IN_DOUBT if what.next_attempt is not None:
            when = _when(what.next_attempt, what.now)
            return f"It may be on {what.channel}. The desk finds out {when}."
        case Status.IN_DOUBT:
            return f"It may be on {what.channel}. Only a person can tell: please look there."
        case Status.HELD if what.by_hand:
            return f"This has to be done by hand on {what.channel}."
        case Status.HELD:
            return "It is held until somebody releases it."
        case Status.PUBLISHED:
            return _out(what)
        case Status.FAILED:
            return f"{what.channel} does not have it, and the desk does not try again by itself."
        case Status.MISSED:
            return f"Its time, {_when(what.scheduled, what.now)}, has passed. It was not sent."
        case Status.CANCELLED:
            who = f" by {what.cancelled_by}" if what.cancelled_by else ""
            return f"It was taken out of the queue{who}."
    raise ValueError(f"There is no state “{what.status}”.")


def attempt_in_words(what: Tried) -> str:
    """What one attempt came to."""
    where = what.platform
    status = f" (HTTP {what.http_status})" if what.http_status else ""
    match what.outcome:
        case "published":
            return f"Published: {where} has it{status}."
        case "refused":
            return f"Refused: {where} does not take it{status}. Nothing was posted."
        case "wait":
            return f"Told to wait: {where} asked for patience{status}. Nothing was posted."
        case "reauthorise":
            return (
                f"Credentials refused: {where} did not let us in{status}. The channel was paused."
            )
        case "not_sent":
            return f"Never sent: {where} could not be reached. Nothing was posted."
        case "unknown":
            return f"Unknown: no clear answer came from {where}{status}. It may have been posted."
        case "absent":
            return f"A person looked: not there. {where} had given no clear answer{status}."
    if what.finished is None:
        return f"Begun: no answer from {where} yet."
    return f"It ended without a word from {where}{status}."


def took(what: Tried) -> str:
    """How long it lasted; "" while it does."""
    if what.finished is None:
        return ""
    seconds = (what.finished - what.started).total_seconds()
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _waits(what: Standing) -> str:
    if what.kept_back:
        return f"It waits: {what.kept_back}"
    if what.scheduled <= what.now:
        return f"It is due, and goes to {what.channel} in its turn."
    return f"It goes to {what.channel} {_when(what.scheduled, what.now)}."


def _again(what: Standing) -> str:
    if what.kept_back:
        return f"It waits: {what.kept_back}"
    due = max(what.scheduled, what.next_attempt or what.scheduled)
    number = f"attempt {what.attempts + 1} of {MOST_ATTEMPTS} at most"
    return f"It is tried again {_when(due, what.now)} ({number})."


def _out(what: Standing) -> str:
    when = f" {_when(what.published, what.now)}" if what.published else ""
    if what.by_hand:
        return f"It was done by hand on {what.channel}{when}."
    proof = _CONFIRMED.get(what.confirmed_by, "")
    return f"It went to {what.channel}{when}{f'; {proof}' if proof else ''}."


def _when(moment: datetime, now: datetime) -> str:
    if abs((moment - now).total_seconds()) < 60:
        return "now"
    if moment.date() == now.date():
        return f"at {moment:%H:%M}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"on {moment.day} {moment:%b}{year} at {moment:%H:%M}"
