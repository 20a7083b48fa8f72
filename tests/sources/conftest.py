"""The simulator as the outside world, and a server that answers what a test gives it."""

import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from simulator import credentials
from simulator.testing import Simulator, running
from sources import timetable
from sources.models import Source
from tests.config.far_end import http


@pytest.fixture(autouse=True)
def _nothing_asked_yet() -> None:
    """Hundreds of tests ask one host, with one credential."""
    as_in_the_morning()


def as_in_the_morning() -> None:
    """Every pause is over, and no limit is used."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture(scope="session")
def outside() -> Iterator[Simulator]:
    """The simulated outside world, one for the whole run."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def world(outside: Simulator) -> Simulator:
    """The world without faults, its news as on the first day."""
    outside.reset(newsroom=True)
    outside.faults()
    return outside


@pytest.fixture
def site() -> Iterator[Callable[..., str]]:
    """Sets up a site that answers every request with these bytes: `site(http(body=…))`."""
    with ExitStack() as open_sites:
        yield lambda answer, **more: open_sites.enter_context(_serving(answer, **more))


@pytest.fixture
def console(ada) -> Client:
    """Ada, signed in."""
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def source(db: None) -> Callable[..., Source]:
    """A source of this address, scheduled: `source(url, connector="reddit")`."""

    def made(url: str, connector: str = "feed", **more: Any) -> Source:
        # A test that syncs twice means it: rhythm is a matter of test_schedule and test_drain.
        usual = {"name": f"Source {Source.objects.count()}", "follows_rhythm": False}
        fields: dict[str, Any] = usual | more
        made = Source.objects.create(
            api_endpoint=url, connector=connector, rate_limit_per_minute=600_000, **fields
        )
        timetable.keep(made)
        return made

    return made


REDDIT = {
    "client_id": credentials.REDDIT_CLIENT_ID,
    "client_secret": credentials.REDDIT_CLIENT_SECRET,
}


def reddit_options(url: str, **more: Any) -> dict[str, Any]:
    """A Reddit source's options, at the simulator."""
    return {
        "subreddit": credentials.REDDIT_SUBREDDIT,
        "token_url": f"{url}/reddit/api/v1/access_token",
        **more,
    }


def rss(*items: str, title: str = "The Gazette") -> bytes:
    """A site's answer: an RSS feed of these items."""
    body = f"<rss version='2.0'><channel><title>{title}</title>{''.join(items)}</channel></rss>"
    return http(body=body.encode(), Content_Type="application/rss+xml")


def item(number: int, text: str = "Something happened.") -> str:
    """One piece of such a feed."""
    return (
        f"<item><guid isPermaLink='false'>g{number}</guid><title>Piece {number}</title>"
        f"<link>https://gazette.example/{number}</link><description>{text}</description></item>"
    )


@contextmanager
def _serving(
    answer: bytes | Callable[[bytes], bytes | Iterator[bytes]], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A loopback server; `answer` may be a function of the request's head and body."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while head := self.head():
                    given = answer(head) if callable(answer) else answer
                    for piece in [given] if isinstance(given, bytes) else given:
                        self.wfile.write(piece)
                    if given == b"":
                        break  # a site that hangs up
            except OSError:
                pass  # the client has seen enough

        def head(self) -> bytes:
            lines = []
            while line := self.rfile.readline():
                lines.append(line)
                if line == b"\r\n":
                    break
            head = b"".join(lines)
            length = re.search(rb"content-length: *(\d+)", head, re.I)
            return head + (self.rfile.read(int(length[1])) if length else b"")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not like our certificate leaves; that is what is tested."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
