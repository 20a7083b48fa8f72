"""The values that travel between queue and platforms. Pure."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from publishing.document import Picture


class Once(StrEnum):
    """How a platform keeps a post from appearing twice."""

    KEY = "key"  # it takes an id of ours and answers a repetition with the first post
    TWO_PHASE = "two_phase"  # an invisible draft first, then a repeatable flip to public
    LOOK_UP = "look_up"  # we search for our marker before sending again
    NONE = "none"  # nobody can find out: a person decides


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do; shown to people and asked by the queue."""

    once: Once
    in_words: str  # how it is once-only, for an administrator
    longest_text: int | None = None  # in the platform's own way of counting
    html: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a channel's form asks for."""

    name: str
    label: str
    kind: str = "text"  # text, url, secret, number, flag, choice
    required: bool = False
    help: str = ""
    default: Any = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A story as it goes out: the approved revision, ready for any platform."""

    title: str  # plain text
    html: str  # sanitised
    text: str  # the same in plain text, a line per block
    summary: str = ""  # plain text
    url: str = ""  # of the piece elsewhere, if it has one
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str = ""
    marker: str = ""  # our key for this delivery, the same over every attempt
    pictures: tuple[Picture, ...] = ()  # of the text, in their order


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a platform would refuse, found before anything is sent."""

    field: str  # of the post or of the channel
    sentence: str  # what is wrong and what to do


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's proof."""

    remote_id: str
    remote_url: str = ""
    confirmed_by: str = "answer"  # answer, look_up or person
    http_status: int | None = None
    excerpt: str = ""  # of what the platform said


async def _forget(_draft_id: str) -> None:
    """Keeps nothing: for trials outside the queue."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call to a platform, with all it may know."""

    post: Post
    options: Mapping[str, Any]
    credentials: Mapping[str, Any]
    again: bool = False  # an earlier attempt may have gone through, or left a draft behind
    draft_id: str = ""  # of an invisible draft that an earlier attempt has made
    keep_draft: Callable[[str], Awaitable[None]] = field(default=_forget)
    """Stores a draft's id before the next step; raises when the claim is not ours any more."""
