"""Asking a source, whoever asks: a sync that stores, a backfill, or a preview that doesn't."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from asgiref.sync import async_to_sync

from config.outbound import BadBody, Client, OutboundError, from_settings
from config.sealed import TamperedSecret
from sources import connectors, pace, robots, schedule
from sources.connectors.base import Connector, Fetch, Fetched, ReachesBack, checked
from sources.errors import Denied, Misconfigured, SourceError, Unreachable
from sources.models import Source
from sources.pace import Gate, Limits, Memo, Paced

_STAY_AWAY = (
    "The site asks programs to stay away from this page (robots.txt). Look for a feed of it, or "
    "ask its makers."
)
LONGEST = 60.0  # seconds for all requests of one sync together

_Ask = Callable[[Paced], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking a source went: what it sent, or what was wrong."""

    source: Source
    began: datetime
    ms: int
    fetched: Fetched | None = None
    problem: SourceError | None = None
    digest: str = ""  # of a whole answer; "" for none, or one without conditions
    whole: int | None = None  # bytes of that answer, also if it was the same as the last one


def connector_of(source: Source) -> Connector:
    """The source's connector; raises `Misconfigured` when it is not installed."""
    try:
        return connectors.connector(source.connector)
    except KeyError:
        raise Misconfigured(f"The connector “{source.connector}” is not installed here.") from None


def fetch(source: Source, now: datetime, *, whole: bool = False) -> Fetched:
    """What the source has now; with `whole` even if it says that nothing has changed.

    Nothing is stored. Every way it can fail is a `SourceError` with a sentence.
    """
    connector = connector_of(source)
    request = _request(source, connector, now)
    if whole:
        request = replace(request, etag="", last_modified="")
    return async_to_sync(_alone)(
        source, connector, request, lambda http: _allowed(connector, request, http)
    )


def fetch_older(source: Source, now: datetime, cursor: str) -> Fetched:
    """One page of the source's older pieces, "" being the first; `older` of it is the next cursor.

    Nothing is stored. Raises `SourceError`, also for a connector that doesn't reach back.
    """
    connector = connector_of(source)
    if not isinstance(connector, ReachesBack):
        raise Misconfigured(f"“{connector.label}” offers no older pieces.")
    reaches_back: ReachesBack = connector
    request = replace(_request(source, connector, now), etag="", last_modified="")
    return async_to_sync(_alone)(
        source, connector, request, lambda http: reaches_back.older(request, http, cursor)
    )


async def ask(source: Source, now: datetime, http: Client, gate: Gate) -> Asked:
    """Ask one of many for news, over a client that all share. Raises nothing of the source's."""
    began = time.monotonic()
    paced: Paced | None = None
    try:
        connector = connector_of(source)
        request = _request(source, connector, now)
        memo = Memo(source.answer_digest, schedule.wants_whole(source.last_whole, now))
        if not (request.etag or request.last_modified):
            request = replace(request, etag=pace.PLACEHOLDER)
        paced = _paced(source, connector, request, http, gate, memo)
        fetched = await _asked(connector, paced, lambda http: _allowed(connector, request, http))
    except SourceError as problem:
        # Its traceback would keep what had come until then (ten megabytes of a bomb) until it is
        # stored; its sentence says all.
        problem.__cause__ = problem.__context__ = None
        return Asked(source, now, _ms(began), problem=problem.with_traceback(None))
    if fetched.etag == pace.PLACEHOLDER:
        fetched = replace(fetched, etag="")
    return Asked(source, now, _ms(began), fetched=fetched, digest=paced.digest, whole=paced.whole)


def _request(source: Source, connector: Connector, now: datetime) -> Fetch:
    try:
        credentials, memory = source.credentials.reveal(), source.memory.reveal()
    except TamperedSecret:
        raise Misconfigured(
            "The stored credentials can't be read with this installation's keys; enter them anew."
        ) from None
    return Fetch(
        endpoint=source.api_endpoint,
        options=checked(source.options, connector.options),
        credentials=credentials,
        etag=source.etag,
        last_modified=source.last_modified,
        since=source.last_success,
        now=now,
        requests=source.rate_limit_per_minute,
        memory=memory,
    )


async def _alone(source: Source, connector: Connector, request: Fetch, ask: _Ask) -> Fetched:
    """Ask without anybody else being asked."""
    async with Client(from_settings()) as http:
        paced = _paced(source, connector, request, http, Gate(), Memo())
        return await _asked(connector, paced, ask)


def _paced(
    source: Source, connector: Connector, request: Fetch, http: Client, gate: Gate, memo: Memo
) -> Paced:
    limits = Limits(
        source_id=source.pk,
        per_minute=source.rate_limit_per_minute,
        credential=pace.credential_digest(request.credentials),
        seconds_between=connector.seconds_between,
        one_at_a_time=connector.one_at_a_time,
        forced=bool(source.asked_by) or source.pk is None,
    )
    return Paced(http, gate, limits, memo, asyncio.get_running_loop().time() + LONGEST)


async def _asked(connector: Connector, http: Paced, ask: _Ask) -> Fetched:
    """What `ask` brings, within `LONGEST` seconds; every failure as a `SourceError`."""
    try:
        async with asyncio.timeout(LONGEST):
            return await ask(http)
    except TimeoutError:
        raise Unreachable(f"The source was not through within {LONGEST:g} seconds.") from None
    except BadBody as problem:
        raise Unreachable(f"What came can't be read: {problem}") from problem
    except OutboundError as problem:
        raise _Failed(problem) from problem


async def _allowed(connector: Connector, request: Fetch, http: Client) -> Fetched:
    """What the connector fetches; for pages made for people only where robots.txt lets us."""
    if connector.obeys_robots and not await robots.allowed(request.endpoint, http):
        raise Denied(_STAY_AWAY)
    return await connector.fetch(request, http)


class _Failed(SourceError):
    """What the network did, in the words of `config.outbound`."""

    def __init__(self, problem: OutboundError) -> None:
        super().__init__(str(problem))
        self.kind = type(problem).__name__.lower()
        self.permanent = problem.permanent


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
