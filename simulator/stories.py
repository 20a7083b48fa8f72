"""The invented country's news, as written in `copy/*.toml`: what happened, and who tells it how."""

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

COPY = Path(__file__).parent / "copy"


class Outlet(StrEnum):
    """Where a report appears."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    HACKERNEWS = "hackernews"
    REDDIT = "reddit"


FEEDS = (Outlet.RSS, Outlet.ATOM, Outlet.JSON)


@dataclass(frozen=True, slots=True)
class Telling:
    """One outlet's words for an event."""

    outlet: Outlet
    title: str  # plain text
    author: str
    html: str  # empty for a post that only links to a feed's telling of the same event


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told by one outlet or by several in different words."""

    section: str
    tags: tuple[str, ...]
    tellings: tuple[Telling, ...]  # those of feeds first, because the others link to them


def written_events() -> list[Event]:
    """Every event of `copy/*.toml` but the briefs, in the order of the files."""
    files = sorted(path for path in COPY.glob("*.toml") if path.stem != "briefs")
    return [
        _event(entry, {})
        for path in files
        for entry in tomllib.loads(path.read_text("utf-8"))["event"]
    ]


def briefs(rng: random.Random) -> Iterator[Event]:
    """News in brief without end: patterns of `copy/briefs.toml`, their blanks filled by `rng`."""
    written = tomllib.loads((COPY / "briefs.toml").read_text("utf-8"))
    words: dict[str, list[str]] = written["words"]
    while True:
        round_of_patterns = list(written["event"])
        rng.shuffle(round_of_patterns)
        for entry in round_of_patterns:
            yield _event(entry, {name: rng.choice(choices) for name, choices in words.items()}, rng)


_BLANK = re.compile(r"\{(\w+)(?::(\d+)-(\d+))?\}")  # {place}, or {votes:12-30} and later {votes}


def _event(entry: dict[str, Any], words: dict[str, str], rng: random.Random | None = None) -> Event:
    def fill(text: str) -> str:
        return _BLANK.sub(_word, text) if rng else text

    def _word(blank: re.Match[str]) -> str:
        name, low, high = blank.groups()
        if low and rng and name not in words:
            words[name] = str(rng.randint(int(low), int(high)))
        return words[name]

    tellings = tuple(
        Telling(
            outlet=Outlet(told["by"]),
            title=_capital(fill(told["title"])),
            author=fill(told["author"]),
            html=_paragraphs(fill(told.get("text", ""))),
        )
        for told in entry["told"]
    )
    return Event(
        section=entry["section"],
        tags=tuple(fill(tag) for tag in entry["tags"]),
        tellings=tuple(sorted(tellings, key=lambda telling: telling.outlet not in FEEDS)),
    )


def _paragraphs(text: str) -> str:
    """HTML of a text whose paragraphs stand apart by an empty line; one that is HTML stays."""
    blocks = [_capital(" ".join(block.split())) for block in text.strip().split("\n\n") if block]
    return "\n".join(block if block.startswith("<") else f"<p>{block}</p>" for block in blocks)


def _capital(text: str) -> str:
    """A blank's word may open a sentence."""
    return text[:1].upper() + text[1:]
