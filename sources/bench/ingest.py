"""One measurement: a world of feeds, workers that sync it, and what is in the database after."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from django.db import connection
from django.utils import timezone

from articles.models import Article
from config.benching import Child, child
from sources.bench.papers import Manner, World, names
from sources.bench.site import hosts
from sources.bench.worker import Taken
from sources.fetching import LONGEST
from sources.models import Source, SyncRun

CHANGING = 10  # of a hundred feeds, in the profile “changed”
_FEEDS_OF_A_HOST = 4
_GRACE = 5.0  # seconds that a task may take beyond its deadline to be written down


class Profile(StrEnum):
    """What the world does between two syncs."""

    COLD = "cold"  # everything is new
    CHANGED = "changed"  # one feed in ten has new entries
    ALL_304 = "all-304"  # nothing is new, and servers say so
    HOSTILE = "hostile"  # cold, with slow, broken, bad and malicious servers among them


@dataclass(frozen=True, slots=True)
class Wish:
    """What to measure."""

    profile: Profile
    feeds: int
    entries: int
    latency: float  # seconds
    workers: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, of all workers together."""

    wish: Wish
    seconds: float
    runs: int
    new: int  # entries
    cpu: float  # seconds, of workers and of the database behind them
    p95: float  # milliseconds from a source's claim to its answer
    rss: int  # bytes, of the largest worker
    phases: Mapping[str, float] = field(default_factory=dict)  # seconds of the workers' CPU
    duplicates: int = 0
    losses: int = 0
    late: int = 0  # syncs that went on past their deadline
    open: int = 0  # sources that nobody has settled

    @property
    def feeds_a_minute(self) -> float:
        """Sources that were synced, by the clock."""
        return 60 * self.runs / self.seconds

    @property
    def is_right(self) -> bool:
        """Whether nothing is there twice, missing, late or left open."""
        return not (self.duplicates or self.losses or self.late or self.open)


class Bench:
    """A site and workers, each in a process of its own, around this process's database."""

    def __init__(self, site: Child, workers: list[Child], most_feeds: int) -> None:
        self._site = site
        self._workers = workers
        self._hosts = hosts(max(1, min(1000, most_feeds // _FEEDS_OF_A_HOST)))
        self._port = int(site.greeting["port"])

    def measure(self, wish: Wish) -> Figures:
        """Empty the database, bring it to where the profile begins, and measure one round."""
        hostile = wish.profile is Profile.HOSTILE
        world = World(
            feeds=wish.feeds, entries=wish.entries, changing=CHANGING, hostile=hostile,
            latency=wish.latency,
        )  # fmt: skip
        self.set_up(world)
        if wish.profile in (Profile.CHANGED, Profile.ALL_304):
            self._round()
            if wish.profile is Profile.CHANGED:
                world = replace(world, version=1)
                self._site.asks(json.dumps(asdict(world)))
        return self._measured(wish, world)

    def set_up(self, world: World) -> list[Source]:
        """The world, and a source for each of its feeds; nothing is synced yet."""
        self._site.asks(json.dumps(asdict(world)))
        _empty()
        return Source.objects.bulk_create(
            [
                Source(
                    name=f"Paper {feed}",
                    connector="feed",
                    api_endpoint=self._address(feed),
                    rate_limit_per_minute=6000,
                )
                for feed in range(world.feeds)
            ],
            batch_size=1000,
        )

    def _address(self, feed: int) -> str:
        return f"http://{self._hosts[feed % len(self._hosts)]}:{self._port}/{feed}"

    def _measured(self, wish: Wish, world: World) -> Figures:
        before = Article.objects.count()
        last_run = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        taken = self._round()
        runs = SyncRun.objects.filter(pk__gt=last_run)
        times = sorted(runs.values_list("ms", flat=True))
        phases: Counter[str] = Counter()
        for each in taken:
            phases.update(each.phases)
        return Figures(
            wish=wish,
            seconds=max(each.seconds for each in taken),
            runs=len(times),
            new=Article.objects.count() - before,
            cpu=sum(each.cpu + each.database_cpu for each in taken),
            p95=times[math.ceil(0.95 * len(times)) - 1] if times else 0.0,
            rss=max(each.rss for each in taken),
            phases=phases,
            duplicates=_duplicates(),
            losses=_losses(world),
            late=sum(ms > 1000 * (LONGEST + _GRACE) for ms in times),
            open=Source.objects.exclude(claim_token=None).count() + wish.feeds - len(times),
        )

    def _round(self) -> list[Taken]:
        """Every source is due; all workers at once, until nothing is."""
        Source.objects.update(due_at=timezone.now(), next_sync_at=None, stage="requested")
        for worker in self._workers:
            worker.tell("")
        return [Taken(**worker.hears()) for worker in self._workers]


@contextmanager
def bench(workers: int, most_feeds: int, redis: str) -> Iterator[Bench]:
    """The processes, around the database that this process is connected to."""
    wanted = max(1, min(1000, most_feeds // _FEEDS_OF_A_HOST))
    with ExitStack() as stack:
        site = stack.enter_context(child(["sources.bench.site", str(wanted)], redis))
        crew = [stack.enter_context(child(["sources.bench.worker"], redis)) for _ in range(workers)]
        yield Bench(site, crew, most_feeds)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE data_sources, articles, sync_runs RESTART IDENTITY CASCADE")


def _duplicates() -> int:
    """Entries that are stored more than once, by source and guid."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) - count(DISTINCT (source_id, external_id)) FROM articles")
        return int(cursor.fetchone()[0])


def _losses(world: World) -> int:
    """Entries of good feeds that should be stored and are not."""
    stored: dict[str, set[str]] = {}
    found = Article.objects.values_list("source__name", "external_id")
    for paper, name in found.iterator(chunk_size=10_000):
        stored.setdefault(str(paper), set()).add(name)
    lost = 0
    for feed in range(world.feeds):
        if world.manner_of(feed) is not Manner.GOOD:
            continue
        version = world.version_of(feed)
        wanted = set(names(feed, 0, world.entries)) | set(names(feed, version, world.entries))
        lost += len(wanted - stored.get(f"Paper {feed}", set()))
    return lost
