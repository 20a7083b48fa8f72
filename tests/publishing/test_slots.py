"""A channel's week: plans as people write them, on clocks that jump."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing import slots
from publishing.slots import BadPlan, Quiet, Slot, read_quiet, read_slots

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def plan(week="", quiet="", zone="Europe/Berlin"):
    return slots.read(week, quiet, zone)


def berlin(year, month, day, hour=0, minute=0, fold=0):
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def walls(moments):
    return [f"{moment.astimezone(BERLIN):%a %d %H:%M}" for moment in moments]


# --- reading ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 09:00", [Slot(0, 540)]),
        ("Monday 9:00, 17:30", [Slot(0, 540), Slot(0, 1050)]),
        ("mon-wed 09:00", [Slot(0, 540), Slot(1, 540), Slot(2, 540)]),
        ("Sat - Mon 10:00", [Slot(0, 600), Slot(5, 600), Slot(6, 600)]),
        ("Tue, Thu: 08:00\n\nTue 07:00", [Slot(1, 420), Slot(1, 480), Slot(3, 480)]),
        ("daily 00:00", [Slot(day, 0) for day in range(7)]),
        ("Mon 09:00 09:00", [Slot(0, 540)]),
        ("", []),
    ],
)
def test_a_plan_is_read_as_people_write_it(text, expected):
    assert list(read_slots(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 22:00-06:00", [Quiet(0, 1320, 480)]),
        ("Sun 00:00 - 24:00", [Quiet(6, 0, 1440)]),
        ("Sat–Sun 08:00–09:00", [Quiet(5, 480, 60), Quiet(6, 480, 60)]),
    ],
)
def test_quiet_hours_are_read_as_people_write_them(text, expected):
    assert list(read_quiet(text)) == expected


@pytest.mark.parametrize("text", ["Mon", "09:00", "Mun 09:00", "Mon 25:00", "Mon nine", "Mon 9"])
def test_a_plan_that_cannot_be_read_says_where(text):
    with pytest.raises(BadPlan, match=r"Mon|Mun|09:00"):
        read_slots(text)


def test_quiet_hours_that_leave_no_time_are_refused():
    with pytest.raises(BadPlan, match="no time at all"):
        read_quiet("daily 00:00-12:00 12:00-24:00")


def test_an_unknown_zone_is_named():
    with pytest.raises(BadPlan, match="Mars/Olympus"):
        plan(zone="Mars/Olympus")


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_plan_or_one_sentence(text):
    for read in (read_slots, read_quiet):
        try:
            read(text)
        except BadPlan as problem:
            assert str(problem)  # noqa: PT017 (either outcome is right)


# --- slots ---


def test_the_next_slots_come_in_order_over_the_week():
    week = plan("Mon-Fri 09:00 17:30\nSat 10:00")
    coming = islice(week.coming(berlin(2026, 5, 8, 9, 0)), 4)  # a Friday
    assert walls(coming) == ["Fri 08 17:30", "Sat 09 10:00", "Mon 11 09:00", "Mon 11 17:30"]


def test_a_slot_that_is_taken_is_passed_over():
    week = plan("Mon 09:00 10:00")
    monday = berlin(2026, 5, 11, 9, 0)
    assert week.next_free(berlin(2026, 5, 8), {monday}) == berlin(2026, 5, 11, 10, 0)


def test_without_slots_there_is_none_free():
    assert plan().next_free(berlin(2026, 5, 8), set()) is None


def test_a_slot_in_quiet_hours_is_none():
    week = plan("daily 23:00\nMon 12:00", "daily 22:00-06:00")
    assert walls(islice(week.coming(berlin(2026, 5, 8)), 1)) == ["Mon 11 12:00"]


def test_a_slot_keeps_its_time_on_the_wall_when_summer_time_begins():
    sundays = plan("Sun 09:00")
    before, after = islice(sundays.coming(berlin(2026, 3, 21)), 2)
    assert (before, after) == (datetime(2026, 3, 22, 8, tzinfo=UTC), berlin(2026, 3, 29, 9))
    assert after - before == timedelta(days=7, hours=-1)


def test_a_slot_in_the_hour_that_is_skipped_comes_as_much_later():
    [at] = islice(plan("Sun 02:30").coming(berlin(2026, 3, 28)), 1)
    assert walls([at]) == ["Sun 29 03:30"]


def test_two_slots_that_fall_together_on_that_day_are_one():
    at, then = islice(plan("Sun 02:30 03:30").coming(berlin(2026, 3, 28)), 2)
    assert walls([at, then]) == ["Sun 29 03:30", "Sun 05 02:30"]


def test_a_slot_in_the_hour_that_happens_twice_comes_once():
    coming = list(islice(plan("Sun 02:30").coming(berlin(2026, 10, 24)), 2))
    assert coming == [berlin(2026, 10, 25, 2, 30), berlin(2026, 11, 1, 2, 30)]


@given(
    MOMENTS,
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 23),
)
def test_slots_only_go_forward_and_stand_at_their_time(after, zone, hour):
    week = plan(f"daily {hour:02}:30", zone=zone)
    moments = list(islice(week.coming(after), 20))
    assert moments == sorted(set(moments))
    assert moments[0] > after
    gaps = {later - earlier for earlier, later in pairwise(moments)}
    assert gaps <= {timedelta(hours=24) + timedelta(minutes=30 * step) for step in range(-2, 3)}


# --- quiet hours ---


def test_a_night_of_quiet_ends_in_the_morning():
    night = plan(quiet="daily 22:00-06:00")
    morning = berlin(2026, 5, 9, 6)
    assert night.quiet_until(berlin(2026, 5, 8, 23)) == morning
    assert night.quiet_until(berlin(2026, 5, 9, 5, 59)) == morning
    assert night.quiet_until(morning) is None
    assert night.quiet_until(berlin(2026, 5, 8, 21, 59)) is None


def test_spans_that_touch_are_one_quiet_time():
    weekend = plan(quiet="Sat-Sun 00:00-24:00\nFri 20:00-24:00\nMon 00:00-07:00")
    assert weekend.quiet_until(berlin(2026, 5, 8, 21)) == berlin(2026, 5, 11, 7)


def test_quiet_hours_end_with_the_second_of_two_equal_hours():
    night = plan(quiet="Sun 01:00-02:30")
    end = berlin(2026, 10, 25, 2, 30, fold=1)
    assert night.quiet_until(berlin(2026, 10, 25, 2, 45)) == end


@given(MOMENTS)
def test_where_quiet_hours_end_it_is_not_quiet(at):
    week = plan("daily 12:00", "Mon-Fri 18:00-07:00\nSat 12:00-12:30 00:00-01:00 02:00-03:00")
    opens = week.opens(at)
    assert opens >= at
    assert week.quiet_until(opens) is None
