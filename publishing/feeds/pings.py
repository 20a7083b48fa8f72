"""Telling WebSub hubs that a feed has changed. W3C Recommendation of 23 January 2018.

How a publisher tells its hub is left to the two (§5); everybody's practice is `hub.mode=publish`
with the feed's address as `hub.url`. A row per feed and hub is the truth: it is due while the hub
knows an older version than the feed has. So many changes in a row are one ping, a lost one is made
up for, and no delivery waits for a hub or fails by it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import F

from articles.clean import one_line
from config.outbound import Client, OutboundError, from_settings
from publishing import claim
from publishing.feeds import addresses
from publishing.feeds.edition import hubs_of
from publishing.models import HubPing

log = structlog.get_logger(__name__)

_AT_ONCE = 20
_BATCHES = 10  # in one go; what is left is due at the next tick
_DEADLINE = 10.0  # seconds for one hub and one address
_LEASE = timedelta(minutes=2)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class _Ping:
    """What one hub is to be told."""

    pk: int
    hub: str
    version: int
    topics: tuple[str, ...]
    leased_until: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a hub has not taken it."""

    words: str
    wait: float | None = None  # seconds that it asked for


def tell_hubs() -> int:
    """Tell the hubs that are due; how many took it. Any number of workers at once do no harm."""
    told = 0
    for _ in range(_BATCHES):
        pings = _claimed(_AT_ONCE)
        if not pings:
            break
        troubles = async_to_sync(_tell_all)(pings)
        for ping, trouble in zip(pings, troubles, strict=True):
            _settle(ping, trouble)
        told += troubles.count(None)
    return told


def _claimed(limit: int) -> list[_Ping]:
    now = claim.database_now()
    pings = []
    with transaction.atomic():
        due = (
            HubPing.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(told_version__lt=F("feed__version"), due_at__lte=now)
            .select_related("feed__channel")
            .order_by("due_at")[:limit]
        )
        for row in due:
            if row.hub not in hubs_of(row.feed.channel.options):
                row.delete()  # the channel names other hubs by now
                continue
            row.due_at = now + _LEASE
            row.save(update_fields=["due_at"])
            topics = tuple(addresses.of_feed(row.feed, form) for form in addresses.FORMS)
            pings.append(_Ping(row.pk, row.hub, row.feed.version, topics, row.due_at, row.failures))
    return pings


async def _tell_all(pings: Sequence[_Ping]) -> list[_Trouble | None]:
    async with Client(from_settings()) as http:
        return await asyncio.gather(*(_tell(http, ping) for ping in pings))


async def _tell(http: Client, ping: _Ping) -> _Trouble | None:
    """Each address by itself, for not every hub reads several; what is wrong, or None."""
    for topic in ping.topics:
        try:
            answer = await http.post(
                ping.hub,
                form={"hub.mode": "publish", "hub.url": topic},
                deadline=_DEADLINE,
                max_bytes=64 * 1024,
                follow_redirects=True,
            )
        except OutboundError as problem:
            return _Trouble(str(problem))
        if not answer.ok:
            said = one_line(answer.text()[:2000], 150)
            words = f"The hub answered {answer.status}{': ' + said if said else ''}."
            return _Trouble(words, answer.retry_after)
    return None


def _settle(ping: _Ping, trouble: _Trouble | None) -> None:
    """Only while the lease is ours: who took it over writes."""
    ours = HubPing.objects.filter(pk=ping.pk, due_at=ping.leased_until)
    now = claim.database_now()
    if trouble is None:
        ours.update(told_version=ping.version, told_at=now, due_at=now, failures=0, said="")
        return
    wait = min(_FIRST_WAIT * 2 ** min(ping.failures, 12), _LONGEST_WAIT)
    if trouble.wait is not None:
        wait = min(max(wait, timedelta(seconds=trouble.wait)), _LONGEST_WAIT)
    said = one_line(trouble.words, 300)
    ours.update(due_at=now + wait, failures=min(ping.failures + 1, 1000), said=said)
    log.info("hub.not_told", hub=ping.hub, failures=ping.failures + 1, problem=said)
