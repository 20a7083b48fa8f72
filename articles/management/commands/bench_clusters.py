"""How long the drain takes for new items beside many of the last week, and how much memory."""

import resource
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from articles import clustering, summing_up
from articles.lifecycle import Kind, State
from articles.models import Article, Cluster, ItemTerms
from config.benching import database_apart

DATABASE = "newsdesk_bench_clusters"
_WORDS, _NAMES = 40_000, 8_000  # of the invented language
_SOURCES = 200
_WEEK = timedelta(days=7)
_BATCH = 2000
_Each = TypeVar("_Each")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    known: int
    new: int
    events: int
    seconds: float  # that the drain took
    joined: int  # new items that found a cluster
    right: int  # of these, one that holds another item of their event
    before: float  # megabytes of memory before the drain
    peak: float  # megabytes at most, until after it


class Command(BaseCommand):
    help = "Measure the clustering of new items beside many of the last week, in a database apart."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many."""
        parser.add_argument("--new", type=int, default=1000, help="items to cluster")
        parser.add_argument("--known", type=int, default=100_000, help="items of the last week")

    def handle(self, *args: Any, new: int, known: int, **options: Any) -> None:
        """Make a database, fill it, measure, and drop it again."""
        with database_apart(DATABASE):
            self.stdout.write(f"Inventing {known + new} items …")
            found = measure(known, new)
        self.stdout.write(
            f"{found.new} new items beside {found.known} of the last week, {found.events} events:\n"
            f"{found.seconds:.2f} s, {found.new / found.seconds:.0f} items/s\n"
            f"{found.joined} joined others, {found.right} of them items of their own event\n"
            f"memory {found.before:.0f} MB before, {found.peak:.0f} MB at most"
        )


def measure(known: int, new: int) -> Figures:
    """Fill the database with invented news, cluster the `new` latest, and tell what it took."""
    event_of = _fill(known, new)
    before = _memory_now()
    started = time.perf_counter()
    done = clustering.drain()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    latest = Article.objects.order_by("-pk").values_list("pk", "cluster")[:new]
    found = {item: cluster for item, cluster in latest if cluster}
    return Figures(
        known=known, new=done, events=len(set(event_of.values())), seconds=seconds,
        joined=len(found), right=_right(found, event_of), before=before, peak=peak,
    )  # fmt: skip


def _right(found: dict[int, int], event_of: dict[int, int]) -> int:
    right = 0
    for item, cluster in found.items():
        others = Article.objects.filter(cluster=cluster).exclude(pk=item)
        right += any(
            event_of[other] == event_of[item] for other in others.values_list("pk", flat=True)
        )
    return right


def _fill(known: int, new: int) -> dict[int, int]:
    """Store the items; those known have their words and clusters. The event of each item."""
    now = timezone.now()
    event_of: dict[int, int] = {}
    sources = _sources()
    clusters: dict[int, int] = {}
    pieces = _Press(known, new).pieces()
    for number, batch in enumerate(_batches(pieces)):
        is_known = [number * _BATCH + at < known for at in range(len(batch))]
        items = [
            Article(
                kind=Kind.WIRE, state=State.NEW, source_id=sources[piece.source],
                external_id=f"{number}-{at}", title=piece.title, content=piece.text,
                language="en", published_at=now - _WEEK * (1 - piece.moment),
                clustered_at=now if old else None,
                cluster_id=_cluster(clusters, piece.event) if old and piece.company else None,
            )
            for at, (piece, old) in enumerate(zip(batch, is_known, strict=True))
        ]  # fmt: skip
        Article.objects.bulk_create(items)
        event_of |= {item.pk: piece.event for item, piece in zip(items, batch, strict=True)}
        _keep_terms([item for item, old in zip(items, is_known, strict=True) if old])
    for some in _batches(clusters.values()):
        summing_up.sum_up(some)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE articles, item_terms, article_clusters")
    return event_of


def _batches(rows: Iterable[_Each]) -> Iterator[list[_Each]]:
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _keep_terms(items: list[Article]) -> None:
    ItemTerms.objects.bulk_create(
        ItemTerms(item=item, moment=_moment(item), packed=clustering.packed_terms(item))
        for item in items
    )


def _moment(item: Article) -> datetime:
    return item.published_at or item.created_at


def _sources() -> list[int]:
    # A spoke's model, by name: the hub knows no spoke, and a benchmark is no reason to begin.
    source = apps.get_model("sources", "Source")
    made = [
        source(name=f"Source {at}", api_endpoint=f"https://{at}.example/feed")
        for at in range(_SOURCES)
    ]
    return [each.pk for each in source._default_manager.bulk_create(made)]


def _cluster(clusters: dict[int, int], event: int) -> int:
    if event not in clusters:
        clusters[event] = Cluster.objects.create().pk
    return clusters[event]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One invented report."""

    event: int
    moment: float  # 0 to 1: of the week
    source: int
    title: str
    text: str
    company: bool  # the event has more than one report


class _Press:
    """An invented press: events of the week, each with its own words, told by several sources.

    Words are as common as in any language (Zipf). A report's title has half a dozen words of its
    event; its text of 150 words has a third of them. The same numbers make the same news.
    """

    def __init__(self, known: int, new: int) -> None:
        self.random = np.random.default_rng(20260523)
        self.many = known + new
        ranks = np.arange(1, _WORDS + 1)
        self.cumulated = np.cumsum(1 / (ranks + 20)) / np.sum(1 / (ranks + 20))
        self.words = [_word(number) for number in range(_WORDS)]
        self.names = [_word(number + 7 * _WORDS).capitalize() for number in range(_NAMES)]

    def pieces(self) -> Iterator[_Piece]:
        """All reports in order of their dates."""
        sizes = np.minimum(self.random.geometric(0.45, self.many), 40)
        events = np.repeat(np.arange(self.many), sizes)[: self.many]
        begun = self.random.random(self.many)
        moments = begun[events] + self.random.exponential(0.03, self.many)
        in_time = np.argsort(moments, kind="stable")
        told = np.bincount(events)
        for at in in_time:
            event = int(events[at])
            yield self._piece(event, min(1.0, float(moments[at])), company=bool(told[event] > 1))

    def _piece(self, event: int, moment: float, *, company: bool) -> _Piece:
        of_event = np.random.default_rng(event)
        own = [self.words[at] for at in of_event.integers(500, _WORDS, 25)]
        names = [self.names[at] for at in of_event.integers(0, _NAMES, 5)]
        heart = [*names[:3], *own[:8]]
        chosen = self.random.permutation(len(heart))[:6]
        title = [heart[at] for at in chosen] + self._common(4)
        text = self._common(100) + [(own + names * 3)[at] for at in self.random.integers(0, 40, 50)]
        self.random.shuffle(text)
        return _Piece(
            event, moment, int(self.random.integers(_SOURCES)), " ".join(title),
            f"<p>{' '.join(text)}.</p>", company,
        )  # fmt: skip

    def _common(self, many: int) -> list[str]:
        ranks = np.searchsorted(self.cumulated, self.random.random(many))
        return [self.words[min(at, _WORDS - 1)] for at in ranks.tolist()]


def _word(number: int) -> str:
    """A pronounceable word for each number."""
    syllables = []
    for _ in range(4):
        number, part = divmod(number, 70)
        syllables.append("bdfgklmnprstvz"[part % 14] + "aeiou"[part // 14])
    return "".join(syllables)


def _memory_now() -> float:
    """Megabytes that this process has in memory; 0 where the system doesn't tell."""
    try:
        with open("/proc/self/statm") as told:
            pages = int(told.read().split()[1])
    except OSError:
        return 0.0
    return pages * resource.getpagesize() / 1024 / 1024
