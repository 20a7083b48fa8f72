"""A platform with no key and no look-up: every request makes another post.

It stands for the outside services where nobody can find out afterwards whether a post arrived.
"""

import json
from datetime import UTC, datetime
from html import escape
from typing import ClassVar

from aiohttp import web

from simulator import pages
from simulator.postings import Posting


class Bare:
    """`POST /bare/post` with any JSON."""

    name = "Bare"
    remembers: ClassVar[tuple[str, ...]] = ("_posts",)

    def __init__(self) -> None:
        self._posts: list[Posting] = []

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [web.post("/bare/post", self.receive), web.get("/bare/{id}", self.show)]

    def postings(self) -> list[Posting]:
        """Everything that arrived."""
        return list(self._posts)

    def clear(self) -> None:
        """Forgets everything."""
        self._posts.clear()

    async def receive(self, request: web.Request) -> web.Response:
        """Stores what came as a new post, always."""
        try:
            sent = json.loads(await request.text())
        except ValueError:
            return web.json_response({"error": "The body is not JSON."}, status=400)
        fields = sent if isinstance(sent, dict) else {}
        number = str(len(self._posts) + 1)
        headers = request.headers
        marker = (
            headers.get("Idempotency-Key") or headers.get("webhook-id") or fields.get("marker", "")
        )
        pretty = json.dumps(sent, indent=2, ensure_ascii=False)
        self._posts.append(
            Posting(
                id=number,
                marker=str(marker),
                title=str(fields.get("title", "")),
                html=f"<pre>{escape(pretty)}</pre>",
                path=f"/bare/{number}",
                at=datetime.now(UTC),
                public=True,
            )
        )
        url = f"{request.scheme}://{request.host}/bare/{number}"
        return web.json_response({"id": number, "url": url}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        """One post for readers. The platform offers programs nothing to look up with."""
        number = request.match_info["id"]
        if not number.isdigit() or not 0 < int(number) <= len(self._posts):
            return pages.not_found("No such post.")
        post = self._posts[int(number) - 1]
        return pages.article_page(
            post.title or f"Post {post.id}", post.html, byline=f"{post.at:%c}", site=self.name
        )
