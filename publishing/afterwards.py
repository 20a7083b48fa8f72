"""When a post that is out is asked about again, and what its words say. Pure."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

import regex

WATCHED_FOR = timedelta(days=90)
LOOK_TWICE = timedelta(minutes=5)  # before a post that isn't there is called gone
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_COUNTING = (  # up to this age: so long until the next time
    (_HOUR, 10 * _MINUTE), (6 * _HOUR, 30 * _MINUTE), (2 * _DAY, 3 * _HOUR), (14 * _DAY, _DAY),
    (WATCHED_FOR, 7 * _DAY),
)  # fmt: skip
_LOOKING = (
    (_HOUR, 30 * _MINUTE), (_DAY, 6 * _HOUR), (14 * _DAY, _DAY), (WATCHED_FOR, 7 * _DAY),
)  # fmt: skip
_MOST_DOUBLINGS = 6
_TELLING = 8  # words; fewer say nothing
_LINKS = regex.compile(r"https?://\S+")
_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def until_count(age: timedelta, failures: int = 0) -> timedelta | None:
    """How long to wait with reading the counts of a post of this age; None: not any more.

    Each failure in a row before doubles it.
    """
    return _until(_COUNTING, age, failures)


def until_look(age: timedelta, failures: int = 0) -> timedelta | None:
    """How long to wait with looking at a post of this age; None: not any more."""
    return _until(_LOOKING, age, failures)


def words_hash(text: str) -> str:
    """SHA-256 of a post's words in hex; "" for none. Marks and spacing are the platform's own."""
    words = " ".join(_WORDS.findall(text.casefold()))
    return hashlib.sha256(words.encode()).hexdigest() if words else ""


def is_foreign(seen: str, sent: Iterable[str]) -> bool:
    """Whether less than half of a post's words are of what was sent; False for a few words.

    A platform cuts a text, takes its markup away, writes links and hashtags in its own way, and
    may show a part of it only. So the first look at a text can't ask for the same; what it finds
    is what later looks are held against (`words_hash`).
    """
    words = _WORDS.findall(_LINKS.sub(" ", seen).casefold())
    if len(words) < _TELLING:
        return False
    ours = set(_WORDS.findall(" ".join(sent).casefold()))
    return sum(word in ours for word in words) * 2 < len(words)


def _until(
    steps: tuple[tuple[timedelta, timedelta], ...], age: timedelta, failures: int
) -> timedelta | None:
    wait = next((wait for until, wait in steps if age < until), None)
    return None if wait is None else wait * 2 ** min(failures, _MOST_DOUBLINGS)
