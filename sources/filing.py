"""Filing copy that came by another way than asking: pushed, read again, older pieces."""

from django.db import transaction
from django.utils import timezone

from articles import intake
from sources.connectors.base import Fetched
from sources.errors import SourceError
from sources.models import Source, SyncRun

_KEPT = 30  # runs of each cause


def file(
    source: Source, fetched: Fetched, cause: SyncRun.Causes, *, backfilled: bool = False
) -> SyncRun:
    """Store what `fetched` holds, and a run of this cause that says what came of it.

    All or nothing. The source's schedule, validators and health stay as they are: nobody asked
    it for what it has now.
    """
    run = SyncRun(source=source, started_at=timezone.now(), cause=cause)
    with transaction.atomic():
        filed = intake.file(
            source.pk, fetched.copies, section=source.section, backfilled=backfilled
        )
        run.fetched = len(fetched.copies)
        run.new, run.updated, run.same = filed.new, filed.updated, filed.same
        run.duplicate, run.rejected = filed.duplicate, len(filed.rejected)
        run.warnings = [*fetched.warnings, *filed.warnings]
        run.http_status, run.bytes = fetched.http_status, fetched.bytes
        changed = filed.new or filed.updated
        run.outcome = SyncRun.Outcomes.OK if changed else SyncRun.Outcomes.UNCHANGED
        run.finished_at = timezone.now()
        run.save()
        _forget(source, cause)
    return run


def failed(source: Source, problem: SourceError, cause: SyncRun.Causes) -> SyncRun:
    """A run that says what was wrong with what came that way; the source is not blamed for it."""
    now = timezone.now()
    run = SyncRun.objects.create(
        source=source,
        started_at=now,
        finished_at=now,
        cause=cause,
        outcome=SyncRun.Outcomes.FAILED,
        http_status=problem.status,
        error_kind=problem.kind,
        error=str(problem),
    )
    _forget(source, cause)
    return run


def _forget(source: Source, cause: SyncRun.Causes) -> None:
    """Drop the oldest of these runs: they must not push out those that tell of the source."""
    oldest = source.runs.filter(cause=cause).order_by("-id").values_list("pk", flat=True)
    SyncRun.objects.filter(pk__in=list(oldest[_KEPT:][:100])).delete()
