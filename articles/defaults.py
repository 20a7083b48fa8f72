"""The hub's own schedule on a fresh desk, editable under Schedules from then on."""

from typing import Any

from django.apps.registry import Apps

from config.ticks import Tick, schedule

TICKS = (
    Tick(
        "articles.cluster",
        "Cluster the wire",
        1,
        "Finds out which new wire items are about one event.",
    ),
)


def load_schedule(apps: Apps | None = None, **_: Any) -> None:
    """Schedule the ticks and the nightly expiry, unless they are there in whatever rhythm."""
    schedule(TICKS, apps)
    from django_celery_beat.models import CrontabSchedule, PeriodicTask

    nightly, _created = CrontabSchedule.objects.get_or_create(
        minute="10", hour="3", day_of_week="*", day_of_month="*", month_of_year="*"
    )
    PeriodicTask.objects.get_or_create(
        task="articles.expire",
        defaults={
            "name": "Expire stale wire items",
            "crontab": nightly,
            "description": "Takes wire items off the desk that nobody wanted for two weeks.",
        },
    )
