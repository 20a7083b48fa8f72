"""Hacker News, by Algolia's search (one call) or by Firebase's lists (a call an item).

https://hn.algolia.com/api · https://github.com/HackerNews/API. Both number items alike, so a
source may change between them without a duplicate.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.base import Connector, Fetch, Fetched, Option, must_be_ok
from sources.errors import NotAFeed
from sources.feedparsing.dates import from_timestamp, parse_date

_ITEM = "https://news.ycombinator.com/item?id={}"
_TAGS = {"new": "story", "top": "front_page", "ask": "ask_hn", "show": "show_hn", "job": "job"}
_LOOK_BACK = timedelta(days=2)
_AT_ONCE = 10


class HackerNews(Connector):
    """Stories of one list, with at least so many points."""

    key = "hackernews"
    label = "Hacker News"
    help = "Algolia brings a whole list in one request; no key is needed, 10,000 requests an hour."
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
        Option("limit", "At most so many stories", "number", default=100),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The stories of the list."""
        limit = max(1, min(500, request.options["limit"]))
        warnings = []
        read = _algolia
        if request.options["backend"] == "firebase":
            read = _firebase
            if limit > request.requests - 1:
                limit = max(1, request.requests - 1)
                warnings.append(
                    f"Firebase takes a request a story: the source's limit a minute lets {limit} "
                    "be read at a time."
                )
        items, size = await read(request, http, limit)
        wanted = [copy for copy in items if copy.metadata["points"] >= request.options["points"]]
        return Fetched(
            copies=tuple(wanted),
            http_status=200,
            bytes=size,
            title="Hacker News",
            warnings=tuple(warnings),
        )


async def _algolia(request: Fetch, http: Client, limit: int) -> tuple[list[WireCopy], int]:
    params: dict[str, str | int] = {
        "tags": _TAGS[request.options["list"]],
        "hitsPerPage": limit,
    }
    filters = [f"points>={request.options['points']}"] if request.options["points"] else []
    if request.options["list"] != "top" and request.now is not None:
        filters.append(f"created_at_i>{int((request.now - _LOOK_BACK).timestamp())}")
    if filters:
        params["numericFilters"] = ",".join(filters)
    answer = must_be_ok(
        await http.get(f"{request.endpoint.rstrip('/')}/search_by_date", params=params),
        "Hacker News (Algolia)",
    )
    hits = _mapping(answer).get("hits")
    if not isinstance(hits, list):
        raise NotAFeed("Algolia's answer has no list of hits; check the address.")
    copies = [_from_hit(hit) for hit in hits if isinstance(hit, dict) and hit.get("objectID")]
    return [copy for copy in copies if copy.title], len(answer.body)


async def _firebase(request: Fetch, http: Client, limit: int) -> tuple[list[WireCopy], int]:
    base = request.endpoint.rstrip("/")
    answer = must_be_ok(
        await http.get(f"{base}/{request.options['list']}stories.json"), "Hacker News (Firebase)"
    )
    numbers = answer.json()
    if not isinstance(numbers, list):
        raise NotAFeed("Firebase's answer is no list of stories; check the address.")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def item(number: object) -> Response:
        async with gate:
            return must_be_ok(await http.get(f"{base}/item/{number}.json"), "Hacker News")

    numbers = [number for number in numbers if isinstance(number, int)][:limit]
    answers = await asyncio.gather(*(item(number) for number in numbers))
    bodies = [each.json() for each in answers]
    kept = [
        body
        for body in bodies
        if isinstance(body, dict)
        and isinstance(body.get("id"), int)
        and body.get("title")
        and not body.get("deleted")
        and not body.get("dead")
    ]
    return [_from_item(body) for body in kept], sum(len(each.body) for each in answers)


def _from_hit(hit: Mapping[str, Any]) -> WireCopy:
    number = str(hit["objectID"])
    return _copy(
        number,
        title=hit.get("title"),
        url=hit.get("url"),
        text=hit.get("story_text"),
        author=hit.get("author"),
        published=from_timestamp(hit.get("created_at_i")) or parse_date(str(hit.get("created_at"))),
        points=hit.get("points"),
        comments=hit.get("num_comments"),
    )


def _from_item(item: Mapping[str, Any]) -> WireCopy:
    return _copy(
        str(item["id"]),
        title=item.get("title"),
        url=item.get("url"),
        text=item.get("text"),
        author=item.get("by"),
        published=from_timestamp(item.get("time")),
        points=item.get("score"),
        comments=item.get("descendants"),
    )


def _copy(
    number: str, *, title: Any, url: Any, text: Any, author: Any, published: Any, points: Any,
    comments: Any,
) -> WireCopy:  # fmt: skip
    page = _ITEM.format(number)
    return WireCopy(
        external_id=number,
        firm_id=True,
        title=title if isinstance(title, str) else "",
        url=url if isinstance(url, str) and url else page,  # a text post has no other page
        content=text if isinstance(text, str) else "",
        authors=(author,) if isinstance(author, str) and author else (),
        published_at=published,
        metadata={
            "points": points if isinstance(points, int) else 0,
            "comments": comments if isinstance(comments, int) else 0,
            "discussion": page,
        },
    )


def _mapping(answer: Response) -> dict[str, Any]:
    body = answer.json()
    return body if isinstance(body, dict) else {}
