"""Any feed document as one shape: RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1.

Pure: bytes in, values out. Hostile documents are refused or cut, never followed: no entity is
expanded, no external document loaded, depth, attributes, entries and size are bounded.
"""

import re
from dataclasses import dataclass

from articles.wire import WireCopy

MOST_ENTRIES = 500
MOST_BYTES = 15 * 1024 * 1024


class FeedError(Exception):
    """The document is no feed we can read. The text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A parsed document."""

    title: str
    url: str  # of the site
    language: str
    version: str  # such as "rss 2.0", "atom 1.0", "json 1.1"
    entries: tuple[WireCopy, ...]
    warnings: tuple[str, ...] = ()
    hub: str = ""  # of WebSub, as the document declares it
    topic: str = ""  # its own address, which a hub knows it by
    ttl: float | None = None  # seconds that it says it stays as it is
    skip_hours: frozenset[int] = frozenset()  # UTC hours in which it says nothing changes
    skip_days: frozenset[int] = frozenset()  # Monday is 0
    older: str = ""  # the page with its older pieces


def parse(document: bytes, *, content_type: str = "", url: str = "") -> Feed:
    """The feed in `document`, relative links resolved against `url`.

    Raises `FeedError` with what the document is instead of a feed.
    """
    from sources.feedparsing import jsonfeed, xmlfeed

    if len(document) > MOST_BYTES:
        raise FeedError(f"The document is larger than {MOST_BYTES // 1024 // 1024} MB.")
    start = document[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise FeedError("The document is empty.")
    if start[:1] in b"{[":
        return jsonfeed.parse(document, url)
    if _is_html(start, content_type):
        raise FeedError(_named(start))
    return xmlfeed.parse(document, content_type, url)


# Atomic groups: without them a row of comments costs exponential time.
_HTML = re.compile(
    rb"(<\?xml[^>]*>\s*)?(?>(?:<!--(?>.*?-->)\s*)*)<(!doctype html|html|head|body)\b", re.S
)


def _is_html(start: bytes, content_type: str) -> bool:
    head = start[:1000].lower()
    if re.search(rb"<(rss|feed|rdf:rdf|channel)\b", head):
        return False
    return bool(_HTML.match(head)) or ("html" in content_type.lower() and b"<?xml" not in head)


def _named(start: bytes) -> str:
    words = start.lower()
    if b"just a moment" in words or b"captcha" in words or b"cf-challenge" in words:
        return "This is a page that checks for a human, not a feed; the site refuses programs."
    return (
        "This is a web page, not a feed. Look on the page for a link named RSS, Atom or feed, and "
        "give its address."
    )
