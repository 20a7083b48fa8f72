"""Which reader a document needs."""

import re

from sources.feedparsing import MOST_BYTES, Feed, FeedError, Unreadable, fallback
from sources.feedparsing.jsonfeed import parse_json
from sources.feedparsing.xmlfeed import parse_xml


def read(document: bytes, content_type: str, url: str) -> Feed:
    """The feed in `document`; raises `FeedError`."""
    if len(document) > MOST_BYTES:
        raise FeedError(f"The document is larger than {MOST_BYTES // 1024 // 1024} MB.")
    start = document[:2000].lstrip(b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n")
    if not start:
        raise FeedError("The document is empty.")
    if start[:1] in b"{[":
        return parse_json(document, url)
    if _is_html(start, content_type):
        raise FeedError(_named(start))
    try:
        feed = parse_xml(document, content_type, url)
    except Unreadable:
        second = fallback.read(document, content_type, url)
        if second is None:
            raise
        return second
    if feed.warnings and _lost_entries(feed, document):
        second = fallback.read(document, content_type, url)
        if second is not None and len(second.entries) > len(feed.entries):
            return second
    return feed


def _lost_entries(feed: Feed, document: bytes) -> bool:
    """Whether the repair of a broken document swallowed pieces."""
    begun = len(re.findall(rb"<(?:item|entry)[\s>]", document[:1_000_000]))
    return len(feed.entries) < min(begun, 100) and b"repaired" in feed.warnings[-1].encode()


# Atomic groups: without them a row of comments costs exponential time.
_FEED = re.compile(rb"<(?:rss|feed|rdf:rdf|channel)\b")
_HTML = re.compile(
    rb"(<\?xml[^>]*>\s*)?(?>(?:<!--(?>.*?-->)\s*)*)<(!doctype\s+html|html|head|body)\b", re.S
)


def _is_html(start: bytes, content_type: str) -> bool:
    head = start[:1000].lower()
    if _FEED.search(head):
        return False
    if _HTML.match(head):
        return True
    return "html" in content_type.lower() and not re.search(rb"<\?xml|<[a-z]+:", head)


def _named(start: bytes) -> str:
    words = start.lower()
    if b"just a moment" in words or b"captcha" in words or b"cf-challenge" in words:
        return "This is a page that checks for a human, not a feed; the site refuses programs."
    return (
        "This is a web page, not a feed. Look on the page for a link named RSS, Atom or feed, and "
        "give its address."
    )
