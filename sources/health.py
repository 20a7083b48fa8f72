"""A source's health from 0 to 100, and what it is made of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_FRESH_FOR = 3  # intervals without success until freshness begins to fall
_STALE_AFTER = 12  # intervals until none is left


@dataclass(frozen=True, slots=True)
class Health:
    """The score with its parts, each from 0 to 1."""

    success: float  # share of the last runs that worked, the latest counting most
    freshness: float  # how recent the last success is, by the source's own interval

    @property
    def score(self) -> int:
        """0 to 100."""
        return round(100 * (0.6 * self.success + 0.4 * self.freshness))


def health(
    outcomes: Sequence[bool], last_success: datetime | None, now: datetime, interval: timedelta
) -> Health:
    """Health from the last runs (True worked; newest first) and the last success."""
    weights = [0.8**position for position in range(len(outcomes))]
    worked = sum(weight for weight, good in zip(weights, outcomes, strict=True) if good)
    success = worked / sum(weights) if weights else 1.0
    return Health(success, _freshness(last_success, now, interval) if outcomes else 1.0)


def _freshness(last_success: datetime | None, now: datetime, interval: timedelta) -> float:
    if last_success is None:
        return 0.0
    intervals = (now - last_success) / max(interval, timedelta(minutes=1))
    return max(0.0, min(1.0, (_STALE_AFTER - intervals) / (_STALE_AFTER - _FRESH_FOR)))
