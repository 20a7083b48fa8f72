"""How well the desk tells events apart, measured on labelled items."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles import labelled
from articles.bcubed import Marks, bcubed
from articles.labelled import Labelled, NotLabelled

OURS = Path(__file__).parents[2] / "data" / "labelled_events.jsonl"
FORMAT = """
FILE holds items that people have labelled with their event: JSON Lines (one object a line), a
JSON list, or an object with a list in it. An object's keys:

  title                       the headline (or: headline)
  summary, text               either or both (or: description, content, body)
  published_at                any usual date, or seconds since 1970 (or: date, timestamp)
  event                       the label; equal for items about one event
                              (or: label, cluster, story_id, event_id)
  source, url, language       optional; the source defaults to the URL's host
  part                        optional (or: split): each part is clustered and marked by itself

Without FILE the set in the repository is measured, which we wrote ourselves. Its part "held out"
was never looked at while the rules were chosen.
"""


class Command(BaseCommand):
    """Clusters labelled items as the desk would, and prints B-cubed precision, recall and F1."""

    help = "Cluster labelled items as the desk would; print B-cubed precision, recall and F1."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser, with the file format told below the options."""
        parser = super().create_parser(prog_name, subcommand, epilog=FORMAT, **kwargs)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Files, and the form of the answer."""
        parser.add_argument("files", nargs="*", metavar="FILE", type=Path)
        parser.add_argument("--json", action="store_true", help="one JSON object a row")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        """Measure each part of each file."""
        rows = [row for path in files or [OURS] for row in _measured(path)]
        if options["json"]:
            for row in rows:
                self.stdout.write(json.dumps(row))
            return
        self.stdout.write(
            f"{'set':40} {'items':>7} {'events':>7} {'clusters':>8}  "
            f"{'precision':>9} {'recall':>7} {'F1':>7} {'seconds':>8}"
        )
        for row in rows:
            self.stdout.write(
                f"{row['set'][-40:]:40} {row['items']:7} {row['events']:7} {row['clusters']:8}  "
                f"{row['precision']:9.4f} {row['recall']:7.4f} {row['f1']:7.4f} "
                f"{row['seconds']:8.1f}"
            )


def _measured(path: Path) -> list[dict[str, Any]]:
    try:
        items = labelled.read(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    except NotLabelled as error:
        raise CommandError(f"{path}: {error}") from error
    parts: dict[str, list[Labelled]] = {}
    for item in items:
        parts.setdefault(item.part, []).append(item)
    rows = []
    for part, its in sorted(parts.items()):
        started = time.perf_counter()
        marks: Marks = bcubed([each.event for each in its], labelled.clustered(its))
        seconds = round(time.perf_counter() - started, 2)
        name = f"{path.name}, {part}" if part else path.name
        rows.append({"set": name, **asdict(marks), "seconds": seconds})
    return rows
