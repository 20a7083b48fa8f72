"""How fast feeds are read, beside feedparser."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sources.bench.papers import document
from sources.bench.parsing import AS_IT_COMES, BARE, OURS, Reading, measured, ratios


class Command(BaseCommand):
    """Reads the same documents with our parser and with feedparser, and prints the ratios."""

    help = (
        "Measure the feed parser beside feedparser, in one process, on your files or on feeds made "
        "for it. Prints milliseconds at best and how many times our time feedparser takes."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to read, and how often."""
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument("--rounds", type=int, default=5)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if options["rounds"] < 1:
            raise CommandError("--rounds begins at 1.")
        try:
            documents = {str(each): each.read_bytes() for each in options["files"]} or _made()
        except OSError as problem:
            raise CommandError(str(problem)) from None
        readings = measured(documents, options["rounds"])
        if not readings:
            raise CommandError("None of these files is a feed.")
        self.stdout.write(f"{'ours':>9}  {'feedparser':>10}  {'bare':>9}   bytes  entries")
        for each in readings:
            self.stdout.write(_told(each))
        times = ratios(readings)
        self.stdout.write(
            f"{len(readings)} feeds, {sum(each.entries for each in readings)} entries, "
            f"{sum(each.size for each in readings) / 1e6:.1f} MB: feedparser takes "
            f"{times[AS_IT_COMES]:.1f} times our time, {times[BARE]:.1f} times without sanitising."
        )
        if left := len(documents) - len(readings):
            self.stdout.write(f"{left} of the files are no feeds and were left out.")


def _made() -> dict[str, bytes]:
    return {
        f"paper {feed}": document(feed, 0, entries) for feed, entries in enumerate((1, 20, 100))
    }


def _told(each: Reading) -> str:
    ours, plain, bare = (1000 * each.seconds[reader] for reader in (OURS, AS_IT_COMES, BARE))
    return (
        f"{ours:6.2f} ms  {plain:7.2f} ms  {bare:6.2f} ms  {each.size:6}  {each.entries:7}  "
        f"{Path(each.name).name}"
    )
