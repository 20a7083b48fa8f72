"""What workers of the queue `ai` do. A message only wakes; the rows say what there is to do."""

from celery import shared_task
from django.utils import timezone

from ai import assist, sweep


@shared_task(name="ai.generate")
def generate(generation_id: int) -> None:
    """Run one queued generation; nothing happens when another worker has it."""
    assist.run(generation_id)


@shared_task(name="ai.tick")
def tick() -> None:
    """Ring for what waits, close what never ended. Any number of ticks do no harm."""
    now = timezone.now()
    sweep.give_up(now)
    sweep.ring_again(now)
