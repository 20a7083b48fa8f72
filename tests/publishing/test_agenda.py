"""Where deliveries stand on the timeline, and where a move puts them."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from publishing import agenda, telling
from publishing.agenda import Slice
from publishing.lifecycle import Status

OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("of", "many"),
    [(date(2026, 5, 4), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_day_has_as_many_hours_as_its_clocks_say(of, many):
    hours = agenda.hours(of, OSLO)
    assert len(hours) == many
    assert hours[0].begin == agenda.day(of, OSLO).begin
    assert hours[-1].end == agenda.day(of, OSLO).end
    assert all(a.end == b.begin for a, b in itertools.pairwise(hours))


def test_a_week_begins_on_monday_and_has_no_gaps():
    days = agenda.week(date(2026, 10, 25), OSLO)
    assert [day.begin.date().isoformat() for day in days][::6] == ["2026-10-19", "2026-10-25"]
    assert all(a.end == b.begin for a, b in itertools.pairwise(days))


@pytest.mark.parametrize(
    ("status", "scheduled", "more", "stands"),
    [
        (Status.PENDING, +1, {}, +1),
        (Status.PENDING, -5, {}, 0),  # overdue: it goes now
        (Status.HELD, -5, {}, 0),
        (Status.RETRY, -5, {"next_attempt": NOON + timedelta(hours=2)}, 2),
        (Status.RETRY, +3, {"next_attempt": NOON + timedelta(hours=2)}, 3),
        (Status.PUBLISHED, -5, {"published": NOON - timedelta(hours=4)}, -4),
        (Status.FAILED, -5, {}, -5),
        (Status.MISSED, -5, {}, -5),
    ],
)
def test_a_delivery_stands_where_it_went_out_or_will(status, scheduled, more, stands):
    found = agenda.stands_at(status, NOON + timedelta(hours=scheduled), NOON, **more)
    assert found == NOON + timedelta(hours=stands)


def test_moving_to_an_hour_keeps_the_minute():
    at = datetime(2026, 5, 4, 15, 42, tzinfo=UTC)
    hour = agenda.hours(date(2026, 5, 5), OSLO)[9]
    moved = agenda.moved_to_hour(at, hour, NOON)
    assert moved.astimezone(OSLO).isoformat() == "2026-05-05T09:42:00+02:00"


def test_moving_into_the_hour_that_runs_means_now_if_the_minute_has_passed():
    now = NOON + timedelta(minutes=30)
    hour = Slice(NOON, NOON + timedelta(hours=1))
    assert agenda.moved_to_hour(NOON.replace(hour=18, minute=10), hour, now) == now
    later = agenda.moved_to_hour(NOON.replace(hour=18, minute=50), hour, now)
    assert later == NOON.replace(minute=50)


def test_moving_to_a_day_keeps_the_time_of_the_clock_when_clocks_change():
    at = datetime(2026, 3, 28, 8, 30, tzinfo=UTC)  # 09:30 in Oslo, the day before summer time
    moved = agenda.moved_to_day(at, date(2026, 3, 30), OSLO, NOON - timedelta(days=60))
    assert moved.astimezone(OSLO).isoformat() == "2026-03-30T09:30:00+02:00"


@pytest.mark.parametrize("status", list(Status))
def test_every_state_has_a_sentence(status):
    words = telling.in_words(telling.Standing(status, "Our blog", NOON, NOON))
    assert words.endswith(".")


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("published", "Published: Mastodon has it (HTTP 200)."),
        ("unknown", "It may have been posted."),
        ("wait", "Nothing was posted."),
        ("absent", "A person looked: not there."),
    ],
)
def test_an_attempt_is_told_as_a_sentence(outcome, says):
    tried = telling.Tried(outcome, "Mastodon", NOON, NOON + timedelta(seconds=1.25), 200)
    assert says in telling.attempt_in_words(tried)
    assert telling.took(tried) == "1.2 s"


def test_a_waiting_delivery_says_what_keeps_it_back():
    standing = telling.Standing(
        Status.PENDING, "Our blog", NOON, NOON, kept_back="Our blog is paused. Wrong password"
    )
    assert "Wrong password" in telling.in_words(standing)
