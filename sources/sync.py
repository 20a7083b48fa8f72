"""One sync of one source: fetch, then store everything or nothing, and write down how it went."""

import random
import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from articles import intake
from config.limits import take
from config.sealed import Sealed
from sources import archive, fetching, schedule, websub
from sources.alone import alone
from sources.connectors.base import Fetched
from sources.errors import SourceError
from sources.models import Source, SyncRun

log = structlog.get_logger(__name__)

RUNS_KEPT = 200  # of each source
_rng = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sync that did not happen, and why. That is no failure."""

    reason: str


def sync(source_id: int, *, forced: bool = False) -> SyncRun | Skipped:
    """Fetch what is new. One at a time for each source, however many workers are told to.

    A sync before the source's `next_sync_at` is skipped unless `forced` (a person asked). A
    failure is a run with its error, not an exception; nothing of it is stored.
    """
    with alone(source_id) as held:
        if not held:
            return Skipped("Another worker is at it.")
        source = Source.objects.select_related("schedule__interval").get(pk=source_id)
        now = timezone.now()
        reason = "" if forced else _not_now(source, now)
        if reason:
            return Skipped(reason)
        return _run(source, now, forced)


def _not_now(source: Source, now: datetime) -> str:
    if not source.is_active or source.paused_reason:
        return "The source is switched off."
    if source.next_sync_at and source.next_sync_at > now:
        return source.next_sync_reason or "It is not time yet."
    wait = take(f"source:{source.pk}", source.rate_limit_per_minute, burst=1)
    return f"Its limit a minute is reached; {wait:.0f} s more." if wait else ""


def _run(source: Source, now: datetime, forced: bool) -> SyncRun:
    run = SyncRun(source=source, started_at=now)
    began = time.monotonic()
    try:
        fetched = fetching.fetch(source, now, whole=forced and not source.last_success)
    except SourceError as problem:
        run.ms = _ms(began)
        return _failed(source, run, problem)
    run.ms = _ms(began)
    return _stored(source, run, fetched)


def _stored(source: Source, run: SyncRun, fetched: Fetched) -> SyncRun:
    """Copies, source and run in one transaction: a crash leaves none of them."""
    with transaction.atomic():
        filed = intake.file(source.pk, fetched.copies, section=source.section)
        run.fetched = len(fetched.copies)
        run.new, run.updated, run.same = filed.new, filed.updated, filed.same
        run.duplicate, run.rejected = filed.duplicate, len(filed.rejected)
        run.warnings = [*fetched.warnings, *filed.warnings]
        run.http_status, run.bytes = fetched.http_status, fetched.bytes
        changed = filed.new or filed.updated
        run.outcome = SyncRun.Outcomes.OK if changed else SyncRun.Outcomes.UNCHANGED
        now = timezone.now()
        if not fetched.unchanged:
            source.etag, source.last_modified = fetched.etag, fetched.last_modified
            websub.noticed(source, fetched.hub, fetched.topic)
        if fetched.memory is not None:
            source.memory = Sealed(fetched.memory)
        source.last_success = now
        source.failures = 0
        source.last_error = ""
        _close(source, run, now, schedule.after_success(now, fetched.wait))
        archive.keep(run, fetched.payloads)
    return run


def _failed(source: Source, run: SyncRun, problem: SourceError) -> SyncRun:
    with transaction.atomic():
        run.outcome = SyncRun.Outcomes.FAILED
        run.http_status = problem.status
        run.error_kind, run.error = problem.kind, str(problem)
        source.failures += 1
        source.last_error = str(problem)
        now = timezone.now()
        wait = schedule.after_failure(now, source.failures, problem.retry_after, _rng)
        _close(source, run, now, wait)
        archive.keep(run, [problem.payload] if problem.payload else [], failed=True)
    log.info("source.failed", source=source.pk, kind=problem.kind, failures=source.failures)
    return run


def _close(source: Source, run: SyncRun, now: datetime, not_before: schedule.NotBefore) -> None:
    run.finished_at = now
    run.save()
    source.last_sync = run.started_at
    source.next_sync_at, source.next_sync_reason = not_before.at, not_before.reason
    # Only what a sync knows: an administrator may be changing the rest at this moment. And past
    # simple_history: a sync is no change of the source by a person.
    Source.objects.filter(pk=source.pk).update(
        **{
            name: getattr(source, name)
            for name in (
                "etag", "last_modified", "memory", "last_sync", "last_success", "failures",
                "last_error", "next_sync_at", "next_sync_reason",
            )
        }
    )  # fmt: skip
    oldest = source.runs.order_by("-id").values_list("pk", flat=True)[RUNS_KEPT:][:100]
    SyncRun.objects.filter(pk__in=list(oldest)).delete()


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
