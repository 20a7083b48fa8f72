"""What reading an archived answer again would change on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from articles import intake
from articles.clean import plain_text, strip_invisible
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
    """How `copies` differ from what is stored of `source`; `run` is what they came with.

    They are filed on trial, in a transaction that is undone: so identities are found exactly as
    `archive.store` will find them.
    """
    began = timezone.now()
    with transaction.atomic():
        filed = intake.file(source.pk, copies, section=source.section)
        touched = list(WireItem.objects.filter(source=source, updated_at__gte=began))
        gone = _gone(source, [strip_invisible(copy.external_id) for copy in copies], run, began)
        transaction.set_rollback(True)
    before = WireItem.objects.in_bulk([item.pk for item in touched])
    return Comparison(
        new=tuple(Piece(item.title) for item in touched if item.pk not in before),
        changed=tuple(
            Piece(before[item.pk].title, _changes(before[item.pk], item))
            for item in touched
            if item.pk in before
        ),
        gone=tuple(Piece(title) for title in gone),
        same=filed.same,
    )


def _changes(stored: WireItem, read: WireItem) -> tuple[Change, ...]:
    pairs = ((name, _text(getattr(stored, name)), _text(getattr(read, name))) for name in _FIELDS)
    return tuple(Change(name, old, new) for name, old, new in pairs if old != new)


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else plain_text(value)


def _gone(source: Source, read: Sequence[str], run: SyncRun | None, began: datetime) -> list[str]:
    """Titles of the pieces that `run` first filed and that are not read now."""
    if run is None or run.finished_at is None:
        return []
    came = WireItem.objects.filter(
        source=source, created_at__gte=run.started_at, created_at__lte=run.finished_at
    )
    kept = came.exclude(external_id__in=read).exclude(updated_at__gte=began)
    return list(kept.values_list("title", flat=True))
