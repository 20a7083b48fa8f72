"""When a delivery is tried again, and when it is too late or too often. Pure."""

import random
from datetime import datetime, timedelta

MOST_ATTEMPTS = 8
FIRST_WAIT = 20.0  # seconds
LONGEST_WAIT = 3600.0
LONGEST_HEEDED = 24 * 3600.0  # a platform that asks for more is not waited for blindly


def wait_before(attempt: int, asked: float | None, rng: random.Random) -> float:
    """Seconds before the attempt after number `attempt`.

    Full jitter over a doubling bound, so that many deliveries don't come back together. What
    the platform asks for (Retry-After) is the least.
    """
    bound = min(LONGEST_WAIT, FIRST_WAIT * 2 ** max(0, attempt - 1))
    wait = rng.uniform(bound / 4, bound)
    if asked is not None:
        wait = max(wait if asked <= 0 else 0.0, min(asked, LONGEST_HEEDED)) + rng.uniform(0, 2)
    return wait


def gives_up(attempts: int) -> bool:
    """Whether a delivery has been tried often enough."""
    return attempts >= MOST_ATTEMPTS


def is_late(scheduled_at: datetime, now: datetime, minutes: int) -> bool:
    """Whether a delivery is later than its channel allows: the desk was down too long."""
    return now - scheduled_at > timedelta(minutes=minutes)
