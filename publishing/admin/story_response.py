"""What a story's posts draw, channel by channel, for the story's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from articles.models import Article, StoryResponse
from articles.response import MEASURES, held, in_words
from publishing import readback
from publishing.models import Delivery, Reading, Watch


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of one post."""

    number: int | None  # None: the platform doesn't tell it
    more: int = 0  # than at the first reading


@dataclass(frozen=True, slots=True)
class Row:
    """One post."""

    channel: str
    url: str  # of its delivery's page
    cells: tuple[Cell, ...]  # by MEASURES
    usual: str  # "1.8 times the usual"; "" if too little is known
    asked: datetime | None
    to_ask: datetime | None  # for the first time
    since: datetime | None  # the first reading; None if nothing has moved since
    found: str  # "The post … is gone."; "" if it is as it was sent


def table(story: Article) -> dict[str, Any]:
    """The posts with their numbers and the sums; empty where no platform tells any.

    Three queries: the posts, their first readings, the story's sum.
    """
    watches = list(
        Watch.objects.filter(delivery__article=story, delivery__status=Delivery.Statuses.PUBLISHED)
        .select_related("delivery__channel")
        .order_by("delivery__channel__name", "delivery__slot")
    )
    if not watches:
        return {}
    first = {each.watch_id: each for each in _first_readings(watches)}
    total = StoryResponse.objects.filter(story=story).first()
    to_ask = [each.count_at for each in watches if each.count_at]
    return {
        "first_at": min(to_ask)
        if to_ask and not any(each.counted_at for each in watches)
        else None,
        "rows": [_row(watch, first.get(watch.pk)) for watch in watches],
        "measures": [name.capitalize() for name in MEASURES],
        "totals": [getattr(total, name, None) for name in MEASURES] if len(watches) > 1 else [],
        "total_usual": held(total.times) if total is not None and total.times is not None else "",
        "words": in_words(total),
    }


def _first_readings(watches: list[Watch]) -> Iterable[Reading]:
    readings = Reading.objects.filter(watch__in=watches)
    return readings.order_by("watch_id", "at").distinct("watch_id")


def _row(watch: Watch, first: Reading | None) -> Row:
    cells = tuple(_cell(getattr(watch, name), getattr(first, name, None)) for name in MEASURES)
    moved = first is not None and any(each.more for each in cells)
    return Row(
        channel=watch.delivery.channel.name,
        url=reverse("admin:publishing_delivery_change", args=(watch.delivery_id,)),
        cells=cells,
        usual=held(watch.times) if watch.times is not None else "",
        asked=watch.counted_at,
        to_ask=None if watch.counted_at else watch.count_at,
        since=first.at if first is not None and moved else None,
        found=readback.found_in_words(watch),
    )


def _cell(number: int | None, first: int | None) -> Cell:
    return Cell(number, number - first if number is not None and first is not None else 0)
