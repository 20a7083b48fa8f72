"""The client that connectors get: every request waits for its turn, by source, host and credential.

`Paced` is a `config.outbound.Client` that takes from the buckets first. A turn that comes soon is
waited for; a later one ends the sync as `NotNow`, which is no failure of the source: nothing was
asked, and it is due again when the turn comes.
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from config import turns
from config.outbound import Client, OutboundError, Response
from config.turns import Bucket, Fuse, Turn
from sources import breaker
from sources.errors import NotNow, Unreachable

PATIENCE = 5.0  # seconds that a sync waits for its first turn; then it gives its place back
PER_HOST_A_MINUTE = 3000  # requests of all sources to one host; its connections are fewer still
_ONE_AT_A_TIME = 0.2  # seconds between two looks whether a host is free
PLACEHOLDER = '"never-sent"'  # an ETag for connectors whose server gave none
_CONDITIONS = ("if-none-match", "if-modified-since")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source's requests are held to."""

    source_id: int | None = None  # None: not stored yet
    per_minute: int = 60
    credential: str = ""  # a digest: two sources with one key share its limit
    seconds_between: float = 0.0  # two requests to a host
    one_at_a_time: bool = False
    forced: bool = False  # a person asked: a host that failed before is tried


@dataclass(frozen=True, slots=True)
class Memo:
    """What is known of a source's last answer, to do without reading the same one again.

    A connector that sends conditions understands a 304. So it always gets an ETag to send, if
    need be `PLACEHOLDER`, which stops here.
    """

    digest: str = ""  # of its address and body
    whole: bool = False  # send no conditions: the server is to show what it has


class Paced(Client):
    """A client for one sync of one source."""

    def __init__(self, through: Client, gate: "Gate", limits: Limits, memo: Memo, ends: float):
        # Connections are the other client's: nothing of ours is to be opened or closed.
        self.policy = through.policy
        self._through = through
        self._gate = gate
        self._limits = limits
        self._memo = memo
        self._ends = ends  # on the loop's clock
        self.sent = 0  # requests
        self.digest = ""  # of a whole answer to a conditional request
        self.whole: int | None = None  # how many bytes that was

    async def __aexit__(self, *_: object) -> None:
        """Leave the connections to their owner."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        """As `Client.request`, when it is this source's turn. Raises `NotNow` too."""
        host = urlsplit(url).hostname or ""
        # Alone first: a pause between two requests counts from when the former one was sent.
        async with _Alone(host, self._limits.one_at_a_time, self._ends):
            failures = await self._turn(host)
            self.sent += 1
            began = time.monotonic()
            try:
                answer = await self._ask(method, url, **options)
            except OutboundError as problem:
                await asyncio.to_thread(breaker.failed, host, problem, began)
                raise
            breaker.note_answer(host)
            if failures or self._limits.forced:  # then nobody has counted them
                await asyncio.to_thread(breaker.works_again, host)
            return answer

    async def _ask(self, method: str, url: str, **options: Any) -> Response:
        headers: Mapping[str, str] = options.get("headers") or {}
        asked = [name for name in headers if name.lower() in _CONDITIONS]
        if not asked:
            return await self._through.request(method, url, **options)
        hidden = {name for name in asked if self._memo.whole or headers[name] == PLACEHOLDER}
        options["headers"] = {name: headers[name] for name in headers if name not in hidden}
        answer = await self._through.request(method, url, **options)
        if answer.status == 304 and hidden == set(asked):
            raise Unreachable(
                f"{urlsplit(url).hostname} says that nothing has changed, without being asked "
                "that (304).",
                status=304,
            )
        return self._compared(answer)

    def _compared(self, answer: Response) -> Response:
        """The answer; as a 304 if it is, byte for byte, the one that was read the last time."""
        if answer.status != 200:
            return answer
        self.whole = len(answer.body)
        self.digest = digest_of(answer.url, answer.body)
        if self.digest == self._memo.digest:
            return replace(answer, status=304, body=b"")
        return answer

    async def _turn(self, host: str) -> int:
        """Wait for this request's turn; how often its host has failed in a row."""
        guard = None if self._limits.forced else breaker.fuse(host)
        buckets = _buckets(self._limits, host)
        loop = asyncio.get_running_loop()
        patience = min(self._ends, loop.time() + PATIENCE) if not self.sent else self._ends
        while (turn := await self._gate.turn(guard, buckets)).wait:
            if guard is not None and turn.by == guard.key:
                raise NotNow(breaker.words(host, turn.failures), retry_after=turn.wait)
            if loop.time() + turn.wait > patience:
                raise NotNow(_words(turn.by), retry_after=turn.wait)
            await asyncio.sleep(turn.wait)
        return turn.failures


class Gate:
    """Asks Redis for the turns of all requests of one event loop, many in one round trip."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fuse | None, Sequence[Bucket], asyncio.Future[Turn]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def turn(self, fuse: Fuse | None, buckets: Sequence[Bucket]) -> Turn:
        """Whether it may happen now."""
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.append((fuse, buckets, future))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await future

    async def _ask(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    # A thread of its own: Redis may be slow, and the loop serves all the others.
                    given = await asyncio.to_thread(
                        turns.take_from, [(fuse, buckets) for fuse, buckets, _ in asked]
                    )
                except BaseException as problem:
                    for _fuse, _buckets, future in asked:
                        if not future.done():
                            future.set_exception(problem)
                    raise
                for (_fuse, _buckets, future), turn in zip(asked, given, strict=True):
                    if not future.done():
                        future.set_result(turn)
        finally:
            self._asking = None


class _Alone:
    """One request at a time to a host that asks for it, over all workers."""

    def __init__(self, host: str, wanted: bool, ends: float) -> None:
        self._key = f"host:{host}"
        self._wanted = wanted
        self._ends = ends
        self._owner = ""

    async def __aenter__(self) -> None:
        if not self._wanted:
            return
        loop = asyncio.get_running_loop()
        owner = uuid.uuid4().hex
        seconds = max(1.0, self._ends - loop.time() + 5.0)
        while not await asyncio.to_thread(turns.hold, self._key, owner, seconds):
            if loop.time() > self._ends:
                raise NotNow("Its host is asked by another source at the moment.", retry_after=5.0)
            await asyncio.sleep(_ONE_AT_A_TIME)
        self._owner = owner

    async def __aexit__(self, *_: object) -> None:
        if self._owner:
            await asyncio.to_thread(turns.let_go, self._key, self._owner)


def digest_of(url: str, body: bytes) -> str:
    """What tells one answer from another."""
    digest = hashlib.blake2b(url.encode(errors="replace") + b"\0", digest_size=32)
    digest.update(body)
    return digest.hexdigest()


def credential_digest(credentials: Mapping[str, Any]) -> str:
    """What two sources with the same credentials have in common; "" without any."""
    if not any(credentials.values()):
        return ""
    words = json.dumps(credentials, sort_keys=True, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _buckets(limits: Limits, host: str) -> list[Bucket]:
    found = [Bucket(f"host:{host}", PER_HOST_A_MINUTE)]
    if limits.source_id is not None:
        found.append(Bucket(f"source:{limits.source_id}", limits.per_minute))
    if limits.credential:
        found.append(Bucket(f"credential:{limits.credential}", limits.per_minute))
    if limits.seconds_between > 0:
        found.append(Bucket(f"spacing:{host}", 1, limits.seconds_between))
    return found


def _words(key: str) -> str:
    kind, _, name = key.partition(":")
    return {
        "source": "Its limit a minute is reached.",
        "credential": "The limit a minute of its credentials is reached; other sources use them.",
        "spacing": f"{name} wants a pause between two requests.",
    }.get(kind, f"{name} has had as many requests as the desk sends to one host in a minute.")
