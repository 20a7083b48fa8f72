"""What a person can do to a source: sync it, look, pause, resume."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.errors import DeskError
from config.admin_base import Act, actor
from sources import preview as previewing
from sources import sync as syncing
from sources import timetable
from sources.admin import keeping, older
from sources.errors import SourceError
from sources.models import Source


def _may_change(request: HttpRequest, _source: Source) -> bool:
    return request.user.has_perm("sources.change_source")


def _may_pause(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and not source.paused_reason


def _may_resume(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and bool(source.paused_reason)


def _sync(request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    person = actor(request).user
    if not syncing.request(source.pk, person.get_username() if person else "somebody"):
        raise DeskError("It is being synced at this moment.")
    return "Sync requested; how far it has come stands below."


def _may_dismiss(request: HttpRequest, source: Source) -> bool:
    return _may_change(request, source) and bool(source.notice)


def _dismiss(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    Source.objects.filter(pk=source.pk).update(notice="")
    return "The notice is gone; the source's history keeps it."


def _reset(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    syncing.forget_validators(source.pk)
    return "Its next sync asks for the whole answer, whatever came before."


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
    Act(
        "reset",
        "Reset validators",
        "restart_alt",
        _reset,
        _may_change,
        hint="Forgets what its server said of its last answer (ETag, Last-Modified) and when it "
        "is next asked. For a source that claims that nothing is new.",
    ),
    Act("dismiss", "Notice read", "done", _dismiss, _may_dismiss),
    *keeping.ACTS,
    *older.ACTS,
)
