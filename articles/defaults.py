"""The hub's own schedule on a fresh desk, editable under Schedules from then on."""

from typing import Any


def load_schedule(**_: Any) -> None:
    """Schedule the nightly expiry of the wire, unless it is there already in whatever rhythm."""
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
