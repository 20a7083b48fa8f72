"""When a source may be asked again, and how well it does. Pure: no clock, no database."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from sources.schedule import LONGEST_WAIT, NotBefore, after_failure, after_success

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def rng() -> random.Random:
    return random.Random(1)


def test_after_a_success_the_schedule_decides():
    assert after_success(NOW, None) == NotBefore()
    assert after_success(NOW, 0) == NotBefore()


def test_after_a_success_a_source_may_ask_for_a_wait():
    assert after_success(NOW, 90).at == NOW + timedelta(seconds=90)


@pytest.mark.parametrize("absurd", [1e300, float("inf")])
def test_no_source_can_ask_for_more_than_a_day(absurd):
    assert after_success(NOW, absurd).at == NOW + LONGEST_WAIT
    assert after_failure(NOW, 1, absurd, rng()).at == NOW + LONGEST_WAIT


@pytest.mark.parametrize("nonsense", [-1.0, float("nan")])
def test_a_wait_that_is_none_is_not_kept(nonsense):
    assert after_success(NOW, nonsense) == NotBefore()
    assert after_failure(NOW, 1, nonsense, rng()) == after_failure(NOW, 1, None, rng())


def test_each_failure_waits_about_twice_as_long_and_never_more_than_a_day():
    for failures in range(1, 40):
        at = after_failure(NOW, failures, None, rng()).at
        bound = min(LONGEST_WAIT, timedelta(minutes=2) * 2 ** min(failures - 1, 20))
        assert at is not None
        assert bound / 2 <= at - NOW <= bound


def test_two_sources_that_failed_together_do_not_come_back_together():
    shared = random.Random(7)
    assert len({after_failure(NOW, 5, None, shared).at for _ in range(10)}) == 10


def test_what_the_source_asks_for_is_the_least():
    waiting = after_failure(NOW, 1, 3600, rng())
    assert waiting.at == NOW + timedelta(hours=1)
    assert "asked" in waiting.reason
    own = after_failure(NOW, 9, 1, rng())
    assert own.at is not None
    assert own.at > NOW + timedelta(hours=1)
    assert "9 times in a row" in own.reason
