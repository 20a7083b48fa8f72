"""Dates as feeds write them. Pure.

In the order of how often they come: RFC 822 (and everything with a month's name), W3CDTF and the
rest of ISO 8601, then dateutil for what is left. Without a zone a date is taken as UTC.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil import parser as dateutil_parser

_HOUR, _FIRST_YEAR = 3600, 1800
_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "met": 1, "mest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "msd": 4, "sast": 2,
    "est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "ct": -6, "mst": -7, "mdt": -6, "mt": -7,
    "pst": -8, "pdt": -7, "pt": -8, "akst": -9, "akdt": -8, "hst": -10, "ast": -4, "adt": -3,
    "at": -4, "nst": -3.5, "ndt": -2.5, "art": -3, "brt": -3, "clt": -4, "jst": 9, "kst": 9,
    "ist": 5.5, "pkt": 5, "npt": 5.75, "wib": 7, "wita": 8, "wit": 9, "sgt": 8, "hkt": 8,
    "awst": 8, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
    # RFC 822's military letters, with their signs as RFC 822 has them
    "a": -1, "m": -12, "n": 1, "y": 12,
}  # fmt: skip
"""Hours east of Greenwich by the names that feeds use: RFC 822 §5.1 and common usage."""

_MONTH_NAMES = (
    "jan feb mar apr may jun jul aug sep oct nov dec",
    # German, Dutch, Nordic, French, Spanish, Portuguese, Italian, as far as they differ
    "jän fév mär avr mai jui juil août sept okt noviembre dez",
    "januar februar märz abr maj juni juli aout set ott nov déc",
    "ene febrero maa abril mei junho juillet ago sep out nov dic",
    "gennaio février mrt aprile maggio giu lug agosto settembre oct nov des",
    # Hungarian, Greek (two spellings)
    "január február március április május június július augusztus szeptember október november "
    "december",
    "ιαν φεβ μάρ απρ μάι ιούν ιούλ αύγ σεπ οκτ νοέ δεκ",
    "ιαν φεβ μαρ απρ μαϊ ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
    "ιαν φεβ μάώ απρ μαι ιον ιολ αυγ σεπ οκτ νοέ δεκ",
    "ιαν φεβ μαώ απρ μαΐ ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
)
_MONTHS = {name: n for row in _MONTH_NAMES for n, name in enumerate(row.split(), 1)}

_ZONE = (
    r"(?P<zone>z|(?:utc|gmt)?\s?[+-]\d{1,2}:?\d{0,2}|[+-]?\d{4}"
    r"|[a-z]{2,20}/[a-z_/]{2,30}|[a-z]{1,5})?"
)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?"
_NAME = r"(?P<name>[^\W\d_]{3,12})\.?"
_MAIL = re.compile(
    rf"(?:[^\W\d_]+\.?,?\s*)?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+{_NAME},?[\s-]+"
    rf"(?P<year>\d{{4}}|\d{{2}}),?(?:[\sT]+(?:-\s+)?{_CLOCK}\s*(?P<noon>[ap]m\b)?)?\s*{_ZONE}(?:\s*\(.*)?$",
    re.I,
)
_MONTH_FIRST = re.compile(
    rf"(?:[^\W\d_]{{2,10}}\.?,?\s+)??{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})"
    rf",?(?:(?:\s+at)?\s+{_CLOCK}\s*(?P<noon>[ap]m\b)?)?\s*{_ZONE}(?:\s*\(.*)?$",
    re.I,
)
_ASCTIME = re.compile(
    rf"[^\W\d_]{{3,9}}\s+{_NAME}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}\s+{_ZONE}\s*(?P<year>\d{{4}})$",
    re.I,
)
_ISO = re.compile(
    rf"(?:[a-z]{{3,9}},\s*)?(?P<year>\d{{4}})(?:(?P<dash>[-/.]?)0?(?P<month>\d\d)"
    rf"(?:(?P=dash)(?P<day>\d\d))?)?(?:[T\s]+(?:(?P<half>오전|오후)\s*)?"
    rf"{_CLOCK}\s*(?P<noon>[ap]m\b)?\s*{_ZONE}z?)?$",
    re.I,
)
_ORDINAL = re.compile(rf"(?P<year>\d{{4}})-?(?P<ordinal>\d{{3}})(?:T{_CLOCK}\s*{_ZONE})?$", re.I)
_SHORT = re.compile(
    r"(?P<year>\d\d)(?:-(?P<month>\d\d)-(?P<day>\d\d)|(?P<month2>\d\d)(?P<day2>\d\d)"
    r"|-?(?P<ordinal>\d{3}))$|-(?P<year2>\d\d)-?(?P<month3>\d\d)$"
)
_NAMED = re.compile(
    rf"(?P<year>\d{{4}})-{_NAME}-(?P<day>\d{{1,2}})T{_CLOCK}\s*{_ZONE}$", re.I
)  # Hungarian
_MONTH_AND_YEAR = re.compile(rf"{_NAME},?\s+(?P<year>\d{{4}})$", re.I)
_KOREAN = re.compile(rf"(?P<year>\d{{4}})년\s*(?P<month>\d\d?)월\s*(?P<day>\d\d?)일\s*{_CLOCK}$")
_DEFAULTS = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 - no part in common


def parse_date(text: str) -> datetime | None:
    """An aware moment in UTC, or None for what is no date."""
    return _parsed(text) if text and len(text) <= 200 else None


def from_timestamp(seconds: object) -> datetime | None:
    """A Unix time as an aware moment; None for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=2048)
def _parsed(text: str) -> datetime | None:
    text = " ".join(text.split())
    if not 4 <= len(text) <= 100:
        return None
    for read in _READERS:
        try:
            moment = read(text)
            if moment is not None and moment.year >= _FIRST_YEAR:
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError, KeyError):
            continue
    return None


def _usual(text: str) -> datetime | None:
    """`Mon, 04 May 2026 10:00:00 GMT` or `+0200`: what nine of ten RSS feeds write."""
    if len(text) not in (29, 31) or text[3:5] != ", " or text[16:20:3] != " :":
        return None
    zone = text[26:]
    if zone == "GMT" or zone == "+0000":
        where: timezone = UTC
    elif len(zone) == 5 and zone[0] in "+-" and zone[1:].isdecimal() and zone[3] < "6":
        minutes = int(zone[1:3]) * 60 + int(zone[3:])
        where = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
    else:
        return None
    month = _MONTHS[text[8:11].lower()]
    clock = int(text[17:19]), int(text[20:22]), int(text[23:25])
    return datetime(int(text[12:16]), month, int(text[5:7]), *clock, tzinfo=where)


def _by_pattern(*patterns: "re.Pattern[str]") -> Callable[[str], datetime | None]:
    def read(text: str) -> datetime | None:
        for pattern in patterns:
            if match := pattern.match(text):
                with suppress(ValueError, KeyError):
                    return _moment({k: v for k, v in match.groupdict().items() if v})
        return None

    return read


def _moment(parts: dict[str, str]) -> datetime:
    """Raises `ValueError` or `KeyError` for what no calendar has."""
    year_text = parts.get("year") or parts["year2"]
    year = int(year_text)
    if len(year_text) == 2:  # as feeds that old meant it
        year += 1900 if year >= 90 else 2000
    if year < _FIRST_YEAR:
        raise ValueError("no year of a feed")
    hour, minute = int(parts.get("hour", 0)), int(parts.get("minute", 0))
    second = min(int(parts.get("second", 0)), 60)
    if hour > 24 or minute > 59 or int(parts.get("second", 0)) > 60:
        raise ValueError("no time of day")
    half = parts.get("half") or parts.get("noon", "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in ("오후", "pm") else 0)
    if "ordinal" in parts:
        month, day = 1, 1
    else:
        month, day = _month(parts), int(parts.get("day") or parts.get("day2") or 1)
    moment = datetime(year, month, day, tzinfo=_zone(parts.get("zone", ""), "half" in parts))
    if "ordinal" in parts:
        if not 1 <= int(parts["ordinal"]) <= 366:
            raise ValueError("no day of a year")
        moment += timedelta(days=int(parts["ordinal"]) - 1)
    micro = int(parts.get("part", "0").ljust(6, "0")[:6])
    return moment + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)


def _month(parts: dict[str, str]) -> int:
    if "name" not in parts:
        return int(parts.get("month") or parts.get("month2") or parts.get("month3") or 1)
    name = parts["name"].lower()
    return _MONTHS.get(name) or _MONTHS.get(name[:4]) or _MONTHS[name[:3]]


def _zone(text: str, korean: bool = False) -> tzinfo:
    text = text.lower().replace(" ", "").removeprefix("etc/")
    if "/" in text:
        try:
            return ZoneInfo("/".join(part.title() for part in text.split("/")))
        except (KeyError, ValueError, OSError):
            return UTC
    if korean and not text:
        return timezone(timedelta(hours=9))
    if text and (text[-1].isdigit() or text[-1] == ":"):
        text = text.removeprefix("utc").removeprefix("gmt")
        sign = -1 if text.startswith("-") else 1
        hours, _, minutes = text.lstrip("+-").partition(":")
        if not minutes and len(hours) > 2:
            hours, minutes = hours[:-2], hours[-2:]
        east = int(hours) * 60 + int(minutes or 0)
        if int(minutes or 0) > 59:
            raise ValueError("no zone")
        return timezone(sign * timedelta(minutes=east))
    return timezone(timedelta(hours=_ZONES.get(text, 0)))


def _iso(text: str) -> datetime | None:
    """ISO 8601 as the standard library reads it, weeks included."""
    return datetime.fromisoformat(text) if len(text) > 7 and text[:4].isdecimal() else None


def _korean(text: str) -> datetime | None:
    match = _KOREAN.match(text)
    return _moment({**match.groupdict("0"), "zone": "+0900"}) if match else None


def _timestamp(text: str) -> datetime | None:
    return from_timestamp(int(text)) if text.isdecimal() and len(text) == 10 else None


def _leniently(text: str) -> datetime:
    """Any other spelling, if it names day, month and year: dateutil fills gaps with a default."""
    seconds = {name.upper(): int(hours * _HOUR) for name, hours in _ZONES.items()}
    readings = {
        dateutil_parser.parse(text, tzinfos=seconds, default=default) for default in _DEFAULTS
    }
    if len(readings) > 1:
        raise ValueError("a part of the date is missing")
    return readings.pop()


_READERS: tuple[Callable[[str], datetime | None], ...] = (
    _iso,
    _usual,
    _by_pattern(_MAIL),
    _by_pattern(_ISO, _ORDINAL, _SHORT, _NAMED),
    _by_pattern(_ASCTIME, _MONTH_FIRST, _MONTH_AND_YEAR),
    _korean,
    _timestamp,
    _leniently,
)
