"""Which wire items are about one event. Pure: values in, values out, no clock.

Every item is a vector of terms (`articles.terms`), weighed by how rare each term has been lately.
A new item is compared with those around it in time; it joins the event whose nearest items it is
like enough, or stays alone. Nothing is random, and nothing is downloaded: the same items in the
same order always make the same clusters.

The choices behind the numbers in `Rules` are told, with measurements, in docs/clusters.md.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from articles.terms import CODES, COLUMN_CODES, EVERYDAY_CODES, Shelf

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Truths = NDArray[np.bool_]

HOUR = 3600.0
_UNSEEN = 1000.0  # items of ordinary news that a desk is taken to have read before its first
_EVERYDAY_SHARE = 0.03  # of items that hold an everyday word
_COLUMN_SHARE = 0.08
_SLICE = 500_000  # terms that are worked on at a time, where copies are made of them
_FEW, _FEW_SHARE = 500, 0.01  # items, or their share, that hold a term which finds others


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes two items one event."""

    window: float = 96.0  # hours; items further apart are never compared
    alike: float = 0.24  # likeness from which an item joins
    title_part: float = 0.2  # of the likeness: the titles'; the rest is the whole piece's
    nearest: int = 4  # members of an event that are asked
    best_part: float = 0.5  # of an event's score: its nearest member's; the rest is their mean
    fading: float = 0.45  # part of the likeness that is lost over the window
    short_part: float = 0.35  # how far a long piece is measured by what a short one holds
    one_source: float = 0.7  # factor for two items of one source, which seldom repeats itself
    joining: float = 0.25  # likeness from which two events that a new item belongs to become one
    strangers: float = 0.75  # factor where both name names and not one of them is the same
    bare: float = (
        0.6  # factor where a title names nothing: “Morning briefing”, “Stocks close lower”
    )


@dataclass(frozen=True, slots=True)
class Items:
    """Items to be clustered or clustered already, in order of their dates."""

    ids: Integers
    moments: Floats  # seconds since 1970
    sources: Integers  # 0: not known
    clusters: Integers  # 0: none
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class Said:
    """What people have decided; it holds whatever the words are like."""

    settled: Mapping[int, int] = field(default_factory=dict)  # item → item whose event it shares
    barred: Mapping[int, Collection[int]] = field(default_factory=dict)  # item → not its clusters


@dataclass(frozen=True, slots=True)
class Placing:
    """Where an item belongs."""

    item: int
    beside: int  # an item of the event it joins; 0: it stands alone
    score: float = 0.0  # 0 to 1
    joined: tuple[int, ...] = ()  # an item each of other events that turn out to be the same


def place(
    known: Items, new: Items, said: Said | None = None, rules: Rules | None = None
) -> list[Placing]:
    """Where each of `new` belongs, in their order, among `known` and those of `new` before it."""
    if not len(new.ids):
        return []
    return list(_Table(known, new, said or Said(), rules or Rules()).placings())


def alike(one: Items, others: Items) -> list[float]:
    """How much each of `others` is like `one` item in words alone, 0 to 1."""
    table = _Table(others, one, Said(), Rules())
    rows = np.arange(table.known)
    cosines = table._cosines(table.known, rows, table._products(table.known, rows))
    return [float(each) for each in cosines]


class _Table:
    """The vectors of all items, and an index from the new ones' terms to the items that have them.

    Row numbers: the known items first, then the new ones.
    """

    def __init__(self, known: Items, new: Items, said: Said, rules: Rules) -> None:
        self.said, self.rules = said, rules
        self.known, self.all = len(known.ids), len(known.ids) + len(new.ids)
        self.ids = np.concatenate([known.ids, new.ids])
        self.moments = np.concatenate([known.moments, new.moments]) / HOUR
        self.sources = np.concatenate([known.sources, new.sources])
        self.clusters = np.concatenate([known.clusters, np.zeros(len(new.ids), np.int64)])
        self.shapes = np.concatenate([known.shelf.shapes, new.shelf.shapes])
        self.numbers = np.concatenate([known.shelf.numbers, new.shelf.numbers])
        self.row_of = {int(item): row for row, item in enumerate(self.ids)}
        self._group(known)
        self._weigh(known.shelf, new.shelf)

    def placings(self) -> Iterator[Placing]:
        for row in range(self.known, self.all):
            item, beside = int(self.ids[row]), self._settled(row)
            if beside >= 0:
                self._join(row, beside)
                yield Placing(item, int(self.ids[beside]), 1.0)
                continue
            near = self._near(row)
            if not near:
                yield Placing(item, 0)
                continue
            (score, rows), others = near[0], near[1:]
            self._join(row, rows[0])
            joined = [theirs[0] for _, theirs in others if self._are_one(rows, theirs)]
            for other in joined:
                self._merge(rows[0], other)
            yield Placing(
                item,
                int(self.ids[rows[0]]),
                round(score, 4),
                tuple(int(self.ids[other]) for other in joined),
            )

    def _group(self, known: Items) -> None:
        """Each row's event, as the row number of its first item here."""
        self.event = np.arange(self.all)
        self.members: dict[int, list[int]] = {}
        first: dict[int, int] = {}
        for row in np.flatnonzero(known.clusters).tolist():
            event = first.setdefault(int(known.clusters[row]), row)
            self.event[row] = event
            self.members.setdefault(event, []).append(row)

    def _weigh(self, known: Shelf, new: Shelf) -> None:
        codes = np.concatenate([known.codes, new.codes])
        in_title = np.concatenate([known.in_title, new.in_title])
        self.starts = np.concatenate([known.starts, known.starts[-1] + new.starts[1:]])
        counts = np.diff(self.starts)
        counted = np.zeros(CODES, np.int64)
        for at in range(0, len(codes), _SLICE):
            counted += np.bincount(codes[at : at + _SLICE], minlength=CODES)
        rarity = _rarity(counted, self.all)
        weights = np.concatenate([known.weights, new.weights])
        weights *= rarity[codes]
        rows = np.repeat(np.arange(self.all, dtype=np.int32), counts)
        self.norms = _norms(weights, rows, self.all)
        self.title_norms = _norms(weights[in_title], rows[in_title], self.all)
        names = np.concatenate([known.names, new.names])
        self.name_norms = _norms(weights[names], rows[names], self.all)
        telling = in_title & ~_ORDINARY_WORDS[codes]
        self.bare = np.bincount(rows[telling], minlength=self.all) == 0
        # Only what a new item holds is ever looked up, and of that only what is rare enough to
        # tell: the commonest words are in most items and make none of them likely.
        wanted = np.zeros(CODES, np.bool_)
        wanted[new.codes] = True
        wanted &= counted <= max(_FEW, self.all * _FEW_SHARE)
        chosen = np.flatnonzero(wanted[codes] & (weights > 0))
        chosen = chosen[np.argsort(codes[chosen], kind="stable")]
        self.listed, self.listed_rows = codes[chosen], rows[chosen]
        self.listed_weights = weights[chosen]
        self.codes, self.weights, self.in_title, self.names = codes, weights, in_title, names

    def _settled(self, row: int) -> int:
        """The row that a person's decision puts this one beside; -1 for none."""
        beside = self.row_of.get(self.said.settled.get(int(self.ids[row]), 0), -1)
        return beside if beside < self.known or beside < row else -1

    def _near(self, row: int) -> list[tuple[float, list[int]]]:
        """Score and nearest rows of each event that this row may belong to, the best first."""
        rows, likeness = self._like(row)
        barred = self.said.barred.get(int(self.ids[row]), ())
        found = []
        for event, scores in _by_event(self.event[rows], rows, likeness).items():
            score = self._score(event, [each for each, _ in scores])
            if score > self.rules.alike and not self._is_barred(event, barred):
                found.append((score, [each for _, each in scores[: self.rules.nearest]]))
        return sorted(found, key=lambda each: (-each[0], each[1]))

    def _like(self, row: int) -> tuple[Integers, Floats]:
        """Rows before this one that are somewhat like it, the likest first."""
        lowest = self.rules.alike * 0.3
        rows = self._candidates(row, lowest * 0.25)
        rows = rows[np.abs(self.moments[rows] - self.moments[row]) <= self.rules.window]
        likeness = self._judged(row, rows, self._products(row, rows))
        order = np.lexsort((self.ids[rows], -likeness))
        order = order[likeness[order] > lowest]
        return rows[order], likeness[order]

    def _span(self, row: int) -> slice:
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def _candidates(self, row: int, least: float) -> Integers:
        """Rows before this one that share enough of its rarer terms to be looked at closely."""
        own = self._span(row)
        codes, weights = self.codes[own], self.weights[own]
        lows = np.searchsorted(self.listed, codes, "left").tolist()
        highs = np.searchsorted(self.listed, codes, "right").tolist()
        spans = [slice(low, high) for low, high in zip(lows, highs, strict=True)]
        rows = np.concatenate([self.listed_rows[:0], *(self.listed_rows[span] for span in spans)])
        factors = [
            weight * self.listed_weights[span] for weight, span in zip(weights, spans, strict=True)
        ]
        sums = _sums(rows, np.concatenate([weights[:0], *factors]), self.all)
        floor = least * self.norms[row] * np.minimum(self.norms, self.norms[row])
        found = np.flatnonzero(sums > floor)
        return found[found < row]

    def _products(self, row: int, rows: Integers) -> "_Products":
        """The row's products with each of `rows`."""
        own = self._span(row)
        counts = self.starts[rows + 1] - self.starts[rows]
        which = np.repeat(np.arange(len(rows)), counts)
        at = np.arange(len(which)) + np.repeat(
            self.starts[rows] - np.cumsum(counts) + counts, counts
        )
        place = np.searchsorted(self.codes[own], self.codes[at])
        place = np.minimum(place, max(0, own.stop - own.start - 1)) + own.start
        shared = self.codes[place] == self.codes[at] if own.stop > own.start else at < 0
        which, at, place = which[shared], at[shared], place[shared]
        factors = self.weights[place] * self.weights[at]
        titles = self.in_title[place] & self.in_title[at]
        names = self.names[place] & self.names[at]
        return _Products(
            _sums(which, factors, len(rows)),
            _sums(which[titles], factors[titles], len(rows)),
            _sums(which[names], factors[names], len(rows)),
        )

    def _judged(self, row: int, rows: Integers, products: "_Products") -> Floats:
        """The likeness of a row to `rows`, given their products: words, time, source, columns."""
        rules = self.rules
        apart = np.abs(self.moments[rows] - self.moments[row])
        likeness: Floats = self._cosines(row, rows, products)
        likeness = likeness * (1 - rules.fading * np.minimum(1.0, apart / rules.window))
        same = (self.sources[rows] == self.sources[row]) & (self.sources[row] > 0)
        likeness = np.where(same, likeness * rules.one_source, likeness)
        bare = self.bare[rows] | self.bare[row]
        likeness = np.where(bare, likeness * rules.bare, likeness)
        named = (self.name_norms[rows] > 0) & (self.name_norms[row] > 0)
        likeness = np.where(named & (products.names <= 0), likeness * rules.strangers, likeness)
        likeness[self._is_series(row, rows, same, apart)] = 0.0
        return likeness

    def _cosines(self, row: int, rows: Integers, products: "_Products") -> Floats:
        rules = self.rules
        own, theirs = self.norms[row], self.norms[rows]
        shorter, longer = np.minimum(own, theirs), np.maximum(own, theirs)
        scale = shorter * (shorter**rules.short_part * longer ** (1 - rules.short_part))
        text = products.whole / np.maximum(scale, 1e-9)
        scale = self.title_norms[row] * self.title_norms[rows]
        title = products.titles / np.maximum(scale, 1e-9)
        cosines: Floats = (1 - rules.title_part) * text + rules.title_part * title
        return cosines.clip(max=1.0)

    def _is_series(self, row: int, rows: Integers, same: Truths, apart: Floats) -> Truths:
        """Which rows are other numbers of a column that this one belongs to.

        A column's headline recurs at its source: with another date or number in it, or word for
        word on another day.
        """
        recurs = (self.shapes[rows] == self.shapes[row]) & same & (self.shapes[row] > 0)
        series: Truths = recurs & ((self.numbers[rows] != self.numbers[row]) | (apart > 10))
        return series

    def _score(self, event: int, scores: Sequence[float]) -> float:
        """How much a row is like an event: like its nearest, and like some more of it."""
        rules = self.rules
        members = self.members.get(event)
        near = len(members) if members else 1
        asked = min(rules.nearest, max(near, len(scores)))
        mean = sum(scores[:asked]) / asked
        return rules.best_part * scores[0] + (1 - rules.best_part) * mean

    def _is_barred(self, event: int, barred: Collection[int]) -> bool:
        return bool(barred) and int(self.clusters[event]) in barred

    def _are_one(self, rows: Sequence[int], others: Sequence[int]) -> bool:
        """Whether two events that both are like a new item are also like each other."""
        if self.event[rows[0]] == self.event[others[0]]:
            return False
        theirs = np.array(others)
        pairs = [self._judged(row, theirs, self._products(row, theirs)) for row in rows]
        return float(np.mean(pairs)) >= self.rules.joining

    def _merge(self, beside: int, other: int) -> None:
        event, old = int(self.event[beside]), int(self.event[other])
        moved = self.members.pop(old, [old])
        self.event[moved] = event
        self.members.setdefault(event, [event]).extend(moved)

    def _join(self, row: int, beside: int) -> None:
        event = int(self.event[beside])
        self.event[row] = event
        self.members.setdefault(event, [event]).append(row)


@dataclass(frozen=True, slots=True)
class _Products:
    """The products of one row with others: of all their terms, of those in titles, of names."""

    whole: Floats
    titles: Floats
    names: Floats


def _by_event(
    events: Integers, rows: Integers, likeness: Floats
) -> dict[int, list[tuple[float, int]]]:
    """Likeness and row of the items of each event, as they come: the likest first."""
    found: dict[int, list[tuple[float, int]]] = {}
    for event, row, score in zip(events.tolist(), rows.tolist(), likeness.tolist(), strict=True):
        found.setdefault(event, []).append((score, row))
    return found


def _rarity(counted: Integers, items: int) -> Floats:
    """The weight of every code, of which so many items hold it: the logarithm of how few.

    The items read are joined by `_UNSEEN` ordinary ones, so that a desk's first hundred items
    are weighed nearly as its first hundred thousand, and one large event doesn't make its own
    words look common.
    """
    holding = counted.astype(np.float32) + _ORDINARY
    rarity: Floats = np.log((items + _UNSEEN) / holding).astype(np.float32)
    return np.maximum(rarity, 0.0)


def _ordinary() -> Floats:
    shares = np.full(CODES, 0.5 / _UNSEEN, np.float32)
    shares[EVERYDAY_CODES] = _EVERYDAY_SHARE
    shares[COLUMN_CODES] = _COLUMN_SHARE
    return shares * np.float32(_UNSEEN)


_ORDINARY = _ordinary()
_ORDINARY_WORDS = _ORDINARY > 1


def _sums(rows: Integers, factors: Floats, many: int) -> Floats:
    return np.bincount(rows, factors, many).astype(np.float64, copy=False)


def _norms(weights: Floats, rows: Integers, items: int) -> Floats:
    squares = np.zeros(items)
    for at in range(0, len(rows), _SLICE):  # bincount copies what it gets into eight bytes each
        part = slice(at, at + _SLICE)
        low = int(rows[at])
        sums = np.bincount(rows[part] - low, np.square(weights[part], dtype=np.float64))
        squares[low : low + len(sums)] += sums
    return np.sqrt(squares)
