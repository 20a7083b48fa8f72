"""Deliveries whose worker has gone: what their lease left behind decides what they become."""

from django.db import transaction
from django.db.models.functions import Now

from publishing import amend, distribution, outcome, platforms
from publishing.claim import database_now
from publishing.lifecycle import Status
from publishing.models import Attempt, Delivery


def expire(limit: int = 200) -> int:
    """Settle deliveries whose lease has run out; how many.

    Nothing was sent before the attempt was on record, so a claimed delivery goes back to wait.
    With an attempt on record it may have been posted: in doubt, never pending.
    """
    with transaction.atomic():
        stranded = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status__in=(Status.CLAIMED, Status.SENDING), lease_expires_at__lt=Now())
            .select_related("article", "channel")
            .order_by("lease_expires_at")[:limit]
        )
        for delivery in stranded:
            _settle(delivery)
    return len(stranded)


def _settle(delivery: Delivery) -> None:
    now = database_now()
    unknown = delivery.tries.filter(outcome__in=(Attempt.Outcomes.OPEN, Attempt.Outcomes.UNKNOWN))
    if unknown.exists():
        by_itself = _finds_out(delivery)
        delivery.status = Status.IN_DOUBT
        delivery.next_attempt_at = now if by_itself else None
        words = "The worker stopped while sending."
        if by_itself:
            delivery.error_message = f"{words} It may have been posted; the desk will find out."
        else:
            delivery.error_message = f"{words} {outcome.ASK}"
            outcome.note(delivery, "in_doubt", words)
        delivery.tries.filter(outcome=Attempt.Outcomes.OPEN).update(
            outcome=Attempt.Outcomes.UNKNOWN, finished_at=now, excerpt="The worker stopped."
        )
    else:
        delivery.status = Status.RETRY if delivery.attempts else Status.PENDING
    delivery.claim_token = None
    delivery.lease_expires_at = None
    delivery.updated_at = now
    delivery.save()
    distribution.sum_up(delivery.article_id)


def _finds_out(delivery: Delivery) -> bool:
    """Whether the desk can settle a doubt of this delivery without a person."""
    try:
        once = platforms.platform(delivery.channel.platform).capabilities.once
    except KeyError:
        return False
    return amend.repeat(delivery.act, once) is not amend.Repeat.ASK
