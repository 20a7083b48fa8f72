"""A flood of new pieces is held as one decision, instead of burying the wire.

A source that always brings three pieces a day and suddenly three hundred has changed its ids,
its address or its owner. They wait beside the wire until an editor releases or drops them; what
else the source brings meanwhile is filed as always.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from articles import intake
from articles.clean import strip_invisible
from articles.errors import WrongState
from articles.wire import WireCopy
from sources import schedule
from sources.connectors.base import Fetched
from sources.filing import file
from sources.models import Burst, Source, SyncRun

if TYPE_CHECKING:
    from django.db.models import QuerySet

States = Burst.States


def hold(source: Source, copies: Sequence[WireCopy], days: float | None, now: datetime) -> bool:
    """Hold `copies` if they are a burst, in the caller's transaction; whether they are.

    `days` is the time since the last success. The first sync of a source is none.
    """
    if source.pieces_per_day is None or len(copies) < schedule.LEAST_BURST:
        return False
    known = intake.known(source.pk, copies)
    if not schedule.is_burst(len(copies), known, source.pieces_per_day, days):
        return False
    held, _new = Burst.objects.select_for_update().get_or_create(
        source=source,
        state=States.HELD,
        defaults={
            "came_at": now, "count": 0,
            "expected": schedule.expected(source.pieces_per_day, days or 0.0),
        },
    )  # fmt: skip
    held.copies = [*held.copies, *map(_as_json, copies)]
    held.count = len(held.copies)
    held.save(update_fields=["copies", "count"])
    return True


def undecided(source: Source, copies: Sequence[WireCopy]) -> Sequence[WireCopy]:
    """Those of `copies` that no burst of the source holds, and nobody has dropped."""
    if not getattr(source, "has_bursts", True):
        return copies
    held = Burst.objects.filter(source=source, state__in=(States.HELD, States.DROPPED))
    names = {each["external_id"] for burst in held for each in burst.copies}
    return [each for each in copies if strip_invisible(each.external_id) not in names]


def release(burst_id: int, by: str, reason: str = "") -> SyncRun:
    """File the pieces of a held burst; the run that says what came. Raises `WrongState`."""
    with transaction.atomic():
        burst = _held(burst_id)
        copies = tuple(map(copy_of, burst.copies))
        run = file(burst.source, Fetched(copies=copies), SyncRun.Causes.RELEASED)
        # The ids are of no use any more: the pieces are on the wire.
        _decide(burst, States.RELEASED, by, reason, [])
    return run


def drop(burst_id: int, by: str, reason: str = "") -> Burst:
    """Throw the pieces of a held burst away; they don't come back. Raises `WrongState`."""
    with transaction.atomic():
        burst = _held(burst_id)
        names = [{"external_id": each["external_id"]} for each in burst.copies]
        _decide(burst, States.DROPPED, by, reason, names)
    return burst


def held() -> "QuerySet[Burst]":
    """The bursts that wait for a decision, without their pieces."""
    return Burst.objects.filter(state=States.HELD).select_related("source").defer("copies")


def in_words(burst: Burst) -> str:
    """What is odd about it, or who decided."""
    if burst.decided_at is None:
        return f"Its rhythm would have brought {burst.expected:.0f}."
    words = f"By {burst.decided_by}, {timezone.localtime(burst.decided_at):%d %b %Y, %H:%M}."
    return f"{words} {burst.reason}".strip()


def copy_of(stored: Mapping[str, Any]) -> WireCopy:
    """A held piece as the connector read it."""
    values = {each.name: stored[each.name] for each in fields(WireCopy) if each.name in stored}
    for name in ("authors", "tags"):
        values[name] = tuple(values.get(name, ()))
    for name in ("published_at", "updated_at"):
        values[name] = parse_datetime(values[name]) if values.get(name) else None
    return WireCopy(**values)


def _held(burst_id: int) -> Burst:
    burst = Burst.objects.select_for_update(of=("self",)).select_related("source").get(pk=burst_id)
    if burst.state != States.HELD:
        raise WrongState(
            f"This burst was {burst.get_state_display().lower()} by {burst.decided_by} already."
        )
    return burst


def _decide(
    burst: Burst, state: Burst.States, by: str, reason: str, copies: list[dict[str, Any]]
) -> None:
    burst.state, burst.copies = state, copies
    burst.decided_by, burst.decided_at, burst.reason = by[:150], timezone.now(), reason[:500]
    burst.save(update_fields=["state", "copies", "decided_by", "decided_at", "reason"])


def _as_json(copy: WireCopy) -> dict[str, Any]:
    return {name: _storable(value) for name, value in asdict(copy).items()}


def _storable(value: Any) -> Any:
    """Without what PostgreSQL's JSON can't hold."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return strip_invisible(value)
    if isinstance(value, Mapping):
        return {strip_invisible(str(key)): _storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(each) for each in value]
    return value
