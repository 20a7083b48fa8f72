"""What workers of the queue `publish` do. A message only wakes; the rows say what is to do."""

from celery import shared_task

from publishing import amend, deliver, reconcile, renewal, repeats


@shared_task(name="publishing.drain")
def drain() -> None:
    """Send what is due."""
    deliver.drain()


@shared_task(name="publishing.tick")
def tick() -> None:
    """The minute's look: settle what a dead worker left, then send what is due."""
    reconcile.expire()
    amend.withdraw()
    renewal.ahead()
    deliver.drain()


@shared_task(name="publishing.forget")
def forget() -> None:
    """The hour's tidying: answers that are kept for repeated requests go after a day."""
    repeats.forget()
