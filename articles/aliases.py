"""The alias table: what a source's items are known by. Read for a delivery, and taught by it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Count

from articles import dedupe, identity, record
from articles.canonical import host_of
from articles.dedupe import Candidate, Match
from articles.models import Article, ItemAlias
from articles.record import Actor
from articles.wire import WireCopy

_MOST_CANDIDATES = 1000  # recent items that a piece under a new id is compared with
_CANDIDATES = """
SELECT id, title, canonical_url, published_at FROM articles
WHERE kind = 'wire' AND source_id = %(source)s
"""
_OF_THEIR_DAYS = f"""{_CANDIDATES} AND published_at BETWEEN %(since)s AND %(until)s
ORDER BY published_at DESC LIMIT %(most)s
"""
_THESE = f"{_CANDIDATES} AND id = ANY(%(items)s)"
_MOST_OF_ONE = 20  # aliases of an item; a source that invents ids for each sync gets no more


def look_up(source_id: int, keys: Iterable[str]) -> tuple[dict[str, int], set[str]]:
    """Items by those of `keys` that name one, and the keys that stand for several pieces."""
    by_key: dict[str, int] = {}
    nobodys: set[str] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, item_id FROM item_aliases WHERE source_id = %s AND key = ANY(%s)",
            [source_id, list(keys)],
        )
        for key, item in cursor.fetchall():
            if item is None:
                nobodys.add(key)
            else:
                by_key[key] = item
    return by_key, nobodys


def candidates(
    source_id: int, pieces: Iterable[WireCopy], items: Collection[int], now: datetime
) -> list[Candidate]:
    """The source's items that `pieces` may turn out to be: `items`, and those of their days."""
    dates = [copy.dated(now) for copy in pieces if not copy.firm_id]
    if not dates:
        return []
    asked: dict[str, int | datetime] = {
        "source": source_id, "since": min(dates) - dedupe.WITHIN,
        "until": max(dates) + dedupe.WITHIN, "most": _MOST_CANDIDATES,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_OF_THEIR_DAYS, asked)
        rows = cursor.fetchall()
        if older := set(items).difference(row[0] for row in rows):
            cursor.execute(_THESE, {"source": source_id, "items": list(older)})
            rows += cursor.fetchall()
    return [
        Candidate(pk, title, host_of(address), published_at or now)
        for pk, title, address, published_at in rows
    ]


def learn(source_id: int, learnt: Mapping[str, int | None]) -> None:
    """Store what `dedupe.aliases` found: keys of items, and keys that are nobody's."""
    if not learnt:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO item_aliases (source_id, key, item_id) "
            "SELECT %s, key, item FROM unnest(%s::text[], %s::bigint[]) AS learnt (key, item) "
            "ON CONFLICT (source_id, key) DO UPDATE SET item_id = excluded.item_id",
            [source_id, list(learnt), list(learnt.values())],
        )


def note_new_ids(
    items: Mapping[str, Article], matches: Mapping[str, Match], learnt: dict[str, int | None]
) -> None:
    """Put on the record which items came under another id; `items` are by that id.

    An item has its most aliases at some time: then its new id is taken out of `learnt`, and the
    item goes on being recognised by what else is known of it.
    """
    renamed = {name: item for name, item in items.items() if item.external_id != name}
    if not renamed:
        return
    many = dict(
        ItemAlias.objects.filter(item__in=[item.pk for item in renamed.values()])
        .values_list("item_id")
        .annotate(Count("key"))
    )
    for name, item in renamed.items():
        key = identity.own_key(name)
        if key not in learnt:
            continue
        if many.get(item.pk, 0) >= _MOST_OF_ONE:
            del learnt[key]
            continue
        how = matches[name]
        record.note(
            item, "id_changed", Actor.desk(), reason=f"Recognised by {how.by}",
            data={"from": item.external_id, "to": name, "likeness": how.likeness},
        )  # fmt: skip
