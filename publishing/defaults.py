"""What a fresh desk starts with: the publish tick, editable under Schedules from then on."""

from typing import Any

from django.apps.registry import Apps

TICK = "publishing.tick"


def load_tick(apps: Apps | None = None, **_: Any) -> None:
    """Schedule the tick every minute, unless it is scheduled already in whatever rhythm.

    `apps` is what stands after a migration; one backwards may have taken beat's tables away.
    """
    if apps is not None and "periodictask" not in apps.all_models["django_celery_beat"]:
        return
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    if PeriodicTask.objects.filter(task=TICK).exists():
        return
    minute = {"every": 1, "period": IntervalSchedule.MINUTES}
    every_minute = IntervalSchedule.objects.filter(**minute).first()
    PeriodicTask.objects.get_or_create(
        name="Publish due stories",
        defaults={
            "task": TICK,
            "interval": every_minute or IntervalSchedule.objects.create(**minute),
            "expire_seconds": 120,  # while no worker listens, ticks must not pile up
            "description": "Sends every delivery that is due and settles what a crash left open.",
        },
    )
