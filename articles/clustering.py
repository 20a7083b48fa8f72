"""The drain that puts wire items into clusters. One at a time; a crash loses nothing.

Items that nobody has clustered yet (`clustered_at` is empty) are taken in portions, each in a
transaction of its own. What people decided stands above what the words say, see `articles.regroup`.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import psycopg
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from articles import cluster, summing_up
from articles.clean import one_line
from articles.cluster import Items, Placing, Said
from articles.lifecycle import Kind
from articles.models import Article, Cluster, ClusterDecision, ItemTerms
from articles.terms import body, shelved, terms, unpacked
from config import bell

PORTION = 500  # items of one transaction
KEPT_DAYS = 30  # what items are recognised by; longer than anything looks back
_LOCK = 0x636C7573  # our advisory lock: one clusterer at a time
_COUNTED = timedelta(days=7)  # before an item, for how rare its words are
_SPAN = timedelta(days=3)  # of the dates of items that are placed together
_MOST_KNOWN = 300_000  # items that new ones are compared with
_LONGEST = 6000  # characters of a text that are read
_QUIET = 10.0  # seconds between two bells of one process

_AROUND = """
SELECT string_agg(int8send(item_id), ''), string_agg(float8send(epoch), ''),
       string_agg(int8send(source), ''), string_agg(int8send(cluster), ''),
       string_agg(int4send(terms), ''), string_agg(substring(packed, 1, 8), ''),
       string_agg(substring(packed, 9, 4 * terms), ''),
       string_agg(substring(packed, 9 + 4 * terms), '')
FROM (
    SELECT item_id, packed, (length(packed) - 8) / 5 AS terms, source, cluster,
           extract(epoch FROM moment)::float8 AS epoch
    FROM (
        SELECT item_terms.item_id, item_terms.moment, item_terms.packed,
               coalesce(articles.source_id, 0)::int8 AS source,
               coalesce(articles.cluster_id, 0)::int8 AS cluster
        FROM item_terms JOIN articles ON articles.id = item_terms.item_id
        WHERE item_terms.moment BETWEEN %(since)s AND %(until)s
          AND articles.clustered_at IS NOT NULL
          AND NOT item_terms.item_id = ANY(%(without)s)
           OR item_terms.item_id = ANY(%(settled)s)
        ORDER BY item_terms.moment DESC, item_terms.item_id DESC LIMIT %(most)s
    ) AS latest
    ORDER BY moment, item_id
) AS in_time
"""


def drain() -> int:
    """Cluster what waits, until nothing does or another process is at it; how many items."""
    done = 0
    while some := _cluster_some():
        done += some
    return done


def ring() -> None:
    """Tell a worker that items wait, once what was filed is stored; at most every ten seconds.

    The tick finds what came in between.
    """
    transaction.on_commit(_Bell.ring)


def await_turn(cursor: CursorWrapper) -> None:
    """Wait until no drain is at work and keep the next one out until this transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def forget(now: datetime) -> int:
    """Delete what old items were recognised by; how many."""
    old = ItemTerms.objects.filter(item__created_at__lt=now - timedelta(days=KEPT_DAYS))
    return old.delete()[0]


class _Bell:
    rung = float("-inf")

    @classmethod
    def ring(cls) -> None:
        now = time.monotonic()
        if now - cls.rung >= _QUIET:
            cls.rung = now
            bell.ring("articles.cluster")


def _cluster_some() -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        waiting = _waiting()
        _keep_terms(waiting)
        for items in _by_span(waiting):
            _cluster(items)
    return len(waiting)


def _waiting() -> list[Article]:
    """The next portion: what is new before old news that was fetched afterwards."""
    rows = Article.objects.filter(kind=Kind.WIRE, clustered_at=None).defer("metadata", "search")
    for backfilled in (False, True):
        found = list(rows.filter(backfilled=backfilled).order_by("pk")[:PORTION])
        if found:
            return found
    return []


def _keep_terms(items: Iterable[Article]) -> None:
    ItemTerms.objects.bulk_create(
        [ItemTerms(item=item, moment=_moment(item), packed=packed_terms(item)) for item in items],
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=["moment", "packed"],
    )


def packed_terms(item: Article) -> bytes:
    """What an item is recognised by."""
    text = body(item.summary, one_line(item.content, _LONGEST))
    return terms(item.title, text, item.language).packed()


def _moment(item: Article) -> datetime:
    return item.published_at or item.created_at


def _by_span(items: Iterable[Article]) -> list[list[Article]]:
    """Items in order of their dates, in groups of a few days."""
    groups: list[list[Article]] = []
    for item in sorted(items, key=lambda each: (_moment(each), each.pk)):
        if not groups or _moment(item) - _moment(groups[-1][0]) > _SPAN:
            groups.append([])
        groups[-1].append(item)
    return groups


@dataclass(slots=True)
class _Outcome:
    """What becomes of a group of items."""

    clusters: dict[int, int]  # item → cluster; of items that have one
    changed: set[int] = field(default_factory=set)  # clusters to be summed up again
    joined: dict[int, int] = field(default_factory=dict)  # cluster → the one it became part of


def _cluster(items: Sequence[Article]) -> None:
    """Place a group of items and write down what came of it."""
    said, settled = _said(items)
    news = [item for item in items if item.pk not in settled]
    known = _known(items, {item.pk for item in news})
    placings = cluster.place(known, _as_items(news), said) if news else []
    clusters = dict(zip(known.ids.tolist(), known.clusters.tolist(), strict=True))
    outcome = _Outcome(clusters)
    outcome.changed |= {item.cluster_id for item in items if item.cluster_id}
    for placing in placings:
        _carry_out(placing, outcome)
    _write(items, settled, outcome)


def _carry_out(placing: Placing, outcome: _Outcome) -> None:
    if not placing.beside:
        outcome.clusters[placing.item] = 0
        return
    own = _cluster_of(placing.beside, outcome)
    outcome.clusters[placing.item] = own
    for other in placing.joined:
        old = outcome.clusters.get(other, 0)
        if not old:
            outcome.clusters[other] = own
        elif old != own and not _decided(old, own):
            summing_up.become_one(old, own)
            outcome.joined[old] = own
            outcome.clusters |= {item: own for item, at in outcome.clusters.items() if at == old}


def _cluster_of(item: int, outcome: _Outcome) -> int:
    """The cluster of an item that another one joins; a new one for an item alone."""
    found = outcome.clusters.get(item, 0)
    if not found:
        found = Cluster.objects.create().pk
        outcome.clusters[item] = found
    outcome.changed.add(found)
    return found


def _write(items: Sequence[Article], settled: Collection[int], outcome: _Outcome) -> None:
    """Set the clusters of these items and of those that stood alone; items that were rewritten
    meanwhile stay waiting."""
    now = timezone.now()
    rows = [
        (item.pk, item.cluster_id if item.pk in settled else outcome.clusters.get(item.pk, 0))
        for item in items
    ]
    versions = {item.pk: item.version for item in items}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE articles SET cluster_id = NULLIF(placed.cluster, 0), clustered_at = %s "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS placed(id, cluster, version) "
            "WHERE articles.id = placed.id AND articles.version = placed.version",
            [now, *map(list, zip(*((pk, at, versions[pk]) for pk, at in rows), strict=True))],
        )
        alone = [pk for pk, at in outcome.clusters.items() if at and pk not in versions]
        cursor.execute(
            "UPDATE articles SET cluster_id = placed.cluster "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS placed(id, cluster) "
            "WHERE articles.id = placed.id AND articles.cluster_id IS NULL",
            [alone, [outcome.clusters[pk] for pk in alone]],
        )
    summing_up.sum_up(outcome.changed - set(outcome.joined))


def _said(items: Sequence[Article]) -> tuple[Said, set[int]]:
    """What people decided about these items, and those whose place is settled by it."""
    barred: dict[int, set[int]] = {}
    settled: set[int] = set()
    places = {item.pk: item.cluster_id for item in items}
    for decision in ClusterDecision.objects.filter(item__in=places):
        if decision.verdict == ClusterDecision.Verdicts.APART:
            barred.setdefault(decision.item_id, set()).add(decision.cluster_id)
        elif decision.cluster_id == places[decision.item_id]:
            settled.add(decision.item_id)
    same_page = {item.pk: item.duplicate_of_id for item in items if item.duplicate_of_id}
    beside = {pk: first for pk, first in same_page.items() if pk not in barred}
    return Said(settled=beside, barred=barred), settled


def _decided(*clusters: int) -> bool:
    """Whether people have decided about one of `clusters`: then the machine joins them to none."""
    return ClusterDecision.objects.filter(cluster__in=clusters).exists()


def _known(items: Sequence[Article], without: Collection[int]) -> Items:
    """The items around these in time, as they stand; `without` those that are to be placed."""
    # Binary, and all rows in one: a hundred thousand rows of a week would cost seconds as objects.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _AROUND,
            {
                "since": _moment(items[0]) - _COUNTED,
                "until": _moment(items[-1]) + timedelta(hours=cluster.Rules().window),
                "without": list(without),
                "settled": [item.pk for item in items if item.pk not in without],
                "most": _MOST_KNOWN,
            },
            binary=True,
        )
        ids, moments, sources, clusters, counts, *parts = (
            column or b"" for column in cursor.fetchall()[0]
        )
    return Items(
        ids=np.frombuffer(ids, ">i8").astype(np.int64),
        moments=np.frombuffer(moments, ">f8").astype(np.float64),
        sources=np.frombuffer(sources, ">i8").astype(np.int64),
        clusters=np.frombuffer(clusters, ">i8").astype(np.int64),
        shelf=shelved(np.frombuffer(counts, ">i4").astype(np.int64), *parts),
    )


def _as_items(items: Sequence[Article]) -> Items:
    rows = [(item.pk, _moment(item).timestamp(), item.source_id or 0, 0) for item in items]
    packed = dict(
        ItemTerms.objects.filter(item__in=[item.pk for item in items]).values_list("item", "packed")
    )
    return columns(rows, [bytes(packed[item.pk]) for item in items])


def columns(rows: Sequence[tuple[int, float, int, int]], packed: Sequence[bytes]) -> Items:
    """Items as `articles.cluster` takes them: id, moment, source and cluster of each, its terms."""
    return Items(
        ids=np.array([row[0] for row in rows], np.int64),
        moments=np.array([row[1] for row in rows], np.float64),
        sources=np.array([row[2] for row in rows], np.int64),
        clusters=np.array([row[3] for row in rows], np.int64),
        shelf=unpacked(packed),
    )
