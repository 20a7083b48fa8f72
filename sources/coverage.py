"""Which sources are first: of the events that several report, how many were first seen where."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

# A source's moment is its earliest item of the cluster, by the date that the source gives. Of two
# at the same moment both are first, with no lead at all: the second value of the cluster is it.
_FIGURES = """
WITH firsts AS (
    SELECT articles.cluster_id, articles.source_id,
           min(coalesce(articles.published_at, articles.created_at)) AS moment
    FROM articles JOIN article_clusters ON article_clusters.id = articles.cluster_id
    WHERE articles.kind = 'wire' AND articles.source_id IS NOT NULL
      AND article_clusters.first_seen BETWEEN %(since)s AND %(until)s
      AND article_clusters.sources > 1
    GROUP BY articles.cluster_id, articles.source_id
), placed AS (
    SELECT source_id, rank() OVER in_time AS place, moment,
           first_value(moment) OVER whole AS first, nth_value(moment, 2) OVER whole AS second
    FROM firsts
    WINDOW in_time AS (PARTITION BY cluster_id ORDER BY moment),
           whole AS (PARTITION BY cluster_id ORDER BY moment
                     ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT sources.id, sources.name, count(*), count(*) FILTER (WHERE place = 1),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY second - moment) FILTER (WHERE place = 1),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY moment - first) FILTER (WHERE place > 1)
FROM placed JOIN data_sources AS sources ON sources.id = placed.source_id
GROUP BY sources.id, sources.name
ORDER BY count(*) FILTER (WHERE place = 1) DESC, count(*) DESC, sources.name
"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How one source does beside the others, over some days."""

    source_id: int
    name: str
    clusters: int  # that it took part in, of those that several sources report
    first: int  # of these, first seen here
    lead: timedelta | None  # median, over the next source, where it was first
    behind: timedelta | None  # median, after the first source, where it was not

    @property
    def share(self) -> float:
        """Of its clusters, those first seen here, 0 to 1."""
        return self.first / self.clusters


def coverage(now: datetime, days: int) -> list[Coverage]:
    """Each source that reported an event of the last `days` days which others reported too.

    The one that was first most often comes first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"since": now - timedelta(days=days), "until": now})
        return [Coverage(*row) for row in cursor.fetchall()]
