"""The values that travel between queue and platforms. Pure."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from publishing.counting import Ruler
from publishing.document import Picture
from publishing.our_pages import OurPages
from publishing.recipients import Recipients


class Once(StrEnum):
    """How a platform keeps a post from appearing twice."""

    KEY = "key"  # it takes an id of ours and answers a repetition with the first post
    TWO_PHASE = "two_phase"  # an invisible draft first, then a repeatable flip to public
    LOOK_UP = "look_up"  # we search for our marker before sending again
    NONE = "none"  # nobody can find out: a person decides


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server of a platform takes, as it says itself."""

    length: int  # in the unit of the platform's ruler
    url_counts: int | None = None  # None: a link counts as it is written
    pictures: int = 0

    def kept(self) -> dict[str, Any]:
        """As a channel can hold it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self | None:
        """Out of a channel; None if nothing was read yet."""
        return cls(**kept) if kept else None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do; shown to people and asked by the queue."""

    once: Once
    in_words: str  # how it is once-only, for an administrator
    ruler: Ruler | None = None  # the longest text, where there is a limit
    form: str = "short text"  # what becomes of the story there: whole story, short text, thread …
    pictures: int = 0  # how many it takes with a post
    alt_text: bool = False
    tried_against: str = ""  # the real software, if it was; "" for recorded shapes only
    withdrawal: str = ""  # what taking a post away means there, if not that it is gone
    access: str = ""  # what it costs and needs to get in, if that is more than an account

    def within(self, limits: Limits | None) -> Self:
        """The same on a server of these limits; None where they are not known."""
        if limits is None or self.ruler is None:
            return self
        ruler = replace(self.ruler, limit=limits.length, url_counts=limits.url_counts)
        return replace(self, ruler=ruler, pictures=limits.pictures)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a channel's form asks for."""

    name: str
    label: str
    kind: str = "text"  # text, lines, url, secret, number, flag, choice
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
    url: str = ""  # the link that goes with it, if one does
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str = ""
    marker: str = ""  # our key for this delivery, the same over every attempt
    pictures: tuple[Picture, ...] = ()  # of the text, in their order
    canonical_url: str = ""  # the piece's first address, for search engines; no tags in it


@dataclass(frozen=True, slots=True)
class Texts:
    """What is sent of a story, before a platform puts marks of its own into it."""

    parts: tuple[str, ...]  # one, or those of a thread; none where the story goes as it is
    ruler: Ruler | None = None  # that they are held to


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
    request_id: str = ""  # the platform's own number of our request, for its support


@dataclass(frozen=True, slots=True)
class Counts:
    """What a platform says of a post's success; None where it says nothing."""

    views: int | None = None
    reactions: int | None = None
    replies: int | None = None
    shares: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A post of ours as it stands on the platform now."""

    there: bool
    text: str = ""  # its words, to be held against what was sent; "" where it can't be read


@dataclass(frozen=True, slots=True)
class Renewed:
    """Credentials after a renewal: what is named replaces, what isn't stays."""

    credentials: Mapping[str, Any]
    expires_at: datetime | None = None


_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def _forget(_what: str) -> None:
    """Keeps nothing: for trials outside the queue."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call to a platform, with all it may know."""

    post: Post
    options: Mapping[str, Any]
    credentials: Mapping[str, Any]
    made_at: datetime = _LONG_AGO  # when the delivery was queued: the same at every attempt
    again: bool = False  # an earlier attempt may have gone through, or left a draft behind
    draft_id: str = ""  # of an invisible draft that an earlier attempt has made
    keep_draft: Callable[[str], Awaitable[None]] = field(default=_forget)
    """Stores a draft's id before the next step; raises when the claim is not ours any more."""
    parts: tuple[str, ...] = ()  # ids of a thread's parts that are out already, in their order
    keep_part: Callable[[str], Awaitable[None]] = field(default=_forget)
    """Stores the id of a part that is out, before the next one; raises as `keep_draft` does."""
    remote_id: str = ""  # of the post that is to be edited, deleted, answered or looked at
    remote_url: str = ""
    recipients: Recipients | None = None  # for platforms that write `to_subscribers`
    pages: OurPages | None = None  # for platforms that publish `on_our_pages`
    key: str = ""  # of this very job; `post.marker` is that of the post that it is about

    @property
    def once_key(self) -> str:
        """What makes a repetition of this job the same job."""
        return self.key or self.post.marker
