"""Tokens that end: renewed ahead of their end by one worker at a time, and never half.

A renewal is claimed by a conditional update of the channel's row and stored by another, so that two
workers never spend the same refresh token. What the platform doesn't name again stays.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from config.outbound import Client, OutboundError, from_settings
from config.sealed import Sealed, TamperedSecret
from publishing import claim, outcome, platforms
from publishing.errors import PlatformError, Reauthorise, Wait
from publishing.models import Channel
from publishing.platforms.base import Platform, Renews
from publishing.post import Renewed

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=40)
_CALL = 20.0  # seconds
_LONGEST_AHEAD = timedelta(days=7)
_SHORTEST_AHEAD = timedelta(minutes=2)
_GLANCE = 0.3  # seconds between looks at what another worker is renewing


async def fresh(
    channel_id: int, platform: Platform, used: Mapping[str, Any], http: Client, *, refused: bool
) -> Mapping[str, Any]:
    """Credentials to use now; renewed first if they end soon, or if `used` has been `refused`.

    Raises `Reauthorise` when the platform renews nothing any more, `Wait` when it can't be asked.
    """
    if not isinstance(platform, Renews):
        return used
    until = asyncio.get_running_loop().time() + _CALL
    while True:
        channel, stored, now = await sync_to_async(_read)(channel_id)
        if not _due(channel, now) and not (refused and stored == used):
            return stored
        if await sync_to_async(_claimed)(channel_id):
            try:
                return await _renew(channel, platform, http)
            except Wait:
                if refused or channel.token_expires_at is None or channel.token_expires_at <= now:
                    raise
                return stored  # it holds for a while yet
        if asyncio.get_running_loop().time() > until:
            raise Wait("Another worker is still renewing the channel's token.")
        await asyncio.sleep(_GLANCE)


def ahead(limit: int = 20) -> int:
    """Renew the tokens that end soon, though nothing is to be sent; how many were renewed.

    A token that can't be renewed any more pauses its channel, with one alert and days to spare.
    """
    renewed = 0
    now = claim.database_now()
    soon = Channel.objects.filter(
        is_active=True, paused_reason="", token_expires_at__lt=now + _LONGEST_AHEAD
    )
    for channel in soon.order_by("token_expires_at")[:limit]:
        if _due(channel, now):
            renewed += _one(channel)
    return renewed


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials after a renewal or a new connection: nothing empty replaces what is there."""
    return {**old, **{name: value for name, value in new.items() if value not in ("", None)}}


def store(channel_id: int, renewed: Renewed) -> None:
    """Keep what a renewal or a connection brought, under the row's lock."""
    with transaction.atomic():
        channel = Channel.objects.select_for_update().get(pk=channel_id)
        try:
            old = channel.credentials.reveal()
        except TamperedSecret:
            old = {}
        Channel.objects.filter(pk=channel_id).update(
            credentials=Sealed(merged(old, renewed.credentials)),
            token_expires_at=renewed.expires_at,
            renewed_at=Now(),
            renewing_until=None,
        )


def _read(channel_id: int) -> tuple[Channel, Mapping[str, Any], datetime]:
    channel = Channel.objects.get(pk=channel_id)
    return channel, channel.credentials.reveal(), claim.database_now()


def _due(channel: Channel, now: datetime) -> bool:
    """Whether a token ends soon: in a quarter of its life, a week at most."""
    if channel.token_expires_at is None:
        return channel.renewed_at is None  # it was never signed in
    begun = channel.renewed_at or channel.created_at
    ahead = min(_LONGEST_AHEAD, max(_SHORTEST_AHEAD, (channel.token_expires_at - begun) / 4))
    return channel.token_expires_at - ahead < now


def _claimed(channel_id: int) -> bool:
    """Take the renewal on; False when another worker has it."""
    free = Q(renewing_until=None) | Q(renewing_until__lt=Now())
    return bool(Channel.objects.filter(free, pk=channel_id).update(renewing_until=Now() + _LEASE))


async def _renew(channel: Channel, platform: Renews, http: Client) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(_CALL):
            # Read again: the worker before us may have spent the refresh token that we know.
            current, secrets, _now = await sync_to_async(_read)(channel.pk)
            renewed = await platform.renew(current.options, secrets, http)
    except TimeoutError:
        raise Wait("The platform did not renew the token in time.") from None
    except OutboundError as problem:
        raise Wait(f"The token could not be renewed: {problem}") from problem
    finally:
        await sync_to_async(_let_go)(channel.pk)
    await sync_to_async(store)(channel.pk, renewed)
    return merged(secrets, renewed.credentials)


def _let_go(channel_id: int) -> None:
    Channel.objects.filter(pk=channel_id).update(renewing_until=None)


def _one(channel: Channel) -> int:
    try:
        platform = platforms.platform(channel.platform)
        if isinstance(platform, Renews) and _claimed(channel.pk):
            async_to_sync(_ahead_of_use)(channel, platform)
            return 1
    except Reauthorise as problem:
        outcome.pause_channel(channel.pk, str(problem))
    except (PlatformError, KeyError, TamperedSecret) as problem:
        log.info("renewal.failed", channel=channel.pk, error=str(problem))
    return 0


async def _ahead_of_use(channel: Channel, platform: Renews) -> None:
    async with Client(from_settings()) as http:
        await _renew(channel, platform, http)
