"""Asking a connector as a sync does, without a source: over the real client, on loopback."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from config.outbound import Client, from_settings
from sources import connectors
from sources.connectors.base import (
    Fetch,
    Fetched,
    ReachesBack,
    ReadsAgain,
    Recognised,
    Recognises,
    checked,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def request_for(
    key: str,
    url: str,
    options: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    **more: Any,
) -> Fetch:
    """The request of a source with this address, its options checked and filled in."""
    declared = connectors.connector(key).options
    fields: dict[str, Any] = {"now": NOW} | more
    return Fetch(url, checked(options or {}, declared), secrets or {}, **fields)


def ask(key: str, *about: Any, **more: Any) -> Fetched:
    """What the connector reads there now; takes the arguments of `request_for`."""
    request = request_for(key, *about, **more)

    async def fetch() -> Fetched:
        async with Client(from_settings()) as http:
            return await connectors.connector(key).fetch(request, http)

    return asyncio.run(fetch())


def ask_older(key: str, *about: Any, cursor: str = "", **more: Any) -> Fetched:
    """The older pieces at `cursor`."""
    connector = connectors.connector(key)
    assert isinstance(connector, ReachesBack)
    request = request_for(key, *about, **more)

    async def older() -> Fetched:
        async with Client(from_settings()) as http:
            return await connector.older(request, http, cursor)

    return asyncio.run(older())


def ask_again(key: str, fetched: Fetched, *about: Any, **more: Any) -> Fetched:
    """What the connector reads in the answers of `fetched`, nobody being asked."""
    connector = connectors.connector(key)
    assert isinstance(connector, ReadsAgain)
    return connector.read_again(request_for(key, *about, **more), fetched.payloads)


def recognised(key: str, url: str) -> Recognised | None:
    """What the connector says of a pasted address."""
    connector = connectors.connector(key)
    assert isinstance(connector, Recognises)
    return connector.recognise(url)
