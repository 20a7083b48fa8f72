"""A source's health from 0 to 100, and what it is made of. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2

_FRESH_FOR = 3  # gaps without anything new until freshness begins to fall
_STALE_AFTER = 12  # gaps until none is left
_SHORTEST_GAP = timedelta(hours=1)  # a busy source's quiet hour says nothing
_ENOUGH = 5  # pieces, before their dates, doubles and use say anything
_UNPROVEN = 3.0  # stories with the usual response are added, so that one success proves little
_USUAL = 0.75  # what the usual response is worth: twice as much is as good as any source gets


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a source. Pieces are those of the last thirty days."""

    interval: timedelta  # between two syncs, by its schedule
    outcomes: Sequence[bool] = ()  # of the last syncs, newest first; True worked
    last_success: datetime | None = None
    newest: datetime | None = None  # when the desk got its newest piece
    gap: timedelta | None = None  # usual time between two of its pieces
    pieces: int = 0
    undated: int = 0  # came without a date, or with one that can't be
    duplicates: int = 0  # another source had them
    decided: int = 0  # taken or thrown away by editors
    used: int = 0  # shortlisted or picked up
    responses: Sequence["Drawn"] = ()  # of the stories made from it that went out


@dataclass(frozen=True, slots=True)
class Drawn:
    """How the public took one story that was made from the source."""

    times: float  # of what is usual on the channels where it went; above 0
    weight: float = 1.0  # how much of the story is the source's


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a source's health."""

    name: str
    weight: float
    value: float  # 0 to 1
    words: str  # what it was found from

    @property
    def percent(self) -> int:
        """The value as people read it."""
        return round(100 * self.value)


@dataclass(frozen=True, slots=True)
class Health:
    """The score with the parts for which there is evidence."""

    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """0 to 100; a source of which nothing is known yet is trusted."""
        total = sum(part.weight for part in self.parts)
        if not total:
            return 100
        return round(100 * sum(part.weight * part.value for part in self.parts) / total)


def health(evidence: Evidence, now: datetime) -> Health:
    """What the evidence says. A part without evidence is left out, and the others weigh more."""
    return Health(tuple(_parts(evidence, now)))


def _parts(evidence: Evidence, now: datetime) -> Iterator[Part]:
    if not evidence.outcomes:
        return
    yield _success(evidence)
    yield _freshness(evidence, now)
    if evidence.pieces >= _ENOUGH:
        yield _dates(evidence)
        yield _own(evidence)
    if evidence.decided >= _ENOUGH:
        yield _use(evidence)
    if evidence.responses:
        yield _response(evidence.responses)


def _success(evidence: Evidence) -> Part:
    """The share of syncs that worked, the latest counting most."""
    weights = [0.8**position for position in range(len(evidence.outcomes))]
    pairs = zip(weights, evidence.outcomes, strict=True)
    worked = sum(weight for weight, good in pairs if good)
    count = len(evidence.outcomes)
    words = f"{sum(evidence.outcomes)} of the last {count} syncs worked."
    return Part("Success", 0.4, worked / sum(weights), words)


def _freshness(evidence: Evidence, now: datetime) -> Part:
    """How recent its news is by its own rhythm; before that is known, its last success."""
    if evidence.newest is None or evidence.gap is None:
        value = _fades(now, evidence.last_success, evidence.interval)
        words = "It has never answered." if evidence.last_success is None else "Its last answer."
        return Part("Freshness", 0.25, value, words)
    gap = max(evidence.gap, evidence.interval, _SHORTEST_GAP)
    reachable = _fades(now, evidence.last_success, evidence.interval)
    words = f"Its newest piece came {_span(now - evidence.newest)} ago; usual are {_span(gap)}."
    return Part("Freshness", 0.25, min(_fades(now, evidence.newest, gap), reachable), words)


def _fades(now: datetime, since: datetime | None, gap: timedelta) -> float:
    if since is None:
        return 0.0
    gaps = (now - since) / max(gap, timedelta(minutes=1))
    return max(0.0, min(1.0, (_STALE_AFTER - gaps) / (_STALE_AFTER - _FRESH_FOR)))


def _dates(evidence: Evidence) -> Part:
    good = evidence.pieces - evidence.undated
    words = f"{good} of {evidence.pieces} pieces came with a date that can be."
    return Part("Dates", 0.1, good / evidence.pieces, words)


def _own(evidence: Evidence) -> Part:
    words = f"{evidence.duplicates} of {evidence.pieces} pieces were here from another source."
    return Part("Own pieces", 0.1, 1 - evidence.duplicates / evidence.pieces, words)


def _use(evidence: Evidence) -> Part:
    """What editors make of it; a quarter in use is as good as any source gets."""
    words = f"Editors used {evidence.used} of the {evidence.decided} pieces they decided on."
    return Part("Use", 0.15, min(1.0, 4 * evidence.used / evidence.decided), words)


def _response(drawn: Sequence[Drawn]) -> Part:
    """What readers make of it: a doubling is worth a quarter, as much as a halving costs."""
    total = sum(each.weight for each in drawn)
    doublings = sum(each.weight * log2(each.times) for each in drawn)
    value = _USUAL + doublings / (total + _UNPROVEN) / 4
    times = 2 ** (doublings / total)
    many = f"{len(drawn)} stories" if len(drawn) > 1 else "One story"
    much = "the usual response" if 0.95 <= times < 1.05 else f"{times:.1f} times the usual response"
    words = f"{many} from this source drew {much}."
    return Part("Response", 0.15, max(0.0, min(1.0, value)), words)


def _span(time: timedelta) -> str:
    minutes = max(0, round(time.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{round(minutes / 60)} h"
    return f"{round(minutes / 1440)} days"
