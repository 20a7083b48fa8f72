"""The columns of the list of sources."""

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin_base import age, display, headline
from config.admin_csv import Columns
from sources import connectors, timetable
from sources.models import Source


class SourceColumns:
    """What the list says about each source."""

    @display(description="Source")
    def headline(self, source: Source) -> SafeString:
        """Its name, and what it is."""
        return headline(source.name, f"{label_of(source.connector)} · {source.api_endpoint}")

    @display(
        description="Health",
        ordering="health",
        label={"good": "success", "fair": "warning", "poor": "danger", "off": ""},
    )
    def health_badge(self, source: Source) -> tuple[str, str]:
        """0 to 100, or that it is off."""
        return health_words(source)

    @display(description="Last sync")
    def synced(self, source: Source) -> SafeString:
        """The last try."""
        return age(source.last_sync)

    @display(description="Last success")
    def succeeded(self, source: Source) -> SafeString:
        """The last that worked."""
        return age(source.last_success)

    @display(description="Next sync")
    def next_sync(self, source: Source) -> SafeString | str:
        """By the schedule, or later and why."""
        if not source.is_active or source.paused_reason:
            return "–"
        if source.next_sync_at and source.next_sync_at > timezone.now():
            return format_html(
                '<span title="{}">not before {}</span>',
                source.next_sync_reason,
                timezone.localtime(source.next_sync_at).strftime("%H:%M"),
            )
        minutes = timetable.interval(source).total_seconds() / 60
        return f"every {minutes:g} min"

    @display(description="Trouble")
    def trouble(self, source: Source) -> str:
        """The last error in words."""
        return source.paused_reason or source.last_error or "–"


def label_of(connector: str) -> str:
    """The connector's name for people, or that it is not installed."""
    try:
        return connectors.connector(connector).label
    except KeyError:
        return f"{connector} (not installed)"


def health_words(source: Source) -> tuple[str, str]:
    """Its kind (good, fair, poor, off) and the words of its badge."""
    if not source.is_active:
        return "off", "Off"
    if source.paused_reason:
        return "off", "Paused"
    if not source.health_parts:
        return "off", "Not assessed yet"
    kind = "good" if source.health >= 80 else "fair" if source.health >= 50 else "poor"
    return kind, f"Health {source.health}"


def _part(source: Source, name: str) -> int | None:
    """One part of its health, 0 to 100; None where there is no evidence for it."""
    return next((part["percent"] for part in source.health_parts if part["name"] == name), None)


CSV_COLUMNS: Columns = (
    ("Source", lambda each: each.name),
    ("Kind", lambda each: label_of(each.connector)),
    ("Address", lambda each: each.api_endpoint),
    ("Section", lambda each: each.section),
    ("Active", lambda each: "yes" if each.is_active else "no"),
    ("Paused because", lambda each: each.paused_reason),
    ("Minutes between syncs", lambda each: timetable.interval(each).total_seconds() / 60),
    ("Health", lambda each: each.health if each.health_parts else None),
    ("Response", lambda each: _part(each, "Response")),
    ("Last sync", lambda each: each.last_sync),
    ("Last success", lambda each: each.last_success),
    ("Failures in a row", lambda each: each.failures),
    ("Last error", lambda each: each.last_error),
)
"""The list of sources as a file."""
