"""Filing what a source sent: one transaction and one upsert for a whole sync."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from articles.canonical import canonical_url
from articles.clean import clean_html, one_line, strip_invisible
from articles.lifecycle import Kind, State
from articles.models import Article, Revision
from articles.wire import WireCopy

_FUTURE_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Filed:
    """What one sync brought."""

    new: int = 0
    updated: int = 0
    same: int = 0
    duplicate: int = 0  # the same external id twice in one delivery
    rejected: tuple[tuple[str, str], ...] = ()  # external id, why it can't be filed


def file(
    source_id: int, copies: Iterable[WireCopy], *, section: str = "", backfilled: bool = False
) -> Filed:
    """Store what a source sent; new pieces appear on the wire, changed ones keep their old text.

    With `backfilled` the new ones are marked as old news that the desk reads only now.

    All or nothing: an error leaves no piece half stored. Pieces whose fingerprint is known cost
    one look-up and no cleaning. A piece without identity or title is rejected and named.
    """
    by_id, duplicate, rejected = _sorted_out(copies)
    with transaction.atomic():
        known = _known(source_id, list(by_id))
        changed = {
            external_id: copy
            for external_id, copy in by_id.items()
            if known.get(external_id) != copy.fingerprint()
        }
        _keep_former_text(source_id, [each for each in changed if each in known])
        new = _upsert(source_id, list(changed.values()), section, backfilled)
    return Filed(
        new=new,
        updated=len(changed) - new,
        same=len(by_id) - len(changed),
        duplicate=duplicate,
        rejected=tuple(rejected),
    )


def as_stored(copy: WireCopy, now: datetime) -> dict[str, Any]:
    """The columns that `copy` would be filed with, cleaned; the date as an ISO text.

    `raw_hash` differs from the stored one exactly when filing would change the item.
    """
    return _row(_scrubbed(copy), now)


def _sorted_out(
    copies: Iterable[WireCopy],
) -> tuple[dict[str, WireCopy], int, list[tuple[str, str]]]:
    by_id: dict[str, WireCopy] = {}
    rejected: list[tuple[str, str]] = []
    duplicate = 0
    for copy in map(_scrubbed, copies):
        if not copy.external_id or len(copy.external_id) > 700:
            rejected.append((copy.external_id[:100], "no usable identity"))
        elif not (copy.title.strip() or copy.content.strip() or copy.summary.strip()):
            rejected.append((copy.external_id, "neither title nor text"))
        elif copy.external_id in by_id:
            duplicate += 1
        else:
            by_id[copy.external_id] = copy
    return by_id, duplicate, rejected


def _scrubbed(copy: WireCopy) -> WireCopy:
    """The copy without what PostgreSQL and JSON can't hold: NUL, lone surrogates, huge numbers."""
    return WireCopy(**{each.name: _storable(getattr(copy, each.name)) for each in fields(copy)})


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return strip_invisible(value)
    if isinstance(value, tuple | list):
        return type(value)(_storable(each) for each in value)
    if isinstance(value, Mapping):
        return {strip_invisible(str(key)): _storable(each) for key, each in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "a number too large"
    return value


def _known(source_id: int, external_ids: Sequence[str]) -> dict[str, str]:
    return dict(
        Article.objects.filter(
            kind=Kind.WIRE, source_id=source_id, external_id__in=external_ids
        ).values_list("external_id", "raw_hash")
    )


def _keep_former_text(source_id: int, external_ids: Sequence[str]) -> None:
    """Store the text that is about to be replaced as a revision of its item."""
    former = list(
        Article.objects.select_for_update()
        .filter(kind=Kind.WIRE, source_id=source_id, external_id__in=external_ids)
        .order_by("pk")
    )
    Revision.objects.bulk_create(
        [
            Revision(
                article=item,
                number=item.revisions.count() + 1,
                title=item.title,
                summary=item.summary,
                content=item.content,
                via=Revision.Vias.TASK,
                note="As received before the source changed it",
            )
            for item in former
        ]
    )


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
    kind, state, version, source_id, section, slugline, urgency, distribution, backfilled,
    created_at, updated_at, external_id, title, summary, content, url, canonical_url, language,
    authors, tags, metadata, raw_hash, published_at
)
SELECT %(kind)s, %(state)s, 1, %(source)s, %(section)s, '', 5, 'none', %(backfilled)s,
    %(now)s, %(now)s,
    row.external_id, row.title, row.summary, row.content, row.url, row.canonical_url,
    row.language, ARRAY(SELECT jsonb_array_elements_text(row.authors)),
    ARRAY(SELECT jsonb_array_elements_text(row.tags)), row.metadata, row.raw_hash,
    row.published_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row({columns})
ON CONFLICT (source_id, external_id) WHERE kind = 'wire' DO UPDATE SET
    version = articles.version + 1, updated_at = excluded.updated_at, title = excluded.title,
    summary = excluded.summary, content = excluded.content, url = excluded.url,
    canonical_url = excluded.canonical_url, language = excluded.language,
    authors = excluded.authors, tags = excluded.tags, metadata = excluded.metadata,
    raw_hash = excluded.raw_hash
WHERE articles.raw_hash <> excluded.raw_hash
RETURNING (xmax = 0) AS is_new
"""


def _upsert(source_id: int, copies: Sequence[WireCopy], section: str, backfilled: bool) -> int:
    """Write all in one statement; how many are new (the others were updated)."""
    if not copies:
        return 0
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT.format(columns=", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())),
            {
                "kind": Kind.WIRE.value,
                "state": State.NEW.value,
                "source": source_id,
                "section": section,
                "backfilled": backfilled,
                "now": now,
                "rows": orjson.dumps([_row(copy, now) for copy in copies]).decode(),
            },
        )
        return sum(is_new for (is_new,) in cursor.fetchall())


def _row(copy: WireCopy, now: datetime) -> dict[str, Any]:
    content = clean_html(copy.content)
    return {
        "external_id": copy.external_id,
        "title": one_line(copy.title, 500) or one_line(copy.summary or content, 120),
        "summary": one_line(copy.summary, 1000),
        "content": content or clean_html(copy.summary),
        "url": canonical_url(copy.url) and copy.url.strip(),
        "canonical_url": canonical_url(copy.url),
        "language": copy.language[:35],
        "authors": [one_line(author, 200) for author in copy.authors[:20] if author.strip()],
        "tags": [one_line(tag, 100) for tag in copy.tags[:30] if tag.strip()],
        "metadata": dict(copy.metadata),
        "raw_hash": copy.fingerprint(),
        "published_at": _believable(copy.published_at, now),
    }


def _believable(moment: datetime | None, now: datetime) -> str:
    """The source's date; now for none, for the future, and for times before there were feeds."""
    if moment is None or moment > now + _FUTURE_SLACK or moment.year < 1990:
        moment = now
    return moment.isoformat()
