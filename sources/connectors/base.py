"""The contract of a connector: how one kind of source is read.

A connector knows its service and nothing of the desk: it gets a `Fetch` and a client, and returns
`Fetched` or raises one of `sources.errors`. docs/adding-a-source.md walks through one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from articles.wire import WireCopy
from config.outbound import Client, Headers, Response
from sources.errors import Denied, Gone, Limited, Misconfigured, Unreachable

LOGIN = "Login"
"""The group of options beside which the credentials stand."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a source's form asks for."""

    name: str
    label: str
    kind: str = "text"  # text, lines, url, secret, number, flag, choice
    required: bool = False
    help: str = ""
    default: Any = ""
    choices: tuple[tuple[str, str], ...] = ()
    group: str = ""  # the heading it stands under; "" is beside the address


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to a source, with all a connector may know."""

    endpoint: str
    options: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""  # validators of the last answer
    last_modified: str = ""
    since: datetime | None = None  # the last success
    now: datetime | None = None
    requests: int = 60  # how many it may send; most connectors need one or two
    memory: Mapping[str, Any] = field(default_factory=dict)  # what it asked to be told again


@dataclass(frozen=True, slots=True)
class Payload:
    """One answer as it came, for the archive. Never holds what we sent."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)  # decoded


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the source itself wants to be asked."""

    fresh_for: float | None = None  # seconds, by Cache-Control, Expires or a feed's ttl
    skip_hours: frozenset[int] = frozenset()  # UTC hours, 0 to 23 (RSS skipHours)
    skip_days: frozenset[int] = frozenset()  # Monday is 0 (RSS skipDays)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source sent."""

    copies: tuple[WireCopy, ...] = ()
    unchanged: bool = False  # it said so itself (304): nothing was read
    etag: str = ""
    last_modified: str = ""
    http_status: int | None = None
    bytes: int = 0
    wait: float | None = None  # seconds to leave it alone, if it named them
    title: str = ""  # what the source calls itself
    warnings: tuple[str, ...] = ()
    payloads: tuple[Payload, ...] = ()  # what was read, as it came
    pace: Pace = Pace()
    moved_to: str = ""  # where it is now, if only 301 and 308 led there
    hub: str = ""  # the WebSub hub that it declares, and its name there
    topic: str = ""
    older: str = ""  # where its older pieces are: given back to `ReachesBack.older`
    memory: Mapping[str, Any] | None = None  # to be told at the next fetch; None keeps the former


class Connector(ABC):
    """One kind of source. Instances hold no state."""

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""  # what to enter, and the service's rules
    endpoint: ClassVar[str] = ""  # where it usually is
    options: ClassVar[tuple[Option, ...]] = ()
    credentials: ClassVar[tuple[Option, ...]] = ()
    minutes: ClassVar[int] = 30  # between two syncs, to begin with
    seconds_between: ClassVar[float] = 0.0  # two requests to its host, if the service asks for it
    one_at_a_time: ClassVar[bool] = False  # its host wants one connection at a time
    obeys_robots: ClassVar[bool] = False  # it reads pages made for people (robots.txt, RFC 9309)

    pages_tell_more: ClassVar[bool] = True  # than its pieces do, where those are short

    @abstractmethod
    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """What is there now. Raises `SourceError` with a sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What an address that somebody pasted turned out to be."""

    endpoint: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""  # for the new source
    note: str = ""  # what it takes to read it, in words


@runtime_checkable
class Recognises(Protocol):
    """A connector that knows its service's pages by their address, without asking anybody."""

    def recognise(self, url: str) -> Recognised | None:
        """What to enter for the page at `url` (http or https); None for somebody else's page."""


@runtime_checkable
class ChecksOptions(Protocol):
    """A connector whose options can be wrong in ways that only it knows, such as an expression."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise `Misconfigured`, with the option's name, for what can't work; asks nobody."""


@runtime_checkable
class ReadsAgain(Protocol):
    """A connector that can read archived answers without asking its service."""

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """What `payloads` (one or more) hold, as `fetch` would have read them.

        Raises `SourceError`.
        """


@runtime_checkable
class ReachesBack(Protocol):
    """A connector whose service hands out older pieces page by page."""

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The pieces at `cursor` (`Fetched.older` of the page before; "" begins).

        `older` of the answer is the next cursor, "" at the end. Raises `SourceError`.
        """


def payload_of(answer: Response) -> Payload:
    """The answer for the archive."""
    headers = answer.headers
    fields = tuple((name, value) for name in headers for value in headers.get_all(name))
    return Payload(answer.url, answer.status, fields, answer.body)


def answer_of(payload: Payload) -> Response:
    """An archived answer as it was when it came, for `ReadsAgain`."""
    return Response(payload.status, Headers(payload.headers), payload.body, payload.url)


def must_be_ok(
    answer: Response,
    who: str,
    *,
    conditional: bool = False,
    limiter: bool = False,
    wait: float | None = None,
) -> Response:
    """The answer if it is a success; else the error that its status stands for, `who` naming it.

    `conditional`: validators were sent, so a 304 is a success too. `limiter`: it is known to say
    403 where others say 429. `wait`: the seconds it named elsewhere than in Retry-After.
    """
    if 200 <= answer.status < 300 or (conditional and answer.status == 304):
        return answer
    status = answer.status
    if wait is None:
        wait = answer.retry_after
    if status == 304:
        raise Unreachable(
            f"{who} says that nothing has changed, without having been asked. A cache in between "
            "may be wrong; the desk tries again later.",
            status=status,
        )
    if status == 403 and limiter:
        raise Limited(
            f"{who} refuses for now (403), which is its way of saying: too many requests.",
            status=status,
            retry_after=wait,
        )
    if status in (401, 403):
        raise Denied(
            f"{who} refuses access ({status}). Check the credentials, or whether it lets "
            "programs in at all.",
            status=status,
            retry_after=wait,
        )
    if status in (404, 410):
        words = "for good" if status == 410 else "at this address"
        raise Gone(f"{who} has nothing {words} ({status}). Check the address.", status=status)
    if status == 429:
        raise Limited(
            f"{who} asks for patience: too many requests.", status=status, retry_after=wait
        )
    if status >= 500:
        raise Unreachable(
            f"{who} has trouble of its own ({status}). The desk tries again later.",
            status=status,
            retry_after=wait,
        )
    raise Unreachable(f"{who} answered {status}, which is no document.", status=status)


def checked(options: Mapping[str, Any], declared: tuple[Option, ...]) -> dict[str, Any]:
    """`options` with defaults filled in; raises `Misconfigured` naming what is wrong.

    Unknown names are refused: a typing error must not be silently without effect.
    """
    known = {option.name: option for option in declared}
    unknown = [name for name in options if name not in known]
    if unknown:
        allowed = ", ".join(known) or "none"
        raise Misconfigured(f"There is no option “{unknown[0]}” here; there are: {allowed}.")
    values = {}
    for name, option in known.items():
        value = options.get(name, option.default)
        if value in ("", None):
            value = option.default
        if option.required and value in ("", None):
            raise Misconfigured(f"“{option.label}” is missing.", option=name)
        if option.kind == "number" and value != "":
            try:
                value = int(value)
            except (TypeError, ValueError):
                words = f"“{option.label}” must be a whole number."
                raise Misconfigured(words, option=name) from None
        if option.kind == "flag" and not isinstance(value, bool):
            if value not in ("", None):
                raise Misconfigured(f"“{option.label}” must be true or false.", option=name)
            value = False
        if option.kind in ("text", "lines", "url", "secret", "choice") and not isinstance(
            value, str
        ):
            raise Misconfigured(f"“{option.label}” must be a text.", option=name)
        if option.choices and value not in dict(option.choices):
            words = ", ".join(key for key, _ in option.choices)
            raise Misconfigured(f"“{option.label}” must be one of {words}.", option=name)
        values[name] = value
    return values
