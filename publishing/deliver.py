"""Sending what is due: claim, look once more, write the attempts down, call, settle.

One drain runs many calls at once in one event loop, and visits the database for a handful of
deliveries together: a Celery message only says "drain", and any number of drains in any number of
processes share the work by their claims.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DataError, IntegrityError

from config.bell import ring
from config.outbound import Client, OutboundError, from_settings
from publishing import claim, outcome, renewal
from publishing.alone import Only, alone
from publishing.begin import CALL_DEADLINE, begin
from publishing.errors import Expired, LostClaim, PlatformError, Refusal, Unknown
from publishing.models import Delivery
from publishing.outcome import Arrived, Sending
from publishing.platforms.base import Deletes, Edits, LooksUp, Platform, Replies
from publishing.post import Job, Once, Receipt

log = structlog.get_logger(__name__)

OPEN_AT_ONCE = 100
LONGEST_DRAIN = 20.0  # seconds; then it rings for the next one, so that a worker can be stopped
_BEGUN_AT_ONCE = 25  # deliveries that one visit to the database begins
_LINGER = timedelta(seconds=3)  # what is due within this is waited for, not left to the next tick
_GLANCE = 1.0  # seconds between looks at the queue while slow platforms keep us waiting
_GATHER = 0.01  # seconds in which answers that come together are written down together
_NOT_AT_ONCE = 0.1  # seconds before asking again for a row that another worker holds
_LEASE_IS_NEW = 5.0  # seconds; whoever has slept longer since asks whether it is still theirs

_Ending = Arrived | partial[None]
"""How a call ended: proof that it is there, or what to write down instead."""


def drain(*, at_once: int = OPEN_AT_ONCE, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due and free; how many deliveries got as far as a call.

    Takes on nothing new after `LONGEST_DRAIN`, or once `stopping` says so, and brings to an end
    what it has begun. Raises `DatabaseError`, after that, if the database is gone.
    """
    with alone(Only.LINGER) as lingering:
        settled, unfinished = async_to_sync(_drain)(at_once, stopping, lingering)
    if unfinished and lingering:
        ring("publishing.drain")
    return settled


async def _drain(at_once: int, stopping: Callable[[], bool], lingering: bool) -> tuple[int, bool]:
    """How many got as far as a call, and whether there may be more to do."""
    drained = _Drain(at_once, stopping, lingering)
    await drained.run()
    return drained.settled, drained.unfinished


class _Drain:
    """One drain: the calls that are open, and those that have ended and are not written down."""

    def __init__(self, at_once: int, stopping: Callable[[], bool], lingering: bool) -> None:
        self.settled = 0
        self.unfinished = False  # it has stopped taking on, and there may be more
        self._at_once = at_once
        self._stopping = stopping
        self._lingering = lingering
        self._open: set[asyncio.Task[None]] = set()
        self._ended: list[_Ending] = []

    async def run(self) -> None:
        """Until nothing is due, or it has gone on for long enough."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_DRAIN
        async with Client(from_settings()) as http:
            try:
                while await self._step(http, loop.time() < until and not self._stopping()):
                    pass
            finally:
                if self._open:  # something has failed here: what is under way isn't cut off
                    await asyncio.wait(self._open)
                if self._ended:
                    await sync_to_async(_write_down)(self._ended)

    async def _step(self, http: Client, taking: bool) -> bool:
        """Visit the database once, then wait for answers; False at the end."""
        room = min(self._at_once - len(self._open), _BEGUN_AT_ONCE) if taking else 0
        claimed = 0
        if self._ended or room > 0:
            ended, self._ended = self._ended, []
            written, claimed, begun = await sync_to_async(_visit)(ended, room)
            self.settled += written
            for sending in begun:
                task = asyncio.create_task(self._deliver(sending, http))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
        if self._open:
            full = len(self._open) >= self._at_once
            if claimed < room or full or not taking:
                await self._answers(_GLANCE if taking else None)
            return True
        if self._ended or claimed:
            return True
        if not taking:
            self.unfinished = True
            return False
        wait = await sync_to_async(claim.seconds_to_next)(_LINGER)
        if wait is None or not self._lingering:
            return False
        await asyncio.sleep(max(wait, _NOT_AT_ONCE))
        return True

    async def _answers(self, longest: float | None) -> None:
        """Wait for an answer, and a moment longer for those that come with it."""
        if not self._ended:
            await asyncio.wait(self._open, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        if self._ended and self._open:
            await asyncio.sleep(_GATHER)

    async def _deliver(self, sending: Sending, http: Client) -> None:
        try:
            ending = await _call(sending, http)
        except LostClaim:
            log.warning("delivery.lost_claim", delivery=sending.claim.delivery_id)
        else:
            self._ended.append(ending)


def _visit(ended: Sequence[_Ending], room: int) -> tuple[int, int, list[Sending]]:
    """Write down what has ended, take on what is due: how many were written, how many taken on,
    and those of them that may go out."""
    written = _write_down(ended)
    claims = claim.claim(room) if room > 0 else []
    begun = begin(claims) if claims else []
    # What was lost meanwhile, by a worker that slept in between, is not sent.
    ours = claim.renew_all([each.claim for each in begun]) if begun else set()
    for each in begun:
        if each.claim not in ours:
            log.warning("delivery.lost_claim", delivery=each.claim.delivery_id)
    now = time.monotonic()
    return written, len(claims), [replace(each, since=now) for each in begun if each.claim in ours]


def _write_down(ended: Sequence[_Ending]) -> int:
    """Every ending on its row; how many still were ours to write."""
    arrived = [each for each in ended if isinstance(each, Arrived)]
    written = _published(arrived) if arrived else 0
    for each in ended:
        if isinstance(each, Arrived):
            continue
        try:
            each()
            written += 1
        except LostClaim as problem:
            log.warning("delivery.lost_claim", words=str(problem))
    return written


def _published(arrived: Sequence[Arrived]) -> int:
    try:
        return outcome.published(arrived)
    except (DataError, IntegrityError):
        if len(arrived) == 1:
            raise
        return sum(outcome.published([each]) for each in arrived)  # one's trouble is its own


async def _call(sending: Sending, http: Client) -> _Ending:
    """Ask the platform; how it ended. Raises `LostClaim` when it isn't ours any more."""
    if time.monotonic() - sending.since > _LEASE_IS_NEW:
        await sync_to_async(claim.renew)(sending.claim)
    try:
        async with asyncio.timeout(CALL_DEADLINE):
            return await _signed_in(sending, http)
    except TimeoutError:
        late = Unknown(f"No answer within {CALL_DEADLINE:.0f} seconds.")
        return partial(outcome.unknown, sending, late)
    except (OutboundError, PlatformError) as problem:
        return partial(outcome.went_wrong, sending, problem)
    except LostClaim:
        raise
    except Exception as problem:
        # An adapter's bug must not stop the others, and something may have been sent.
        log.exception("delivery.adapter_failed", delivery=sending.claim.delivery_id)
        words = f"The adapter failed: {type(problem).__name__}. See the desk's log."
        return partial(outcome.unknown, sending, Unknown(words))


async def _signed_in(sending: Sending, http: Client) -> _Ending:
    """Ask with a token that holds: renewed ahead of its end, and once more if it is refused."""
    sending = await _renewed(sending, http, refused=False)
    try:
        return await _ask(sending, http)
    except Expired:  # nothing was posted, or what was is kept as parts
        return await _ask(await _renewed(sending, http, refused=True), http)


async def _renewed(sending: Sending, http: Client, *, refused: bool) -> Sending:
    used = sending.job.credentials
    fresh = await renewal.fresh(sending.channel_id, sending.platform, used, http, refused=refused)
    return replace(sending, job=replace(sending.job, credentials=fresh))


async def _ask(sending: Sending, http: Client) -> _Ending:
    """Search for it where an earlier attempt is in doubt and that is how to find out; else send."""
    platform, job = sending.platform, sending.job
    if sending.act != Delivery.Acts.PUBLISH:
        return Arrived(sending, await _amend(sending, http))
    by_look_up = platform.capabilities.once is Once.LOOK_UP and sending.in_doubt
    if by_look_up or sending.only_look:
        receipt = await _searched(platform, job, http)
        if receipt is not None:
            return Arrived(sending, receipt)
        if sending.only_look:
            return partial(outcome.ask, sending, f"{sending.only_look} It was not found there.")
        if sending.looked_up < 1:
            return partial(outcome.not_found, sending)
    return Arrived(sending, await platform.publish(job, http))


async def _amend(sending: Sending, http: Client) -> Receipt:
    """Change, take away or answer what is out."""
    platform, job = sending.platform, sending.job
    match sending.act:
        case Delivery.Acts.EDIT if isinstance(platform, Edits):
            return await platform.edit(job, http)
        case Delivery.Acts.DELETE if isinstance(platform, Deletes):
            return await platform.delete(job, http)
        case Delivery.Acts.REPLY if isinstance(platform, Replies):
            return await platform.reply(job, http)
    raise Refusal(f"{platform.label} can't do this any more.")


async def _searched(platform: Platform, job: Job, http: Client) -> Receipt | None:
    if not isinstance(platform, LooksUp):
        raise TypeError(f"{platform.key} says it is once-only by look-up, but has no look_up.")
    return await platform.look_up(job, http)
