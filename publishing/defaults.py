"""What a fresh desk starts with: the ticks of publishing, editable under Schedules from then on."""

from typing import Any

from django.apps.registry import Apps

from config.ticks import Tick, schedule

TICK = "publishing.tick"
_TICKS = (
    Tick(
        TICK,
        "Publish due stories",
        1,
        "Sends every delivery that is due and settles what a crash left open.",
    ),
    Tick(
        "publishing.read_back",
        "Read back what is out",
        5,
        "Reads views, reactions and replies of posts, and looks whether they are still there and "
        "unchanged: often while they are new, for ninety days.",
    ),
    Tick(
        "publishing.forget",
        "Forget answered requests",
        60,
        "Drops the answers kept for requests with an Idempotency-Key after a day.",
    ),
)


def load_tick(apps: Apps | None = None, **_: Any) -> None:
    """Schedule the ticks, once."""
    schedule(_TICKS, apps)
