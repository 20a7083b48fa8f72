"""The contract of a platform: what one adapter is, and how it reads an answer.

An adapter knows its platform and nothing of the desk: it gets a `Job` and a client, and returns a
`Receipt` or raises one of `publishing.errors`. docs/adding-a-platform.md walks through one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from config.outbound import BadBody, Client, OutboundError, Response
from publishing.abilities import Ability
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.post import (
    Capabilities,
    Counts,
    Field,
    Job,
    Limits,
    Post,
    Problem,
    Receipt,
    Renewed,
    Seen,
    Texts,
)


class Platform(ABC):
    """One kind of software to publish to. Instances hold no state."""

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""  # what an administrator must know before connecting
    options: ClassVar[tuple[Field, ...]] = ()
    credentials: ClassVar[tuple[Field, ...]] = ()
    capabilities: ClassVar[Capabilities]
    to_subscribers: ClassVar[bool] = False  # it gets `Job.recipients`, the channel's subscribers
    on_our_pages: ClassVar[bool] = False  # it gets `Job.pages`, its place on the desk's own pages

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """What the platform would refuse about this post; nothing is sent."""
        return []

    @abstractmethod
    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post it, once. Raises `Refusal`, `Wait`, `Reauthorise` or `Unknown`.

        With `job.again` an earlier attempt may have gone through: a platform of the kinds `key`,
        `two_phase` and `look_up` must then not make a second post.
        """


@runtime_checkable
class LooksUp(Protocol):
    """A platform that can be asked whether a post of ours is there."""

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The post that carries our marker, or None. Raises as `publish` does."""


@runtime_checkable
class Edits(Protocol):
    """A platform where a post can be changed afterwards. Repeating an edit changes nothing."""

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Make the post `job.remote_id` say what `job.post` says. Raises as `publish` does."""


@runtime_checkable
class Deletes(Protocol):
    """A platform where a post can be taken away."""

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post `job.remote_id` away; one that is gone already is a success."""


@runtime_checkable
class Replies(Protocol):
    """A platform where a note can be hung on a post: for corrections where it can't be edited."""

    async def reply(self, job: Job, http: Client) -> Receipt:
        """Answer the post `job.remote_id` with `job.post.text`, once, as `publish` is once."""


@runtime_checkable
class Counting(Protocol):
    """A platform that tells how a post does."""

    async def counts(self, job: Job, http: Client) -> Counts:
        """What it says of the post `job.remote_id`. Raises as `publish` does."""


@runtime_checkable
class Watches(Protocol):
    """A platform where a post can be read back."""

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post `job.remote_id` as it stands there. Raises as `publish` does."""


@runtime_checkable
class Renews(Protocol):
    """A platform whose credentials end and can be renewed before they do."""

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """New credentials; a refresh token that isn't named again stays. Raises as `publish`."""


@runtime_checkable
class Limited(Protocol):
    """A platform of many servers, each with limits of its own; those of `capabilities` are what
    holds where a server doesn't say.
    """

    async def limits(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Limits:
        """What the channel's server takes. Raises as `publish` does."""


@runtime_checkable
class Previews(Protocol):
    """A platform whose texts follow from more than its ruler (see `publishing.preview.texts`)."""

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """What `publish` sends; without the network."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Where an OAuth connection begins, and what it asks for (RFC 6749 §4.1, RFC 7636)."""

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    pkce: bool = True
    basic: bool = False  # our id and secret travel as HTTP Basic, else in the form
    separator: str = " "  # between scopes; some want a comma
    extra: Mapping[str, str] = field(default_factory=dict)  # parameters of the first step


@runtime_checkable
class Connects(Protocol):
    """A platform that is connected by a visit to it (OAuth 2 with a code)."""

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """Where to send the administrator; the client's id and secret are in `credentials`."""

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """Credentials made from the token endpoint's answer (access_token, expires_in …).

        Our client_id and client_secret stand beside it, for platforms with another step.
        """


@runtime_checkable
class Verifies(Protocol):
    """A platform whose connection can be tested without posting."""

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """A sentence saying as whom we are connected. Raises as `publish` does."""


_ABILITIES: Mapping[Ability, type] = {
    Ability.EDITS: Edits, Ability.DELETES: Deletes, Ability.REPLIES: Replies,
    Ability.COUNTING: Counting, Ability.WATCHES: Watches, Ability.RENEWS: Renews,
    Ability.CONNECTS: Connects,
}  # fmt: skip


def able(platform: Platform) -> list[Ability]:
    """Which of the optional abilities a platform has."""
    return [ability for ability, kind in _ABILITIES.items() if isinstance(platform, kind)]


def guessed(platform: Platform, limits: Mapping[str, Any]) -> bool:
    """Whether the limits of a channel's server are only assumed; `limits` is what it has kept."""
    return isinstance(platform, Limited) and not limits


def must_be_ok(answer: Response, platform: str) -> Response:
    """The answer if it is a success; else the error that its status stands for.

    The reading that holds for most: 401 and 403 mean the credentials, 408, 425 and 429 wait,
    other 4xx are refusals, 5xx may hide work that was done. An adapter whose platform means
    something else reads that first.
    """
    if 200 <= answer.status < 300:
        return answer
    said = said_by(answer)
    words = f"{platform} answered {answer.status}"
    words = f"{words}: {said}" if said else words
    words = words if words[-1] in ".!?…" else f"{words}."
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    if answer.status in (401, 403):
        raise Reauthorise(f"{words} Check the channel's credentials.", **about)
    if answer.status in (408, 425, 429):
        raise Wait(words, seconds=answer.retry_after, **about)
    if answer.status >= 500:
        raise Unknown(words, **about)
    raise Refusal(words, **about)


@contextmanager
def only_reading(platform: str) -> Iterator[None]:
    """Around requests that change nothing: whatever becomes of them, nothing was posted by them.

    So an answer that is lost or can't be understood is a `Wait` here, never `Unknown`.
    """
    try:
        yield
    except Unknown as problem:
        raise Wait(str(problem), status=problem.status, excerpt=problem.excerpt) from problem
    except OutboundError as problem:
        kind = Refusal if problem.permanent else Wait
        raise kind(f"{platform} could not be asked. {problem}") from problem


def said_by(answer: Response) -> str:
    """What the platform says is wrong, from the usual places of a JSON error; "" for none."""
    try:
        body = answer.json()
    except BadBody:  # an error page may be anything; its text is kept as the excerpt
        return ""
    if not isinstance(body, dict):
        return ""
    for name in ("message", "detail", "error_description", "error", "title"):
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())[:300]
    return ""
