"""When a source may be asked again, and how well it does. Pure: no clock, no database."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from sources.schedule import (
    LONGEST_WAIT,
    NotBefore,
    Wishes,
    after_failure,
    after_success,
    expected,
    first_rhythm,
    has_moved,
    is_burst,
    rhythm,
    wants_whole,
)

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)


def rng() -> random.Random:
    return random.Random(1)


def test_after_a_success_the_schedule_decides():
    assert after_success(NOW, Wishes()) == NotBefore()
    assert after_success(NOW, Wishes(wait=0, fresh_for=0)) == NotBefore()


def test_after_a_success_a_source_may_ask_for_a_wait():
    waiting = after_success(NOW, Wishes(wait=90, fresh_for=60))
    assert waiting.at == NOW + timedelta(seconds=90)
    assert "asked" in waiting.reason


def test_what_stays_fresh_is_not_asked_for():
    waiting = after_success(NOW, Wishes(wait=5, fresh_for=900))
    assert waiting.at == NOW + timedelta(minutes=15)
    assert "fresh" in waiting.reason


@pytest.mark.parametrize("absurd", [1e300, float("inf")])
def test_no_source_can_ask_for_more_than_a_day(absurd):
    assert after_success(NOW, Wishes(wait=absurd)).at == NOW + LONGEST_WAIT
    assert after_success(NOW, Wishes(fresh_for=absurd)).at == NOW + LONGEST_WAIT
    assert after_failure(NOW, 1, absurd, rng()).at == NOW + LONGEST_WAIT


@pytest.mark.parametrize("nonsense", [-1.0, float("nan")])
def test_a_wait_that_is_none_is_not_kept(nonsense):
    assert after_success(NOW, Wishes(wait=nonsense, fresh_for=nonsense)) == NotBefore()
    assert after_failure(NOW, 1, nonsense, rng()) == after_failure(NOW, 1, None, rng())


@pytest.mark.parametrize(
    ("hours", "days", "until"),
    [
        ({10}, (), timedelta(hours=1)),
        ({10, 11, 12}, (), timedelta(hours=3)),
        ((), {0}, timedelta(hours=14)),  # until Tuesday
        ({0, 1}, {0}, timedelta(hours=16)),
        ({9}, {6}, timedelta(0)),
        (set(range(24)), (), timedelta(0)),  # a source that skips everything means none of it
    ],
)
def test_hours_and_days_to_skip_are_skipped(hours, days, until):
    waiting = after_success(NOW, Wishes(skip_hours=hours, skip_days=days))
    assert (waiting.at or NOW) - NOW == until


def test_two_days_to_skip_wait_for_a_day_at_most():
    assert after_success(NOW, Wishes(skip_days={0, 1, 2})).at == NOW + LONGEST_WAIT


def test_a_source_whose_hub_pushes_is_asked_as_a_safety_net_only():
    waiting = after_success(NOW, Wishes(pushed=True))
    assert waiting.at == NOW + timedelta(hours=1)
    assert "safety net" in waiting.reason
    assert "asked to be left alone" in after_success(NOW, Wishes(pushed=True, wait=7200)).reason


@pytest.mark.parametrize(
    ("a_day", "most", "words"),
    [(2 / 7, timedelta(hours=2), "about 2 a week"), (24, timedelta(minutes=3), "24 a day"),
     (0, timedelta(hours=2), "next to nothing"), (1.5, timedelta(hours=1), "1.5 a day")],
)  # fmt: skip
def test_a_quiet_source_is_asked_less_often_and_never_half_a_day_late(a_day, most, words):
    waiting = after_success(NOW, Wishes(pieces_per_day=a_day))
    assert timedelta(minutes=1) < waiting.at - NOW <= most
    assert words in waiting.reason


def test_a_rhythm_follows_what_comes_and_forgets_slowly():
    day_by_day: float | None = 10.0
    for _ in range(30):
        day_by_day = rhythm(day_by_day, 2, 1.0)
    assert 2 < day_by_day < 2.2
    assert rhythm(10.0, 0, 1.0) == pytest.approx(10 * 0.867, rel=0.01)
    # Asked every minute or once a day: the same pieces make the same rhythm.
    often: float | None = 10.0
    for minute in range(1440):
        often = rhythm(often, int(minute == 700), 1 / 1440)
    assert often == pytest.approx(rhythm(10.0, 1, 1.0), rel=0.02)
    assert rhythm(None, 5, 1.0) is None


def test_a_first_answer_tells_a_rhythm_by_its_dates():
    assert first_rhythm([NOW - DAY * days for days in range(10)], NOW) == pytest.approx(10 / 9)
    assert first_rhythm([NOW - DAY], NOW) is None
    assert first_rhythm([NOW + DAY, NOW + 2 * DAY], NOW) is None
    assert first_rhythm([NOW, NOW], NOW) == 48  # all at once: at least an hour's worth


def test_a_burst_is_ten_times_the_rhythm_and_all_new():
    assert is_burst(new=400, known=0, pieces_per_day=3.0, days=1.0)
    assert not is_burst(new=400, known=1, pieces_per_day=3.0, days=1.0)
    assert not is_burst(new=49, known=0, pieces_per_day=0.1, days=1.0)
    assert not is_burst(new=400, known=0, pieces_per_day=50.0, days=1.0)
    assert not is_burst(new=400, known=0, pieces_per_day=3.0, days=20.0)  # after a long pause
    assert not is_burst(new=400, known=0, pieces_per_day=3.0, days=None)  # the first sync
    assert not is_burst(new=400, known=0, pieces_per_day=None, days=1.0)
    assert expected(3.0, 0.001) == 1.0


def test_a_move_is_believed_after_five_sightings_over_two_days():
    assert has_moved(5, NOW - 2 * DAY, NOW)
    assert not has_moved(4, NOW - 9 * DAY, NOW)
    assert not has_moved(50, NOW - timedelta(hours=47), NOW)
    assert not has_moved(5, None, NOW)


def test_a_whole_answer_is_asked_for_once_a_day():
    assert wants_whole(NOW - DAY, NOW)
    assert not wants_whole(NOW - DAY + timedelta(minutes=1), NOW)
    assert not wants_whole(None, NOW)


def test_each_failure_waits_up_to_twice_as_long_and_never_more_than_a_day():
    for failures in range(1, 40):
        bound = min(LONGEST_WAIT, timedelta(minutes=2) * 2 ** min(failures - 1, 20))
        shared = random.Random(failures)
        waits = [after_failure(NOW, failures, None, shared).at - NOW for _ in range(200)]
        assert timedelta(minutes=1) <= min(waits)
        assert max(waits) <= min(LONGEST_WAIT, bound + timedelta(minutes=1))
        assert max(waits) - min(waits) > bound * 0.8  # full jitter


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
