"""JSON Feed 1.0 and 1.1. https://www.jsonfeed.org/version/1.1/"""

import html
from typing import Any

import orjson

from articles.wire import WireCopy
from sources.feedparsing import MOST_ENTRIES, Feed, FeedError
from sources.feedparsing.about import with_declared_in_json
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import absolute, with_absolute_links


def parse(document: bytes, url: str) -> Feed:
    """The feed in a JSON document; raises `FeedError` for JSON that is none."""
    try:
        body = orjson.loads(document.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as problem:
        raise FeedError(f"This looks like JSON, but it can't be read: {problem}.") from None
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise FeedError("This is JSON, but no JSON Feed: it has no list of items.")
    version = str(body.get("version", "")).rpartition("/")[2] or "1"
    language = _text(body.get("language"))
    items = [item for item in body["items"] if isinstance(item, dict)]
    feed = Feed(
        title=_text(body.get("title")),
        url=_text(body.get("home_page_url")),
        language=language,
        version=f"json {version}",
        entries=tuple(_entry(item, url, language) for item in items[:MOST_ENTRIES]),
        warnings=_warnings(body["items"], items),
    )
    return with_declared_in_json(feed, body, url)


def _entry(item: dict[str, Any], base: str, language: str) -> WireCopy:
    link = absolute(base, _text(item.get("url")) or _text(item.get("external_url")))
    published = parse_date(_text(item.get("date_published")))
    plain = _text(item.get("content_text"))
    content = _text(item.get("content_html")) or _paragraphs(plain)
    title = _text(item.get("title"))
    return WireCopy(
        external_id=identity(_text(item.get("id")), link, title, published, content),
        title=title,
        url=link,
        content=with_absolute_links(content, link),
        summary=_text(item.get("summary")),
        authors=_authors(item),
        tags=tuple(_text(tag) for tag in _list(item.get("tags")) if _text(tag)),
        language=_text(item.get("language")) or language,
        published_at=published,
        updated_at=parse_date(_text(item.get("date_modified"))),
        metadata=_metadata(item),
    )


def _metadata(item: dict[str, Any]) -> dict[str, Any]:
    enclosures = [
        {"url": _text(each.get("url")), "type": _text(each.get("mime_type"))}
        for each in _list(item.get("attachments"))
        if isinstance(each, dict) and _text(each.get("url"))
    ]
    image = _text(item.get("image"))
    return ({"enclosures": enclosures} if enclosures else {}) | ({"image": image} if image else {})


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    authors = _list(item.get("authors")) or [item.get("author")]
    names = (_text(each.get("name")) for each in authors if isinstance(each, dict))
    return tuple(name for name in names if name)


def _text(value: object) -> str:
    """Text as it is; a number as text (many feeds number their items); "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _paragraphs(plain: str) -> str:
    blocks = (block.strip() for block in plain.split("\n\n"))
    return "".join(f"<p>{html.escape(block)}</p>" for block in blocks if block)


def _warnings(given: list[Any], usable: list[Any]) -> tuple[str, ...]:
    found = []
    if len(usable) < len(given):
        found.append(f"{len(given) - len(usable)} items are not objects and were left out.")
    if len(usable) > MOST_ENTRIES:
        found.append(f"Only the first {MOST_ENTRIES} of {len(usable)} items were read.")
    return tuple(found)
