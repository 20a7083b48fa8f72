"""Filing what a source sent: one transaction, and one upsert for a whole sync.

A delivery of known, unchanged pieces costs one look-up and a fingerprint each. Everything dearer
(cleaning, recognising pieces under another id, keeping former texts) is for the others only.
Which piece is which item is decided in `articles.dedupe`; here it is looked up and carried out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import orjson
from django.db import connection, transaction
from django.utils import timezone

from articles import (
    aliases,
    clustering,
    copies_elsewhere,
    dedupe,
    full_text,
    identity,
    origins,
    rulebook,
)  # fmt: skip
from articles.dedupe import Delivery, Known
from articles.fair_copy import FairCopy, fair_copy
from articles.lifecycle import Kind, State
from articles.models import Article
from articles.wire import WireCopy

_LOCKS = 0x696E746B  # our advisory locks of intake: this and the source's number


@dataclass(frozen=True, slots=True)
class Filed:
    """What one sync brought."""

    new: int = 0
    updated: int = 0  # rewritten
    same: int = 0
    duplicate: int = 0  # twice in this delivery, or new here but another source's already
    rejected: tuple[tuple[str, str], ...] = ()  # external id, why it can't be filed
    warnings: tuple[str, ...] = ()  # about the source's ids, for its administrator
    new_items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawer:
    """Where new items are put."""

    source_id: int
    section: str = ""
    backfilled: bool = False


def file(
    source_id: int,
    copies: Iterable[WireCopy],
    *,
    section: str = "",
    backfilled: bool = False,
) -> Filed:
    """Store what a source sent; new pieces appear on the wire, changed ones keep their old text.

    All or nothing: an error leaves no piece half stored. A piece without identity or title is
    rejected and named. `backfilled` marks new items as old ones that were fetched on request.
    """
    delivery = dedupe.sort_out(copies)
    with transaction.atomic():
        present, unsure = _compared(source_id, delivery.pieces)
        if not unsure:
            return _filed(delivery)
        drawer = Drawer(source_id, section, backfilled)
        return _file_unsure(drawer, delivery, present, unsure, timezone.now())


def known(source_id: int, copies: Iterable[WireCopy]) -> int:
    """How many of `copies` the source has brought before, by their ids. Stores nothing."""
    return len(_by_id(source_id, list(dedupe.sort_out(copies).pieces)))


def _compared(
    source_id: int, pieces: Mapping[str, WireCopy]
) -> tuple[set[int], dict[str, WireCopy]]:
    """The items that came as they are stored, and the pieces that did not."""
    stored = _by_id(source_id, list(pieces))
    present: set[int] = set()
    unsure: dict[str, WireCopy] = {}
    for name, copy in pieces.items():
        item, raw_hash = stored.get(name, (0, ""))
        if item and raw_hash == copy.fingerprint():
            present.add(item)
        else:
            unsure[name] = copy
    return present, unsure


def _by_id(source_id: int, names: list[str]) -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, id, raw_hash FROM articles "
            "WHERE kind = 'wire' AND source_id = %s AND external_id = ANY(%s)",
            [source_id, names],
        )
        return {name: (item, raw_hash) for name, item, raw_hash in cursor.fetchall()}


def _file_unsure(
    drawer: Drawer,
    delivery: Delivery,
    present: Collection[int],
    unsure: Mapping[str, WireCopy],
    now: datetime,
) -> Filed:
    """File new, changed and newly named pieces; one delivery of a source at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, drawer.source_id % 2**31])
    keys = {name: identity.keys(copy) for name, copy in delivery.pieces.items()}
    by_key, nobodys = aliases.look_up(
        drawer.source_id, [key for name in unsure for key in keys[name].all()]
    )
    others = {name: copy for name, copy in delivery.pieces.items() if name not in unsure}
    taken = {*nobodys, *by_key, *dedupe.shared_keys(keys)}
    pieces = dedupe.renamed(unsure, nobodys, taken=taken, besides=others)
    if pieces != unsure:
        delivery = delivery.of({**others, **pieces})
        keys = {name: identity.keys(copy) for name, copy in delivery.pieces.items()}
    shared = {*delivery.shared, *dedupe.shared_keys(keys)}
    by_id = {name: item for name, (item, _) in _by_id(drawer.source_id, list(pieces)).items()}
    candidates = aliases.candidates(drawer.source_id, pieces.values(), by_key.values(), now)
    stored = Known(by_id, by_key, nobodys, candidates)
    matches = dedupe.match(pieces, keys, stored, present=present, shared=shared, now=now)

    items = {
        name: item
        for name, item in _locked(matches, pieces).items()
        if dedupe.holds(matches[name], pieces[name], item.title, item.content)
    }
    rows = _fair_copies(pieces, items, now)
    former = {item.pk: item for item in items.values()}
    rewritten = origins.keep_former_texts(
        {items[name].pk: row for name, row in rows.items() if name in items}, former
    )
    new = _upsert(drawer, list(rows.values()), now)
    named = {name: (item.pk, item.external_id) for name, item in items.items()}
    named |= {name: (new[name], name) for name in pieces if name not in items}
    learnt = dedupe.aliases(keys, named, stored, shared)
    aliases.note_new_ids(items, matches, learnt)
    aliases.learn(drawer.source_id, learnt)
    pages = {item: rows[name].canonical_url for name, item in new.items()}
    elsewhere = copies_elsewhere.mark(drawer.source_id, pages, now)
    rulebook.at_intake(drawer.source_id, list(new.values()), now)
    clustering.ring()
    return _filed(delivery, list(new.values()), len(rewritten), elsewhere)


def _filed(
    delivery: Delivery, new: Sequence[int] = (), updated: int = 0, elsewhere: int = 0
) -> Filed:
    return Filed(
        new=len(new),
        updated=updated,
        same=len(delivery.pieces) - len(new) - updated,
        duplicate=delivery.duplicate + elsewhere,
        rejected=delivery.rejected,
        warnings=delivery.warnings,
        new_items=tuple(new),
    )


def _locked(
    matches: Mapping[str, dedupe.Match], pieces: Mapping[str, WireCopy]
) -> dict[str, Article]:
    """The stored items of `pieces`, held until the delivery is filed."""
    if not matches:
        return {}
    rows = Article.objects.select_for_update().filter(pk__in=[m.item for m in matches.values()])
    found = {item.pk: item for item in rows.defer("search").order_by("pk")}
    return {name: found[matches[name].item] for name in pieces if name in matches}


def _fair_copies(
    pieces: dict[str, WireCopy], items: Mapping[str, Article], now: datetime
) -> dict[str, FairCopy]:
    """What is to be written: every new piece, and those that differ from their item.

    Newest last, so that the newest has the highest number and stands on top of the wire; of one
    date that which the source put first.
    """
    rows: dict[str, FairCopy] = {}
    oldest_first = list(reversed(pieces.items()))
    oldest_first.sort(key=lambda each: each[1].dated(now))
    for name, copy in oldest_first:
        item = items.get(name)
        if item is None:
            rows[name] = fair_copy(copy, name, now)
        elif item.raw_hash != copy.fingerprint():
            row = fair_copy(copy, item.external_id, now)
            # The desk's own tags (a rule's) stay beside the source's.
            row = replace(row, tags=list(dict.fromkeys([*row.tags, *item.tags])))
            rows[name] = full_text.kept(item, row)
    return rows


_COLUMNS = {
    "external_id": "text",
    "title": "text",
    "summary": "text",
    "content": "text",
    "url": "text",
    "canonical_url": "text",
    "language": "text",
    "authors": "jsonb",
    "tags": "jsonb",
    "metadata": "jsonb",
    "raw_hash": "text",
    "published_at": "timestamptz",
}
_UPSERT = """
INSERT INTO articles (
    kind, state, version, source_id, section, slugline, urgency, distribution, created_at,
    updated_at, backfilled, external_id, title, summary, content, url, canonical_url, language,
    authors, tags, metadata, raw_hash, published_at
)
SELECT %(kind)s, %(state)s, 1, %(source)s, %(section)s, '', 5, 'none', %(now)s, %(now)s,
    %(backfilled)s, row.external_id, row.title, row.summary, row.content, row.url,
    row.canonical_url, row.language, ARRAY(SELECT jsonb_array_elements_text(row.authors)),
    ARRAY(SELECT jsonb_array_elements_text(row.tags)), row.metadata, row.raw_hash,
    row.published_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row({columns})
ON CONFLICT (source_id, external_id) WHERE kind = 'wire' DO UPDATE SET
    version = articles.version + CASE
        WHEN (articles.title, articles.summary, articles.content)
            IS DISTINCT FROM (excluded.title, excluded.summary, excluded.content)
        THEN 1 ELSE 0 END,
    clustered_at = CASE
        WHEN (articles.title, articles.summary, articles.content)
            IS DISTINCT FROM (excluded.title, excluded.summary, excluded.content)
        THEN NULL ELSE articles.clustered_at END,
    updated_at = excluded.updated_at, title = excluded.title,
    summary = excluded.summary, content = excluded.content, url = excluded.url,
    canonical_url = excluded.canonical_url, language = excluded.language,
    authors = excluded.authors, tags = excluded.tags, metadata = excluded.metadata,
    raw_hash = excluded.raw_hash
RETURNING external_id, id, (xmax = 0) AS is_new
"""


def _upsert(drawer: Drawer, rows: Sequence[FairCopy], now: datetime) -> dict[str, int]:
    """Write all in one statement; the new items by their external ids."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT.format(columns=", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())),
            {
                "kind": Kind.WIRE.value,
                "state": State.NEW.value,
                "source": drawer.source_id,
                "section": drawer.section,
                "backfilled": drawer.backfilled,
                "now": now,
                "rows": orjson.dumps([_as_json(row) for row in rows]).decode(),
            },
        )
        return {name: item for name, item, is_new in cursor.fetchall() if is_new}


def _as_json(row: FairCopy) -> dict[str, object]:
    return {each.name: getattr(row, each.name) for each in fields(row)}
