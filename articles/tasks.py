"""What workers do for the hub."""

from celery import shared_task
from django.utils import timezone

from articles import triage

WIRE_DAYS = 14
"""Wire items that nobody wanted for so long expire."""


@shared_task(name="articles.expire")
def expire() -> None:
    """Expire stale wire items, in portions until none is left."""
    while triage.expire(timezone.now(), days=WIRE_DAYS):
        pass
