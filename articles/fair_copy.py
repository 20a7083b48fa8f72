"""A wire copy written fair: cleaned, cut and fit for storing. Pure.

This is the costly part of intake, so it is done once for each new or rewritten piece and never
for a known one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from articles.canonical import canonical_url
from articles.clean import clean_html, one_line, strip_invisible
from articles.wire import WireCopy


@dataclass(frozen=True, slots=True)
class FairCopy:
    """A piece as it is stored. Text is safe to show; every value fits its column."""

    external_id: str
    title: str
    summary: str  # plain text
    content: str  # clean HTML
    url: str
    canonical_url: str
    language: str
    authors: list[str]
    tags: list[str]
    metadata: dict[str, Any]
    raw_hash: str  # fingerprint of the copy as received
    published_at: datetime


def fair_copy(copy: WireCopy, external_id: str, now: datetime) -> FairCopy:
    """What to store of `copy` under `external_id`.

    An untitled piece is titled by its first words; a date that nobody can believe becomes `now`.
    """
    content = clean_html(copy.content)
    summary = one_line(copy.summary, 1000)
    canonical = canonical_url(strip_invisible(copy.url))
    return FairCopy(
        external_id=external_id,
        title=one_line(copy.title, 500) or one_line(summary or content, 120),
        summary=summary,
        content=content or clean_html(copy.summary),
        url=canonical and strip_invisible(copy.url).strip(),
        canonical_url=canonical,
        language=strip_invisible(copy.language)[:35],
        authors=_lines(copy.authors[:20], 200),
        tags=_lines(copy.tags[:30], 100),
        metadata=_storable(copy.metadata),
        raw_hash=copy.fingerprint(),
        published_at=copy.dated(now),
    )


def _lines(texts: tuple[str, ...], longest: int) -> list[str]:
    return [line for line in (one_line(text, longest) for text in texts) if line]


def _storable(value: Any) -> Any:
    """Without what PostgreSQL and JSON can't hold: NUL, lone surrogates, huge numbers."""
    if isinstance(value, str):
        return strip_invisible(value)
    if isinstance(value, tuple | list):
        return [_storable(each) for each in value]
    if isinstance(value, Mapping):
        return {strip_invisible(str(key)): _storable(each) for key, each in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "a number too large"
    return value
