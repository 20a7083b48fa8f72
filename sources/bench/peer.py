"""The plain way, to compare with: feedparser, and a query or two for each piece.

It asks one feed after the other, reads it with feedparser as it comes, and stores it with
`update_or_create`. That is what most aggregators in Django do.
"""

import calendar
import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from articles.lifecycle import Kind, State
from articles.models import Article
from sources.bench.worker import Taken
from sources.models import Source


def sync_plainly(sources: Sequence[Source]) -> Taken:
    """Sync these sources in this process; what it took."""
    import feedparser

    began, cpu = time.perf_counter(), time.process_time()
    for source in sources:
        with urllib.request.urlopen(source.api_endpoint, timeout=20) as answer:  # noqa: S310 (ours)
            body, headers = answer.read(), dict(answer.headers)
        if headers.get("Content-Encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        for entry in feedparser.parse(body).entries:
            Article.objects.update_or_create(
                kind=Kind.WIRE, source_id=source.pk, external_id=entry.id, defaults=_values(entry)
            )
    return Taken(len(sources), time.perf_counter() - began, time.process_time() - cpu)


def _values(entry: Any) -> dict[str, Any]:
    written = entry.get("published_parsed")
    return {
        "state": State.NEW,
        "title": entry.title,
        "url": entry.link,
        "summary": entry.get("summary", ""),
        "content": entry.content[0].value if entry.get("content") else "",
        "authors": [entry.get("author", "")],
        "tags": [tag.term for tag in entry.get("tags", [])],
        "published_at": datetime.fromtimestamp(calendar.timegm(written), UTC) if written else None,
    }
