"""A WebSub hub for the simulated feeds: subscribe, verify, distribute.

https://www.w3.org/TR/websub/; a publisher's ping is PubSubHubbub 0.4's `hub.mode=publish`.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

LEASE = 10 * 24 * 3600
_LONGEST_SECRET = 199  # "less than 200 bytes in length" (§5.1)


@dataclass
class Habits:
    """How the hub behaves; `/_control/hub` changes it."""

    method: str = "sha256"  # it signs with
    lease: int = LEASE  # seconds it grants at most
    deny: str = ""  # the reason with which it denies every subscription
    forge: bool = False  # it signs with another secret


@dataclass
class Subscriber:
    """One callback for one topic."""

    callback: str
    topic: str
    secret: str
    until: float
    pushes: list[int] = field(default_factory=list)  # the answers' statuses


class Hub:
    """Answers 202 and verifies afterwards, as most hubs do."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.clear()

    def clear(self) -> None:
        """Forgets its subscribers and its habits."""
        self.habits = Habits()
        self.subscribers: dict[tuple[str, str], Subscriber] = {}

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.post("/hub", self.ask),
            web.get("/_control/hub", self.show),
            web.post("/_control/hub", self.behave),
            web.post("/_control/hub/publish", self.publish),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Subscribe or unsubscribe (§5.1); verified in the background."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        mode, callback = form.get("hub.mode", ""), form.get("hub.callback", "")
        topic, secret = form.get("hub.topic", ""), form.get("hub.secret", "")
        if mode not in ("subscribe", "unsubscribe") or not callback or not topic:
            return web.Response(status=400, text="hub.mode, hub.callback and hub.topic, please.")
        if len(secret.encode()) > _LONGEST_SECRET:
            return web.Response(status=400, text="The secret is too long.")
        wanted = form.get("hub.lease_seconds", "")
        seconds = min(int(wanted) if wanted.isdigit() else LEASE, self.habits.lease)
        subscriber = Subscriber(callback, topic, secret, time.time() + seconds)
        task = asyncio.create_task(self._verify(mode, subscriber, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=202)

    async def show(self, request: web.Request) -> web.Response:
        """Its subscribers and habits."""
        found = [asdict(each) | {"secret": bool(each.secret)} for each in self.subscribers.values()]
        return web.json_response({"subscribers": found, "habits": asdict(self.habits)})

    async def behave(self, request: web.Request) -> web.Response:
        """Other habits from now on."""
        self.habits = Habits(**await request.json())
        return web.json_response(asdict(self.habits))

    async def publish(self, request: web.Request) -> web.Response:
        """`{"topic": …}`: fetch it and push it to everybody; the answers' statuses.

        With `"body"` that text is pushed instead.
        """
        wanted = await request.json()
        topic = wanted["topic"]
        statuses = []
        async with ClientSession(timeout=ClientTimeout(total=20)) as http:
            async with http.get(topic) as answer:
                body, kind = await answer.read(), answer.headers.get("Content-Type", "")
            body = wanted["body"].encode() if "body" in wanted else body
            for subscriber in [*self.subscribers.values()]:
                if subscriber.topic != topic or subscriber.until < time.time():
                    continue
                headers = {"Content-Type": kind, **self._signature(subscriber, body)}
                headers["Link"] = f'<{request.url.origin()}/hub>; rel="hub", <{topic}>; rel="self"'
                async with http.post(subscriber.callback, data=body, headers=headers) as answer:
                    subscriber.pushes.append(answer.status)
                    statuses.append(answer.status)
        return web.json_response({"statuses": statuses})

    def _signature(self, subscriber: Subscriber, body: bytes) -> dict[str, str]:
        if not subscriber.secret:
            return {}
        secret = "somebody else's" if self.habits.forge else subscriber.secret
        made = hmac.new(secret.encode(), body, getattr(hashlib, self.habits.method))
        return {"X-Hub-Signature": f"{self.habits.method}={made.hexdigest()}"}

    async def _verify(self, mode: str, subscriber: Subscriber, seconds: int) -> None:
        """Ask the callback whether it meant it (§5.3), or tell it no (§5.2)."""
        challenge = secrets.token_urlsafe(16)
        query: dict[str, Any] = {"hub.mode": mode, "hub.topic": subscriber.topic}
        if self.habits.deny and mode == "subscribe":
            query |= {"hub.mode": "denied", "hub.reason": self.habits.deny}
        else:
            query["hub.challenge"] = challenge
        if query["hub.mode"] == "subscribe":
            query["hub.lease_seconds"] = str(seconds)
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=10)) as http,
                http.get(subscriber.callback, params=query) as answer,
            ):
                confirmed = answer.ok and await answer.text() == challenge
        except ClientError:
            return
        key = (subscriber.callback, subscriber.topic)
        if confirmed and mode == "subscribe":
            self.subscribers[key] = subscriber
        elif confirmed:
            self.subscribers.pop(key, None)
