"""A receiver of signed webhooks as Standard Webhooks describes them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from aiohttp import web

from simulator import pages
from simulator.credentials import WEBHOOK_SECRET
from simulator.postings import Posting

TOLERANCE = 5 * 60  # seconds between the sender's clock and ours


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted message."""

    id: str
    body: Any
    at: datetime


class Webhook:
    """`POST /webhook`: verified, and counted once for each `webhook-id`."""

    name = "Webhook"
    remembers: ClassVar[tuple[str, ...]] = ("_accepted",)

    def __init__(self, secret: str = WEBHOOK_SECRET) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._accepted: dict[str, Message] = {}
        self.received = 0  # raw arrivals, refused and repeated ones included

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [web.post("/webhook", self.receive), web.get("/webhook/{id}", self.show)]

    def postings(self) -> list[Posting]:
        """The accepted messages."""
        return [self._posting(message) for message in self._accepted.values()]

    def clear(self) -> None:
        """Forgets everything."""
        self._accepted.clear()
        self.received = 0

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as this receiver says it."""
        return web.json_response({"error": f"Refused with {status}."}, status=status)

    async def receive(self, request: web.Request) -> web.Response:
        """Verifies and keeps one message; a repeated id is answered alike and not kept again."""
        self.received += 1
        body = await request.read()
        if problem := self._problem(request, body):
            return web.json_response({"error": problem}, status=401)
        try:
            sent = json.loads(body)
        except ValueError:
            return web.json_response({"error": "The body is not JSON."}, status=400)
        message_id = request.headers["webhook-id"]
        repeated = message_id in self._accepted
        if not repeated:
            self._accepted[message_id] = Message(message_id, sent, datetime.now(UTC))
        url = f"{request.scheme}://{request.host}/webhook/{message_id}"
        return web.json_response({"id": message_id, "duplicate": repeated, "url": url})

    async def show(self, request: web.Request) -> web.Response:
        """One message for readers."""
        message = self._accepted.get(request.match_info["id"])
        if message is None:
            return pages.not_found("No such message was accepted.")
        post = self._posting(message)
        return pages.article_page(
            post.title or message.id, post.html, byline=f"{message.at:%c}", site=self.name
        )

    def _problem(self, request: web.Request, body: bytes) -> str:
        """Why a message can't be trusted; empty when it can."""
        headers = request.headers
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        if missing := [name for name in names if not headers.get(name)]:
            return f"Missing header: {', '.join(missing)}."
        stamp = headers["webhook-timestamp"]
        if not stamp.isdigit():
            return "webhook-timestamp is not a number of seconds."
        if abs(time.time() - int(stamp)) > TOLERANCE:
            return "webhook-timestamp is more than five minutes away from now."
        signed = f"{headers['webhook-id']}.{stamp}.".encode() + body
        expected = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        # Several signatures stand side by side while a sender changes its secret.
        offered = [part.partition(",") for part in headers["webhook-signature"].split()]
        good = any(
            version == "v1" and hmac.compare_digest(signature.encode(), expected.encode())
            for version, _, signature in offered
        )
        return "" if good else "No signature matches."

    def _posting(self, message: Message) -> Posting:
        data = message.body.get("data") if isinstance(message.body, dict) else None
        data = data if isinstance(data, dict) else {}
        article = data.get("article", data)
        title = article.get("title", "") if isinstance(article, dict) else ""
        return Posting(
            id=message.id,
            marker=message.id,
            title=str(title),
            html=f"<pre>{escape(json.dumps(message.body, indent=2, ensure_ascii=False))}</pre>",
            path=f"/webhook/{message.id}",
            at=message.at,
            public=True,
        )
