"""What reading an archived answer again would change on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from articles import intake
from articles.clean import plain_text
from articles.fair_copy import FairCopy
from articles.models import WireItem
from articles.wire import WireCopy
from sources.models import Source, SyncRun

_FIELDS = ("title", "summary", "content", "url", "authors", "tags", "language")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one piece: plain text before and after."""

    field: str
    stored: str
    read: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, and how what is read differs from what is stored."""

    title: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would become of the wire; nothing has been stored."""

    new: tuple[Piece, ...] = ()  # read, and not on the wire
    changed: tuple[Piece, ...] = ()
    gone: tuple[Piece, ...] = ()  # came with that answer, and is not read in it any more
    same: int = 0


def compare(source: Source, copies: Sequence[WireCopy], run: SyncRun | None = None) -> Comparison:
    """How `copies` differ from what is stored of `source`; `run` is what they came with."""
    now = timezone.now()
    rows = (intake.as_stored(copy, now) for copy in copies)
    by_id = {row.external_id: row for row in rows if row.external_id}
    stored = {
        item.external_id: item
        for item in WireItem.objects.filter(source=source, external_id__in=list(by_id))
    }
    changed = [
        Piece(item.title, _changes(item, by_id[external_id]))
        for external_id, item in stored.items()
        if item.raw_hash != by_id[external_id].raw_hash
    ]
    return Comparison(
        new=tuple(
            Piece(row.title) for external_id, row in by_id.items() if external_id not in stored
        ),
        changed=tuple(changed),
        gone=tuple(Piece(title) for title in _gone(source, list(by_id), run)),
        same=len(stored) - len(changed),
    )


def _changes(item: WireItem, row: FairCopy) -> tuple[Change, ...]:
    pairs = ((name, _text(getattr(item, name)), _text(getattr(row, name))) for name in _FIELDS)
    return tuple(Change(name, old, new) for name, old, new in pairs if old != new)


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else plain_text(value)


def _gone(source: Source, read: Sequence[str], run: SyncRun | None) -> list[str]:
    """Titles of the pieces that `run` first filed and that are not read now."""
    if run is None or run.finished_at is None:
        return []
    came = WireItem.objects.filter(
        source=source, created_at__gte=run.started_at, created_at__lte=run.finished_at
    )
    return list(came.exclude(external_id__in=read).values_list("title", flat=True))
