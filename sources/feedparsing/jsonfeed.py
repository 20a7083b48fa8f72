"""JSON Feed 1.0 and 1.1. https://www.jsonfeed.org/version/1.1/"""

import html
from typing import Any

import orjson

from articles.wire import WireCopy
from sources.feedparsing import MOST_ENTRIES, Feed, FeedError
from sources.feedparsing.about import with_declared_in_json
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import Links, absolute

_MOST_VALUES, _MOST_PARAGRAPHS, _MOST_ATTACHMENTS = 600_000, 10_000, 20


def parse_json(document: bytes, url: str) -> Feed:
    """The feed in a JSON document; raises `FeedError` for JSON that is none."""
    if sum(document.count(sign) for sign in (b",", b"{", b"[")) > _MOST_VALUES:
        raise FeedError("The document has more values than any feed.")
    try:
        body = orjson.loads(_in_utf8(document))
    except orjson.JSONDecodeError as problem:
        raise FeedError(f"This looks like JSON, but it can't be read: {problem}.") from None
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise FeedError("This is JSON, but no JSON Feed: it has no list of items.")
    version = str(body.get("version", "")).rpartition("/")[2][:10] or "1"
    language = _text(body.get("language"))
    items = [item for item in body["items"] if isinstance(item, dict)]
    about = (url, language, _authors(body), Links())
    feed = Feed(
        title=" ".join(_text(body.get("title")).split()),
        url=absolute(url, _text(body.get("home_page_url"))),
        language=language,
        version=f"json {version}",
        entries=tuple(_entry(item, *about) for item in items[:MOST_ENTRIES]),
        warnings=_warnings(body["items"], items),
    )
    return with_declared_in_json(feed, body, url)


def _in_utf8(document: bytes) -> bytes:
    """RFC 8259 wants UTF-8; a mark or another of Unicode's forms is forgiven."""
    if document[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in document[:4]:
        name = "utf-16" if document[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le"
        return document.decode(name, "replace").encode()
    return document.removeprefix(b"\xef\xbb\xbf")


def _entry(
    item: dict[str, Any],
    base: str,
    language: str,
    feed_authors: tuple[str, ...],
    links: Links,
) -> WireCopy:
    link = absolute(base, _text(item.get("url")) or _text(item.get("external_url")))
    updated = parse_date(_text(item.get("date_modified")))
    published = parse_date(_text(item.get("date_published"))) or updated
    plain = _text(item.get("content_text"))
    content = _text(item.get("content_html")) or _paragraphs(plain)
    title = " ".join(_text(item.get("title")).split())
    summary = html.escape(_text(item.get("summary")), quote=False)
    return WireCopy(
        external_id=identity(_text(item.get("id")), link, title, published, content),
        title=title,
        url=link,
        content=links.made_absolute(content, link or base) or summary,
        summary=summary if content else "",
        authors=_authors(item) or feed_authors,
        tags=tuple(_text(tag) for tag in _list(item.get("tags")) if _text(tag)),
        language=_text(item.get("language")) or language,
        published_at=published,
        updated_at=updated,
        metadata=_metadata(item, link or base),
    )


def _metadata(item: dict[str, Any], base: str) -> dict[str, Any]:
    enclosures = [
        {
            "url": absolute(base, _text(each.get("url"))),
            "type": _text(each.get("mime_type")),
            "length": _size(each.get("size_in_bytes")),
        }
        for each in _list(item.get("attachments"))[:_MOST_ATTACHMENTS]
        if isinstance(each, dict) and _text(each.get("url"))
    ]
    image = _text(item.get("image")) or _text(item.get("banner_image"))
    return ({"enclosures": enclosures} if enclosures else {}) | ({"image": image} if image else {})


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    authors = _list(item.get("authors")) or [item.get("author")]
    found = (each.get("name") or each.get("url") for each in authors if isinstance(each, dict))
    return tuple(dict.fromkeys(name for each in found if (name := _text(each))))


def _size(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 else None


def _text(value: object) -> str:
    """Text as it is; a number as text (many feeds number their items); "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _paragraphs(plain: str) -> str:
    blocks = (block.strip() for block in plain.split("\n\n", _MOST_PARAGRAPHS))
    return "".join(f"<p>{html.escape(block)}</p>" for block in blocks if block)


def _warnings(given: list[Any], usable: list[Any]) -> tuple[str, ...]:
    found = []
    if len(usable) < len(given):
        found.append(f"{len(given) - len(usable)} items are not objects and were left out.")
    if len(usable) > MOST_ENTRIES:
        found.append(f"Only the first {MOST_ENTRIES} of {len(usable)} items were read.")
    return tuple(found)
