"""The console's pages of sources: adding, health, runs, and what to do about trouble."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.errors import DeskError
from config.admin_base import (
    Act,
    DeskAdmin,
    DeskTabularInline,
    age,
    display,
    headline,
)
from config.admin_declared import option_fields, secret_fields
from sources import admin_keeping, connectors, timetable
from sources import preview as previewing
from sources import sync as syncing
from sources.admin_form import FIELDS, SourceForm
from sources.connectors.base import Connector
from sources.errors import SourceError
from sources.models import Source, SyncRun

_PLAIN = (
    "name", "api_endpoint", "section", "trust", "is_active", "minutes", "rate_limit_per_minute",
    "unchecked",
)  # fmt: skip


class RunInline(DeskTabularInline):
    """The last syncs."""

    model = SyncRun
    verbose_name_plural = "last syncs"
    fields = ("began", "result", "brought", "http_status", "took", "error")
    readonly_fields = fields
    per_page = 10

    @display(description="When")
    def began(self, run: SyncRun) -> SafeString:
        """How long ago."""
        return age(run.started_at)

    @display(description="Outcome", label={"ok": "success", "unchanged": "", "failed": "danger"})
    def result(self, run: SyncRun) -> tuple[str, str]:
        """How it went."""
        return run.outcome, run.get_outcome_display()

    @display(description="Brought")
    def brought(self, run: SyncRun) -> str:
        """What came of it."""
        return f"{run.new} new, {run.updated} changed, {run.same} known"

    @display(description="Took")
    def took(self, run: SyncRun) -> str:
        """The source's time."""
        return f"{run.ms} ms"


@admin.register(Source)
class SourceAdmin(DeskAdmin):
    """Where copy comes from."""

    form = SourceForm
    list_display = ("headline", "health_badge", "synced", "succeeded", "next_sync", "trouble")
    list_filter = ("connector", "is_active", "section")
    search_fields = ("name", "api_endpoint")
    sortable_by = ()
    list_select_related = ("schedule__interval",)
    inlines = (RunInline,)
    deletable = True
    list_hint = "Each source is synced on its own schedule; a change of it holds at once."
    empty_hint = "No source yet. Press “Add source” and give the address of a feed."

    @display(description="Source")
    def headline(self, source: Source) -> SafeString:
        """Its name, and what it is."""
        return headline(source.name, f"{_label(source.connector)} · {source.api_endpoint}")

    @display(
        description="Health",
        label={"good": "success", "fair": "warning", "poor": "danger", "off": ""},
    )
    def health_badge(self, source: Source) -> tuple[str, str]:
        """0 to 100, or that it is off."""
        return _health(source)

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

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """An address without a scheme is meant to be https."""
        if db_field.name == "api_endpoint":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # --- the page ---

    def badges(self, request: HttpRequest, obj: Source) -> list[tuple[str, str]]:
        """What it is, its health, and what stands in the way."""
        kind, words = _health(obj)
        colours = {"good": "success", "fair": "warning", "poor": "danger", "off": ""}
        found = [(_label(obj.connector), "info"), (words, colours[kind])]
        trouble = obj.paused_reason or obj.last_error
        return [*found, (trouble, "danger")] if trouble else found

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First the kind of source, then its form."""
        chosen = request.GET.get("connector")
        if self.has_add_permission(request) and chosen not in connectors.table():
            return TemplateResponse(
                request,
                "newsdesk/choose.html",
                {
                    **self.admin_site.each_context(request),
                    "title": "What kind of source?",
                    "opts": self.opts,
                    "parameter": "connector",
                    "choices": list(connectors.connectors().values()),
                },
            )
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new source starts at its service's usual address."""
        adapter = _adapter(request, None)
        return {"api_endpoint": adapter.endpoint} if adapter else {}

    def get_form(
        self, request: HttpRequest, obj: Source | None = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """With the fields of the source's connector."""
        form = super().get_form(request, obj, change=change, **{**kwargs, "fields": FIELDS})
        adapter = _adapter(request, obj)
        if adapter is None:
            return form
        fields: dict[str, Any] = {
            **option_fields(adapter.options, obj.options if obj else {}),
            **secret_fields(adapter.credentials, obj.credentials.describe() if obj else {}),
            "adapter": adapter,
        }
        return type("SourceForm", (form,), fields)

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[Any]:
        """What it is, how it is reached, how often."""
        adapter = _adapter(request, obj)
        if adapter is None:
            return [(None, {"fields": list(_PLAIN)})]
        reaching = ["api_endpoint", *(f"option_{each.name}" for each in adapter.options)]
        reaching += [f"secret_{each.name}" for each in adapter.credentials]
        return [
            (None, {"fields": ["name", "section", "trust", "is_active"]}),
            (adapter.label, {"fields": [*reaching, "unchecked"], "description": adapter.help}),
            ("Pace", {"fields": ["minutes", "rate_limit_per_minute"]}),
            ("Keeping", {"fields": ["full_text", "answers_kept"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Store what reaching it needs, and bring its schedule up to date."""
        if form.adapter is not None:
            obj.connector = form.adapter.key
            obj.options, obj.credentials = form.trial.options, form.trial.credentials
            obj.auth_type = form.trial.auth_type
        if not change:
            super().save_model(request, obj, form, change)
        else:
            # Only what the form knows: a sync may have ended since the page's row was read.
            if form.reaches_anew:  # what the old address answered holds no longer
                obj.etag = obj.last_modified = obj.next_sync_reason = ""
                obj.next_sync_at = None
            obj.save(update_fields=form.columns())
        rhythm = form.cleaned_data["minutes"] if "minutes" in form.changed_data else None
        timetable.keep(obj, rhythm or (None if change else form.initial["minutes"]))
        if form.found is not None:
            self.message_user(request, str(form.found))

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        """Its schedule goes with it."""
        timetable.drop(obj)
        super().delete_model(request, obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Only for a source that never brought anything: the record needs where copy came from."""
        source = self.get_object(request, object_id)
        if source is not None and source.items.exists():
            self.message_user(
                request,
                f"{source} has brought copy, and the record needs to say from where. Switch it "
                "off instead: clear “Active” and save.",
                messages.ERROR,
            )
            return HttpResponseRedirect(self.change_url(source))
        return super().delete_view(request, object_id, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: a source is deleted on its own page, where its schedule goes with it."""
        return {}

    def get_acts(self, request: HttpRequest, obj: Source) -> Sequence[Act]:
        """Sync, look, pause, resume."""
        return (
            Act("sync", "Sync now", "sync", _sync, _may_change, weight="primary"),
            Act("preview", "Preview", "visibility", _preview, _may_change),
            Act("pause", "Pause", "pause", _pause, _may_pause, asks_reason=True),
            Act("resume", "Resume", "play_arrow", _resume, _may_resume),
            *admin_keeping.ACTS,
        )


def _adapter(request: HttpRequest, source: Source | None) -> Connector | None:
    key = source.connector if source else request.GET.get("connector", "")
    try:
        return connectors.connector(key)
    except KeyError:
        return None


def _label(connector: str) -> str:
    try:
        return connectors.connector(connector).label
    except KeyError:
        return f"{connector} (not installed)"


def _health(source: Source) -> tuple[str, str]:
    if not source.is_active:
        return "off", "Off"
    if source.paused_reason:
        return "off", "Paused"
    kind = "good" if source.health >= 80 else "fair" if source.health >= 50 else "poor"
    return kind, f"Health {source.health}"


def _may_change(request: HttpRequest, _source: Source) -> bool:
    return request.user.has_perm("sources.change_source")


def _may_pause(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and not source.paused_reason


def _may_resume(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and bool(source.paused_reason)


def _sync(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    run = syncing.sync(source.pk, forced=True)
    if isinstance(run, syncing.Skipped):
        raise DeskError(f"Not synced: {run.reason}")
    if run.outcome == SyncRun.Outcomes.FAILED:
        raise DeskError(run.error)
    return f"{run.new} new, {run.updated} changed, {run.same} known already."


def _preview(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> SafeString:
    try:
        found = previewing.preview(source)
    except SourceError as problem:
        raise DeskError(str(problem)) from problem
    titles = format_html_join("", "<br>· {}", ((title,) for title, _url in found.first))
    warnings = format_html_join("", "<br>{}", ((warning,) for warning in found.warnings))
    return format_html("{} Nothing was stored.{}{}", str(found), titles, warnings)


def _pause(_request: HttpRequest, source: Source, data: Mapping[str, Any]) -> str:
    source.paused_reason = f"Paused by hand: {data['reason']}"[:500]
    source.save(update_fields=["paused_reason"])
    timetable.keep(source)
    return f"{source} is paused."


def _resume(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    source.paused_reason = ""
    source.next_sync_at, source.next_sync_reason = None, ""
    source.save(update_fields=["paused_reason", "next_sync_at", "next_sync_reason"])
    timetable.keep(source)
    return f"{source} goes on."
