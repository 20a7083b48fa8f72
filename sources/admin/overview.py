"""How a source is doing, above its form; fetched anew while a sync is under way."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from config.admin_base import DeskAdmin, age
from sources import activity, burst, timetable
from sources.admin import older
from sources.models import Source, SyncRun

_WHILE_AT_IT = 1  # seconds between two looks
_OTHERWISE = 20
_STAGES = {
    Source.Stages.REQUESTED: ("Sync requested", "A worker takes it up."),
    Source.Stages.FETCHING: ("Asking the source", "Its answer is awaited."),
    Source.Stages.STORING: ("Storing what came", "New pieces go to the wire."),
}


class Overview(DeskAdmin):
    """Mix-in for the page of a source."""

    change_form_outer_before_template = "newsdesk/source.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the overview's."""
        live = path(
            "<int:object_id>/overview/",
            self.admin_site.admin_view(self.overview_view),
            name="sources_source_overview",
        )
        return [live, *super().get_urls()]

    def overview_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The overview alone, for the page that is open."""
        source = self.get_object(request, str(object_id))
        if source is None:
            raise Http404("There is no such source any more.")
        if not self.has_view_permission(request, source):
            raise PermissionDenied
        return TemplateResponse(request, "newsdesk/source_overview.html", overview(source))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with the overview."""
        source = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {}) | (overview(source) if source is not None else {})
        return super().changeform_view(request, object_id, form_url, extra)


def overview(source: Source) -> dict[str, Any]:
    """What the template shows of the source."""
    now = timezone.now()
    days = activity.days(source.pk, now)
    title, words, at_it = _now(source)
    return {
        "source": source,
        "live_url": reverse("admin:sources_source_overview", args=[source.pk]),
        "live_seconds": _WHILE_AT_IT if at_it else _OTHERWISE,
        "now_title": title,
        "now_words": words,
        "trouble": source.last_error,
        "notice": source.notice,
        "held": burst.held().filter(source=source).first(),
        "last_sync": age(source.last_sync),
        "last_success": age(source.last_success),
        "next_sync": next_sync(source),
        "older": older.words(source),
        "pieces": sum(day.pieces for day in days),
        "bars": activity.bars(days),
        "first_day": days[0].date,
    }


def next_sync(source: Source) -> str:
    """When it is synced next, and why then."""
    if not source.is_active or source.paused_reason:
        return "Not until it is switched on again."
    minutes = timetable.interval(source).total_seconds() / 60
    usual = "every minute" if minutes == 1 else f"every {minutes:g} minutes"
    if source.next_sync_at and source.next_sync_at > timezone.now():
        moment = timezone.localtime(source.next_sync_at).strftime("%d %b, %H:%M")
        return f"Not before {moment}. {source.next_sync_reason} (Its schedule: {usual}.)"
    return f"By its schedule, {usual}."


def _now(source: Source) -> tuple[str, str, bool]:
    """A heading, what is going on in words, and whether anything is."""
    if source.stage:
        by = f" {source.asked_by} asked for it." if source.asked_by else ""
        title, words = _STAGES[Source.Stages(source.stage)]
        return title, f"{words}{by}", True
    run = source.runs.filter(cause=SyncRun.Causes.POLLED).order_by("-started_at", "-id").first()
    if run is not None and run.asked_by and run.outcome != run.Outcomes.FAILED:
        return _title(source), f"{_brought(run)} {run.asked_by} asked for it.", False
    if not source.is_active:
        return "Switched off", "It is synced only when somebody presses “Sync now”.", False
    if source.paused_reason:
        return "Paused", source.paused_reason, False
    if run is None:
        return "Not synced yet", "Its first sync comes with the next beat of its schedule.", False
    if run.outcome == run.Outcomes.FAILED:
        failed = "once" if source.failures < 2 else f"{source.failures} times in a row"
        return f"Failed {failed}", "", False
    return "Working", _brought(run), False


def _title(source: Source) -> str:
    if not source.is_active:
        return "Switched off"
    return "Paused" if source.paused_reason else "Working"


def _brought(run: SyncRun) -> str:
    brought = f"{run.new} new, {run.updated} changed, {run.same} known"
    return f"The last sync brought {brought}, in {run.ms} ms."
