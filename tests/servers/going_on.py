"""Letting time pass for a delivery: only times move, never a state."""

from django.db.models.functions import Now

from publishing import amend, deliver, reconcile
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from tests.servers.venue import Venue

_MOST_ROUNDS = 12
_ENDED = (Status.PUBLISHED, Status.FAILED, Status.CANCELLED, Status.MISSED, Status.HELD)


def go_on(delivery: Delivery) -> Delivery:
    """The delivery after one more round: its wait is over, and so are dead workers' leases."""
    Delivery.objects.exclude(lease_expires_at=None).update(lease_expires_at=Now())
    reconcile.expire()
    amend.withdraw()
    Delivery.objects.exclude(next_attempt_at=None).update(next_attempt_at=Now())
    Channel.objects.update(waits_until=None)
    deliver.drain()
    return Delivery.objects.get(pk=delivery.pk)


def to_the_end(delivery: Delivery) -> Delivery:
    """The delivery when the desk can do nothing more by itself; paused channels are mended."""
    for _ in range(_MOST_ROUNDS):
        delivery = go_on(delivery)
        if delivery.status in _ENDED or asks_a_person(delivery):
            return delivery
        Channel.objects.update(paused_reason="")  # an administrator has looked: nothing was wrong
    raise AssertionError(f"still {delivery.status}: {delivery.error_message}")


def settled(delivery: Delivery, venue: Venue) -> Delivery:
    """The delivery at its end, with one post on the server.

    Only where the desk can't find out it may ask a person instead, and then there is none or one.
    """
    delivery = to_the_end(delivery)
    there = len(venue.posts(delivery.article.title))
    if asks_a_person(delivery):
        assert not venue.finds_out, delivery.error_message
        assert there <= 1
    else:
        assert delivery.status == Status.PUBLISHED, delivery.error_message
        assert there == 1
    return delivery


def asks_a_person(delivery: Delivery) -> bool:
    """Whether it is in doubt and only a person can find out."""
    return delivery.status == Status.IN_DOUBT and delivery.next_attempt_at is None
