"""One page that several sources bring: all items are kept, the later ones point to the first."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from articles import identity
from articles.lifecycle import Kind, State
from articles.models import Article

T = TypeVar("T")
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
    there = (
        Article.objects.filter(
            kind=Kind.WIRE, canonical_url__in=spellings, created_at__gte=now - REMEMBERED
        )
        .exclude(source_id=source_id)
        .exclude(state=State.EXPIRED)
        .order_by("created_at", "pk")
        .values_list("canonical_url", "source_id", "pk", "duplicate_of_id")
    )
    firsts = {}
    for page, of_page in _by_page((row[0], row[1:]) for row in there).items():
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
