"""One page that several sources bring: all items are kept, the later ones point to the first."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from articles import dedupe
from articles.lifecycle import Kind, State
from articles.models import Article

REMEMBERED = timedelta(days=14)
"""A page that comes back after so long is news again: its first item has left the wire."""


def mark(source_id: int, items: Collection[int], now: datetime) -> int:
    """Mark those of the source's new `items` as duplicates whose page another source brought first.

    How many. The same page is the same canonical address, http or https; a homepage is none.
    A page that one source has several items of (a live blog) is nobody's either.
    """
    new = _pages(Article.objects.filter(pk__in=items).only("canonical_url"))
    if not new:
        return 0
    firsts = _firsts(source_id, list(new), now)
    marked = [
        Article(pk=item.pk, duplicate_of_id=firsts[page])
        for page, of_page in new.items()
        if page in firsts and len(of_page) == 1
        for item in of_page
    ]
    Article.objects.bulk_update(marked, ["duplicate_of"])
    return len(marked)


def _firsts(source_id: int, pages: Sequence[str], now: datetime) -> dict[str, int]:
    """For each page the first item of another source, unless one of them has several."""
    spellings = [f"{scheme}://{page}{slash}" for page in pages for scheme in ("http", "https")
                 for slash in ("", "/")]  # fmt: skip
    there = (
        Article.objects.filter(
            kind=Kind.WIRE, canonical_url__in=spellings, created_at__gte=now - REMEMBERED
        )
        .exclude(source_id=source_id)
        .exclude(state=State.EXPIRED)
        .only("canonical_url", "source_id", "duplicate_of_id")
        .order_by("created_at", "pk")
    )
    firsts = {}
    for page, of_page in _pages(there).items():
        if len({item.source_id for item in of_page}) == len(of_page):
            firsts[page] = of_page[0].duplicate_of_id or of_page[0].pk
    return firsts


def _pages(items: Iterable[Article]) -> dict[str, list[Article]]:
    pages: dict[str, list[Article]] = {}
    for item in items:
        if page := dedupe.page(item.canonical_url):
            pages.setdefault(page, []).append(item)
    return pages
