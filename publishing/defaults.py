"""What a fresh desk starts with: the publish tick, editable under Schedules from then on."""

from typing import Any


def load_tick(**_: Any) -> None:
    """Schedule `publishing.tick` every minute, unless it is there already in whatever rhythm."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    every_minute, _created = IntervalSchedule.objects.get_or_create(
        every=1, period=IntervalSchedule.MINUTES
    )
    PeriodicTask.objects.get_or_create(
        task="publishing.tick",
        defaults={
            "name": "Publish due stories",
            "interval": every_minute,
            "description": "Sends every delivery that is due and settles what a crash left open.",
        },
    )
