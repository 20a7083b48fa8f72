"""Sources that move for good (301, 308) or end for good (410): believed when seen often enough."""

from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.core.mail import mail_admins
from django.db import transaction
from simple_history.utils import update_change_reason

from sources import schedule, timetable
from sources.errors import SourceError
from sources.models import Source, SyncRun

log = structlog.get_logger(__name__)

_GONE = 410


def noticed(source: Source, moved_to: str, now: datetime) -> None:
    """Count that `source` was found at `moved_to` ("": where it always is); follow it in the end.

    It is followed after `schedule.MOVED_SIGHTINGS` over `schedule.MOVED_FOR`, on the record, in
    the caller's transaction. Credentials are never taken to another host: then a notice asks the
    administrator to do it.
    """
    if not moved_to or moved_to == source.api_endpoint or len(moved_to) > 2000:
        source.moved_to, source.moved_since, source.moved_times = "", None, 0
        return
    if moved_to != source.moved_to:
        source.moved_to, source.moved_since, source.moved_times = moved_to, now, 0
    source.moved_times = min(source.moved_times + 1, 1000)
    if schedule.has_moved(source.moved_times, source.moved_since, now):
        _follow(source, moved_to)


def gone(source: Source, problem: SourceError) -> None:
    """Pause a source whose server says for the second time in a row that it is gone for good."""
    if problem.status != _GONE:
        return
    last = source.runs.filter(cause=SyncRun.Causes.POLLED).order_by("-started_at", "-id").first()
    if last is None or last.http_status != _GONE:
        return
    pause(source, "Its server says that it is gone for good (410), twice. Is there a new address?")


def pause(source: Source, reason: str) -> None:
    """Stop syncing the source, say why on its page and today's, and tell the administrators."""
    source.paused_reason = reason
    source.save(update_fields=["paused_reason"])
    timetable.keep(source)
    log.warning("source.paused", source=source.pk, reason=reason)
    subject, words = f"{source} is paused", f"{source}: {reason}\n\n{source.api_endpoint}"
    # After the commit, and silently without a mail server: the pages say it anyway.
    transaction.on_commit(lambda: mail_admins(subject, words, fail_silently=True), robust=True)


def _follow(source: Source, moved_to: str) -> None:
    former = source.api_endpoint
    if source.credentials and urlsplit(former).hostname != urlsplit(moved_to).hostname:
        _say(source, f"It has moved to {moved_to}, another host. Its credentials are not sent "
                     "there before you enter the new address yourself.")  # fmt: skip
        return
    source.api_endpoint = moved_to
    source.moved_to, source.moved_since, source.moved_times = "", None, 0
    source.notice = f"It has moved for good; its address was {former}"[:500]
    source.save(update_fields=["api_endpoint", "notice"])
    update_change_reason(source, f"Moved for good, from {former}"[:100])
    log.info("source.moved", source=source.pk, former=former, now=moved_to)


def _say(source: Source, words: str) -> None:
    if source.notice != words[:500]:
        source.notice = words[:500]
        Source.objects.filter(pk=source.pk).update(notice=source.notice)
