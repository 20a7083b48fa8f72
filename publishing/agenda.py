"""Where deliveries stand on a timeline, and where a move puts them. Pure.

All moments know their zone; days and hours are those of the zone that is passed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from publishing.lifecycle import TERMINAL, Status

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of time that a row or column of the timeline stands for: begin ≤ t < end."""

    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.begin <= moment < self.end


def day(of: date, zone: tzinfo) -> Slice:
    """A calendar day: 23 to 25 hours, as clocks are changed."""
    return Slice(_midnight(of, zone), _midnight(of + timedelta(days=1), zone))


def hours(of: date, zone: tzinfo) -> list[Slice]:
    """The hours of a day in their order; one that clocks repeat comes twice."""
    whole = day(of, zone)
    begin, found = whole.begin.astimezone(UTC), []
    while begin < whole.end:
        found.append(Slice(begin.astimezone(zone), (begin + _HOUR).astimezone(zone)))
        begin += _HOUR
    return found


def week(of: date, zone: tzinfo) -> list[Slice]:
    """The seven days, Monday first, of the week that holds this date."""
    monday = of - timedelta(days=of.weekday())
    return [day(monday + timedelta(days=number), zone) for number in range(7)]


def stands_at(
    status: str,
    scheduled: datetime,
    now: datetime,
    *,
    published: datetime | None = None,
    next_attempt: datetime | None = None,
) -> datetime:
    """The moment at which a delivery is shown.

    What went out stands where it went out; what is overdue and still open stands at `now`,
    because that is when it goes; what waits for another attempt stands at that.
    """
    if published is not None:
        return published
    if Status(status) in TERMINAL:
        return scheduled
    due = max(scheduled, next_attempt) if next_attempt is not None else scheduled
    return max(due, now)


def moved_to_hour(scheduled: datetime, hour: Slice, now: datetime) -> datetime:
    """The same minute in another hour; in the hour that runs, `now` if that minute has passed."""
    local = scheduled.astimezone(hour.begin.tzinfo)
    then = hour.begin + timedelta(minutes=local.minute, seconds=local.second)
    return max(then, now) if hour.holds(now) else then


def moved_to_day(scheduled: datetime, to: date, zone: tzinfo, now: datetime) -> datetime:
    """The same time on another day; today, `now` if that time has passed."""
    local = scheduled.astimezone(zone)
    then = datetime.combine(to, local.timetz().replace(tzinfo=None), zone)
    return max(then, now) if day(to, zone).holds(now) else then


def which(moment: datetime, slices: Iterable[Slice]) -> int | None:
    """The number of the slice that holds the moment; None where none does."""
    return next((number for number, each in enumerate(slices) if each.holds(moment)), None)


def _midnight(of: date, zone: tzinfo) -> datetime:
    return datetime.combine(of, time(), zone)
