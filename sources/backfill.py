"""Fetching what a source published before the desk knew it, page by page.

A `Backfill` row is the truth: where it goes on, how far it has come. A tick reads pages that are
due; a worker that dies leaves a lease behind, and another goes on from the same cursor. What is
filed is marked `backfilled`, so that it floods nobody's triage.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from articles.clean import one_line
from articles.errors import DeskError
from articles.models import WireItem
from articles.wire import WireCopy
from config import bell
from config.sealed import Sealed
from sources import connectors, fetching, filing, reach
from sources.alone import alone
from sources.connectors.base import Fetched, ReachesBack
from sources.errors import NotNow, SourceError
from sources.models import Backfill, Source, SyncRun

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)

PAUSE = timedelta(seconds=5)  # between two pages of one source, at least
_LEASE = timedelta(minutes=2)
_SECONDS = 25.0  # that one drain goes on
_BUSY = timedelta(seconds=20)
_SWITCHED_OFF = timedelta(minutes=10)
_LONGEST_PAUSE = 24 * 3600.0

States = Backfill.States


class _Overtaken(Exception):
    """The job was cancelled, or another worker has read the page: nothing is stored."""


def can_reach_back(source: Source) -> bool:
    """Whether the source's connector offers older pieces."""
    try:
        return isinstance(connectors.connector(source.connector), ReachesBack)
    except KeyError:
        return False


def under_way(source: Source) -> Backfill | None:
    """The source's running job, if there is one."""
    return Backfill.objects.filter(source=source, state=States.RUNNING).first()


def start(source: Source, by: "User | None", *, until: datetime | None, most: int) -> Backfill:
    """Begin to fetch older pieces: at most `most`, none older than `until`.

    Raises `DeskError` when the source has none to offer or a job is under way already.
    """
    if not can_reach_back(source):
        raise DeskError("This kind of source offers no older pieces.")
    if source.last_success is None:
        raise DeskError("Sync the source first: what it has now is news, not an older piece.")
    try:
        with transaction.atomic():
            job = Backfill.objects.create(source=source, until=until, most=most, started_by=by)
    except IntegrityError:
        raise DeskError("Older pieces of this source are being fetched already.") from None
    bell.ring("sources.fetch_older")
    return job


def cancel(source: Source) -> bool:
    """End the source's job; what it has brought stays. False when there was none."""
    return bool(
        Backfill.objects.filter(source=source, state=States.RUNNING).update(
            state=States.CANCELLED, ended_at=timezone.now(), reason="Cancelled by hand."
        )
    )


def drain() -> int:
    """Read the pages that are due, one of each job at a time; how many pages.

    Goes on for half a minute at most; any number of workers at once do no harm.
    """
    until = time.monotonic() + _SECONDS
    pages = 0
    while time.monotonic() < until:
        job = _claim()
        if job is not None:
            pages += _step(job)
            continue
        pause = _seconds_to_next()
        if pause is None or time.monotonic() + pause > until:
            break
        time.sleep(pause)
    return pages


def _claim() -> Backfill | None:
    now = timezone.now()
    with transaction.atomic():
        due = Backfill.objects.select_for_update(skip_locked=True, of=("self",))
        job = (
            due.select_related("source")
            .filter(state=States.RUNNING, due_at__lte=now)
            .order_by("due_at")
            .first()
        )
        if job is not None:
            Backfill.objects.filter(pk=job.pk).update(due_at=now + _LEASE)
    return job


def _seconds_to_next() -> float | None:
    soon = Backfill.objects.filter(state=States.RUNNING).order_by("due_at").first()
    if soon is None:
        return None
    return max(0.1, (soon.due_at - timezone.now()).total_seconds())


def _step(job: Backfill) -> bool:
    """Read one page; whether that happened."""
    source = job.source
    if not source.is_active or source.paused_reason:
        _later(job, _SWITCHED_OFF, "It waits: the source is switched off.")
        return False
    with alone(source.pk) as held:
        if not held:
            _later(job, _BUSY, job.reason)
            return False
        try:
            page = fetching.fetch_older(source, timezone.now(), job.cursor)
        except NotNow as problem:
            _later(job, timedelta(seconds=problem.retry_after or 1.0), job.reason)
            return False
        except SourceError as problem:
            _failed(job, problem)
            return False
        try:
            _store(job, page)
        except _Overtaken:
            return False
    return True


def _store(job: Backfill, page: Fetched) -> None:
    """Pieces, run and progress in one transaction, and only if the job is where we left it."""
    aim = reach.Aim(job.until, max(0, job.most - job.pieces))
    been = [*job.cursors, reach.digest(job.cursor)]
    step = reach.step(page.copies, page.older, been, job.pages + 1, aim)
    now = timezone.now()
    oldest = min(filter(None, (job.oldest, step.oldest)), default=None)
    with transaction.atomic():
        unknown = replace(page, copies=_unknown(job.source, step.wanted))
        run = filing.file(job.source, unknown, SyncRun.Causes.BACKFILL, backfilled=True)
        if page.memory is not None:
            Source.objects.filter(pk=job.source_id).update(memory=Sealed(page.memory))
        moved = Backfill.objects.filter(
            pk=job.pk, state=States.RUNNING, cursor=job.cursor, pages=job.pages
        ).update(
            cursor=page.older if not step.ended else job.cursor,
            cursors=been,
            pages=job.pages + 1,
            pieces=job.pieces + len(step.wanted),
            new=job.new + run.new,
            oldest=oldest,
            attempts=0,
            due_at=now + _pause(job.source, page.wait),
            reason=step.ended,
            **({"state": States.DONE, "ended_at": now} if step.ended else {}),
        )
        if not moved:
            raise _Overtaken


def _unknown(source: Source, copies: Sequence[WireCopy]) -> tuple[WireCopy, ...]:
    """Those that are not on the wire: an archive may hold a piece in a former wording."""
    ids = [copy.external_id for copy in copies if "\x00" not in copy.external_id]
    known = set(
        WireItem.objects.filter(source=source, external_id__in=ids).values_list(
            "external_id", flat=True
        )
    )
    return tuple(copy for copy in copies if copy.external_id not in known)


def _pause(source: Source, asked: float | None) -> timedelta:
    between = fetching.connector_of(source).seconds_between
    seconds = min(max(between, asked or 0.0), _LONGEST_PAUSE)
    return max(PAUSE, timedelta(seconds=seconds))


def _later(job: Backfill, wait: timedelta, reason: str) -> None:
    Backfill.objects.filter(pk=job.pk, state=States.RUNNING).update(
        due_at=timezone.now() + wait, reason=reason
    )


def _failed(job: Backfill, problem: SourceError) -> None:
    attempts = job.attempts + 1
    this = Backfill.objects.filter(pk=job.pk, state=States.RUNNING)
    words = one_line(str(problem), 400)
    log.info("backfill.failed", backfill=job.pk, kind=problem.kind, attempts=attempts)
    if problem.permanent or attempts >= reach.MOST_FAILURES:
        this.update(state=States.FAILED, ended_at=timezone.now(), attempts=attempts, reason=words)
        return
    wait = reach.wait_after(attempts, problem.retry_after)
    this.update(attempts=attempts, due_at=timezone.now() + wait, reason=f"It waits: {words}")
