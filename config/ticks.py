"""Ticks: the few tasks that beat rings at a steady interval. All idempotent, all editable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps.registry import Apps


@dataclass(frozen=True, slots=True)
class Tick:
    """One task rung by the clock on a fresh desk; an administrator may change it from then on."""

    task: str
    name: str  # under Schedules
    minutes: int
    description: str


def schedule(ticks: Sequence[Tick], apps: Apps | None = None) -> None:
    """Schedule those of `ticks` that aren't scheduled already, in whatever rhythm.

    `apps` is what stands after a migration; one backwards may have taken beat's tables away.
    """
    if apps is not None and "periodictask" not in apps.all_models["django_celery_beat"]:
        return
    from django_celery_beat.models import PeriodicTask

    known = set(PeriodicTask.objects.values_list("task", flat=True))
    for tick in ticks:
        if tick.task not in known:
            PeriodicTask.objects.get_or_create(
                name=tick.name,
                defaults={
                    "task": tick.task,
                    "interval": _every(tick.minutes),
                    # while no worker listens, ticks must not pile up
                    "expire_seconds": max(120, tick.minutes * 60),
                    "description": tick.description,
                },
            )


def _every(minutes: int) -> Any:
    """An interval of so many minutes. There may be several equal ones already: any will do."""
    from django_celery_beat.models import IntervalSchedule

    wanted = {"every": minutes, "period": IntervalSchedule.MINUTES}
    return IntervalSchedule.objects.filter(**wanted).first() or IntervalSchedule.objects.create(
        **wanted
    )
