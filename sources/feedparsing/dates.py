"""Dates as feeds write them. Pure."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from dateutil import parser as dateutil_parser

_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "BST": 3600, "CET": 3600, "CEST": 7200, "EST": -18000,
    "EDT": -14400, "CST": -21600, "CDT": -18000, "MST": -25200, "MDT": -21600, "PST": -28800,
    "PDT": -25200, "JST": 32400, "IST": 19800, "AEST": 36000, "AEDT": 39600,
}  # fmt: skip
"""Names that feeds use and ISO 8601 doesn't; RFC 822 §5.1 and common usage."""

_DEFAULTS = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 - no part in common


def parse_date(text: str) -> datetime | None:
    """An aware moment in UTC, or None for what is no date. Without a zone it is taken as UTC."""
    text = " ".join(text.split())
    if not text or len(text) > 100:
        return None
    for read in (datetime.fromisoformat, _from_mail, _leniently):
        try:
            moment = read(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        try:
            return moment.astimezone(UTC)
        except (OverflowError, ValueError):
            return None
    return None


def from_timestamp(seconds: object) -> datetime | None:
    """A Unix time as an aware moment; None for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _from_mail(text: str) -> datetime:
    """RFC 822; the standard library takes a zone that it doesn't know for none."""
    moment = parsedate_to_datetime(text)
    seconds = _ZONES.get(text.rpartition(" ")[2].upper())
    if moment.tzinfo is None and seconds is not None:
        return moment.replace(tzinfo=timezone(timedelta(seconds=seconds)))
    return moment


def _leniently(text: str) -> datetime:
    """Any other spelling, if it names day, month and year: dateutil fills gaps with a default."""
    readings = {
        dateutil_parser.parse(text, tzinfos=_ZONES, default=default) for default in _DEFAULTS
    }
    if len(readings) > 1:
        raise ValueError("a part of the date is missing")
    return readings.pop()
