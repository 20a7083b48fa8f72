"""Working out the health of every source from what the desk has seen of it."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from sources import timetable
from sources.health import Drawn, Evidence, health
from sources.models import Source

_DAYS = 30
_RUNS = 20
_DAYS_OUT = 90  # since a story went out, for its response to say something of its sources

_OUTCOMES = """
SELECT source.id, ARRAY(
    SELECT run.outcome <> 'failed' FROM sync_runs run
    WHERE run.source_id = source.id AND run.finished_at IS NOT NULL AND run.cause = 'polled'
    ORDER BY run.started_at DESC, run.id DESC LIMIT %(runs)s
)
FROM data_sources source WHERE source.id = ANY(%(sources)s)
"""

# A piece without a believable date was given the moment of its filing (articles.intake).
_PIECES = """
SELECT item.source_id,
    max(item.created_at),
    (max(item.published_at) - min(item.published_at)) / nullif(count(*) - 1, 0),
    count(*),
    count(*) FILTER (WHERE item.published_at = item.created_at),
    count(*) FILTER (WHERE item.canonical_url <> '' AND EXISTS (
        SELECT FROM articles other
        WHERE other.canonical_url = item.canonical_url AND other.kind = 'wire'
            AND other.source_id <> item.source_id AND other.id < item.id
    )),
    count(*) FILTER (WHERE item.state IN ('spiked', 'shortlisted', 'picked_up')),
    count(*) FILTER (WHERE item.state IN ('shortlisted', 'picked_up'))
FROM articles item
WHERE item.kind = 'wire' AND item.source_id = ANY(%(sources)s) AND NOT item.backfilled
    AND item.created_at > %(since)s
GROUP BY item.source_id
"""

# A story counts once, whether one piece of the source is in it or five.
_RESPONSES = """
SELECT used.source_id, array_agg(used.times), array_agg(used.weight)
FROM (
    SELECT item.source_id, response.times,
        max(CASE origin.role WHEN 'lead' THEN 1.0 ELSE 0.5 END)::float AS weight
    FROM story_responses response
    JOIN articles story ON story.id = response.story_id
    JOIN story_origins origin ON origin.story_id = response.story_id
    JOIN articles item ON item.id = origin.item_id
    WHERE item.source_id = ANY(%(sources)s) AND response.times > 0
        AND story.published_at > %(out_since)s
    GROUP BY item.source_id, response.story_id, response.times
) used
GROUP BY used.source_id
"""


def assess(source_ids: list[int] | None = None, now: datetime | None = None) -> int:
    """Store the health of these sources (None: all) with its parts; how many were assessed.

    Three questions to the database for all of them together. Idempotent.
    """
    now = now or timezone.now()
    chosen = Source.objects.select_related("schedule__interval")
    if source_ids is not None:
        chosen = chosen.filter(pk__in=source_ids)
    sources = list(chosen)
    found = _evidence(sources, now)
    for source in sources:
        result = health(found[source.pk], now)
        source.health = result.score
        source.health_parts = [
            {"name": part.name, "percent": part.percent, "words": part.words}
            for part in result.parts
        ]
    # Past simple_history: this is no change of the source by a person.
    Source.objects.bulk_update(sources, ["health", "health_parts"], batch_size=500)
    return len(sources)


def assess_newcomers() -> int:
    """Assess the sources that were never assessed and have been synced; how many."""
    waiting = Source.objects.filter(health_parts=[], last_sync__isnull=False)
    numbers = list(waiting.values_list("pk", flat=True))
    return assess(numbers) if numbers else 0


def _evidence(sources: list[Source], now: datetime) -> dict[int, Evidence]:
    asked: dict[str, Any] = {
        "sources": [source.pk for source in sources],
        "runs": _RUNS,
        "since": now - timedelta(days=_DAYS),
        "out_since": now - timedelta(days=_DAYS_OUT),
    }
    found = {
        source.pk: Evidence(timetable.interval(source), last_success=source.last_success)
        for source in sources
    }
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, asked)
        for number, outcomes in cursor.fetchall():
            found[number] = dataclasses.replace(found[number], outcomes=outcomes)
        cursor.execute(_PIECES, asked)
        for number, newest, gap, pieces, undated, duplicates, decided, used in cursor.fetchall():
            found[number] = dataclasses.replace(
                found[number], newest=newest, gap=gap, pieces=pieces, undated=undated,
                duplicates=duplicates, decided=decided, used=used,
            )  # fmt: skip
        cursor.execute(_RESPONSES, asked)
        for number, times, weights in cursor.fetchall():
            drawn = tuple(map(Drawn, times, weights))
            found[number] = dataclasses.replace(found[number], responses=drawn)
    return found
