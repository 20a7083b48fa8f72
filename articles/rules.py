"""What a rule says: conditions on a piece, and what becomes of one that meets them. Pure.

`articles.rulebook` carries rules out: on new items, over stored ones, and back again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import regex

from articles.clean import plain_text

LONGEST_PATTERN = 500  # characters
_SECONDS = 0.05  # for one pattern on one text
_LONGEST_TEXT = 20_000  # characters of a text that a pattern is tried on


class TooSlow(Exception):
    """A pattern took too long on a text. The text says which one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of a rule: a field of the piece, how it is compared, with what."""

    field: str  # one of FIELDS
    operator: str  # one of OPERATORS that fits the field
    value: str  # as typed; several are separated by commas


@dataclass(frozen=True, slots=True)
class Actions:
    """What becomes of a piece that meets a rule. What is empty stays as it is."""

    spike: bool = False
    tags: tuple[str, ...] = ()  # added
    section: str = ""
    urgency: int | None = None
    assignee: int | None = None  # a user's id


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule as a value: what it says at one moment."""

    conditions: tuple[Condition, ...]
    every: bool  # all conditions have to be met; otherwise any
    actions: Actions
    source: int | None = None  # only this source's pieces

    def as_json(self) -> dict[str, Any]:
        """For keeping what was tried, and comparing it with what the rule says later."""
        told: dict[str, Any] = asdict(self)
        told["conditions"] = [asdict(each) for each in self.conditions]
        told["actions"]["tags"] = list(self.actions.tags)
        return told


@dataclass(frozen=True)
class Facts:
    """What a rule may know about a piece, and what it may change."""

    title: str
    summary: str
    content: str  # clean HTML
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    host: str  # of its canonical address, without “www.”
    language: str
    source: str  # the source's name
    section: str
    published_at: datetime
    source_id: int = 0
    urgency: int = 5
    assignee: int | None = None
    can_be_spiked: bool = True

    @cached_property
    def text(self) -> str:
        """The content as a reader sees it."""
        return plain_text(self.content)


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule does to one piece: only what is not so already."""

    spike: bool = False
    tags: tuple[str, ...] = ()  # to add
    values: Mapping[str, Any] = field(default_factory=dict)  # section, urgency, assignee: new value

    def __bool__(self) -> bool:
        return self.spike or bool(self.tags) or bool(self.values)


# --- what can be asked ---

FIELDS: dict[str, tuple[str, Callable[[Facts], tuple[str, ...]]]] = {
    "title": ("Title", lambda piece: (piece.title,)),
    "summary": ("Summary", lambda piece: (piece.summary,)),
    "content": ("Text", lambda piece: (piece.text,)),
    "authors": ("Author", lambda piece: piece.authors),
    "tags": ("Tag", lambda piece: piece.tags),
    "host": ("Site", lambda piece: (piece.host,)),
    "language": ("Language", lambda piece: (piece.language,)),
    "source": ("Source", lambda piece: (piece.source,)),
    "section": ("Section", lambda piece: (piece.section,)),
    "age": ("Age in hours", lambda _: ()),
}
"""Each field: its label, and the texts it holds (an author or a tag each is one)."""

OPERATORS = {
    "contains": "contains",
    "lacks": "does not contain",
    "equals": "is",
    "differs": "is not",
    "one_of": "is one of (a, b, c)",
    "contains_any": "contains one of (a, b, c)",
    "matches": "matches the pattern",
    "over": "is more than",
    "under": "is less than",
}
_OF_AGE = ("over", "under")


def problem(condition: Condition) -> str:
    """What is wrong with a condition and what to do, in a sentence; "" if nothing is."""
    label = FIELDS[condition.field][0]
    if (condition.operator in _OF_AGE) != (condition.field == "age"):
        fitting = "“is more than” or “is less than”" if condition.field == "age" else "another way"
        return f"“{label}” can't be compared like that; choose {fitting}."
    if not condition.value.strip(" ,"):
        return f"Say what “{label}” is compared with."
    if condition.operator in _OF_AGE and not (
        condition.value.strip().isdecimal() and len(condition.value.strip()) < 6
    ):
        return "Give the age as a whole number of hours, for instance 48."
    if condition.operator == "matches":
        return _pattern_problem(condition.value)
    return ""


def in_words(definition: Definition) -> str:
    """The conditions as one line: “Title contains “quiz” or Tag is “sponsored””."""
    rows = [
        f"{FIELDS[each.field][0]} {OPERATORS[each.operator].partition(' (')[0]} “{each.value}”"
        for each in definition.conditions
    ]
    return (" and " if definition.every else " or ").join(rows)


# --- what a rule decides ---


def meets(piece: Facts, definition: Definition, now: datetime) -> bool:
    """Whether a piece meets a rule. A rule without conditions is met by nothing.

    Raises `TooSlow` when a pattern takes too long.
    """
    if definition.source is not None and definition.source != piece.source_id:
        return False
    together = all if definition.every else any
    return bool(definition.conditions) and together(
        _met(piece, condition, now) for condition in definition.conditions
    )


def change(piece: Facts, actions: Actions) -> Change:
    """What `actions` would change about a piece."""
    wanted = {
        "section": actions.section or None,
        "urgency": actions.urgency,
        "assignee": actions.assignee,
    }
    return Change(
        spike=actions.spike and piece.can_be_spiked,
        tags=tuple(tag for tag in dict.fromkeys(actions.tags) if tag not in piece.tags),
        values={
            name: value
            for name, value in wanted.items()
            if value is not None and value != getattr(piece, name)
        },
    )


def changed(piece: Facts, by: Change) -> Facts:
    """The piece afterwards, as the next rule sees it."""
    return replace(
        piece,
        tags=(*piece.tags, *by.tags),
        can_be_spiked=piece.can_be_spiked and not by.spike,
        **by.values,
    )


def what_would_happen(found: Change, names: Mapping[int, str]) -> str:
    """A change in words: “Spike, tag “quiz””; `names` are people's by their ids."""
    parts = ["spike"] if found.spike else []
    parts += [f"tag “{tag}”" for tag in found.tags]
    for name, value in found.values.items():
        if name == "assignee":
            parts.append(f"give to {names.get(value, 'somebody')}")
        else:
            parts.append(f"{name} “{value}”")
    return ", ".join(parts).capitalize() if parts else "Nothing: it is so already"


def _met(piece: Facts, condition: Condition, now: datetime) -> bool:
    if condition.field == "age":
        hours = (now - piece.published_at).total_seconds() / 3600
        limit = int(condition.value)
        return hours > limit if condition.operator == "over" else hours < limit
    texts = FIELDS[condition.field][1](piece)
    if condition.operator == "matches":
        return _matches(texts, condition)
    wanted = _values(condition)
    if condition.operator in ("contains", "contains_any", "lacks"):
        found = any(each in text.casefold() for text in texts for each in wanted)
        return found != (condition.operator == "lacks")
    is_it = _IS.get(condition.field, _same)
    found = any(is_it(text.casefold(), each) for text in texts for each in wanted)
    return found != (condition.operator == "differs")


def _values(condition: Condition) -> list[str]:
    if condition.operator in ("one_of", "contains_any"):
        values: Iterable[str] = condition.value.split(",")
    else:
        values = [condition.value]
    return [value.strip().casefold() for value in values if value.strip()]


def _same(text: str, wanted: str) -> bool:
    return text == wanted


def _site(host: str, wanted: str) -> bool:
    """A site includes what is below it."""
    wanted = wanted.removeprefix("www.")
    return host == wanted or host.endswith(f".{wanted}")


def _language(tag: str, wanted: str) -> bool:
    """“en” includes “en-GB” (BCP 47 tags grow to the right)."""
    return tag == wanted or tag.startswith(f"{wanted}-")


_IS: dict[str, Callable[[str, str], bool]] = {"host": _site, "language": _language}


def _matches(texts: Sequence[str], condition: Condition) -> bool:
    pattern = regex.compile(condition.value, regex.IGNORECASE)  # the module keeps compiled ones
    try:
        return any(pattern.search(text[:_LONGEST_TEXT], timeout=_SECONDS) for text in texts)
    except TimeoutError:
        label = FIELDS[condition.field][0]
        raise TooSlow(
            f"The pattern “{condition.value[:80]}” takes too long on “{label}”. Make it simpler: "
            "avoid repetitions inside repetitions."
        ) from None


def _pattern_problem(pattern: str) -> str:
    if len(pattern) > LONGEST_PATTERN:
        return f"The pattern is longer than {LONGEST_PATTERN} characters; make it shorter."
    try:
        regex.compile(pattern, regex.IGNORECASE)
    except (regex.error, OverflowError, RecursionError, MemoryError) as wrong:
        return f"The pattern can't be read: {str(wrong) or 'it is nested too deeply'}."
    return ""
