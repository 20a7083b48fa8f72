"""What the counts of posts say of their stories: summed, and held against what is usual.

The sums go to the hub (`articles.response`), where sources are weighed by them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Sum

from articles import response
from articles.response import MEASURES, Response
from publishing import usual
from publishing.models import Watch
from publishing.post import Counts

_NEWEST = 100  # posts of a channel that say what is usual there

# A reading is kept when a number has moved: the last one up to an age holds at that age, provided
# that the platform was asked later than that at all.
_BY_AGE = """
SELECT post.channel_id, post.watch_id, age, reading.views, reading.reactions, reading.replies,
    reading.shares
FROM unnest(%(channels)s) channel
CROSS JOIN LATERAL (
    SELECT queue.channel_id, queue.published_at, watch.id AS watch_id, watch.counted_at
    FROM publishing_queue queue JOIN delivery_watches watch ON watch.delivery_id = queue.id
    WHERE queue.channel_id = channel AND watch.counted_at IS NOT NULL
    ORDER BY queue.scheduled_at DESC LIMIT %(newest)s
) post
CROSS JOIN unnest(%(ages)s::interval[]) age
CROSS JOIN LATERAL (
    SELECT views, reactions, replies, shares FROM delivery_readings
    WHERE watch_id = post.watch_id AND at <= post.published_at + age
    ORDER BY at DESC LIMIT 1
) reading
WHERE post.counted_at >= post.published_at + age
"""


def weigh(channel_ids: Collection[int], story_ids: Collection[int] = ()) -> int:
    """Hold the newest posts of these channels against each other; how many stories have changed.

    `story_ids` are stories whose counts were just read: theirs are summed, however old they are.
    """
    found = _times(channel_ids)
    with transaction.atomic():
        rows = Watch.objects.select_for_update(of=("self",)).filter(pk__in=found).order_by("pk")
        watches = list(rows.select_related("delivery"))
        moved = [watch for watch in watches if watch.times != found[watch.pk]]
        for watch in moved:
            watch.times = found[watch.pk]
        Watch.objects.bulk_update(moved, ["times"], batch_size=500)
    return response.keep(_summed({watch.delivery.article_id for watch in moved} | {*story_ids}))


def counts_of(watch: Watch | None) -> dict[str, Any] | None:
    """A post's counts as plain values, None where its platform gives none; None before the first.

    `read_at` is in UTC, ISO 8601.
    """
    if watch is None or watch.counted_at is None:
        return None
    told = {name: getattr(watch, name) for name in MEASURES}
    return {**told, "read_at": watch.counted_at.isoformat()}


def _times(channel_ids: Collection[int]) -> dict[int, float | None]:
    by_channel: dict[int, dict[int, dict[timedelta, Counts]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    asked: dict[str, Any] = {
        "channels": sorted(channel_ids),
        "newest": _NEWEST,
        "ages": list(usual.AGES),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_AGE, asked)
        for channel, watch, age, *numbers in cursor.fetchall():
            by_channel[channel][watch][age] = Counts(*numbers)
    found: dict[int, float | None] = {}
    for posts in by_channel.values():
        found |= dict.fromkeys(posts) | usual.times_usual(posts)
    return found


def _summed(story_ids: Collection[int]) -> list[Response]:
    """Over all channels of each story."""
    counted = Watch.objects.filter(delivery__article__in=story_ids, counted_at__isnull=False)
    times: dict[int, list[float]] = defaultdict(list)
    weighed: Iterable[tuple[int, Any]] = counted.exclude(times=None).values_list(
        "delivery__article", "times"
    )
    for story, number in weighed:
        times[story].append(number)
    sums: Iterable[Any] = (
        counted.values("delivery__article")
        .order_by("delivery__article")
        .annotate(asked=Max("counted_at"), **{f"all_{name}": Sum(name) for name in MEASURES})
    )
    return [_response(row, usual.together(times[row["delivery__article"]])) for row in sums]


def _response(row: dict[str, Any], times: float | None) -> Response:
    asked: datetime = row["asked"]
    counts = {name: row[f"all_{name}"] for name in MEASURES}
    return Response(row["delivery__article"], asked, **counts, times=times)
