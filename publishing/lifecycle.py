"""The states of a delivery and every way between them, as data. Pure.

The database's trigger enforces the half that matters most: terminal states never reopen.
"""

from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"  # waits for its time
    CLAIMED = "claimed"  # a worker has it and has sent nothing
    SENDING = "sending"  # an attempt is on record: from here on a crash means in doubt
    RETRY = "retry"  # definitely not posted, tried again at next_attempt_at
    IN_DOUBT = "in_doubt"  # may have been posted; without next_attempt_at a person is asked
    HELD = "held"  # waits for a person
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MISSED = "missed"  # later than the lateness allowed


S = Status
TERMINAL = frozenset({S.PUBLISHED, S.FAILED, S.CANCELLED, S.MISSED})
WAITING = frozenset({S.PENDING, S.RETRY, S.HELD})
"""Nothing of it has gone out: a person may still cancel or move it."""
WAYS: dict[Status, frozenset[Status]] = {
    S.PENDING: frozenset({S.CLAIMED, S.CANCELLED, S.HELD, S.MISSED}),
    S.CLAIMED: frozenset(
        {S.SENDING, S.PENDING, S.RETRY, S.CANCELLED, S.HELD, S.MISSED, S.FAILED, S.IN_DOUBT}
    ),
    S.SENDING: frozenset({S.PUBLISHED, S.FAILED, S.RETRY, S.IN_DOUBT}),
    S.RETRY: frozenset({S.CLAIMED, S.PENDING, S.CANCELLED, S.HELD, S.MISSED}),
    S.IN_DOUBT: frozenset({S.CLAIMED, S.PUBLISHED, S.RETRY, S.CANCELLED}),
    S.HELD: frozenset({S.PENDING, S.CANCELLED, S.PUBLISHED}),  # published: a task done by hand
    **{status: frozenset() for status in TERMINAL},
}


def may_become(now: str, then: str) -> bool:
    """Whether a delivery may go from one state to the other."""
    return Status(then) in WAYS[Status(now)]
