"""What a platform's answer makes of its delivery: each ending of an attempt, written down.

Every function is one transaction that first gives the claim back, and so does nothing at all for
a worker that has lost it (`LostClaim`).

A delivery that came here in doubt stays in doubt until the doubt itself is settled: that a second
attempt was refused, or told to wait, says nothing of the first.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Now

from articles import record
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

ASK = "It may have been posted: please look, and say which."
_LOOK_AGAIN = 15.0  # seconds between two look-ups of a platform whose lists lag
_rng = random.SystemRandom()
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

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier attempt may have gone through, and nobody knows yet."""
        return self.claim.was is Status.IN_DOUBT


def published(sending: Sending, receipt: Receipt) -> None:
    """It is there, and the receipt proves it."""
    with transaction.atomic():
        claim.settle(
            sending.claim,
            Status.PUBLISHED,
            published_at=Now(),
            remote_id=_plain(receipt.remote_id)[:300],
            remote_url=_address(receipt.remote_url),
            confirmed_by=receipt.confirmed_by,
            error_message="",
            next_attempt_at=None,
        )
        said = receipt.excerpt or f"Confirmed by {receipt.confirmed_by.replace('_', '-')}."
        _close(sending, _Outcomes.PUBLISHED, receipt.http_status, said, receipt.request_id)
        delivery = _row(sending)
        Channel.objects.filter(pk=delivery.channel_id).update(last_success=Now(), last_error="")
        note(delivery, "published", delivery.remote_url)
        distribution.went_out(delivery)


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
    record.note(
        delivery.article,
        what,
        Actor.desk(),
        reason=_plain(words),
        data={"delivery": delivery.pk, "channel": delivery.channel.name},
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
    request_id: str = "",
) -> None:
    Attempt.objects.filter(pk=sending.attempt_id).update(
        outcome=outcome,
        http_status=http_status,
        excerpt=_plain(excerpt)[:1000],
        request_id=_plain(request_id)[:200],
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
