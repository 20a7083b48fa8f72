"""One page that several sources bring: all items are kept, the later ones point to the first."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection

from articles import identity
from articles.models import Article

T = TypeVar("T")
_THERE = """
SELECT canonical_url, source_id, id, duplicate_of_id FROM articles
WHERE kind = 'wire' AND canonical_url = ANY(%s) AND created_at >= %s
    AND source_id IS DISTINCT FROM %s AND state <> 'expired'
ORDER BY created_at, id
"""
REMEMBERED = timedelta(days=14)
"""A page that comes back after so long is news again: its first item has left the wire."""


def mark(source_id: int, new: Mapping[int, str], now: datetime) -> int:
    """Mark those of a source's `new` items as duplicates whose page another source brought first.

    `new` maps items to their canonical addresses. Returns how many were marked. The same page is
    the same address, http or https; a homepage is none, and a page that one source has several
    items of (a live blog) is nobody's either.
    """
    pages = _by_page((address, item) for item, address in new.items())
    firsts = _firsts(source_id, pages, now)
    marked = [
        Article(pk=of_page[0], duplicate_of_id=firsts[page])
        for page, of_page in pages.items()
        if page in firsts and len(of_page) == 1
    ]
    Article.objects.bulk_update(marked, ["duplicate_of"])
    return len(marked)


def _firsts(source_id: int, pages: Iterable[str], now: datetime) -> dict[str, int]:
    """For each page the first item of another source, unless one of them has several."""
    spellings = [
        f"{scheme}://{page}{slash}"
        for page in pages
        for scheme in ("http", "https")
        for slash in ("", "/")
    ]
    if not spellings:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_THERE, [spellings, now - REMEMBERED, source_id])
        there = [(address, tuple(rest)) for address, *rest in cursor.fetchall()]
    firsts = {}
    for page, of_page in _by_page(there).items():
        if len({source for source, _, _ in of_page}) == len(of_page):
            _, item, first = of_page[0]
            firsts[page] = first or item
    return firsts


def _by_page(found: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    pages: dict[str, list[T]] = {}
    for address, each in found:
        if page := identity.page(address):
            pages.setdefault(page, []).append(each)
    return pages
