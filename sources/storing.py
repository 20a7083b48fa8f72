"""Writing down how syncs ended: copies, runs and sources, for many sources in one transaction.

A crash leaves nothing half stored. What goes wrong with one source takes only that one back: the
others are stored again without it.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from articles import intake
from config.sealed import Sealed
from sources import archive, burst, claim, moving, schedule, websub
from sources.connectors.base import Fetched
from sources.errors import NotNow, SourceError
from sources.fetching import Asked
from sources.models import Source, SyncRun

log = structlog.get_logger(__name__)

RUNS_KEPT = 200  # of each source
_rng = random.SystemRandom()


class Crashed(SourceError):
    """A mistake of ours: it stands in the log, and the source is not asked again at once."""

    kind = "crashed"


def store(all_asked: Sequence[Asked], *, forgiving: bool = True) -> list[SyncRun]:
    """Store what these sources sent, and a run for each; the runs that were written.

    A source whose claim is lost, or that was not asked after all (`NotNow`), gets no run. What
    can't be stored for a mistake of ours becomes a failed run, or is raised unless `forgiving`.
    Raises `DatabaseError` if the database is gone, with nothing stored that is not in a stored run.
    """
    claim.put_off([_put_off(each, each.problem) for each in all_asked
                   if isinstance(each.problem, NotNow)])  # fmt: skip
    really = [each for each in all_asked if not isinstance(each.problem, NotNow)]
    if not really:
        return []
    try:
        return _store(really)
    except Exception:
        if not forgiving:
            raise
        log.warning("sources.stored_singly", sources=[each.source.pk for each in really])
    return [run for each in really for run in _store_alone(each)]


def _store_alone(asked: Asked) -> list[SyncRun]:
    try:
        return _store([asked])
    except DatabaseError as problem:
        if not connection.is_usable():
            raise
        return _crashed(asked, problem)
    except Exception as problem:  # noqa: BLE001 (one source's trouble must not stop the others)
        return _crashed(asked, problem)


def crashed(asked: Asked, problem: BaseException) -> Asked:
    """The same as a failure that is ours: logged with its traceback."""
    log.error("source.crashed", source=asked.source.pk, exc_info=problem)
    sentence = "The desk made a mistake with what came; its log says more."
    return Asked(asked.source, asked.began, asked.ms, problem=Crashed(sentence))


def _crashed(asked: Asked, problem: Exception) -> list[SyncRun]:
    return _store([crashed(asked, problem)])


def _store(all_asked: Sequence[Asked]) -> list[SyncRun]:
    """Copies, sources and runs in one transaction."""
    with transaction.atomic():
        ours = claim.still_ours([each.source for each in all_asked])
        for each in all_asked:
            if each.source.pk not in ours:
                log.warning("source.lost_claim", source=each.source.pk)
        kept = [each for each in all_asked if each.source.pk in ours]
        runs = [_settled(each) for each in kept]
        SyncRun.objects.bulk_create(runs)
        for run, each in zip(runs, kept, strict=True):
            _keep_payloads(run, each)
        _write_sources([each.source for each in kept])
        _forget_old_runs([each.source.pk for each in kept])
    return runs


def _settled(asked: Asked) -> SyncRun:
    """File the copies; the run, not stored yet, and the source's new values."""
    run = SyncRun(
        source=asked.source, started_at=asked.began, ms=asked.ms, asked_by=asked.source.asked_by
    )
    if asked.fetched is not None:
        _worked(run, asked, asked.fetched)
    elif asked.problem is not None:
        _failed(run, asked.problem)
    asked.source.last_sync = asked.began
    return run


def _worked(run: SyncRun, asked: Asked, fetched: Fetched) -> None:
    source, now = asked.source, timezone.now()
    run.warnings = list(fetched.warnings)
    _file(run, source, fetched, now)
    run.http_status, run.bytes = fetched.http_status, fetched.bytes
    if asked.whole is not None and fetched.unchanged:  # the same bytes as the last time
        run.http_status, run.bytes = 200, asked.whole
    _note_answer(source, asked, fetched, now)
    if fetched.memory is not None:
        source.memory = Sealed(fetched.memory)
    source.last_success = now
    source.failures, source.last_error = 0, ""
    moving.noticed(source, fetched.moved_to, now)
    not_before = schedule.after_success(now, _wishes(source, fetched))
    source.next_sync_at, source.next_sync_reason = not_before.at, not_before.reason
    run.finished_at = timezone.now()


def _file(run: SyncRun, source: Source, fetched: Fetched, now: datetime) -> None:
    """Copies to the wire, or to one side if they are a burst; the rhythm learns from both."""
    run.fetched = len(fetched.copies)
    run.outcome = SyncRun.Outcomes.UNCHANGED
    days = _days(source.last_success, now)
    if fetched.copies:
        copies = burst.undecided(source, fetched.copies)
        run.held = len(fetched.copies) - len(copies)
        if burst.hold(source, copies, days, now):
            run.held += len(copies)
            run.outcome = SyncRun.Outcomes.HELD
            return
        filed = intake.file(source.pk, copies, section=source.section)
        run.new, run.updated, run.same = filed.new, filed.updated, filed.same
        run.duplicate, run.rejected = filed.duplicate, len(filed.rejected)
        run.warnings += filed.warnings
        if filed.new or filed.updated:
            run.outcome = SyncRun.Outcomes.OK
    if days is None or source.pieces_per_day is None:
        dates = [each.published_at for each in fetched.copies if each.published_at]
        source.pieces_per_day = schedule.first_rhythm(dates, now)
    else:
        source.pieces_per_day = schedule.rhythm(source.pieces_per_day, run.new, days)


def _note_answer(source: Source, asked: Asked, fetched: Fetched, now: datetime) -> None:
    """Validators of every whole answer, even of one that is the same as before."""
    if not fetched.unchanged or asked.whole is not None:
        source.etag, source.last_modified = fetched.etag, fetched.last_modified
        source.answer_digest = asked.digest
        source.last_whole = now
    if not fetched.unchanged:
        source.pace = {
            "fresh_for": fetched.pace.fresh_for,
            "skip_hours": sorted(fetched.pace.skip_hours),
            "skip_days": sorted(fetched.pace.skip_days),
        }
        if fetched.hub or getattr(source, "has_hub", True):
            websub.noticed(source, fetched.hub, fetched.topic)


def _wishes(source: Source, fetched: Fetched) -> schedule.Wishes:
    """What it says now, and what its last document said where a 304 says nothing."""
    fresh_for = fetched.pace.fresh_for
    if fetched.unchanged and fresh_for is None:
        fresh_for = source.pace.get("fresh_for")
    return schedule.Wishes(
        wait=fetched.wait,
        fresh_for=fresh_for,
        skip_hours=source.pace.get("skip_hours", ()),
        skip_days=source.pace.get("skip_days", ()),
        pieces_per_day=source.pieces_per_day if source.follows_rhythm else None,
        pushed=getattr(source, "has_hub", True) and websub.is_live(source),
    )


def _failed(run: SyncRun, problem: SourceError) -> None:
    source, now = run.source, timezone.now()
    run.outcome = SyncRun.Outcomes.FAILED
    run.http_status = problem.status
    run.error_kind, run.error = problem.kind, str(problem)
    run.finished_at = now
    source.failures += 1
    source.last_error = str(problem)
    wait = schedule.after_failure(now, source.failures, problem.retry_after, _rng)
    source.next_sync_at, source.next_sync_reason = wait.at, wait.reason
    moving.gone(source, problem)
    log.info("source.failed", source=source.pk, kind=problem.kind, failures=source.failures)


def _keep_payloads(run: SyncRun, asked: Asked) -> None:
    if asked.fetched is not None:
        archive.keep(run, asked.fetched.payloads)
    elif asked.problem is not None and asked.problem.payload is not None:
        archive.keep(run, [asked.problem.payload], failed=True)


# Only what a sync knows: an administrator may be changing the rest at this moment. What an answer
# said about the old address says nothing about a new one.
_WRITE = """
UPDATE data_sources AS source SET
    etag = CASE WHEN source.api_endpoint = row.asked THEN row.etag ELSE '' END,
    last_modified = CASE WHEN source.api_endpoint = row.asked THEN row.last_modified ELSE '' END,
    answer_digest = CASE WHEN source.api_endpoint = row.asked THEN row.answer_digest ELSE '' END,
    memory = CASE WHEN source.api_endpoint = row.asked THEN row.memory ELSE '' END,
    last_whole = row.last_whole, pace = row.pace, pieces_per_day = row.pieces_per_day,
    moved_to = row.moved_to, moved_since = row.moved_since, moved_times = row.moved_times,
    last_sync = row.last_sync, last_success = row.last_success, failures = row.failures,
    last_error = row.last_error, next_sync_at = row.next_sync_at,
    next_sync_reason = row.next_sync_reason,
    due_at = NULL, asked_by = '', stage = '', claim_token = NULL, lease_expires_at = NULL
FROM jsonb_to_recordset(%s::jsonb) AS row (
    id bigint, asked text, etag text, last_modified text, answer_digest text, memory text,
    last_whole timestamptz, pace jsonb, pieces_per_day float, moved_to text,
    moved_since timestamptz, moved_times smallint, last_sync timestamptz,
    last_success timestamptz, failures int, last_error text, next_sync_at timestamptz,
    next_sync_reason text
)
WHERE source.id = row.id
"""
_WRITTEN = (
    "id", "etag", "last_modified", "answer_digest", "last_whole", "pace", "pieces_per_day",
    "moved_to", "moved_since", "moved_times", "last_sync", "last_success", "failures",
    "last_error", "next_sync_at", "next_sync_reason",
)  # fmt: skip
_OLD_RUNS = """
SELECT old.id FROM unnest(%(sources)s::bigint[]) AS source (id), LATERAL (
    SELECT run.id FROM sync_runs AS run WHERE run.source_id = source.id
    ORDER BY run.started_at DESC, run.id DESC OFFSET %(kept)s LIMIT 100
) AS old
"""


def _write_sources(sources: Sequence[Source]) -> None:
    """All in one statement, past simple_history: a sync is no change by a person."""
    rows = [_row(source) for source in sources]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [orjson.dumps(rows).decode()])


def _row(source: Source) -> dict[str, Any]:
    row = {name: getattr(source, name) for name in _WRITTEN}
    memory = Source._meta.get_field("memory").get_prep_value(source.memory)
    return row | {"asked": source.api_endpoint, "memory": memory}


def _forget_old_runs(source_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OLD_RUNS, {"sources": list(source_ids), "kept": RUNS_KEPT})
        old = [pk for (pk,) in cursor.fetchall()]
    if old:
        SyncRun.objects.filter(pk__in=old).delete()


def _put_off(asked: Asked, problem: SourceError) -> claim.PutOff:
    wait = max(problem.retry_after or 0.0, 0.5)
    return claim.PutOff(asked.source, wait * _rng.uniform(1.0, 1.1), str(problem))


def _days(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else (now - since).total_seconds() / 86400
