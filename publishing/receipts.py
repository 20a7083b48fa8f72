"""A delivery's receipt: everything that proves what went out, where, and how it was confirmed."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse

from publishing import mailing, response
from publishing.feeds import telling as feeds
from publishing.models import Attempt, Delivery, Watch
from publishing.recipients import Tally

_CONFIRMED = {
    "answer": "The platform answered that it has it.",
    "look_up": "The desk looked and found it there.",
    "person": "A person looked and said that it is there.",
    "": "",
}


def receipt(delivery: Delivery) -> dict[str, Any]:
    """The receipt as plain values: times in UTC, ISO 8601; ready for JSON.

    The payload's hash is that of the attempt that went through, else of the last one.
    """
    tries = list(delivery.tries.order_by("number"))
    through = [each for each in tries if each.outcome == Attempt.Outcomes.PUBLISHED]
    told = next(reversed(through or tries), None)
    return {
        "delivery": delivery.pk,
        "story": {
            "id": delivery.article_id,
            "title": delivery.revision.title,
            "revision": delivery.revision.number,
        },
        "channel": delivery.channel.name,
        "platform": delivery.platform,
        "act": delivery.act,
        "status": delivery.status,
        "scheduled_at": _moment(delivery.scheduled_at),
        "published_at": _moment(delivery.published_at),
        "marker": str(delivery.marker),
        "approved_sha256": delivery.payload_hash,
        "payload_sha256": told.payload_hash if told else "",
        "remote_id": delivery.remote_id,
        "remote_url": delivery.remote_url,
        "confirmed_by": delivery.confirmed_by,
        "confirmed": _CONFIRMED.get(delivery.confirmed_by, delivery.confirmed_by),
        "letters": _letters(delivery),
        "counts": response.counts_of(Watch.objects.filter(delivery=delivery).first()),
        "feed": feeds.in_receipt(delivery),
        "attempts": [_attempt(each) for each in tries],
        "amendments": [
            {
                "delivery": each.pk,
                "act": each.act,
                "wish": each.wish,
                "status": each.status,
                "published_at": _moment(each.published_at),
                "error_message": each.error_message,
            }
            for each in delivery.amendments.order_by("slot")
        ],
    }


def address(delivery: Delivery) -> str:
    """Where people read the receipt."""
    return reverse("admin:publishing_delivery_receipt", args=(delivery.pk,))


def _letters(delivery: Delivery) -> dict[str, int] | None:
    """How many went to whom, where it was a mailing."""
    tally = mailing.tally(delivery)
    return asdict(tally) if tally != Tally() else None


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started_at": _moment(attempt.started_at),
        "finished_at": _moment(attempt.finished_at),
        "outcome": attempt.outcome or "open",
        "outcome_in_words": attempt.get_outcome_display(),
        "http_status": attempt.http_status,
        "request_id": attempt.request_id,
        "payload_sha256": attempt.payload_hash,
        "said": attempt.excerpt,
    }


def _moment(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
