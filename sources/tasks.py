"""What workers of the queue `fetch` do."""

import multiprocessing
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from sources import assess as assessing
from sources import backfill, fulltext, lists, websub
from sources import sync as syncing
from sources.drains import one_of_few

# The worker's main process tells its children, who inherit this, that they should come to an end.
_ending = multiprocessing.get_context("fork").Event()


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _ending.set()


@shared_task(name="sources.sync")
def sync(source_id: int) -> None:
    """Mark a source as due, then sync what is due; nothing happens for one that is deleted."""
    if syncing.mark(source_id):
        drain()


@shared_task(name="sources.drain")
def drain() -> None:
    """Sync what is due, unless enough workers are at it: they see what is due, too."""
    with one_of_few() as welcome:
        if welcome:
            syncing.drain(stopping=_ending.is_set)
            assessing.assess_newcomers()


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


@shared_task(name="sources.try_lists")
def try_lists() -> None:
    """Ask the feeds of imported lists, before any becomes a source."""
    lists.drain()
