"""The handle for drills and tests, under `/_control`: faults, what was seen, what arrived."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from aiohttp import web

from simulator.faults import Faults
from simulator.hub import Hub
from simulator.mastodon import Mastodon
from simulator.newsroom import Newsroom, Report
from simulator.postings import Platform, as_json
from simulator.stories import Outlet
from simulator.webhook import Webhook


class Control:
    """Answers plain JSON; is never itself hit by a fault."""

    def __init__(
        self, newsroom: Newsroom, faults: Faults, platforms: list[Platform], hub: Hub
    ) -> None:
        self._newsroom = newsroom
        self._faults = faults
        self._platforms = platforms
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.post("/_control/faults", self.add_fault),
            web.get("/_control/faults", self.list_faults),
            web.delete("/_control/faults", self.clear_faults),
            web.get("/_control/log", self.log),
            web.get("/_control/posts", self.posts),
            web.post("/_control/readers", self.readers),
            web.post("/_control/reset", self.reset),
            web.post("/_control/publish_story", self.publish_story),
        ]

    async def add_fault(self, request: web.Request) -> web.Response:
        """One rule more (or a list of rules); see `faults.Fault`."""
        wanted = await request.json()
        try:
            rules = [
                self._faults.add(one) for one in (wanted if isinstance(wanted, list) else [wanted])
            ]
        except (TypeError, ValueError, AttributeError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return web.json_response({"added": len(rules)}, status=201)

    async def list_faults(self, request: web.Request) -> web.Response:
        """The rules in force, with what is left of `times`."""
        return web.json_response([_rule(rule) for rule in self._faults.rules])

    async def clear_faults(self, request: web.Request) -> web.Response:
        """No faults from now on."""
        self._faults.clear()
        return web.json_response({"cleared": True})

    async def log(self, request: web.Request) -> web.Response:
        """The requests seen, oldest first; `?path=` keeps those whose path starts so."""
        prefix = request.query.get("path", "")
        return web.json_response(
            [entry for entry in self._faults.log if entry["path"].startswith(prefix)]
        )

    async def posts(self, request: web.Request) -> web.Response:
        """Everything that arrived, by platform, with how often each marker is public."""
        return web.json_response(
            {platform.name.lower(): _arrived(platform) for platform in self._platforms}
        )

    async def readers(self, request: web.Request) -> web.Response:
        """The Mastodon status `id` has so many `favourites` and `boosts` from now on."""
        wanted = await request.json()
        numbers = int(wanted.get("favourites", 0)), int(wanted.get("boosts", 0))
        mastodons = (each for each in self._platforms if isinstance(each, Mastodon))
        found = any(each.read_by(str(wanted["id"]), *numbers) for each in mastodons)
        return web.json_response({"found": found}, status=200 if found else 404)

    async def reset(self, request: web.Request) -> web.Response:
        """Forgets posts, requests, faults, subscribers; `?newsroom=1` begins the news anew."""
        for platform in self._platforms:
            platform.clear()
        self._hub.clear()
        self._faults.clear()
        self._faults.log.clear()
        if request.query.get("newsroom"):
            self._newsroom.reopen()
        return web.json_response({"reset": True})

    async def publish_story(self, request: web.Request) -> web.Response:
        """A new report now: `outlet`, `title`, `author`, `html`, `section`, `tags`, all optional.

        With `update` (a slug) that report gets a new version with `title` and `html` instead.
        """
        wanted = await request.json() if request.can_read_body else {}
        base = f"{request.scheme}://{request.host}"
        if slug := wanted.get("update"):
            if self._newsroom.find(slug) is None:
                return web.json_response({"error": f"No report {slug!r}."}, status=404)
            updated = self._newsroom.update(slug, wanted.get("title", ""), wanted.get("html", ""))
            return web.json_response(_report(updated, base))
        texts = {name: str(wanted[name]) for name in _TEXTS if name in wanted}
        try:
            outlet = Outlet(wanted["outlet"]) if wanted.get("outlet") else None
        except ValueError as problem:
            return web.json_response({"error": str(problem)}, status=400)
        report = self._newsroom.publish_now(outlet, tags=tuple(wanted.get("tags", ())), **texts)
        return web.json_response(_report(report, base), status=201)


_TEXTS = ("title", "author", "html", "section")


def _rule(rule: Any) -> dict[str, Any]:
    shown = {name: getattr(rule, name) for name in ("match", "method", "times", "share", "delay")}
    return {"mode": rule.mode.value, "retry_after": rule.retry_after} | shown


def _arrived(platform: Platform) -> dict[str, Any]:
    postings = platform.postings()
    public = [posting for posting in postings if posting.public]
    counts = {
        "total": len(postings),
        "public": len(public),
        "by_marker": Counter(posting.marker for posting in public if posting.marker),
        "posts": [as_json(posting) for posting in postings],
    }
    return counts | ({"received": platform.received} if isinstance(platform, Webhook) else {})


def _report(report: Report, base: str) -> dict[str, Any]:
    return asdict(report) | {
        "outlet": report.outlet.value,
        "url": base + report.page,
        "published_at": report.published_at.isoformat(),
        "updated_at": report.updated_at.isoformat(),
    }
