"""What a platform's answer makes of its delivery: each ending of an attempt, written down.

Every function is one transaction that first gives the claim back, and so does nothing at all for
a worker that has lost it (`LostClaim`).

A delivery that came here in doubt stays in doubt until the doubt itself is settled: that a second
attempt was refused, or told to wait, says nothing of the first.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Now

from articles import record
from articles.models import Event
from articles.record import Actor
from config.outbound import OutboundError
from publishing import amend, claim, distribution, retry
from publishing.claim import Claim
from publishing.errors import (
    PlatformError,
    Reauthorise,
    Refusal,
    Undecidable,
    Unfinished,
    Wait,
)
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery
from publishing.platforms.base import Platform
from publishing.post import Job, Receipt

log = structlog.get_logger(__name__)

ASK = "It may have been posted: please look, and say which."
_LOOK_AGAIN = 15.0  # seconds between two look-ups of a platform whose lists lag
_rng = random.SystemRandom()
_PUBLISH = """
UPDATE publishing_queue AS delivery
SET status = 'published', claim_token = NULL, lease_expires_at = NULL, next_attempt_at = NULL,
    published_at = now(), updated_at = now(), error_message = '',
    remote_id = ours.remote_id, remote_url = ours.remote_url, confirmed_by = ours.confirmed_by
FROM unnest(
    %(ids)s::bigint[], %(tokens)s::uuid[], %(remote_ids)s::text[], %(remote_urls)s::text[],
    %(confirmed)s::text[]
) AS ours (id, token, remote_id, remote_url, confirmed_by)
WHERE delivery.id = ours.id AND delivery.claim_token = ours.token
    AND delivery.status IN ('claimed', 'sending')
RETURNING delivery.id, ours.token
"""
_CLOSE = """
UPDATE delivery_attempts AS attempt
SET outcome = %(outcome)s, finished_at = now(), http_status = ours.http_status,
    excerpt = ours.excerpt, request_id = ours.request_id
FROM unnest(%(ids)s::bigint[], %(statuses)s::smallint[], %(excerpts)s::text[], %(requests)s::text[])
    AS ours (id, http_status, excerpt, request_id)
WHERE attempt.id = ours.id
"""
_Outcomes = Attempt.Outcomes


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery that has passed the last look and has its attempt on record."""

    claim: Claim
    attempt_id: int
    number: int
    platform: Platform
    job: Job
    looked_up: int  # how often it was searched for and not found
    only_look: str = ""  # why it must not be sent any more, only searched for
    act: str = Delivery.Acts.PUBLISH
    channel_id: int = 0
    since: float = 0.0  # the process's own clock when the lease was begun anew

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier attempt may have gone through, and nobody knows yet."""
        return self.claim.was is Status.IN_DOUBT


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery that is there, and what proves it."""

    sending: Sending
    receipt: Receipt


def published(arrived: Sequence[Arrived]) -> int:
    """They are there, and the receipts prove it: written down in one transaction; how many.

    Whose claim was lost writes nothing.
    """
    with transaction.atomic():
        mine = _publish(arrived)
        _close_all(mine)
        out = Delivery.objects.select_related("article", "channel").defer(
            "article__content", "article__metadata", "article__search", "channel__credentials"
        )
        ids = [each.sending.claim.delivery_id for each in mine]
        rows = list(out.filter(pk__in=ids).order_by("pk"))
        Channel.objects.filter(pk__in={row.channel_id for row in rows}).update(
            last_success=Now(), last_error=""
        )
        Event.objects.bulk_create([_event(row, "published", row.remote_url) for row in rows])
        distribution.all_went_out(rows)
    for each in arrived:
        if each not in mine:
            log.warning("delivery.lost_claim", delivery=each.sending.claim.delivery_id)
    return len(mine)


def went_wrong(sending: Sending, problem: PlatformError | OutboundError) -> None:
    """It ended without a receipt; what that means depends on the kind of problem."""
    match problem:
        case Refusal():
            refused(sending, problem)
        case Wait():
            told_to_wait(sending, problem)
        case Reauthorise():
            pause(sending, problem)
        case OutboundError(maybe_sent=False, permanent=True):
            refused(sending, problem, _Outcomes.NOT_SENT)
        case OutboundError(maybe_sent=False):
            told_to_wait(sending, problem, _Outcomes.NOT_SENT)
        case _:
            unknown(sending, problem)


def refused(
    sending: Sending,
    problem: PlatformError | OutboundError,
    outcome: Attempt.Outcomes = _Outcomes.REFUSED,
) -> None:
    """Definitely not posted, for good."""
    if sending.in_doubt:
        ask(sending, f"{problem} An attempt before this one is still in doubt.", outcome, problem)
        return
    with transaction.atomic():
        words = str(problem)
        _settle(sending, Status.FAILED, words, None, outcome, problem)
        delivery = _row(sending)
        Channel.objects.filter(pk=delivery.channel_id).update(last_error=_plain(words))
        note(delivery, "failed", words)
        amend.by_hand_instead(delivery, words)


def told_to_wait(
    sending: Sending,
    problem: PlatformError | OutboundError,
    outcome: Attempt.Outcomes = _Outcomes.WAIT,
) -> None:
    """Definitely not posted; again later, unless it was tried often enough."""
    if isinstance(problem, Unfinished):
        unfinished(sending, problem)
        return
    if retry.gives_up(_in_vain(sending)):
        given_up = Refusal(f"Given up after {sending.number} attempts. {problem}")
        refused(sending, given_up, outcome)
        return
    asked = problem.seconds if isinstance(problem, Wait) else None
    at = _in(retry.wait_before(sending.number, asked, _rng))
    status = Status.IN_DOUBT if sending.in_doubt else Status.RETRY
    with transaction.atomic():
        _settle(sending, status, str(problem), at, outcome, problem)
        if asked is not None:  # a platform counts by account, not by post
            hold_channel(_row(sending).channel_id, at)


def unfinished(sending: Sending, problem: Unfinished) -> None:
    """Part of it is out and on record; it goes on, however many attempts that takes."""
    status = Status.IN_DOUBT if sending.in_doubt else Status.RETRY
    at = _in(max(1.0, problem.seconds or 0.0))
    _settle(sending, status, str(problem), at, _Outcomes.UNFINISHED, problem)


def pause(sending: Sending, problem: Reauthorise) -> None:
    """The channel is paused with one reason; its deliveries wait and burn no attempts."""
    status, at = (Status.IN_DOUBT, _in(0)) if sending.in_doubt else (Status.RETRY, None)
    with transaction.atomic():
        _settle(sending, status, str(problem), at, _Outcomes.REAUTHORISE, problem)
        pause_channel(_row(sending).channel_id, str(problem))


def unknown(sending: Sending, problem: PlatformError | OutboundError) -> None:
    """It may have been posted: found out by the desk where that is safe, else by a person."""
    repeat = amend.repeat(sending.act, sending.platform.capabilities.once)
    asks = repeat is amend.Repeat.ASK or isinstance(problem, Undecidable)
    if asks or retry.gives_up(_in_vain(sending)):
        ask(sending, str(problem), _Outcomes.UNKNOWN, problem)
        return
    words = f"{problem} It may have been posted; the desk will find out."
    at = _in(retry.wait_before(sending.number, None, _rng))
    _settle(sending, Status.IN_DOUBT, words, at, _Outcomes.UNKNOWN, problem, looked_up=0)


def not_found(sending: Sending) -> None:
    """Searched for once and not found: lists lag, so it is searched for once more."""
    _settle(
        sending,
        Status.IN_DOUBT,
        "Searched for and not found; looking once more.",
        _in(_LOOK_AGAIN),
        _Outcomes.UNKNOWN,
        looked_up=sending.looked_up + 1,
    )


def ask(
    sending: Sending,
    words: str,
    outcome: Attempt.Outcomes = _Outcomes.UNKNOWN,
    problem: PlatformError | OutboundError | None = None,
) -> None:
    """Nobody but a person can find out."""
    with transaction.atomic():
        _settle(sending, Status.IN_DOUBT, f"{words} {ASK}", None, outcome, problem)
        note(_row(sending), "in_doubt", words)


def hold_channel(channel_id: int, until: datetime) -> None:
    """Nothing goes out on a channel before this moment; a later one that stands is kept."""
    Channel.objects.filter(pk=channel_id).update(
        waits_until=Greatest(Coalesce(F("waits_until"), until), until)
    )


def pause_channel(channel_id: int, words: str) -> None:
    """Nothing goes out on a channel until an administrator has seen to it."""
    Channel.objects.filter(pk=channel_id, paused_reason="").update(
        paused_reason=_plain(words)[:500], last_error=_plain(words)
    )


def note(delivery: Delivery, what: str, words: str) -> None:
    """Put it on the story's record, in the desk's own name."""
    _event(delivery, what, words).save(force_insert=True)


def _event(delivery: Delivery, what: str, words: str) -> Event:
    data = {"delivery": delivery.pk, "channel": delivery.channel.name}
    return record.prepared(delivery.article, what, Actor.desk(), reason=_plain(words), data=data)


def _publish(arrived: Sequence[Arrived]) -> list[Arrived]:
    """Settle those whose claim is still ours; which these are."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH,
            {
                "ids": [each.sending.claim.delivery_id for each in arrived],
                "tokens": [each.sending.claim.token for each in arrived],
                "remote_ids": [_plain(each.receipt.remote_id)[:300] for each in arrived],
                "remote_urls": [_address(each.receipt.remote_url) for each in arrived],
                "confirmed": [each.receipt.confirmed_by for each in arrived],
            },
        )
        ours = set(cursor.fetchall())
    return [each for each in arrived if _named(each) in ours]


def _named(arrived: Arrived) -> tuple[int, uuid.UUID]:
    return arrived.sending.claim.delivery_id, arrived.sending.claim.token


def _close_all(arrived: Sequence[Arrived]) -> None:
    said = (
        each.receipt.excerpt or f"Confirmed by {each.receipt.confirmed_by.replace('_', '-')}."
        for each in arrived
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE,
            {
                "ids": [each.sending.attempt_id for each in arrived],
                "statuses": [each.receipt.http_status for each in arrived],
                "excerpts": [_plain(words)[:1000] for words in said],
                "requests": [_plain(each.receipt.request_id)[:200] for each in arrived],
                "outcome": _Outcomes.PUBLISHED.value,
            },
        )


def _settle(
    sending: Sending,
    status: Status,
    words: str,
    at: datetime | None,
    outcome: Attempt.Outcomes,
    problem: PlatformError | OutboundError | None = None,
    **fields: int,
) -> None:
    with transaction.atomic():
        claim.settle(
            sending.claim, status, error_message=_plain(words), next_attempt_at=at, **fields
        )
        http_status, excerpt = None, ""
        if isinstance(problem, PlatformError):
            http_status, excerpt = problem.status, problem.excerpt
        _close(sending, outcome, http_status, excerpt or words)
        distribution.sum_up(_row(sending).article_id)


def _close(
    sending: Sending,
    outcome: Attempt.Outcomes,
    http_status: int | None,
    excerpt: str,
) -> None:
    Attempt.objects.filter(pk=sending.attempt_id).update(
        outcome=outcome,
        http_status=http_status,
        excerpt=_plain(excerpt)[:1000],
        finished_at=Now(),
    )


def _in_vain(sending: Sending) -> int:
    """How many attempts brought it no further."""
    further = Attempt.objects.filter(
        delivery_id=sending.claim.delivery_id, outcome=_Outcomes.UNFINISHED
    )
    return sending.number - further.count()


def _row(sending: Sending) -> Delivery:
    return Delivery.objects.select_related("article", "channel", "revision", "of").get(
        pk=sending.claim.delivery_id
    )


def _in(seconds: float) -> datetime:
    return claim.database_now() + timedelta(seconds=seconds)


def _plain(text: str) -> str:
    """What PostgreSQL can store: a platform may say anything, NUL and half characters included."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _address(url: str) -> str:
    """A post's address if it is one; people will click on it."""
    url = _plain(url)[:2000]
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""
