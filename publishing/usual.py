"""How a post does against what is usual on its channel. Pure.

Posts are compared at the same age and with their own channel only, so neither an old post nor a
channel with many readers looks better than it is. Each number is held against the median of the
same number of the others; where a platform gives several, their ratios have one mean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from math import exp, log
from statistics import fmean, median

from publishing.post import Counts

AGES = (
    timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6), timedelta(days=1),
    timedelta(days=3), timedelta(days=7), timedelta(days=14),
)  # fmt: skip
_OTHERS = 3  # posts of its channel at that age, before there is anything usual
_MOST = 16.0  # times the usual; beyond that it is luck

Numbers = Mapping[timedelta, Counts]  # of one post, by the `AGES` that it has come to


def times_usual(posts: Mapping[int, Numbers]) -> dict[int, float]:
    """How many times the usual each of one channel's posts draws, by its key: 1 is usual.

    A post is weighed at the greatest age at which three others are known; else it is left out.
    """
    weighed = {key: _times(key, posts) for key in posts}
    return {key: round(times, 2) for key, times in weighed.items() if times is not None}


def together(times: Iterable[float]) -> float | None:
    """What several posts of one story make together (the geometric mean); None for none."""
    logs = [log(each) for each in times]
    return round(exp(fmean(logs)), 2) if logs else None


def _times(key: int, posts: Mapping[int, Numbers]) -> float | None:
    for age in sorted(posts[key], reverse=True):
        others = [mine[age] for other, mine in posts.items() if other != key and age in mine]
        if len(others) >= _OTHERS:
            return _against(posts[key][age], others)
    return None


def _against(counts: Counts, others: list[Counts]) -> float | None:
    """The mean of what each number is to the others' median; None if it has none in common."""
    logs: list[float] = []
    for name, number in asdict(counts).items():
        theirs = [each for other in others if (each := getattr(other, name)) is not None]
        if number is None or len(theirs) < _OTHERS:
            continue
        usual = median(theirs)
        if number or usual:  # nothing where nothing is usual says nothing
            logs.append(log((number + 1) / (usual + 1)))  # one more: there's no dividing by 0
    if not logs:
        return None
    return min(_MOST, max(1 / _MOST, exp(fmean(logs))))
