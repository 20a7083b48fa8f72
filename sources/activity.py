"""How much a source brought, day by day, as a small picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from articles.models import WireItem

DAYS = 30
_HEIGHT = 40  # of the picture, in its own units
_WIDTH = 8  # of a day
_GAP = 2  # between two days


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a source."""

    date: date
    pieces: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One day as a rectangle of the picture."""

    x: int
    y: int
    height: int
    words: str

    width = _WIDTH - _GAP


def days(source_id: int, now: datetime) -> list[Day]:
    """The pieces that came on each of the last `DAYS` days (UTC), oldest first."""
    first = (now - timedelta(days=DAYS - 1)).date()
    found = dict(
        WireItem.objects.filter(
            source_id=source_id, backfilled=False, created_at__gte=now - timedelta(days=DAYS)
        )
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values_list("day")
        .annotate(pieces=Count("pk"))
    )
    every = (first + timedelta(days=number) for number in range(DAYS))
    return [Day(day, found.get(day, 0)) for day in every]


def bars(of: Sequence[Day]) -> list[Bar]:
    """A bar a day; the busiest is as high as the picture, a day without anything a thin line."""
    most = max((day.pieces for day in of), default=0) or 1
    drawn = []
    for number, day in enumerate(of):
        height = max(1, round(_HEIGHT * day.pieces / most))
        pieces = "1 piece" if day.pieces == 1 else f"{day.pieces} pieces"
        words = f"{day.date:%d %b}: {pieces}"
        drawn.append(Bar(number * _WIDTH, _HEIGHT - height, height, words))
    return drawn
