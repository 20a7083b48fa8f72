"""Hacker News in both of its interfaces, with the same ids.

Search by Algolia: https://hn.algolia.com/api. Items by Firebase: https://github.com/HackerNews/API.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.newsroom import Newsroom, Report
from simulator.stories import Outlet

FIRST_ID = 46_000_000
STEP = 10  # ids between two reports; comments take the others in the real world
REACHABLE = 1000  # hits that paging can reach
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A report as Hacker News sees it."""

    id: int
    report: Report
    points: int
    comments: int
    kind: str  # story or job
    url: str  # empty for a text post
    text: str

    @property
    def created_at(self) -> int:
        """Seconds since 1970."""
        return int(self.report.published_at.timestamp())

    @property
    def tags(self) -> list[str]:
        """Algolia's `_tags`."""
        tags = [self.kind, f"author_{self.report.author}", f"story_{self.id}"]
        start = self.report.title.split(" HN:", 1)[0]
        tags += [f"{start.lower()}_hn"] if start in ("Ask", "Show") else []
        return tags + (["front_page"] if self.points >= 60 else [])


class HackerNews:
    """The outlet's reports, plus what the real site has besides: a job, dead and deleted ones."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        kinds = "top|new|best|ask|show|job"
        return [
            web.get("/hn/api/v1/search_by_date", self.search_by_date),
            web.get("/hn/api/v1/search", self.search),
            web.get("/hn/api/v1/items/{id:\\d+}", self.item_with_comments),
            web.get(f"/hn/v0/{{kind:{kinds}}}stories.json", self.ids),
            web.get("/hn/v0/item/{id:\\d+}.json", self.item),
            web.get("/hn/v0/maxitem.json", self.newest_id),
        ]

    async def search_by_date(self, request: web.Request) -> web.Response:
        """Newest first."""
        return self._search(request, lambda submission: submission.created_at)

    async def search(self, request: web.Request) -> web.Response:
        """Most points first."""
        return self._search(request, lambda submission: submission.points)

    async def item_with_comments(self, request: web.Request) -> web.Response:
        """Algolia's item; dead and deleted ones aren't there."""
        one = self._find(request)
        if one is None:
            return web.json_response({"status": 404, "error": "Not Found"}, status=404)
        return web.json_response(
            {
                "id": one.id,
                "created_at": _iso(one.created_at, millis=True),
                "created_at_i": one.created_at,
                "type": one.kind,
                "author": one.report.author,
                "title": one.report.title,
                "url": one.url or None,
                "text": one.text or None,
                "points": one.points,
                "parent_id": None,
                "story_id": one.id,
                "children": [],
                "options": [],
            }
        )

    async def ids(self, request: web.Request) -> web.Response:
        """Firebase's lists: 500 ids of new, top and best, 200 of the others."""
        kind = request.match_info["kind"]
        everything = self._submissions(request)
        wanted = {"ask": "ask_hn", "show": "show_hn", "job": "job"}.get(kind)
        if wanted:
            return web.json_response([one.id for one in everything if wanted in one.tags][:200])
        stories = [one for one in everything if one.kind == "story"]
        if kind == "new":
            # The list names what was killed or vanished since, as the real one does.
            ids = [one.id for one in stories] + list(self._ghosts())
            return web.json_response(sorted(ids, reverse=True)[:500])
        ranked = sorted(stories, key=lambda one: one.points, reverse=True)
        return web.json_response([one.id for one in ranked][:500])

    async def item(self, request: web.Request) -> web.Response:
        """Firebase's item, `null` for an id it doesn't know."""
        number = int(request.match_info["id"])
        ghosts = self._ghosts()
        if number in ghosts:
            return web.json_response(ghosts[number])
        one = self._find(request)
        if one is None:
            return web.json_response(None)
        shown: dict[str, Any] = {
            "by": one.report.author,
            "id": one.id,
            "score": one.points,
            "time": one.created_at,
            "title": one.report.title,
            "type": one.kind,
        }
        if one.kind == "story":
            shown["descendants"] = one.comments
        if one.url:
            shown["url"] = one.url
        if one.text:
            shown["text"] = one.text
        return web.json_response(shown)

    async def newest_id(self, request: web.Request) -> web.Response:
        """The highest id so far."""
        return web.json_response(max(one.id for one in self._submissions(request)))

    def _search(self, request: web.Request, rank: Callable[[Submission], int]) -> web.Response:
        query = request.query
        try:
            keep = _filters(",".join(query.getall("numericFilters", [])))
            page, size = int(query.get("page", "0")), min(int(query.get("hitsPerPage", "20")), 1000)
        except ValueError as problem:
            return web.json_response({"message": str(problem), "status": 400}, status=400)
        words = query.get("query", "").lower().split()
        groups = _tag_groups(query.get("tags", ""))
        found = [
            one
            for one in self._submissions(request)
            if all(set(group) & set(one.tags) for group in groups)
            and all(compare(one) for compare in keep)
            and all(word in f"{one.report.title} {one.text}".lower() for word in words)
        ]
        found.sort(key=lambda one: (rank(one), one.id), reverse=True)
        reachable = found[:REACHABLE]
        return web.json_response(
            {
                "hits": [_hit(one) for one in reachable[page * size : (page + 1) * size]],
                "nbHits": len(found),
                "page": page,
                "nbPages": -(-len(reachable) // size) if size else 0,
                "hitsPerPage": size,
                "exhaustiveNbHits": True,
                "query": query.get("query", ""),
                "params": request.query_string,
                "processingTimeMS": 1,
            }
        )

    def _submissions(self, request: web.Request) -> list[Submission]:
        """All that are visible, newest first."""
        base = f"{request.scheme}://{request.host}"
        reports = self._newsroom.reports(Outlet.HACKERNEWS)
        now = datetime.now(UTC)
        found = [_submission(report, base, now) for report in reports]
        return found if not found else [*found[:-1], _as_job(found[-1])]

    def _find(self, request: web.Request) -> Submission | None:
        number = int(request.match_info["id"])
        return next((one for one in self._submissions(request) if one.id == number), None)

    def _ghosts(self) -> dict[int, dict[str, Any] | None]:
        """A deleted one, a dead one, and an id that leads to nothing."""
        anchor = self._newsroom.reports(Outlet.HACKERNEWS)[-1]
        first, time = FIRST_ID + anchor.number * STEP, int(anchor.published_at.timestamp())
        dead = {
            "by": "oneweekold",
            "dead": True,
            "id": first + 2,
            "score": 1,
            "time": time + 2,
            "title": "Twelve secrets of the tea trade nobody told you",
            "type": "story",
            "url": "https://tea.example/secrets",
        }
        deleted = {"deleted": True, "id": first + 1, "time": time + 1, "type": "story"}
        return {first + 1: deleted, first + 2: dead, first + 3: None}


def _submission(report: Report, base: str, now: datetime) -> Submission:
    """Points and comments grow with age up to what the story is worth."""
    worth = 8 + report.number * 37 % 240
    minutes = max(0, int((now - report.published_at).total_seconds() // 60))
    points = 1 + min(worth, minutes * worth // 360)
    return Submission(
        id=FIRST_ID + report.number * STEP,
        report=report,
        points=points,
        comments=points * (report.number % 5 + 1) // 4,
        kind="story",
        url=f"{base}{report.page}?utm_source=hackernews" if report.links_to else "",
        text="" if report.links_to else report.html,
    )


def _as_job(one: Submission) -> Submission:
    return Submission(one.id, one.report, 1, 0, "job", one.url, one.text)


def _hit(one: Submission) -> dict[str, Any]:
    hit: dict[str, Any] = {
        "objectID": str(one.id),
        "story_id": one.id,
        "title": one.report.title,
        "author": one.report.author,
        "points": one.points,
        "num_comments": one.comments,
        "created_at": _iso(one.created_at),
        "created_at_i": one.created_at,
        "updated_at": _iso(int(one.report.updated_at.timestamp())),
        "children": [],
        "_tags": one.tags,
        "_highlightResult": {
            "title": {"value": one.report.title, "matchLevel": "none", "matchedWords": []}
        },
    }
    if one.url:
        hit["url"] = one.url
    if one.text:
        hit["story_text"] = one.text
    return hit


def _tag_groups(tags: str) -> list[list[str]]:
    """`story,(ask_hn,show_hn)`: every group must match, in a group any of its tags."""
    parts = re.findall(r"\(([^)]*)\)|([^,()]+)", tags)
    return [(either or one).replace(" ", "").split(",") for either, one in parts]


def _filters(given: str) -> list[Callable[[Submission], bool]]:
    """`created_at_i>1700000000,points>=10`. Raises ValueError for what can't be compared."""
    names = {"created_at_i": "created_at", "points": "points", "num_comments": "comments"}
    found: list[Callable[[Submission], bool]] = []
    for one in filter(None, (part.strip() for part in given.split(","))):
        match = re.fullmatch(r"(\w+)\s*(>=|<=|>|<|=)\s*(-?\d+)", one)
        if match is None or match[1] not in names:
            raise ValueError(f"invalid numeric filter expression: {one}")
        read = operator.attrgetter(names[match[1]])
        found.append(_comparison(read, _COMPARE[match[2]], int(match[3])))
    return found


def _comparison(
    read: Callable[[Submission], int], compare: Callable[[int, int], bool], value: int
) -> Callable[[Submission], bool]:
    return lambda one: compare(read(one), value)


def _iso(seconds: int, *, millis: bool = False) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (".000Z" if millis else "Z")
