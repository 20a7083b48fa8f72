"""Trying a channel's connection before anything depends on it. Nothing is posted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.utils import timezone

from config.outbound import Client, OutboundError, from_settings
from publishing import platforms
from publishing.errors import PlatformError, Refusal
from publishing.models import Channel
from publishing.platforms.base import Limited, Platform, Verifies
from publishing.post import Limits


@dataclass(frozen=True, slots=True)
class Tested:
    """A connection that works."""

    words: str  # as whom we are connected
    limits: Limits | None = None  # of the channel's server, where servers differ


def test(platform: str, options: Mapping[str, Any], credentials: Mapping[str, Any]) -> str:
    """A sentence saying as whom we are connected; raises as `tried` does."""
    return tried(platform, options, credentials).words


def tried(platform: str, options: Mapping[str, Any], credentials: Mapping[str, Any]) -> Tested:
    """What came of testing the connection; raises `PlatformError` with what is wrong."""
    try:
        adapter = platforms.platform(platform)
    except KeyError:
        raise Refusal(f"The platform “{platform}” is not installed here.") from None
    if not isinstance(adapter, Verifies):
        return Tested(f"{adapter.label} has nothing to connect to.")
    try:
        return async_to_sync(_verify)(adapter, options, credentials)
    except OutboundError as problem:
        raise Refusal(str(problem)) from problem


def keep(channel: Channel, tested: Tested | None) -> None:
    """Note on the channel what its platform said, and save that; None forgets another connection's.

    A channel that is new is not saved: its caller does.
    """
    now, limits = timezone.now(), tested.limits if tested is not None else None
    channel.connected_as = tested.words[:300] if tested is not None else ""
    channel.tested_at = now if tested is not None else None
    channel.limits = limits.kept() if limits is not None else {}
    channel.limits_read_at = now if limits is not None else None
    if channel.pk is not None:
        channel.save(update_fields=["connected_as", "tested_at", "limits", "limits_read_at"])


async def _verify(
    adapter: Platform, options: Mapping[str, Any], credentials: Mapping[str, Any]
) -> Tested:
    if not isinstance(adapter, Verifies):
        raise PlatformError(f"{adapter.label} can't be tested.")
    async with Client(from_settings()) as http:
        words = await adapter.verify(options, credentials, http)
        if not isinstance(adapter, Limited):
            return Tested(words)
        return Tested(words, await adapter.limits(options, credentials, http))
