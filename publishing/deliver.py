"""Sending what is due: claim, look once more, write the attempt down, call, settle.

One drain runs many calls at once in one event loop; a Celery message only says "drain", and any
number of drains in any number of processes share the work by their claims.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import orjson
import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.utils import timezone

from articles import record
from articles.errors import DeskError
from articles.lifecycle import State
from articles.models import Article
from articles.record import Actor
from config.limits import take
from config.outbound import Client, OutboundError, from_settings
from publishing import claim, distribution, platforms, queue, retry
from publishing.claim import Claim
from publishing.errors import LostClaim, PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery
from publishing.platforms.base import LooksUp, Platform
from publishing.post import Job, Once, Receipt

log = structlog.get_logger(__name__)

CALL_DEADLINE = 45.0
"""Seconds for all that one attempt asks of a platform; well below `claim.LEASE`."""
OPEN_AT_ONCE = 50
LONGEST_DRAIN = 240.0  # seconds; then the next tick goes on
_LOOK_AGAIN = 15.0  # seconds between two look-ups of a platform whose lists lag
_rng = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery that has passed the last look and has its attempt on record."""

    claim: Claim
    attempt_id: int
    number: int
    platform: Platform
    job: Job
    looked_up: int


def drain(*, at_once: int = OPEN_AT_ONCE) -> int:
    """Send everything that is due and free; how many deliveries were settled."""
    return async_to_sync(_drain)(at_once)


async def _drain(at_once: int) -> int:
    settled = 0
    open_calls: set[asyncio.Task[bool]] = set()
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_DRAIN
    async with Client(from_settings()) as http:
        while True:
            if len(open_calls) < at_once and loop.time() < until:
                for claimed in await sync_to_async(claim.claim)(at_once - len(open_calls)):
                    open_calls.add(asyncio.create_task(_deliver(claimed, http)))
            if not open_calls:
                return settled
            done, open_calls = await asyncio.wait(open_calls, return_when=asyncio.FIRST_COMPLETED)
            settled += sum(task.result() for task in done)


async def _deliver(claimed: Claim, http: Client) -> bool:
    """Take one delivery through; whether it got as far as a call."""
    try:
        sending = await sync_to_async(_begin)(claimed)
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
    """The last look before anything leaves; None when it must not, and the row says why."""
    delivery = Delivery.objects.select_related("article", "channel", "revision").get(
        pk=claimed.delivery_id
    )
    wait = take(f"channel:{delivery.channel_id}", delivery.channel.rate_limit_per_minute, burst=3)
    if wait:
        claim.settle(claimed, _back(delivery), next_attempt_at=_in(wait))
        return None
    with transaction.atomic():
        story = Article.objects.select_for_update().get(pk=delivery.article_id)
        if not _in_doubt(delivery):
            verdict = _verdict(delivery, story)
            if verdict is not None:
                _set_aside(claimed, delivery, *verdict)
                return None
        return _on_record(claimed, delivery)


def _verdict(delivery: Delivery, story: Article) -> tuple[Status, str, timedelta | None] | None:
    """Why a delivery must not go out now: its new state, the words, and when to look again."""
    now = claim.database_now()
    if story.state in (State.KILLED, State.SPIKED):
        words = story.get_state_display().lower()
        return Status.CANCELLED, f"The story was {words} before it went out.", None
    try:
        if queue.publishable(story).pk != delivery.revision_id:
            return Status.HELD, "The text was changed after it was queued; queue it anew.", None
    except DeskError:
        return Status.HELD, "The approval was withdrawn; approve the story again.", None
    if story.embargo_until and story.embargo_until > now:
        return Status.RETRY, "The story is under embargo.", story.embargo_until - now
    allowed = delivery.lateness_minutes
    if allowed is None:
        allowed = delivery.channel.lateness_minutes
    if retry.is_late(delivery.scheduled_at, now, allowed):
        return Status.MISSED, f"It is more than {allowed} minutes late and was not sent.", None
    return None


def _set_aside(
    claimed: Claim, delivery: Delivery, status: Status, words: str, wait: timedelta | None
) -> None:
    claim.settle(
        claimed,
        status,
        error_message=words,
        next_attempt_at=timezone.now() + wait if wait is not None else None,
    )
    _note(delivery, status.value, words)
    distribution.sum_up(delivery.article_id)


def _on_record(claimed: Claim, delivery: Delivery) -> Sending | None:
    """Write the attempt down; with this committed, a crash can only mean in doubt."""
    try:
        platform = platforms.platform(delivery.channel.platform)
    except KeyError:
        words = f"The platform “{delivery.channel.platform}” is not installed here."
        _set_aside(claimed, delivery, Status.HELD, words, None)
        return None
    post = queue.post_of(delivery.article, delivery.revision, marker=str(delivery.marker))
    again = _in_doubt(delivery)
    number = claim.mark_sending(claimed)
    now = claim.database_now()
    attempt = Attempt.objects.create(
        delivery=delivery,
        number=number,
        token=claimed.token,
        marker=delivery.marker,
        payload_hash=hashlib.sha256(orjson.dumps(post)).hexdigest(),
        started_at=now,
        deadline=now + timedelta(seconds=CALL_DEADLINE),
    )

    async def keep_draft(draft_id: str) -> None:
        await sync_to_async(claim.keep_draft)(claimed, draft_id)

    job = Job(
        post=post,
        options=delivery.channel.options,
        credentials=delivery.channel.credentials.reveal(),
        again=again,
        draft_id=delivery.remote_draft_id,
        keep_draft=keep_draft,
    )
    return Sending(claimed, attempt.pk, number, platform, job, delivery.looked_up)


async def _call(sending: Sending, http: Client) -> "partial[None]":
    """Ask the platform; what to write down, as a function for the database's thread."""
    platform, job = sending.platform, sending.job
    try:
        async with asyncio.timeout(CALL_DEADLINE):
            if job.again and platform.capabilities.once is Once.LOOK_UP:
                receipt = await _searched(platform, job, http)
                if receipt is None and sending.looked_up < 1:
                    return partial(_look_later, sending)
                if receipt is not None:
                    return partial(_published, sending, receipt)
            receipt = await platform.publish(job, http)
    except TimeoutError:
        words = f"No answer within {CALL_DEADLINE:.0f} seconds."
        return partial(_unknown, sending, Unknown(words))
    except OutboundError as problem:
        return partial(_never_or_unknown, sending, problem)
    except Refusal as problem:
        return partial(_refused, sending, problem)
    except Wait as problem:
        return partial(_wait, sending, problem)
    except Reauthorise as problem:
        return partial(_reauthorise, sending, problem)
    except PlatformError as problem:
        return partial(_unknown, sending, problem)
    except LostClaim:
        raise
    except Exception as problem:
        # An adapter's bug must not stop the others, and something may have been sent.
        log.exception("delivery.adapter_failed", delivery=sending.claim.delivery_id)
        words = f"The adapter failed: {type(problem).__name__}. See the desk's log."
        return partial(_unknown, sending, Unknown(words))
    return partial(_published, sending, receipt)


def _searched(platform: Platform, job: Job, http: Client) -> "Awaitable[Receipt | None]":
    if not isinstance(platform, LooksUp):
        raise TypeError(f"{platform.key} says it is once-only by look-up, but has no look_up.")
    return platform.look_up(job, http)


def _published(sending: Sending, receipt: Receipt) -> None:
    with transaction.atomic():
        now = claim.database_now()
        claim.settle(
            sending.claim,
            Status.PUBLISHED,
            published_at=now,
            remote_id=receipt.remote_id[:300],
            remote_url=receipt.remote_url[:2000],
            error_message="",
            next_attempt_at=None,
        )
        _close(
            sending, Attempt.Outcomes.PUBLISHED, receipt.http_status,
            receipt.excerpt or f"Confirmed by {receipt.confirmed_by.replace('_', '-')}.",
        )  # fmt: skip
        delivery = _row(sending)
        Channel.objects.filter(pk=delivery.channel_id).update(last_success=now, last_error="")
        _note(delivery, "published", receipt.remote_url)
        distribution.went_out(delivery)


def _refused(sending: Sending, problem: PlatformError) -> None:
    _fail(sending, str(problem), Attempt.Outcomes.REFUSED, problem)


def _wait(sending: Sending, problem: Wait) -> None:
    if retry.gives_up(sending.number):
        _fail(sending, f"Given up after {sending.number} attempts. {problem}",
              Attempt.Outcomes.WAIT, problem)  # fmt: skip
        return
    wait = retry.wait_before(sending.number, problem.seconds, _rng)
    _later(sending, Status.RETRY, str(problem), _in(wait), Attempt.Outcomes.WAIT, problem)


def _never_or_unknown(sending: Sending, problem: OutboundError) -> None:
    """What went wrong on the way: never sent is tried again or refused, all else is unknown."""
    if problem.maybe_sent:
        _unknown(sending, Unknown(str(problem)))
    elif problem.permanent:
        _fail(sending, str(problem), Attempt.Outcomes.NOT_SENT, None)
    else:
        _wait(sending, Wait(str(problem)))


def _reauthorise(sending: Sending, problem: PlatformError) -> None:
    """The channel is paused with one reason; its rows wait and burn no attempts."""
    with transaction.atomic():
        _later(sending, Status.RETRY, str(problem), None, Attempt.Outcomes.REAUTHORISE, problem)
        delivery = _row(sending)
        Channel.objects.filter(pk=delivery.channel_id, paused_reason="").update(
            paused_reason=str(problem)[:500], last_error=str(problem)
        )


def _unknown(sending: Sending, problem: PlatformError) -> None:
    """It may have been posted: searched for or repeated under its key where that is safe."""
    once = sending.platform.capabilities.once
    if once is Once.NONE or retry.gives_up(sending.number):
        at = None
        words = f"{problem} It may have been posted: please look, and say which."
    else:
        at = _in(retry.wait_before(sending.number, None, _rng))
        words = f"{problem} It may have been posted; the desk will find out."
    _later(sending, Status.IN_DOUBT, words, at, Attempt.Outcomes.UNKNOWN, problem)


def _look_later(sending: Sending) -> None:
    with transaction.atomic():
        _later(
            sending, Status.IN_DOUBT, "Searched for and not found; looking once more.",
            _in(_LOOK_AGAIN), Attempt.Outcomes.UNKNOWN, None,
        )  # fmt: skip
        Delivery.objects.filter(pk=sending.claim.delivery_id).update(
            looked_up=sending.looked_up + 1
        )


def _fail(
    sending: Sending, words: str, outcome: Attempt.Outcomes, problem: PlatformError | None
) -> None:
    with transaction.atomic():
        _later(sending, Status.FAILED, words, None, outcome, problem)
        delivery = _row(sending)
        Channel.objects.filter(pk=delivery.channel_id).update(last_error=words)
        _note(delivery, "failed", words)


def _later(
    sending: Sending,
    status: Status,
    words: str,
    at: object,
    outcome: Attempt.Outcomes,
    problem: PlatformError | None,
) -> None:
    with transaction.atomic():
        claim.settle(sending.claim, status, error_message=words, next_attempt_at=at)
        _close(
            sending, outcome, problem.status if problem else None,
            (problem.excerpt if problem else "") or words,
        )  # fmt: skip
        distribution.sum_up(_row(sending).article_id)


def _close(
    sending: Sending, outcome: Attempt.Outcomes, http_status: int | None, excerpt: str
) -> None:
    Attempt.objects.filter(pk=sending.attempt_id).update(
        outcome=outcome,
        http_status=http_status,
        excerpt=excerpt.replace("\x00", "")[:1000],
        finished_at=claim.database_now(),
    )


def _row(sending: Sending) -> Delivery:
    return Delivery.objects.select_related("article", "channel").get(pk=sending.claim.delivery_id)


def _in_doubt(delivery: Delivery) -> bool:
    """Whether an earlier attempt may have gone through."""
    return delivery.tries.filter(
        outcome__in=(Attempt.Outcomes.OPEN, Attempt.Outcomes.UNKNOWN)
    ).exists()


def _back(delivery: Delivery) -> Status:
    """Where a delivery waits that was claimed and not sent."""
    return Status.IN_DOUBT if _in_doubt(delivery) else Status.RETRY


def _in(seconds: float) -> object:
    return claim.database_now() + timedelta(seconds=seconds)


def _note(delivery: Delivery, what: str, words: str) -> None:
    record.note(
        delivery.article, what, Actor.desk(), reason=words,
        data={"delivery": delivery.pk, "channel": delivery.channel.name},
    )  # fmt: skip
