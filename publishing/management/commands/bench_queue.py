"""How fast the queue is: posts a second, CPU a post, and whether each arrived once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.benching import database_apart, redis_apart, redis_url
from publishing.bench.queue import Figures, bench

DATABASE = "newsdesk_bench_queue"
_REDIS = 14


class Command(BaseCommand):
    """Makes a database apart and a receiver on loopback, measures, and drops both again."""

    help = (
        "Measure the publishing queue against a receiver of its own, with real PostgreSQL and "
        "Redis, in a database apart. Counts at the receiving side; exits with 1 when a post is "
        "missing or arrived twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many of what."""
        parser.add_argument("--posts", type=int, default=1000)
        parser.add_argument("--channels", type=int, default=100)
        parser.add_argument("--latency", type=int, default=100, help="of the receiver, in ms")
        parser.add_argument("--workers", type=int, default=2, help="processes that drain")
        parser.add_argument("--rounds", type=int, default=3)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, round after round."""
        if min(options["posts"], options["channels"], options["workers"]) < 1:
            raise CommandError("--posts, --channels and --workers begin at 1.")
        right = True
        with (
            redis_apart(_REDIS) as store,
            database_apart(DATABASE),
            bench(options["workers"], redis_url(_REDIS)) as running,
        ):
            for _ in range(options["rounds"]):
                store.flushdb()  # nobody's limit is used
                found = running.measure(
                    options["posts"], options["channels"], options["latency"] / 1000
                )
                self.stdout.write(_told(found))
                right = right and found.is_right
        if not right:
            raise CommandError("Not every post arrived once; see above.")


def _told(found: Figures) -> str:
    return (
        f"{found.posts} posts in {found.seconds:.2f} s: {found.posts / found.seconds:,.0f} a "
        f"second, {1000 * found.cpu / found.posts:.1f} ms CPU each, at most {found.most_open} "
        f"open, {found.rss / 1024 / 1024:.0f} MB; {found.arrived} arrived, {found.twice} twice, "
        f"{found.unsettled} not settled"
    )
