"""What workers of the queue `fetch` do."""

from celery import shared_task

from sources import assess as assessing
from sources import sync as syncing
from sources.models import Source


@shared_task(name="sources.sync")
def sync(source_id: int) -> None:
    """Sync one source; nothing happens for one that has been deleted meanwhile."""
    if Source.objects.filter(pk=source_id).exists():
        syncing.sync(source_id)


@shared_task(name="sources.assess")
def assess() -> None:
    """Work out every source's health."""
    assessing.assess()
