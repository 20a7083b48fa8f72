"""What a fresh desk starts with: a prompt for each task, and the tick that keeps AI calls moving.

Both are loaded after every migrate and leave alone what an administrator has changed.
"""

from typing import Any

from django.apps.registry import Apps


def load_prompts(apps: Apps | None = None, **_: Any) -> None:
    """Give each task that has no prompt its default wording as version 1."""
    if not _migrated(apps, "ai", "PromptVersion"):
        return
    from ai.models import Prompt, PromptVersion
    from ai.prompts import DEFAULTS

    for task, wording in DEFAULTS.items():
        prompt, _created = Prompt.objects.get_or_create(task=task)
        if prompt.current_id is None:
            prompt.current, _created = PromptVersion.objects.get_or_create(
                prompt=prompt,
                number=1,
                defaults={
                    "instructions": wording.instructions,
                    "max_tokens": wording.max_tokens,
                    "note": "As delivered",
                },
            )
            prompt.save(update_fields=["current"])


def load_tick(apps: Apps | None = None, **_: Any) -> None:
    """Schedule `ai.tick` every minute, unless it is scheduled already in whatever rhythm."""
    if not _migrated(apps, "django_celery_beat", "PeriodicTask"):
        return
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    every_minute, _created = IntervalSchedule.objects.get_or_create(
        every=1, period=IntervalSchedule.MINUTES
    )
    PeriodicTask.objects.get_or_create(
        name="AI: resume what waits",
        defaults={
            "task": "ai.tick",
            "interval": every_minute,
            "description": "Rings for AI requests that wait, and closes those that never ended.",
        },
    )


def _migrated(apps: Apps | None, app: str, model: str) -> bool:
    """Whether the table is there: after a migration backwards it may be gone."""
    if apps is None:
        return True
    try:
        apps.get_model(app, model)
    except LookupError:
        return False
    return True
