"""When two pieces are one: within a delivery, and between a delivery and what is stored. Pure.

A piece has up to three keys, tried in this order: its source's own id, its address, and a digest
of its title and date. Each can lie. Sources give one id to all their pieces, a new id to an old
piece, one link (their homepage, a live blog) to many. So a key that stands for several pieces of
a source names none of them, now and later (`Known.nobodys`), and a piece whose id is new is taken
for an old one only if the old one has gone from the delivery.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rapidfuzz import fuzz, process

from articles.canonical import canonical_url, host_of
from articles.clean import strip_invisible
from articles.identity import (
    ALIKE,
    Keys,
    address_key,
    another_text,
    id_spelling,
    key,
    likeness,
    own_key,
    plainly,
)  # fmt: skip
from articles.wire import WireCopy

WITHIN = timedelta(days=2)
"""So far apart, at most, are the dates of a piece and of itself under another id."""
LONGEST_ID = 700  # characters, as the column


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a source sent, each piece once."""

    pieces: dict[str, WireCopy]  # by the id to store it under
    duplicate: int = 0  # came more than once in this delivery
    rejected: tuple[tuple[str, str], ...] = ()  # external id (its beginning), why
    shared: frozenset[str] = frozenset()  # keys of ids that several different pieces bear
    warnings: tuple[str, ...] = ()

    def of(self, pieces: dict[str, WireCopy]) -> "Delivery":
        """The same delivery with these pieces left; those that have gone were duplicates."""
        gone = len(self.pieces) - len(pieces)
        return replace(self, pieces=pieces, duplicate=self.duplicate + gone)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored item that a piece may turn out to be."""

    pk: int
    title: str
    host: str  # of its canonical address
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the source, as far as it may matter to a delivery."""

    by_id: Mapping[str, int] = field(default_factory=dict)  # external id → item
    by_key: Mapping[str, int] = field(default_factory=dict)  # alias → item
    nobodys: Collection[str] = frozenset()  # keys that stand for several pieces
    candidates: Sequence[Candidate] = ()  # items under `by_key`, and the recent ones


@dataclass(frozen=True, slots=True)
class Match:
    """Which stored item a piece is, and by what it was recognised."""

    item: int
    by: str  # id, address, title and date, title
    likeness: float = 1.0  # of the titles, 0 to 1, where they decided


def sort_out(copies: Iterable[WireCopy]) -> Delivery:
    """Each piece of a delivery once, whatever the order they came in.

    Of several versions of one piece the latest stays. Where different pieces bear one id, the id
    is worth nothing: each goes by its next key instead, and a warning says so.
    """
    groups, rejected = _by_own_id(copies)
    lying = {own for own, group in groups.items() if len(group) > 1 and not _are_one(group)}
    shared_links = _shared_links(groups, lying) if lying else ()
    pieces: dict[str, WireCopy] = {}
    duplicate = 0
    for own, group in groups.items():
        if own in lying:
            parts = _by_next_key(group, shared_links)
        else:
            latest = max(group, key=_version) if group[1:] else group[0]
            parts = {latest.external_id: group}
        for external_id, versions in parts.items():
            if external_id in pieces:
                versions = [*versions, pieces[external_id]]
            duplicate += len(versions) - 1
            pieces[external_id] = max(versions, key=_version) if versions[1:] else versions[0]
    shared = frozenset(own_key(own) for own in lying)
    warnings = _warned(shared, sum(len(groups[own]) for own in lying))
    return Delivery(pieces, duplicate, tuple(rejected), shared, warnings)


def shared_keys(found: Mapping[str, Keys]) -> set[str]:
    """Addresses and digests that more than one piece of a delivery has."""
    seen: set[str] = set()
    twice: set[str] = set()
    for its in found.values():
        for each in (its.address, its.told):
            (twice if each in seen else seen).add(each)
    return twice - {""}


def renamed(
    pieces: Mapping[str, WireCopy],
    nobodys: Collection[str],
    *,
    taken: Collection[str],
    besides: Collection[str],
) -> dict[str, WireCopy]:
    """`pieces`, those whose name has been found to be nobody's under their next key instead.

    `taken` are addresses that are no name for a new piece, known or shared. A piece that is among
    `pieces` or `besides` by its next key already is left out.
    """
    lying = {name for name, copy in pieces.items() if _is_nobodys(name, copy, nobodys)}
    found = {name: copy for name, copy in pieces.items() if name not in lying}
    for old in sorted(lying):
        (name,) = _by_next_key([pieces[old]], taken)
        if name not in found and name not in besides:
            found[name] = pieces[old]
    return found


def _is_nobodys(name: str, copy: WireCopy, nobodys: Collection[str]) -> bool:
    if not nobodys or copy.firm_id:  # a firm id stands, whatever else once bore it
        return False
    return own_key(name) in nobodys or (
        name != copy.external_id and address_key(copy.url) in nobodys
    )


def _shared_links(groups: Mapping[str, Sequence[WireCopy]], lying: Collection[str]) -> set[str]:
    """Addresses that pieces of several ids have, or different pieces of one id."""
    seen: set[str] = set()
    twice: set[str] = set()
    for own, group in groups.items():
        for address in {address_key(copy.url) for copy in group}:
            here = [copy for copy in group if address_key(copy.url) == address]
            if address in seen or (own in lying and not _are_one(here)):
                twice.add(address)
            seen.add(address)
    return twice


def aliases(
    found: Mapping[str, Keys],
    items: Mapping[str, tuple[int, str]],
    known: Known,
    shared: Collection[str],
) -> dict[str, int | None]:
    """What the alias table has to learn: key → item, or None for a key that is nobody's.

    `found` are the pieces' keys, `items` the stored item of each with its external id.
    """
    learnt: dict[str, int | None] = {}
    for name in sorted(items):
        item, external_id = items[name]
        for each in found[name].all():
            if each in known.nobodys or known.by_key.get(each) == item:
                continue
            if each in shared:
                learnt[each] = None
            elif each == found[name].own:
                if external_id != name or id_spelling(name) != name:
                    learnt[each] = item
            elif each in known.by_key or each in learnt:
                learnt[each] = None  # another piece has it, too: from now on it names neither
            else:
                learnt[each] = item
    return learnt


def match(
    pieces: Mapping[str, WireCopy],
    found: Mapping[str, Keys],
    known: Known,
    *,
    present: Collection[int],
    shared: Collection[str],
    now: datetime,
) -> dict[str, Match]:
    """Which of `pieces` are stored items; those that are missing from the answer are new.

    `pieces` and their keys `found` are by the id they would be stored under; `present` are the
    items that this delivery holds besides, `shared` keys that several of its pieces have. Every
    item is at most one piece, and the order of `pieces` doesn't matter.
    """
    nobodys = {*shared, *known.nobodys}
    matches = _by_id(pieces, found, known, nobodys, set(present))
    gone = {each.pk: each for each in known.candidates}
    for taken in [*present, *(each.item for each in matches.values())]:
        gone.pop(taken, None)
    left = {name: pieces[name] for name in sorted(pieces) if name not in matches}
    loose = {name: copy for name, copy in left.items() if not copy.firm_id}
    for by in ("address", "title and date"):
        for name, copy in list(loose.items()):
            its = found[name].address if by == "address" else found[name].told
            item = known.by_key.get(its, 0)
            if not its or its in nobodys or item not in gone:
                continue
            late_is_fine = by != "address" or name != copy.external_id or _is_address(copy)
            if not late_is_fine and not _near(copy, gone[item], now):
                continue
            matches[name] = Match(item, by)
            del gone[item], loose[name]
    return matches | _by_title(loose, list(gone.values()), now)


def holds(found: Match, copy: WireCopy, title: str, content: str) -> bool:
    """Whether a match survives a look at the stored item's `title` and `content`.

    Two days' “Morning briefing” and two entries of a live blog have a title or a link in common,
    but no text. What is too short to tell holds.
    """
    if found.by not in ("address", "title"):
        return True
    if found.by == "address" and likeness(copy.title, title) >= ALIKE:
        return True
    return not another_text(copy.content or copy.summary, content)


def _by_id(
    pieces: Mapping[str, WireCopy],
    found: Mapping[str, Keys],
    known: Known,
    nobodys: Collection[str],
    taken: set[int],
) -> dict[str, Match]:
    """Exact ids first, then ids spelt or given differently before.

    An exact id always holds: what is nobody's goes by another name already (`renamed`).
    """
    own = {
        name: known.by_key.get(found[name].own, 0)
        for name, copy in pieces.items()
        if copy.external_id == name and found[name].own not in nobodys
    }
    matches: dict[str, Match] = {}
    for items in (known.by_id, own):
        for name in sorted(pieces):
            item = items.get(name, 0)
            if item and item not in taken and name not in matches:
                matches[name] = Match(item, "id")
                taken.add(item)
    return matches


def _by_title(
    loose: Mapping[str, WireCopy], gone: Sequence[Candidate], now: datetime
) -> dict[str, Match]:
    """Headlines alike within two days, the likest pairs first."""
    if not loose or not gone:
        return {}
    names = list(loose)
    scores = process.cdist(
        [plainly(loose[name].title) for name in names],
        [plainly(each.title) for each in gone],
        scorer=fuzz.ratio,
        score_cutoff=100 * ALIKE,
    )
    pairs = sorted(
        (-float(scores[row, column]), names[row], gone[column].pk, column)
        for row, column in zip(*scores.nonzero(), strict=True)
    )
    matches: dict[str, Match] = {}
    taken: set[int] = set()
    for minus_score, name, item, column in pairs:
        copy, old = loose[name], gone[column]
        if name in matches or item in taken or not _may_be(copy, old, now):
            continue
        if likeness(copy.title, old.title) >= ALIKE:
            matches[name] = Match(item, "title", round(-minus_score / 100, 2))
            taken.add(item)
    return matches


def _may_be(copy: WireCopy, old: Candidate, now: datetime) -> bool:
    """Near enough in time, and not at another site."""
    host = host_of(canonical_url(copy.url))
    return _near(copy, old, now) and not (host and old.host and host != old.host)


def _near(copy: WireCopy, old: Candidate, now: datetime) -> bool:
    return abs(copy.dated(now) - old.published_at) <= WITHIN


def _is_address(copy: WireCopy) -> bool:
    """Whether the address is all the id that the piece has: its source gives no other."""
    return address_key(copy.external_id) == address_key(copy.url) != ""


def _by_own_id(
    copies: Iterable[WireCopy],
) -> tuple[dict[str, list[WireCopy]], list[tuple[str, str]]]:
    groups: dict[str, list[WireCopy]] = {}
    rejected: list[tuple[str, str]] = []
    for copy in copies:
        own = strip_invisible(copy.external_id)
        if not own or len(own) > LONGEST_ID:
            rejected.append((own[:100], "no usable identity"))
        elif not (copy.title.strip() or copy.content.strip() or copy.summary.strip()):
            rejected.append((own, "neither title nor text"))
        else:
            whole = copy if own == copy.external_id else replace(copy, external_id=own)
            groups.setdefault(id_spelling(own), []).append(whole)
    return groups, rejected


def _are_one(group: Sequence[WireCopy]) -> bool:
    """Whether the bearers of one id are versions of one piece: one link, one headline."""
    if any(copy.firm_id for copy in group):
        return True
    first = min(group, key=_version)
    address, headline = address_key(first.url), _headline(first)
    return all(
        address_key(other.url) == address
        and (_headline(other) == headline or likeness(_headline(other), headline) >= ALIKE)
        for other in group
    )


def _headline(copy: WireCopy) -> str:
    """The title; of an untitled post its beginning."""
    return copy.title.strip() or (copy.content or copy.summary)[:200]


def _by_next_key(group: Sequence[WireCopy], shared: Collection[str]) -> dict[str, list[WireCopy]]:
    """Different pieces under one id: by their address where it is their own, else by title."""
    at: dict[str, list[WireCopy]] = {}
    for copy in group:
        at.setdefault(address_key(copy.url), []).append(copy)
    found: dict[str, list[WireCopy]] = {}
    for address, copies in at.items():
        if address and address not in shared and _are_one(copies):
            link = canonical_url(copies[0].url)
            name = link if len(link) <= LONGEST_ID else address
            found.setdefault(name, []).extend(copies)
            continue
        for copy in copies:
            told = f"{_headline(copy)}\n{copy.published_at or ''}"
            found.setdefault(key("told", told), []).append(copy)
    return found


def _version(copy: WireCopy) -> tuple[float, str, str, bool]:
    """Later versions are larger; without dates at least always the same one is."""
    moment = copy.updated_at or copy.published_at
    latest = moment.timestamp() if moment else float("-inf")
    return latest, copy.fingerprint(), copy.external_id, copy.firm_id


def _warned(shared: Collection[str], pieces: int) -> tuple[str, ...]:
    if not shared:
        return ()
    return (
        f"{pieces} different pieces share {len(shared)} id{'s' * (len(shared) > 1)}: the desk "
        "tells them apart by their links, or by title and date.",
    )
