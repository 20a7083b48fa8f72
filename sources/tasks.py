"""What workers of the queue `fetch` do."""

from celery import shared_task

from sources import assess as assessing
from sources import backfill, fulltext, websub
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


@shared_task(name="sources.tend_subscriptions")
def tend_subscriptions() -> None:
    """Subscribe at hubs, renew and give up; read what was pushed and nobody has read."""
    websub.tend()
    websub.read_pushes()


@shared_task(name="sources.read_pushes")
def read_pushes() -> None:
    """File what hubs have pushed."""
    websub.read_pushes()


@shared_task(name="sources.fetch_pages")
def fetch_pages() -> None:
    """Fetch the text of new items from their pages, where sources send openings only."""
    fulltext.want()
    fulltext.drain()


@shared_task(name="sources.fetch_older")
def fetch_older() -> None:
    """Go on with the backfills that are due."""
    backfill.drain()
