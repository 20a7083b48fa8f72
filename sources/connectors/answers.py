"""What an answer's head says (freshness, moves, links, limits), and answers that are feeds."""

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from articles.wire import WireCopy
from config.outbound import Response
from sources import feedparsing, websub_rules
from sources.connectors.base import Fetch, Fetched, Pace, must_be_ok, payload_of
from sources.errors import NotAFeed
from sources.feedparsing.dates import parse_date

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_DAY = 24 * 3600.0
_LONGEST_FRESH = 7 * _DAY  # a longer promise is a mistake of the server's settings
_OVERLAP = timedelta(minutes=10)  # services list a piece some time after its date
_EPOCH = 1_000_000_000  # a reset below it counts seconds from now, one above since 1970


def conditions(request: Fetch) -> dict[str, str]:
    """The headers that ask for news only (RFC 9110 §13); none when there are no validators."""
    headers = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: value for name, value in headers.items() if value}


def fetched(
    answers: Sequence[Response],
    copies: Sequence[WireCopy],
    *,
    title: str = "",
    older: str = "",
    wait: float | None = None,
    warnings: Sequence[str] = (),
) -> Fetched:
    """What a service's `answers` brought, with what their heads say; the last one's counts."""
    last = answers[-1]
    return Fetched(
        copies=tuple(copies),
        etag=validator(last, "etag") if len(answers) == 1 else "",
        last_modified=validator(last, "last-modified") if len(answers) == 1 else "",
        http_status=last.status,
        bytes=sum(len(each.body) for each in answers),
        wait=wait,
        title=title,
        warnings=tuple(warnings),
        payloads=tuple(payload_of(each) for each in answers),
        pace=Pace(fresh_for=fresh_for(last)),
        older=older,
    )


async def back_to_the_last_sync(
    request: Fetch, page: Callable[[Fetch, str], Awaitable[Fetched]], *, most: int = 5
) -> Fetched:
    """The newest page and as many before it as were filled since the last success, as one answer.

    `page` reads the page at a cursor of a list that has the newest first, "" being the first one.
    At most `most` pages and the source's own requests are used; what is left is in `older`.
    """
    pages = [await page(request, "")]
    while pages[-1].older and len(pages) < min(most, request.requests - 1):
        last = next((copy.published_at for copy in reversed(pages[-1].copies)), None)
        if request.since is None or last is None or last <= request.since - _OVERLAP:
            break
        if pages[-1].memory is not None:
            request = replace(request, memory=pages[-1].memory)
        pages.append(await page(request, pages[-1].older))
    return joined(pages)


def joined(pages: Sequence[Fetched]) -> Fetched:
    """Pages of one list as one answer, each piece once."""
    if len(pages) == 1:
        return pages[0]
    copies = {copy.external_id: copy for page in reversed(pages) for copy in reversed(page.copies)}
    return replace(
        pages[-1],
        copies=tuple(reversed(copies.values())),
        etag="",
        last_modified="",
        bytes=sum(page.bytes for page in pages),
        title=pages[0].title,
        warnings=tuple(dict.fromkeys(words for page in pages for words in page.warnings)),
        payloads=tuple(payload for page in pages for payload in page.payloads),
    )


def unchanged(answer: Response, wait: float | None = None) -> Fetched:
    """That a source said itself that nothing has changed (304)."""
    return Fetched(
        unchanged=True,
        etag=validator(answer, "etag"),
        last_modified=validator(answer, "last-modified"),
        http_status=answer.status,
        bytes=len(answer.body),
        wait=answer.retry_after if wait is None else wait,
        pace=Pace(fresh_for=fresh_for(answer)),
        moved_to=moved_to(answer),
    )


_SAY_403 = ("reddit.com",)
"""Hosts whose feeds are refused with 403 when they are asked too often (FreshRSS #8928)."""


def _limits_by_403(url: str) -> bool:
    host = host_of(url)
    return any(host == each or host.endswith(f".{each}") for each in _SAY_403)


def read_feed(answer: Response, who: str, *, conditional: bool = False) -> Fetched:
    """What a server of feeds answered, `who` being its name in errors.

    `conditional`: validators were sent, so that a 304 is an answer. Raises `SourceError`.
    """
    must_be_ok(answer, who, conditional=conditional, limiter=_limits_by_403(answer.url))
    if answer.status == 304:
        return unchanged(answer)
    try:
        feed = feedparsing.parse(
            answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url
        )
    except feedparsing.FeedError as problem:
        raise NotAFeed(str(problem), status=answer.status, payload=payload_of(answer)) from None
    hub, topic = websub_rules.declared(answer.headers.get_all("link"), answer.url)
    return Fetched(
        copies=feed.entries,
        etag=validator(answer, "etag"),
        last_modified=validator(answer, "last-modified"),
        http_status=answer.status,
        bytes=len(answer.body),
        wait=answer.retry_after,
        title=feed.title,
        warnings=feed.warnings,
        payloads=(payload_of(answer),),
        pace=_pace(answer, feed),
        moved_to=moved_to(answer),
        # WebSub §4: what the head says counts before the document.
        hub=hub or feed.hub,
        topic=(topic or feed.topic or answer.url) if hub or feed.hub else "",
        older=feed.older,
    )


def validator(answer: Response, name: str) -> str:
    """A header to send back the next time; "" for one that a request can't carry."""
    value = answer.headers.get(name, "")
    longest = 500 if name == "etag" else 100  # what the columns hold
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""


def fresh_for(answer: Response) -> float | None:
    """Seconds that the answer stays fresh, RFC 9111 §4.2; None when nothing is said.

    Without a lifetime of its own `no-cache` and `no-store` say nothing about how often to ask.
    """
    age = _seconds(answer.headers.get("age", "")) or 0.0
    asked = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", _cache_control(answer))
    if asked:
        return min(max(0.0, float(asked[1]) - age), _LONGEST_FRESH)
    until = parse_date(answer.headers.get("expires", ""))
    if until is None:
        return None
    lifetime = (until - (answer.http_date or datetime.now(UTC))).total_seconds()
    return min(max(0.0, lifetime - age), _LONGEST_FRESH)


def moved_to(answer: Response) -> str:
    """Where the document is for good: every hop that led there was a 301 or 308; else ""."""
    if answer.redirects and all(hop.status in (301, 308) for hop in answer.redirects):
        return answer.url
    return ""


def rest_of_window(
    answer: Response, *, fields: str = "x-ratelimit", enough: float = 1.0
) -> float | None:
    """Seconds until a service's window begins anew, when it leaves fewer than `enough` requests.

    `fields` begins the names of its headers: `…-remaining` and `…-reset`, which services spell in
    seconds from now (Reddit), seconds since 1970 (GitHub, Bluesky) or as a date (Mastodon).
    """
    left = _seconds(answer.headers.get(f"{fields}-remaining", ""))
    if left is None or left >= enough:
        return None
    reset = answer.headers.get(f"{fields}-reset", "")
    now = answer.http_date or datetime.now(UTC)
    seconds = _seconds(reset)
    if seconds is None:
        moment = parse_date(reset)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    elif seconds >= _EPOCH:
        seconds -= now.timestamp()
    return min(max(0.0, seconds), _DAY)


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are one server's: credentials for the first may go to the second."""
    try:
        first, second = urlsplit(one), urlsplit(other)
        return (first.scheme, first.hostname, first.port) == (
            second.scheme, second.hostname, second.port,
        )  # fmt: skip
    except ValueError:  # such as a port that is none
        return False


def host_of(url: str) -> str:
    """The host for a sentence; "The source" for an address that names none."""
    try:
        return urlsplit(url).hostname or "The source"
    except ValueError:
        return "The source"


def _pace(answer: Response, feed: feedparsing.Feed) -> Pace:
    """The longest that head or document ask for."""
    named = [each for each in (fresh_for(answer), feed.ttl) if each is not None]
    return Pace(
        fresh_for=min(max(named), _LONGEST_FRESH) if named else None,
        skip_hours=feed.skip_hours,
        skip_days=feed.skip_days,
    )


def _cache_control(answer: Response) -> str:
    return answer.headers.get("cache-control", "").lower()[:2000]


def _seconds(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
