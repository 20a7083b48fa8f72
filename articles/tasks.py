"""What workers do for the hub."""

from celery import shared_task
from django.utils import timezone

from articles import clustering, triage

WIRE_DAYS = 14
"""Wire items that nobody wanted for so long expire."""


@shared_task(name="articles.expire")
def expire() -> None:
    """Expire stale wire items, in portions until none is left; forget their words."""
    while triage.expire(timezone.now(), days=WIRE_DAYS):
        pass
    clustering.forget(timezone.now())


@shared_task(name="articles.cluster")
def cluster() -> None:
    """Find out which new wire items are about one event."""
    clustering.drain()
