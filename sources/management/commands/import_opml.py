"""Bring in a list of feeds: `manage.py import_opml FILE` looks, `--apply` adds."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from articles.errors import DeskError
from sources import lists, opml
from sources.models import ImportLine, ListImport


class Command(BaseCommand):
    """Tries every feed of the list, tells how each is, and adds those that answer if told to."""

    help = (
        "Look at every feed of an OPML file (- for standard input) and print how it is; nothing "
        "is added without --apply."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what to do."""
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--apply", action="store_true", help="add the feeds that answer")
        parser.add_argument("--failing", action="store_true", help="with --apply: all the others")
        parser.add_argument("--inactive", action="store_true", help="added, but switched off")

    def handle(self, *args: Any, **options: Any) -> None:
        """A line for each feed, then what was done."""
        name = options["file"]
        try:
            document = _read(name)
            found = lists.take_in(document, Path(name).name if name != "-" else "-", None)
        except OSError as problem:
            raise CommandError(f"{name} can't be read: {problem.strerror}.") from problem
        except DeskError as problem:
            raise CommandError(str(problem)) from problem
        lists.try_all(found)
        for line in found.lines.all():
            self.stdout.write(f"{line.get_state_display():<18} {line.url}\n  {line}: {line.words}")
        if not options["apply"]:
            self.stdout.write("Nothing was added; --apply adds the feeds that answer.")
            return
        self._add(found, failing=options["failing"], active=not options["inactive"])

    def _add(self, found: ListImport, *, failing: bool, active: bool) -> None:
        wanted = ImportLine.OPEN if failing else (ImportLine.States.ANSWERS,)
        chosen = found.lines.filter(state__in=wanted).values_list("pk", flat=True)
        outcome = lists.add(found, set(chosen), active=active)
        self.stdout.write(f"{len(outcome.added)} added, {len(outcome.left)} left.")


def _read(name: str) -> bytes:
    """The bytes; of a huge file only enough to be refused for its size."""
    if name == "-":
        return sys.stdin.buffer.read(opml.MOST_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(opml.MOST_BYTES + 1)
