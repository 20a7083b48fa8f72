"""What a cluster says about its items: how many, from how many sources, since when, which leads."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection

from articles.lifecycle import Kind
from articles.models import Article, Cluster

_STORE = """
UPDATE article_clusters
SET size = new.size, sources = new.sources, first_seen = new.first_seen,
    last_seen = new.last_seen, lead_id = new.lead, lead_chosen = new.lead_chosen
FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[],
            %s::bigint[], %s::boolean[])
     AS new(id, size, sources, first_seen, last_seen, lead, lead_chosen)
WHERE article_clusters.id = new.id
"""
_TRUST = {"high": 0, "normal": 1, "low": 2}


def sum_up(clusters: Collection[int]) -> None:
    """Bring size, sources, dates and lead of these clusters up to date.

    The lead is the earliest item of the most trusted sources among them; a page that several
    sources bring counts for the first of them. A lead that a person chose stays.
    """
    if not clusters:
        return
    items: dict[int, list[Article]] = {each: [] for each in clusters}
    rows = Article.objects.filter(cluster__in=clusters, kind=Kind.WIRE).select_related("source")
    for item in rows.only(
        "cluster_id", "source_id", "source__trust", "published_at", "created_at", "duplicate_of_id"
    ).order_by("pk"):
        items[item.cluster_id].append(item)  # type: ignore[index]  # filtered by it
    found = list(Cluster.objects.filter(pk__in=clusters))
    if not found:
        return
    for cluster in found:
        _sum_up(cluster, items[cluster.pk])
    _store(found)


def become_one(old: int, into: int) -> None:
    """Move everything of the cluster `old` to `into`; the old one only points there afterwards."""
    Article.objects.filter(cluster=old).update(cluster=into)
    Cluster.objects.filter(merged_into=old).update(merged_into=into)
    Cluster.objects.filter(pk=old).update(
        merged_into=into, lead=None, lead_chosen=False, size=0, sources=0
    )


def _store(clusters: Collection[Cluster]) -> None:
    """All in one statement; `bulk_update` writes a CASE for each row and field."""
    columns = zip(
        *(
            (each.pk, each.size, each.sources, each.first_seen, each.last_seen, each.lead_id,
             each.lead_chosen)
            for each in clusters
        ), strict=True,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [list(column) for column in columns])


def _sum_up(cluster: Cluster, items: Collection[Article]) -> None:
    cluster.size = len(items)
    cluster.sources = len({item.source_id for item in items})
    if not items:
        cluster.lead, cluster.lead_chosen = None, False
        return
    cluster.first_seen = min(map(_moment, items))
    cluster.last_seen = max(map(_moment, items))
    if not (cluster.lead_chosen and cluster.lead_id in {item.pk for item in items}):
        cluster.lead, cluster.lead_chosen = _lead(items), False


def _lead(items: Iterable[Article]) -> Article:
    return min(
        items,
        key=lambda item: (
            _TRUST.get(item.source.trust if item.source else "", 1),
            item.duplicate_of_id is not None,
            _moment(item),
            item.pk,
        ),
    )


def _moment(item: Article) -> datetime:
    return item.published_at or item.created_at
