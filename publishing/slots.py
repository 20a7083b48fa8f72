"""When a channel speaks: its weekly plan of slots, and the hours when it keeps quiet. Pure.

A plan is written as people write it, a line for a group of days::

    Mon-Fri 09:00 12:30 17:00
    Sat, Sun 10:00

and quiet hours the same way, with spans; one that ends before it begins ends on the next day::

    daily 22:00-06:00
    Sun 00:00-24:00

Times are those of a clock on the wall of the plan's zone. A slot that falls into the hour that
summer time skips comes as much later as the clocks jump; in the hour that happens twice it comes
the first time only. Quiet hours last until the second time.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_SLOTS = 7 * 48  # a week
_WEEK = 7 * 24 * 60  # minutes
_FARTHEST = 371  # days that are looked through for a free slot
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")


class BadPlan(ValueError):
    """A plan that can't be read; the text says where and what to write."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A time of the week when something goes out."""

    weekday: int  # 0 is Monday
    minute: int  # of the day


@dataclass(frozen=True, slots=True, order=True)
class Quiet:
    """A span of the week when nothing does."""

    weekday: int  # on which it begins
    minute: int  # of that day
    lasts: int  # minutes, more than 0 and at most a day


@dataclass(frozen=True, slots=True)
class Plan:
    """A channel's week."""

    slots: tuple[Slot, ...]
    quiet: tuple[Quiet, ...]
    zone: ZoneInfo

    def coming(self, after: datetime) -> Iterator[datetime]:
        """The slots later than `after` in their order, none in quiet hours; in UTC, for a year."""
        seen = after
        first = after.astimezone(self.zone).date() - timedelta(days=1)
        for number in range(_FARTHEST):
            for at in self._of_day(first + timedelta(days=number)):
                if at > seen and self.quiet_until(at) is None:
                    seen = at
                    yield at

    def next_free(self, after: datetime, taken: Collection[datetime]) -> datetime | None:
        """The first slot later than `after` that isn't `taken`; None if a year has none."""
        return next((at for at in self.coming(after) if at not in taken), None)

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the quiet hours end that `at` lies in, those that follow at once too; else None."""
        end = at
        while end - at < timedelta(days=8):
            ends = [until for since, until in self._spans(end) if since <= end < until]
            if not ends:
                break
            end = max(ends)
        return end if end > at else None

    def opens(self, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours that it lies in."""
        return self.quiet_until(at) or at

    def _of_day(self, day: date) -> list[datetime]:
        minutes = [slot.minute for slot in self.slots if slot.weekday == day.weekday()]
        return sorted(_moment(day, minute, self.zone) for minute in minutes)

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every span of quiet hours that could hold `at`: when it begins, and when it is over."""
        today = at.astimezone(self.zone).date()
        for day in (today - timedelta(days=2), today - timedelta(days=1), today):
            for each in self.quiet:
                if each.weekday == day.weekday():
                    since = _moment(day, each.minute, self.zone)
                    yield since, _moment(day, each.minute + each.lasts, self.zone, last=True)


def read(slots: str, quiet: str, zone: str) -> Plan:
    """The plan that these texts describe. Raises `BadPlan`."""
    return _read(slots, quiet, zone)


def read_slots(text: str) -> tuple[Slot, ...]:
    """The slots of a plan, in the week's order. Raises `BadPlan`."""
    found = {
        Slot(weekday, _minute(word, line))
        for line, days, words in _lines(text, "Mon-Fri 09:00 17:30")
        for weekday in days
        for word in words
    }
    if any(slot.minute >= 24 * 60 for slot in found):
        raise BadPlan("A slot at 24:00 is 00:00 of the next day.")
    if len(found) > MOST_SLOTS:
        raise BadPlan(f"A week holds at most {MOST_SLOTS} slots.")
    return tuple(sorted(found))


def read_quiet(text: str) -> tuple[Quiet, ...]:
    """The quiet hours of a plan, in the week's order. Raises `BadPlan`."""
    found = {
        Quiet(weekday, *_span(word, line))
        for line, days, words in _lines(text, "daily 22:00-06:00")
        for weekday in days
        for word in words
    }
    covered: set[int] = set()
    for each in found:
        begins = each.weekday * 24 * 60 + each.minute
        covered.update(minute % _WEEK for minute in range(begins, begins + each.lasts))
    if len(covered) == _WEEK:
        raise BadPlan("These quiet hours leave no time at all; switch the channel off instead.")
    return tuple(sorted(found))


@lru_cache(maxsize=256)
def _read(slots: str, quiet: str, zone: str) -> Plan:
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # OSError: a name that is a directory there
        raise BadPlan(f"There is no time zone “{zone}”; write one as Europe/Berlin.") from None
    return Plan(read_slots(slots), read_quiet(quiet), place)


def _lines(text: str, example: str) -> Iterator[tuple[str, list[int], list[str]]]:
    """Each line that says something: itself, its days, and its words after them."""
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if not line:
            continue
        head = re.match(r"[^\d]*", line)
        named = head.group() if head else ""
        words = re.split(r"[,;\s]+", re.sub(r"\s*[-–]\s*", "-", line[len(named) :]).strip(" ,;"))
        if not named.strip() or words == [""]:
            raise BadPlan(f"“{line}” can't be read: write days, then times, as “{example}”.")
        yield line, _days(named, line), words


def _days(named: str, line: str) -> list[int]:
    if named.strip(" ,:").lower() in ("daily", "every day"):
        return list(range(7))
    days: list[int] = []
    for word in re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*", "-", named).strip(" ,:")):
        first, _, last = word.partition("-")
        begins, ends = _day(first, line), _day(last or first, line)
        days.extend((begins + step) % 7 for step in range((ends - begins) % 7 + 1))
    return days


def _day(word: str, line: str) -> int:
    for number, name in enumerate(DAYS):
        if word[:3].lower() == name.lower():
            return number
    raise BadPlan(f"“{word}” in “{line}” is no day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun.")


def _minute(word: str, line: str) -> int:
    if not _CLOCK.fullmatch(word):
        raise BadPlan(f"“{word}” in “{line}” is no time: write it as 09:30.")
    hour, minute = word.split(":")
    return int(hour) * 60 + int(minute)


def _span(word: str, line: str) -> tuple[int, int]:
    begins, dash, ends = word.partition("-")
    if not dash:
        raise BadPlan(f"“{word}” in “{line}” is no span of time: write it as 22:00-06:00.")
    since, until = _minute(begins, line), _minute(ends, line)
    if since >= 24 * 60 or since == until:
        raise BadPlan(f"“{word}” in “{line}” has no length; a whole day is 00:00-24:00.")
    return since, until - since if until > since else until - since + 24 * 60


def _moment(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The moment of a wall clock's time; of the two in the hour that happens twice, `last` or not.

    In the hour that is skipped it is as long after the jump as the time is after it (RFC 5545,
    §3.3.5): Python reads fold=0 so, and then it is the later one of the two.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    one, other = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(one, other) if last or one > other else one
