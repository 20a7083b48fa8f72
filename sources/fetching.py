"""Asking a source, whoever asks: a sync that stores or a preview that doesn't."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from asgiref.sync import async_to_sync

from config.outbound import BadBody, Client, OutboundError, from_settings
from config.sealed import TamperedSecret
from sources import connectors, robots
from sources.connectors.base import Connector, Fetch, Fetched, ReachesBack, checked
from sources.errors import Denied, Misconfigured, SourceError, Unreachable
from sources.models import Source

_STAY_AWAY = (
    "The site asks programs to stay away from this page (robots.txt), or could not be asked. Look "
    "for a feed of it, or ask its makers."
)
LONGEST = 60.0  # seconds for all requests of one sync together


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
    return async_to_sync(_asked)(lambda http: _allowed(connector, request, http))


def fetch_older(source: Source, now: datetime, cursor: str) -> Fetched:
    """One page of the source's older pieces, "" being the first; `older` of it is the next cursor.

    Nothing is stored. Raises `SourceError`, also for a connector that doesn't reach back.
    """
    connector = connector_of(source)
    if not isinstance(connector, ReachesBack):
        raise Misconfigured(f"“{connector.label}” offers no older pieces.")
    reaches_back: ReachesBack = connector
    request = replace(_request(source, connector, now), etag="", last_modified="")
    return async_to_sync(_asked)(lambda http: reaches_back.older(request, http, cursor))


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


async def _asked(ask: Callable[[Client], Awaitable[Fetched]]) -> Fetched:
    try:
        async with asyncio.timeout(LONGEST), Client(from_settings()) as http:
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
