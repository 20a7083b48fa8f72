"""The ticks of intake on a fresh desk. Each source has a schedule of its own besides."""

from typing import Any

from django.apps.registry import Apps

from config.ticks import Tick, schedule

TICKS = (
    Tick(
        "sources.drain",
        "Sync what is due",
        1,
        "Looks for sources that are due and that no worker has taken, or whose worker died.",
    ),
    Tick(
        "sources.assess",
        "Assess the health of sources",
        10,
        "Works out every source's health from its syncs, its pieces and their use.",
    ),
    Tick(
        "sources.tend_subscriptions",
        "Tend subscriptions at hubs",
        1,
        "Subscribes where a source declares a hub, renews, and reads what was pushed (WebSub).",
    ),
    Tick(
        "sources.fetch_older",
        "Fetch older pieces",
        1,
        "Goes on, page by page, with the backfills that were started on sources' pages.",
    ),
    Tick(
        "sources.fetch_pages",
        "Fetch full texts",
        1,
        "Fetches the text of new pieces from their pages, where sources send openings only.",
    ),
    Tick(
        "sources.try_lists",
        "Try imported feeds",
        1,
        "Asks the feeds of imported lists how they are, before any becomes a source.",
    ),
)


def load_ticks(apps: Apps | None = None, **_: Any) -> None:
    """Schedule the ticks, once."""
    schedule(TICKS, apps)
