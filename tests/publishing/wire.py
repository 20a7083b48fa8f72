"""A platform made of recorded answers: it says what a test tells it to, and keeps what it is asked.

Run in the test's own process on loopback, so that what an adapter sends is seen as bytes.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say."""

    status: int = 200
    json: Any = None
    text: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire:
    """The scripted platform: `answers` by "METHOD /path", the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Answer]] = {}

    def says(self, route: str, *answers: Answer) -> None:
        """Set what a route answers: "POST /api/things"; a path ending in * stands for all below."""
        self.answers[route] = list(answers)

    def to(self, route: str) -> list[Asked]:
        """The requests that a route got."""
        method, _, path = route.partition(" ")
        return [each for each in self.asked if each.method == method and _matches(path, each.path)]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        asked = Asked(
            request.method, request.path, dict(request.query), dict(request.headers),
            await request.read(),
        )  # fmt: skip
        self.asked.append(asked)
        for route, answers in self.answers.items():
            method, _, path = route.partition(" ")
            if method == asked.method and _matches(path, asked.path):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                return _response(answer)
        return web.Response(status=599, text=f"no answer for {asked.method} {asked.path}")


def _matches(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _response(answer: Answer) -> web.Response:
    if answer.json is not None:
        return web.json_response(answer.json, status=answer.status, headers=dict(answer.headers))
    body = answer.body or answer.text.encode()
    return web.Response(status=answer.status, body=body, headers=dict(answer.headers))


@contextmanager
def speaking(wire: Wire | None = None) -> Iterator[Wire]:
    """A scripted platform on loopback, or one that does its own `handle`."""
    wire = wire or Wire()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", wire.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        wire.url = f"http://localhost:{runner.addresses[0][1]}"
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
