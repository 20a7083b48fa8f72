"""What feed documents become, for anyone to see: `manage.py parse_feed`, or `python -m` this.

Needs no database, no network and no Django, so that it starts at once.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from sources.feedparsing import MOST_BYTES, FeedError, parse
from sources.feedparsing.shape import as_json

HELP = (
    "Print what feed documents become, one line of JSON per file in their order. "
    "A file that is no feed gives a line with an error, and the exit code is 1."
)


def main(arguments: list[str], program: str = "python -m sources.feedparsing") -> int:
    """Print a line for each file that `arguments` name; the exit code."""
    parser = ArgumentParser(prog=program, description=HELP)
    add_arguments(parser)
    given = parser.parse_args(arguments)
    failed = False
    for line, is_feed in lines(given.files, given.url, given.content_type):
        failed = failed or not is_feed
        sys.stdout.write(line + "\n")
    return 1 if failed else 0


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="- for standard input")
    parser.add_argument("--url", default="", help="where it comes from, for relative links")
    parser.add_argument("--content-type", default="", help="as the server said it, with charset")


def lines(files: Iterable[str], url: str, content_type: str) -> Iterator[tuple[str, bool]]:
    """For each file its line, and whether it was a feed."""
    for name in files:
        told = _told(name, url, content_type)
        yield _dumped(told), "error" not in told


def _told(name: str, url: str, content_type: str) -> dict[str, Any]:
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


def _dumped(told: dict[str, Any]) -> str:
    try:
        return orjson.dumps(told).decode()
    except TypeError:  # a lone surrogate: Python's strings can hold it, UTF-8 can't
        return json.dumps(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
