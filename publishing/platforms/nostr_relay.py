"""One relay, asked over a WebSocket; and many at once.

NIP-01 (EVENT, REQ and what is answered), NIP-42 (AUTH):
https://github.com/nostr-protocol/nips
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from config.outbound import Client, OutboundError, WebSocket
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.nostr_events import LOGIN, Event, Key, read

_LONGEST_TALK = 20.0  # seconds with one relay; all are asked at the same time
_MESSAGE, _TALK = 512 * 1024, 4 * 1024 * 1024  # bytes, at most
_DONE = ("duplicate", "replaced")  # it has this very event, or a newer version of ours
_LOCKED = ("auth-required", "restricted")
_WELCOME = 3.0  # seconds that an answer to our signing in is waited for
_SUBSCRIPTION = "desk"
T = TypeVar("T")


class Relay:
    """A relay that listens."""

    def __init__(self, url: str, socket: WebSocket, key: Key) -> None:
        self.url = url
        self._socket = socket
        self._key = key
        self._challenge = ""
        self._notice = ""
        self._said = ""

    async def put(self, event: Event) -> str:
        """Hand an event over; what the relay said, once it has it. Raises `PlatformError`."""
        said = await self._put(event)
        if said.startswith(_LOCKED) and await self._let_in():
            said = await self._put(event)
        if said:
            raise _no(said, self.url)
        return self._said

    async def find(self, *filters: dict[str, Any]) -> list[Event]:
        """What the relay has stored of this, true events only. Raises `PlatformError`."""
        found, closed = await self._find(filters)
        if closed.startswith(_LOCKED) and await self._let_in():
            found, closed = await self._find(filters)
        if closed:
            raise _no(closed, self.url)
        return found

    async def _put(self, event: Event) -> str:
        """ "" when the relay has it, else why not."""
        await self._send("EVENT", event.as_json())
        accepted, self._said = await self._ok(event.id)
        if accepted or self._said.partition(":")[0] in _DONE:
            return ""
        return self._said or "blocked: it gives no reason"

    async def _ok(self, number: str) -> tuple[bool, str]:
        """The answer to an event; one for any other is none.

        nostr-relay 1.14 refuses without naming the event; ours is the only one under way.
        """
        while True:
            match await self._next():
                case ["OK", str(about), bool(accepted), *more] if about == number:
                    return accepted, _words(more)
                case ["OK", "", False, *more]:
                    return False, _words(more)

    async def _find(self, filters: Sequence[dict[str, Any]]) -> tuple[list[Event], str]:
        """The events, and why there are no (more) of them; "" where that was all."""
        await self._send("REQ", _SUBSCRIPTION, *filters)
        found: dict[str, Event] = {}
        while True:
            match await self._next():
                case ["EVENT", str(name), body] if name == _SUBSCRIPTION:
                    event = read(body)
                    if event is not None:
                        found[event.id] = event
                case ["EOSE", str(name), *_] if name == _SUBSCRIPTION:
                    await self._send("CLOSE", _SUBSCRIPTION)
                    return list(found.values()), ""
                case ["CLOSED", str(name), *more] if name == _SUBSCRIPTION:
                    return list(found.values()), _words(more) or "error: it gives no reason"

    async def _let_in(self) -> bool:
        """Sign the relay's challenge, if it gave one that isn't signed yet; whether it did."""
        if not self._challenge:
            return False
        tags = (("relay", self.url), ("challenge", self._challenge))
        self._challenge = ""
        login = self._key.sign(LOGIN, int(time.time()), tags, "")
        await self._send("AUTH", login.as_json())
        try:
            async with asyncio.timeout(_WELCOME):
                await self._ok(login.id)
        except TimeoutError:  # some say nothing, and whether we are in shows at the next request
            pass
        return True

    async def _send(self, *message: Any) -> None:
        await self._socket.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def _next(self) -> list[Any]:
        """The next message that is one; what a relay says besides is remembered or passed over."""
        while True:
            text = await self._socket.receive()
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                continue
            match message:
                case ["AUTH", str(challenge), *_]:
                    self._challenge = challenge
                case ["NOTICE", *more]:
                    self._notice = _words(more)
                case [str(kind), *more]:
                    return [kind, *more]

    @property
    def notice(self) -> str:
        """What the relay wanted people to read; "" for nothing."""
        return self._notice


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """What came of one relay."""

    url: str
    result: T | None = None
    problem: PlatformError | OutboundError | None = None
    notice: str = ""

    @property
    def maybe(self) -> bool:
        """Whether the relay may have what it was given, and nobody knows."""
        if isinstance(self.problem, OutboundError):
            return self.problem.maybe_sent
        return isinstance(self.problem, Unknown)

    @property
    def later(self) -> bool:
        """Whether it certainly has nothing, and may take it another time."""
        if isinstance(self.problem, OutboundError):
            return not (self.problem.permanent or self.problem.maybe_sent)
        return isinstance(self.problem, Wait)

    @property
    def in_words(self) -> str:
        """One sentence for people."""
        if self.problem is None:
            return f"{self.url}: OK."
        notice = f" It also said: {self.notice}" if self.notice else ""
        return f"{self.url}: {self.problem}{notice}"


async def each(
    urls: Sequence[str], http: Client, key: Key, talk: Callable[[Relay], Awaitable[T]]
) -> list[Heard[T]]:
    """`talk` with every relay at once; nobody's trouble is anybody else's."""
    return list(await asyncio.gather(*(_one(url, http, key, talk) for url in urls)))


async def _one(url: str, http: Client, key: Key, talk: Callable[[Relay], Awaitable[T]]) -> Heard[T]:
    relay: Relay | None = None
    try:
        async with http.websocket(
            url, deadline=_LONGEST_TALK, max_message=_MESSAGE, max_bytes=_TALK
        ) as socket:
            relay = Relay(url, socket, key)
            return Heard(url, await talk(relay))
    except (PlatformError, OutboundError) as problem:
        return Heard(url, problem=problem, notice=relay.notice if relay else "")


def _no(said: str, url: str) -> PlatformError:
    """What a refusal means, by the word before its colon (NIP-01)."""
    words = f"It says “{said}”."
    prefix, colon, _ = said.partition(":")
    if not colon:  # an accident rather than a decision: NIP-01 has a prefix for those
        return Unknown(words, excerpt=said)
    match prefix.strip().lower():
        case "rate-limited":
            return Wait(words, excerpt=said)
        case "auth-required":
            return Reauthorise(f"It lets nobody write whom it doesn't know. {words}", excerpt=said)
        case "error":
            return Unknown(words, excerpt=said)
        case "pow":
            return Refusal(f"It asks for proof of work, which the desk doesn't do. {words}")
    return Refusal(words, excerpt=said)


def _words(parts: Sequence[object]) -> str:
    """The text at the start of what is left of a message."""
    said = parts[0] if parts else ""
    return " ".join(said.split())[:300] if isinstance(said, str) else ""
