"""Keeps AI requests moving when a worker, Redis or a provider did not do its part."""

from datetime import datetime, timedelta

from django.db.models import Q

from ai import bell
from ai.models import Generation
from articles.record import Actor, Door, note

RING_AGAIN_AFTER = timedelta(seconds=30)  # a worker that is there takes a request within a second
GIVEN_UP_AFTER = timedelta(minutes=15)  # longer than any provider's deadline and Celery's limit
_MOST_AT_ONCE = 50


def ring_again(now: datetime) -> int:
    """Ring for requests that wait longer than they should or are due again; how many."""
    waiting = Generation.objects.filter(state=Generation.States.QUEUED).filter(
        Q(next_attempt_at__lte=now)
        | Q(next_attempt_at__isnull=True, created_at__lt=now - RING_AGAIN_AFTER)
    )
    rung = 0
    for pk in waiting.order_by("pk").values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        if not bell.ring(pk):
            break
        rung += 1
    return rung


def give_up(now: datetime) -> int:
    """Close calls whose worker died on the way; how many.

    They are not asked again by themselves: the provider may have answered, and billed it.
    """
    closed = 0
    sentence = "The worker stopped before an answer came. Ask again if you still need it."
    stuck = Generation.objects.filter(
        state=Generation.States.RUNNING, started_at__lt=now - GIVEN_UP_AFTER
    ).select_related("article")
    for generation in stuck[:_MOST_AT_ONCE]:
        if not Generation.objects.filter(pk=generation.pk, state=Generation.States.RUNNING).update(
            state=Generation.States.FAILED, error=sentence, finished_at=now
        ):
            continue
        closed += 1
        if generation.article is not None:
            data = {"generation": generation.pk, "task": generation.task}
            note(generation.article, "ai_failed", Actor(None, Door.AI), reason=sentence, data=data)
    return closed
