"""What a person can do to a source: sync it, look, pause, resume."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.errors import DeskError
from config.admin_base import Act
from sources import preview as previewing
from sources import sync as syncing
from sources import timetable
from sources.admin import keeping, older
from sources.assess import assess
from sources.errors import SourceError
from sources.models import Source, SyncRun


def _may_change(request: HttpRequest, _source: Source) -> bool:
    return request.user.has_perm("sources.change_source")


def _may_pause(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and not source.paused_reason


def _may_resume(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and bool(source.paused_reason)


def _sync(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    run = syncing.sync(source.pk, forced=True)
    assess([source.pk])
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
    titles = format_html_join("", "<br>· {}", ((sample.title,) for sample in found.first))
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


ACTS = (
    Act("sync", "Sync now", "sync", _sync, _may_change, weight="primary"),
    Act("preview", "Preview", "visibility", _preview, _may_change),
    Act("pause", "Pause", "pause", _pause, _may_pause, asks_reason=True),
    Act("resume", "Resume", "play_arrow", _resume, _may_resume),
    *keeping.ACTS,
    *older.ACTS,
)
