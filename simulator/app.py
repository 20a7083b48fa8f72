"""Puts the simulated world together: one newsroom, many wires, one server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

from simulator import pages
from simulator.anthropic_wire import Anthropic
from simulator.bare import Bare
from simulator.control import Control
from simulator.faults import Faults
from simulator.feeds import Feeds
from simulator.hackernews import HackerNews
from simulator.hub import Hub
from simulator.mastodon import Mastodon
from simulator.memory import Remembers, keep, recall
from simulator.newsroom import Newsroom
from simulator.ollama_wire import Ollama
from simulator.openai_wire import OpenAI
from simulator.postings import Platform
from simulator.reddit import Reddit
from simulator.webhook import Webhook
from simulator.wordpress import WordPress

LARGEST_BODY = 32 * 1024 * 1024


class Wire(Protocol):
    """Something with addresses of its own on the server."""

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        ...


def build(*, seed: int = 1, pace: float = 20, memory: Path | None = None) -> web.Application:
    """The server: an invented world that depends on `seed` and moves every `pace` seconds.

    With `memory` it goes on where that file ends, and writes it anew when the server is closed.
    """
    newsroom = Newsroom(seed, pace)
    faults = Faults(seed)
    wordpress, mastodon, webhook, bare = WordPress(), Mastodon(), Webhook(), Bare()
    platforms: list[Platform] = [wordpress, mastodon, webhook, bare]
    reddit, openai, anthropic, ollama = Reddit(newsroom), OpenAI(), Anthropic(), Ollama()
    hub = Hub()
    wires: list[Wire] = [
        Control(newsroom, faults, platforms, hub),
        hub,
        Feeds(newsroom),
        HackerNews(newsroom),
        *(reddit, openai, anthropic, ollama),
        *platforms,
    ]
    faults.refusals = {
        "/wordpress/": wordpress.refusal,
        "/mastodon/": mastodon.refusal,
        "/webhook": webhook.refusal,
        "/reddit/": reddit.refusal,
        "/openai/": openai.refusal,
        "/anthropic/": anthropic.refusal,
        "/ollama/": ollama.refusal,
    }

    async def home(request: web.Request) -> web.Response:
        return pages.front_page([each for each in platforms if each is not bare or bare.postings()])

    app = web.Application(middlewares=[faults.middleware], client_max_size=LARGEST_BODY)
    app.router.add_get("/", home)
    if memory is not None:
        _remember(app, memory, newsroom, [newsroom, wordpress, mastodon, webhook, bare])
    for wire in wires:
        app.router.add_routes(wire.routes())
    return app


def _remember(
    app: web.Application, path: Path, newsroom: Newsroom, parts: Sequence[Remembers]
) -> None:
    async def write_down(_app: web.Application) -> None:
        newsroom.catch_up()
        keep(path, parts)

    if recall(path, parts):
        newsroom.resume()
    app.on_cleanup.append(write_down)
