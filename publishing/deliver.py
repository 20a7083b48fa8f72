"""Sending what is due: claim, look once more, write the attempt down, call, settle.

One drain runs many calls at once in one event loop; a Celery message only says "drain", and any
number of drains in any number of processes share the work by their claims.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models.functions import Now

from articles.models import Article
from config.bell import ring
from config.limits import take
from config.outbound import Client, OutboundError, from_settings
from config.sealed import TamperedSecret
from publishing import (
    approval,
    claim,
    distribution,
    last_look,
    outcome,
    planning,
    platforms,
    posts,
    renewal,
)
from publishing.alone import Only, alone
from publishing.claim import Claim
from publishing.errors import Expired, LostClaim, PlatformError, Refusal, Unknown
from publishing.last_look import Verdict
from publishing.lifecycle import Status
from publishing.mailing import Mailing
from publishing.models import Attempt, Channel, Delivery
from publishing.outcome import Sending
from publishing.platforms.base import Deletes, Edits, LooksUp, Platform, Replies
from publishing.post import Job, Once, Receipt

log = structlog.get_logger(__name__)

CALL_DEADLINE = 45.0
"""Seconds for all that one attempt asks of a platform; well below `claim.LEASE`."""
OPEN_AT_ONCE = 50
LONGEST_DRAIN = 20.0  # seconds; then it rings for the next one, so that a worker can be stopped
_LINGER = timedelta(seconds=3)  # what is due within this is waited for, not left to the next tick
_GLANCE = 1.0  # seconds between looks at the queue while slow platforms keep us waiting
_NOT_AT_ONCE = 0.1  # seconds before asking again for a row that another worker holds
_BURST = 3  # deliveries of a channel at once after a quiet time


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
    settled = 0
    open_calls: set[asyncio.Task[bool]] = set()
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_DRAIN
    async with Client(from_settings()) as http:
        try:
            while True:
                taking = loop.time() < until and not stopping()
                if taking and len(open_calls) < at_once:
                    for claimed in await sync_to_async(claim.claim)(at_once - len(open_calls)):
                        open_calls.add(asyncio.create_task(_deliver(claimed, http)))
                if open_calls:
                    done, open_calls = await asyncio.wait(
                        open_calls,
                        timeout=_GLANCE if taking else None,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    settled += sum([task.result() for task in done])
                elif not taking:
                    return settled, True
                else:
                    wait = await sync_to_async(claim.seconds_to_next)(_LINGER)
                    if wait is None or not lingering:
                        return settled, False
                    await asyncio.sleep(max(wait, _NOT_AT_ONCE))
        finally:
            if open_calls:  # something has failed here: what is under way must not be cut off
                await asyncio.wait(open_calls)


async def _deliver(claimed: Claim, http: Client) -> bool:
    """Take one delivery through; whether it got as far as a call."""
    try:
        try:
            sending = await sync_to_async(_begin)(claimed)
        except (LostClaim, DatabaseError):
            raise
        except Exception:
            # Nothing has been sent. One delivery that can't be prepared must not stop the others,
            # nor come back for ever.
            log.exception("delivery.not_prepared", delivery=claimed.delivery_id)
            await sync_to_async(_hold)(claimed)
            return False
        if sending is None:
            return False
        # The lease is new as of the statement before; a worker that slept since has lost it here.
        await sync_to_async(claim.renew)(claimed)
        settle = await _call(sending, http)
        await sync_to_async(settle)()
    except LostClaim:
        log.warning("delivery.lost_claim", delivery=claimed.delivery_id)
        return False
    return True


def _begin(claimed: Claim) -> Sending | None:
    """The last look before anything leaves; None when it must not, and the rows say why."""
    row = Delivery.objects.select_related("channel").get(pk=claimed.delivery_id)
    channel, now = row.channel, claim.database_now()
    late = last_look.is_catching_up(row, now)
    if row.wish != Delivery.Wishes.WITHDRAW:
        until = planning.quiet_now(channel, now)
        if until is not None:
            _wait_quietly(claimed, channel, until)
            return None
    # What is late waits for the limit one by one: an outage doesn't end in a burst.
    burst = 1 if late else _BURST
    wait = take(f"channel:{channel.pk}", channel.rate_limit_per_minute, burst=burst)
    if wait:
        outcome.hold_channel(channel.pk, now + timedelta(seconds=wait))
        claim.give_back(claimed)
        return None
    sending = _looked_at(claimed, now)
    if sending is not None and late and channel.catch_up_minutes:
        outcome.hold_channel(channel.pk, now + timedelta(minutes=channel.catch_up_minutes))
    return sending


def _wait_quietly(claimed: Claim, channel: Channel, until: datetime) -> None:
    fields: dict[str, object] = {"next_attempt_at": until}
    if claimed.was is Status.PENDING:
        fields["error_message"] = planning.quiet_words(channel, until)
    claim.settle(claimed, claimed.was, **fields)


def _looked_at(claimed: Claim, now: datetime) -> Sending | None:
    with transaction.atomic():
        delivery = claim.locked(claimed)
        if delivery.channel.paused_reason or not delivery.channel.is_active:
            claim.give_back(claimed)
            return None
        delivery.article = Article.objects.select_for_update().get(pk=delivery.article_id)
        only_look = ""
        found = last_look.verdict(delivery, now)
        if found is not None and claimed.was is Status.IN_DOUBT and _can_look(delivery):
            only_look = found.words
        elif found is not None:
            _set_aside(claimed, delivery, found)
            return None
        try:
            return _on_record(claimed, delivery, only_look)
        except TamperedSecret as problem:
            claim.give_back(claimed)
            outcome.pause_channel(delivery.channel_id, str(problem))
            return None


def _can_look(delivery: Delivery) -> bool:
    """Whether the desk may search for it where it must not send it any more."""
    table = platforms.table()
    if delivery.act != Delivery.Acts.PUBLISH or delivery.platform not in table:
        return False
    return isinstance(platforms.platform(delivery.platform), LooksUp)


def _set_aside(claimed: Claim, delivery: Delivery, found: Verdict) -> None:
    """Not sent now; but what is in doubt stays so, and a person is asked."""
    status, words, wait = found.status, found.words, found.wait
    if claimed.was is Status.IN_DOUBT:
        status, words, wait = Status.IN_DOUBT, f"{words} {outcome.ASK}", None
    at = claim.database_now() + wait if wait is not None else None
    claim.settle(
        claimed, status, error_message=words, next_attempt_at=at, refused_hash=delivery.refused_hash
    )
    outcome.note(delivery, status.value, words)
    distribution.sum_up(delivery.article_id)


def _hold(claimed: Claim) -> None:
    words = "The desk failed to prepare it; its log says how. Nothing was sent."
    with transaction.atomic():
        _set_aside(claimed, claim.locked(claimed), Verdict(Status.HELD, words))


def _on_record(claimed: Claim, delivery: Delivery, only_look: str) -> Sending:
    """Write the attempt down; with this committed, a crash can only mean in doubt."""
    secrets = delivery.channel.credentials.reveal()
    post = posts.of_delivery(delivery)
    maybe_there = (Attempt.Outcomes.OPEN, Attempt.Outcomes.UNKNOWN, Attempt.Outcomes.ABSENT)
    again = delivery.tries.filter(outcome__in=maybe_there).exists()
    number = delivery.attempts + 1
    claim.mark_sending(claimed, number)
    attempt = Attempt.objects.create(
        delivery=delivery,
        number=number,
        token=claimed.token,
        marker=delivery.marker,
        payload_hash=approval.payload_hash(delivery, post),
        started_at=Now(),
        deadline=Now() + timedelta(seconds=CALL_DEADLINE),
    )

    async def keep_draft(draft_id: str) -> None:
        await sync_to_async(claim.keep_draft)(claimed, draft_id)

    async def keep_part(part: str) -> None:
        await sync_to_async(claim.keep_part)(claimed, part)

    first = delivery.of or delivery
    platform = platforms.platform(delivery.channel.platform)
    to_whom = Mailing(claimed, delivery, number) if platform.to_subscribers else None
    job = Job(
        post=post,
        options=delivery.channel.options,
        credentials=secrets,
        made_at=delivery.created_at,
        again=again,
        draft_id=delivery.remote_draft_id,
        keep_draft=keep_draft,
        parts=tuple(first.parts),
        keep_part=keep_part,
        remote_id=first.remote_id,
        remote_url=first.remote_url,
        recipients=to_whom,
        key=str(delivery.marker),
    )
    return Sending(
        claimed, attempt.pk, number, platform, job, delivery.looked_up, only_look=only_look,
        act=delivery.act, channel_id=delivery.channel_id,
    )  # fmt: skip


async def _call(sending: Sending, http: Client) -> "partial[None]":
    """Ask the platform; what to write down, as a function for the database's thread."""
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


async def _signed_in(sending: Sending, http: Client) -> "partial[None]":
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


async def _ask(sending: Sending, http: Client) -> "partial[None]":
    """Search for it where an earlier attempt is in doubt and that is how to find out; else send."""
    platform, job = sending.platform, sending.job
    if sending.act != Delivery.Acts.PUBLISH:
        return partial(outcome.published, sending, await _amend(sending, http))
    by_look_up = platform.capabilities.once is Once.LOOK_UP and sending.in_doubt
    if by_look_up or sending.only_look:
        receipt = await _searched(platform, job, http)
        if receipt is not None:
            return partial(outcome.published, sending, receipt)
        if sending.only_look:
            return partial(outcome.ask, sending, f"{sending.only_look} It was not found there.")
        if sending.looked_up < 1:
            return partial(outcome.not_found, sending)
    return partial(outcome.published, sending, await platform.publish(job, http))


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
