"""Hacker News, by Algolia's search (one call) or by Firebase's lists (a call a story).

https://hn.algolia.com/api · https://github.com/HackerNews/API. Both number items alike, so a
source may change between them without a duplicate.
"""

import asyncio
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import fetched
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Payload,
    Recognised,
    answer_of,
    must_be_ok,
)
from sources.connectors.pasted import pasted
from sources.connectors.reading import (
    Json,
    address,
    identifier,
    json_of,
    list_in,
    no_such,
    number,
    text,
    yes,
)
from sources.errors import Misconfigured
from sources.feedparsing.dates import from_timestamp, parse_date

_ALGOLIA, _FIREBASE = "Hacker News (Algolia)", "Hacker News (Firebase)"
_ITEM = "https://news.ycombinator.com/item?id={}"
_TAGS = {"new": "story", "top": "front_page", "ask": "ask_hn", "show": "show_hn", "job": "job"}
_PAGES = {"": "top", "news": "top", "front": "top", "newest": "new", "ask": "ask", "show": "show",
          "jobs": "job"}  # fmt: skip
_LOOK_BACK = timedelta(days=2)  # points and titles settle within
_LONGEST_ABSENCE = timedelta(days=7)  # what was missed before is for the backfill
_OVERLAP = timedelta(minutes=10)  # Algolia indexes a story minutes after it was made
_REACHABLE = 1000  # hits of one query, however it is paged
_MOST = 5000  # stories of one sync
_AT_ONCE = 10


class HackerNews(Connector):
    """Stories of one list, with at least so many points."""

    key = "hackernews"
    label = "Hacker News"
    help = (
        "Choose a list; no key is needed. Algolia brings a whole list in one request and allows "
        "10,000 requests an hour; all that is new since the last sync is read, however much it "
        "is. Firebase takes a request for each story."
    )
    endpoint = "https://hn.algolia.com/api/v1"
    minutes = 15
    options = (
        Option(
            "backend", "Service", "choice", default="algolia",
            choices=(("algolia", "Algolia search"), ("firebase", "Firebase lists")),
            help="For Firebase the address is https://hacker-news.firebaseio.com/v0",
        ),
        Option(
            "list", "List", "choice", default="top",
            choices=(("top", "Front page"), ("new", "Newest"), ("ask", "Ask HN"),
                     ("show", "Show HN"), ("job", "Jobs")),
        ),
        Option("points", "At least so many points", "number", default=0),
        Option(
            "limit", "At most so many stories", "number", default=100,
            help="At the first sync, and of those that are known already.",
        ),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The stories of the list."""
        if request.options["backend"] == "firebase":
            return await _firebase(request, http)
        return await _algolia(request, http)

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """A thousand stories from before the moment in `cursor` (seconds since 1970)."""
        if request.options["backend"] == "firebase" or request.options["list"] == "top":
            raise Misconfigured(
                "Only Algolia's lists have a past, and the front page has none: choose Algolia "
                "and “Newest” with as many points as you like."
            )
        if cursor and not re.fullmatch(r"\d{1,12}", cursor):
            raise Misconfigured("The place to read on from is no moment; begin anew.")
        until = int(cursor) if cursor else None
        answer = await _slice(request, http, _Slice(None, until, _REACHABLE))
        hits = list_in(answer, _ALGOLIA, "hits", "stories")
        oldest = _oldest(hits)
        older = str(_before(oldest, until)) if oldest is not None else ""
        return fetched([answer], _from_hits(hits), title="Hacker News", older=older)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The stories in archived answers of either service."""
        answers = [answer_of(payload) for payload in payloads]
        if request.options["backend"] == "firebase":
            return fetched(answers, _chosen(request, _from_items(answers)), title="Hacker News")
        hits = [hit for each in answers for hit in list_in(each, _ALGOLIA, "hits", "stories")]
        return fetched(answers, _chosen(request, _from_hits(hits)), title="Hacker News")

    def recognise(self, url: str) -> Recognised | None:
        """The site's own lists."""
        page = pasted(url)
        if page is None or page.host != "news.ycombinator.com" or page.at(0) not in _PAGES:
            return None
        chosen = _PAGES[page.at(0)]
        label = next(label for key, label in self.options[1].choices if key == chosen)
        return Recognised(self.endpoint, {"list": chosen}, f"Hacker News: {label}")


@dataclass(frozen=True, slots=True)
class _Slice:
    """A part of a list by time; seconds since 1970."""

    after: int | None
    until: int | None  # this second included
    size: int


async def _algolia(request: Fetch, http: Client) -> Fetched:
    """The list's newest stories: a slice of time after the other, so that no thousand ends it."""
    limit = max(1, min(_MOST, request.options["limit"]))
    window, surely = _window(request)
    # Small slices could end within one second's stories again and again.
    size = min(_REACHABLE, limit if surely is None else max(limit, 50))
    answers: list[Response] = []
    hits: dict[str, Json] = {}
    until: int | None = None
    warnings = []
    while True:
        answers.append(await _slice(request, http, _Slice(window, until, size)))
        page = list_in(answers[-1], _ALGOLIA, "hits", "stories")
        hits.update((identifier(hit, "objectID"), hit) for hit in page)
        oldest = _oldest(page)
        if len(page) < size or oldest is None or window is None:
            break
        if len(hits) >= limit and (surely is None or oldest <= surely):
            break
        if len(answers) >= request.requests or len(hits) >= _MOST:
            warnings.append(
                f"More stories are new than one sync may read ({len(hits)}). Raise the source's "
                "limit a minute, or read the rest as older pieces."
            )
            break
        until = _before(oldest, until)
    copies = _chosen(request, _from_hits(list(hits.values())))
    return fetched(answers, copies, title="Hacker News", warnings=warnings)


def _window(request: Fetch) -> tuple[int | None, int | None]:
    """From when on to read, and from when on everything must be read whatever the limit says."""
    if request.options["list"] == "top" or request.now is None:
        return None, None
    start = request.now - _LOOK_BACK
    if request.since is None:
        return _epoch(start), None
    missed = max(request.since - _OVERLAP, request.now - _LONGEST_ABSENCE)
    # A story gathers its points over days: with a threshold the whole look-back is new.
    surely = min(missed, start) if request.options["points"] > 0 else missed
    return _epoch(min(missed, start)), _epoch(surely)


async def _slice(request: Fetch, http: Client, wanted: _Slice) -> Response:
    filters = [f"points>={request.options['points']}"] if request.options["points"] > 0 else []
    filters += [f"created_at_i>{wanted.after}"] if wanted.after is not None else []
    filters += [f"created_at_i<={wanted.until}"] if wanted.until is not None else []
    params: dict[str, str | int] = {
        "tags": _TAGS[request.options["list"]],
        "hitsPerPage": wanted.size,
    }
    if filters:
        params["numericFilters"] = ",".join(filters)
    where = f"{request.endpoint.rstrip('/')}/search_by_date"
    return must_be_ok(await http.get(where, params=params), _ALGOLIA)


def _before(oldest: int, until: int | None) -> int:
    """Where the next slice ends: at the same second, unless that was the whole slice already."""
    return oldest if until is None or oldest < until else until - 1


def _oldest(hits: Sequence[Json]) -> int | None:
    moments = [moment for hit in hits if (moment := number(hit, "created_at_i")) > 0]
    return min(moments, default=None)


async def _firebase(request: Fetch, http: Client) -> Fetched:
    limit = max(1, min(500, request.options["limit"]))
    warnings = []
    if limit > request.requests - 1:
        limit = max(1, request.requests - 1)
        warnings.append(
            f"Firebase takes a request a story: the source's limit a minute lets {limit} "
            "be read at a time."
        )
    base = request.endpoint.rstrip("/")
    named = must_be_ok(await http.get(f"{base}/{request.options['list']}stories.json"), _FIREBASE)
    numbers = json_of(named, _FIREBASE)
    if not isinstance(numbers, list):
        raise no_such(named, _FIREBASE, "list of stories")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def item(number: int) -> Response:
        async with gate:
            return must_be_ok(await http.get(f"{base}/item/{number}.json"), _FIREBASE)

    wanted = [each for each in numbers if isinstance(each, int) and not isinstance(each, bool)]
    items = await asyncio.gather(*(item(number) for number in wanted[:limit]))
    copies = _chosen(request, _from_items(items))
    return fetched([named, *items], copies, title="Hacker News", warnings=warnings)


def _chosen(request: Fetch, copies: Sequence[WireCopy]) -> list[WireCopy]:
    least = request.options["points"]
    return [copy for copy in copies if copy.metadata["points"] >= least]


def _from_hits(hits: Sequence[Json]) -> list[WireCopy]:
    read = (
        _copy(
            identifier(hit, "objectID"),
            hit,
            body=text(hit, "story_text"),
            author=text(hit, "author"),
            published=from_timestamp(hit.get("created_at_i"))
            or parse_date(text(hit, "created_at")),
            points=number(hit, "points"),
            comments=number(hit, "num_comments"),
        )
        for hit in hits
    )
    return [copy for copy in read if copy.external_id and copy.title]


def _from_items(answers: Sequence[Response]) -> list[WireCopy]:
    """Firebase's items, `null` for one that has vanished; its lists of numbers are passed over."""
    items = [body for each in answers if isinstance(body := json_of(each, _FIREBASE), dict)]
    read = (
        _copy(
            identifier(item, "id"),
            item,
            body=text(item, "text"),
            author=text(item, "by"),
            published=from_timestamp(item.get("time")),
            points=number(item, "score"),
            comments=number(item, "descendants"),
        )
        for item in items
        if not (yes(item, "deleted") or yes(item, "dead"))
    )
    return [copy for copy in read if copy.external_id and copy.title]


def _copy(
    own: str,
    found: Json,
    *,
    body: str,
    author: str,
    published: datetime | None,
    points: int,
    comments: int,
) -> WireCopy:
    page = _ITEM.format(own)
    return WireCopy(
        external_id=own,
        firm_id=True,
        title=html.unescape(text(found, "title")).strip(),  # "HTML", says the documentation
        url=address(found, "url") or page,  # a text post has no other page
        content=body,
        authors=(author,) if author else (),
        published_at=published,
        metadata={"points": points, "comments": comments, "discussion": page},
    )


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
