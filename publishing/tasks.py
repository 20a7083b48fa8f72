"""What workers of the queue `publish` do. A message only wakes; the rows say what is to do."""

from celery import shared_task

from publishing import amend, deliver, readback, reconcile, renewal, repeats
from publishing.feeds import pings


@shared_task(name="publishing.drain")
def drain() -> None:
    """Send what is due, then tell hubs of what is new in our feeds."""
    deliver.drain()
    pings.tell_hubs()


@shared_task(name="publishing.tick")
def tick() -> None:
    """The minute's look: settle what a dead worker left, then send what is due."""
    reconcile.expire()
    amend.withdraw()
    renewal.ahead()
    deliver.drain()
    pings.tell_hubs()


@shared_task(name="publishing.forget")
def forget() -> None:
    """The hour's tidying: answers that are kept for repeated requests go after a day."""
    repeats.forget()


@shared_task(name="publishing.read_back")
def read_back() -> None:
    """Ask how the posts do that are out, and whether they are still there."""
    readback.read_back()
