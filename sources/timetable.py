"""A source's schedule: one PeriodicTask of django-celery-beat each, editable at runtime.

Beat notices a change because every write goes through `save()`, which touches its marker row.
"""

import json
from datetime import timedelta

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from sources import connectors
from sources.models import Source

TASK = "sources.sync"
DEFAULT = timedelta(minutes=30)


def keep(source: Source, minutes: int | None = None) -> PeriodicTask:
    """Make the source's schedule, or bring it up to date; `minutes` None leaves its rhythm alone.

    A source that is switched off or paused has its schedule disabled.
    """
    with transaction.atomic():
        task = source.schedule or PeriodicTask(task=TASK)
        if minutes is not None or (task.interval is None and task.crontab is None):
            every = minutes or _usual(source)
            task.interval, _created = IntervalSchedule.objects.get_or_create(
                every=every, period=IntervalSchedule.MINUTES
            )
            task.crontab = task.solar = task.clocked = None
        task.name = _name(source, task)
        task.kwargs = json.dumps({"source_id": source.pk})
        task.queue = "fetch"
        task.enabled = source.is_active and not source.paused_reason
        task.description = f"Fetches what is new from {source.name}."
        task.save()
        if source.schedule_id != task.pk:
            source.schedule = task
            source.save(update_fields=["schedule"])
    return task


def drop(source: Source) -> None:
    """Take a source's schedule away with it."""
    if source.schedule is not None:
        source.schedule.delete()


def interval(source: Source) -> timedelta:
    """How often the source is synced by its schedule; a guess where that is a crontab."""
    if source.schedule is None or source.schedule.interval is None:
        return DEFAULT
    every: timedelta = source.schedule.interval.schedule.run_every
    return every


def _usual(source: Source) -> int:
    try:
        return connectors.connector(source.connector).minutes
    except KeyError:
        return int(DEFAULT.total_seconds() // 60)


def _name(source: Source, task: PeriodicTask) -> str:
    """Sync and the source's name; with its number where another task has that name."""
    name = f"Sync {source.name}"[:190]
    if PeriodicTask.objects.filter(name=name).exclude(pk=task.pk).exists():
        name = f"{name} ({source.pk})"
    return name
