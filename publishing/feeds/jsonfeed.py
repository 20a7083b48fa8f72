"""An edition as JSON Feed 1.1. https://www.jsonfeed.org/version/1.1/. Pure."""

from datetime import UTC, datetime
from typing import Any

import orjson

from publishing.feeds.edition import Edition, Entry

CONTENT_TYPE = "application/feed+json; charset=utf-8"


def written(edition: Edition) -> bytes:
    """The document. It has no tombstones: what is withdrawn is simply not there."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": edition.title,
        "home_page_url": edition.home,
        "feed_url": edition.address,
        "description": edition.description,
        "language": edition.language,
        "hubs": [{"type": "WebSub", "url": hub} for hub in edition.hubs],
    }
    return orjson.dumps({**_given(document), "items": [_item(each) for each in edition.entries]})


def _item(entry: Entry) -> dict[str, Any]:
    text = {"content_html": entry.html} if entry.html else {"content_text": entry.summary}
    return {
        "id": entry.id,
        **text,
        **_given(
            {
                "url": entry.link,
                "title": entry.title,
                "summary": entry.summary,
                "image": entry.images[0].src if entry.images else "",
                "date_published": _moment(entry.published_at),
                "date_modified": _moment(entry.updated_at),
                "authors": [{"name": name} for name in entry.authors],
                "tags": list(entry.tags),
                "language": entry.language,
            }
        ),
    }


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty: the format leaves out what there isn't."""
    return {name: value for name, value in values.items() if value}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
