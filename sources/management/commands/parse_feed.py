"""What a feed's document becomes, for anyone to see: no database, no network."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand

from sources.feedparsing import MOST_BYTES, FeedError, parse
from sources.feedparsing.shape import as_json


class Command(BaseCommand):
    help = (
        "Print what feed documents become, one line of JSON per file in their order. "
        "A file that is no feed gives a line with an error, and the exit code is 1."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="- for standard input")
        parser.add_argument("--url", default="", help="where it comes from, for relative links")
        parser.add_argument(
            "--content-type", default="", help="as the server said it, charset and all"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        failed = False
        for name in options["files"]:
            line = _line(name, options["url"], options["content_type"])
            failed = failed or "error" in line
            self.stdout.write(_dumped(line))
        if failed:
            sys.exit(1)


def _line(name: str, url: str, content_type: str) -> dict[str, Any]:
    try:
        return as_json(parse(_document(name), content_type=content_type, url=url))
    except OSError as problem:
        return {"error": f"{name} can't be read: {problem.strerror or problem}."}
    except FeedError as problem:
        return {"error": str(problem)}


def _document(name: str) -> bytes:
    """The file's bytes; of a huge one only enough to be refused for its size."""
    if name == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _dumped(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line).decode()
    except TypeError:  # a lone surrogate: Python's strings can hold it, UTF-8 can't
        return json.dumps(line)
