"""A parsed feed as the JSON that `manage.py parse_feed` prints. Pure."""

from datetime import datetime
from typing import Any

from articles.wire import WireCopy
from sources.feedparsing import Feed


def as_json(feed: Feed) -> dict[str, Any]:
    """The feed, its entries and what was wrong with it; docs/feed-parsing.md explains each key."""
    return {
        "feed": {
            "title": feed.title,
            "url": feed.url,
            "language": feed.language,
            "version": feed.version,
        },
        "entries": [_entry(copy) for copy in feed.entries],
        "warnings": list(feed.warnings),
    }


def _entry(copy: WireCopy) -> dict[str, Any]:
    return {
        "external_id": copy.external_id,
        "title": copy.title,
        "url": copy.url,
        "authors": list(copy.authors),
        "published_at": _utc(copy.published_at),
        "updated_at": _utc(copy.updated_at),
        # A piece with one text only has it in both: which of the two it was meant as, nobody knows.
        "summary": copy.summary or copy.content,
        "content": copy.content or copy.summary,
        "tags": list(copy.tags),
        "enclosures": list(copy.metadata.get("enclosures", ())),
        "language": copy.language,
    }


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
