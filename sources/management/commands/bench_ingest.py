"""How fast intake is: feeds a minute, CPU a feed, memory, and whether everything arrived once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis import Redis

from config.benching import database_apart, redis_apart, redis_url
from sources.bench.ingest import Bench, Figures, Profile, Wish, bench
from sources.bench.papers import World
from sources.bench.peer import sync_plainly

DATABASE = "newsdesk_bench_ingest"
_REDIS = 15
_PEER_FEEDS = 200


class Command(BaseCommand):
    """Makes a database apart and a site on loopback, measures, and drops both again."""

    help = (
        "Measure intake against a site of its own, with real PostgreSQL and Redis, in a database "
        "apart. Exits with 1 when an entry is missing or stored twice, or a sync was late."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many of what."""
        parser.add_argument("--feeds", type=int, default=1000)
        parser.add_argument("--entries", type=int, default=20, help="of each feed")
        parser.add_argument(
            "--profile", action="append", choices=[each.value for each in Profile],
            help="again and again for several; all of them without",
        )  # fmt: skip
        parser.add_argument(
            "--latency", action="append", type=int, help="of the site, in ms; 0 and 50 without"
        )
        parser.add_argument("--workers", type=int, default=2, help="processes that sync")
        parser.add_argument("--peer", action="store_true", help="the plain way beside it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure every wish, one after the other."""
        if not (1 <= options["feeds"] <= 20_000 and 1 <= options["entries"] <= 200):
            raise CommandError("--feeds goes from 1 to 20000, --entries from 1 to 200.")
        wishes = [
            Wish(Profile(profile), options["feeds"], options["entries"], latency / 1000,
                 options["workers"])
            for profile in options["profile"] or [each.value for each in Profile]
            for latency in options["latency"] or [0, 50]
        ]  # fmt: skip
        with (
            redis_apart(_REDIS) as store,
            database_apart(DATABASE),
            bench(options["workers"], options["feeds"], redis_url(_REDIS)) as running,
        ):
            wrong = [each for each in wishes if not self._measure(running, each, store)]
            if options["peer"]:
                self._beside(running, wishes[0], store)
        if wrong:
            raise CommandError("Not everything arrived once and in time; see above.")

    def _measure(self, running: Bench, wish: Wish, store: Redis) -> bool:
        store.flushdb()  # nobody's limit is used, no fuse has blown
        found = running.measure(wish)
        self.stdout.write(_told(found))
        return found.is_right

    def _beside(self, running: Bench, wish: Wish, store: Redis) -> None:
        """Both ways over the same feeds, with one process each."""
        feeds = min(wish.feeds, _PEER_FEEDS)
        plain = sync_plainly(running.set_up(World(feeds, wish.entries)))
        store.flushdb()
        ours = running.measure(Wish(Profile.COLD, feeds, wish.entries, 0.0, wish.workers))
        ours_cpu = ours.cpu / ours.runs
        self.stdout.write(
            f"\nfeedparser and update_or_create, {feeds} feeds, no latency\n"
            f"  {60 * plain.runs / plain.seconds:,.0f} feeds/min, "
            f"{1000 * plain.cpu / plain.runs:.1f} ms CPU a feed (without the database's)\n"
            f"  Newsdesk: {ours.feeds_a_minute:,.0f} feeds/min, {1000 * ours_cpu:.1f} ms CPU a "
            f"feed\n  {ours.feeds_a_minute / (60 * plain.runs / plain.seconds):.1f} times as many "
            f"feeds a minute, {plain.cpu / plain.runs / ours_cpu:.1f} times less CPU a feed"
        )


def _told(found: Figures) -> str:
    wish = found.wish
    total = sum(found.phases.values()) or 1.0
    phases = ", ".join(
        f"{name} {100 * spent / total:.0f} %"
        for name, spent in sorted(found.phases.items(), key=lambda each: -each[1])
    )
    return (
        f"\n{wish.profile}, {wish.feeds} feeds of {wish.entries} entries, "
        f"{1000 * wish.latency:.0f} ms latency, {wish.workers} workers\n"
        f"  {found.feeds_a_minute:,.0f} feeds/min ({found.runs} in {found.seconds:.1f} s), "
        f"{found.new / found.seconds:,.0f} new entries/s\n"
        f"  {1000 * found.cpu / max(found.runs, 1):.1f} ms CPU a feed with the database's, "
        f"p95 {found.p95:.0f} ms, {found.rss / 1024 / 1024:.0f} MB peak\n"
        f"  of the workers' CPU: {phases}\n"
        f"  {found.new} new, {found.duplicates} duplicates, {found.losses} losses, "
        f"{found.late} past the deadline, {found.open} left open"
    )
