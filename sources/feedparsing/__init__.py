"""Any feed document as one shape: RSS 0.90 to 2.0, Atom 0.3 and 1.0, CDF, JSON Feed 1.0 and 1.1.

Pure: bytes in, values out. Hostile documents are refused or cut, never followed: no external
document is loaded, an entity stands for a few characters at most, and depth, attributes, entries
and size are bounded. docs/feed-parsing.md says what is read from where.

    parse             dispatch, and the second opinion for what can't be read here
    jsonfeed          JSON Feed
    xmlfeed, xmlentry XML dialects, from a tree to values
    vocabulary        what an element means, whatever its namespace is called
    xmltree, repair   from bytes to a tree, mended where it must be
    decoding          which encoding it really is
    texts, links, people, dates, identity   one kind of value each
    about             hub, pace, older pages
    fallback          feedparser in a child process under hard limits
"""

from dataclasses import dataclass

from articles.wire import WireCopy

MOST_ENTRIES = 500
MOST_BYTES = 10 * 1024 * 1024


class FeedError(Exception):
    """The document is no feed we can read. The text says what it is instead."""


class Unreadable(FeedError):
    """It may be a feed, but too broken for our own reading."""


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
    from sources.feedparsing.reading import read

    return read(document, content_type, url)
