"""An outside world that means harm, and inside it a canary that must never hear anything.

The outside is 127.0.0.2 and 127.0.0.3, which the test allows; the canary listens on 127.0.0.1 and
::1, which it doesn't, as an office's own servers would.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

OUTSIDE, ELSEWHERE = "127.0.0.2", "127.0.0.3"
ALLOWED = (f"{OUTSIDE}/32", f"{ELSEWHERE}/32")
Answer = bytes | Callable[[bytes], bytes | Iterator[bytes]]


@dataclass
class Site:
    """One server of the outside."""

    port: int = 0
    host: str = OUTSIDE
    answer: Answer = b""
    heads: list[bytes] = field(default_factory=list)  # of the requests that it got

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}:{self.port}"


@dataclass
class World:
    """Both sites, the canary's port, and how often somebody came there."""

    site: Site
    elsewhere: Site
    canary: int = 0
    visits: int = 0
    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)

    def resolve(self, name: str, *answers: Sequence[str]) -> str:
        """Make a host name with these addresses: the second look-up gets the second answer."""
        self.names[f"{name}.hostile.test"] = list(answers)
        return f"{name}.hostile.test"


@contextmanager
def hostile_world(monkeypatch: Any) -> Iterator[World]:
    """The world, its names resolved by us alone."""
    with ExitStack() as running:
        world = World(Site(), Site(host=ELSEWHERE))
        for site in (world.site, world.elsewhere):
            running.enter_context(_serving(site))
        running.enter_context(_canary(world))
        monkeypatch.setattr(socket, "getaddrinfo", _resolver(world, socket.getaddrinfo))
        yield world


def _resolver(world: World, real: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        answers = world.names.get(name)
        if answers is None:
            return real(host, port, *more, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for each in addresses for entry in real(each, port, *more, **options)]

    return getaddrinfo


@contextmanager
def _serving(site: Site) -> Iterator[None]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while head := self._head():
                    site.heads.append(head)
                    given = site.answer(head) if callable(site.answer) else site.answer
                    for piece in [given] if isinstance(given, bytes) else given:
                        self.wfile.write(piece)
            except OSError:
                pass  # the client has seen enough

        def _head(self) -> bytes:
            lines = []
            while line := self.rfile.readline():
                lines.append(line)
                if line == b"\r\n":
                    break
            return b"".join(lines)

    with _Server((site.host, 0), Handler) as server:
        site.port = server.server_address[1]
        with _in_background(server):
            yield


@contextmanager
def _canary(world: World) -> Iterator[None]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            world.visits += 1

    with _Server(("127.0.0.1", 0), Handler) as server, ExitStack() as running:
        world.canary = server.server_address[1]
        running.enter_context(_in_background(server))
        if socket.has_ipv6:
            inner = _Server6(("::1", world.canary), Handler)
            running.enter_context(inner)
            running.enter_context(_in_background(inner))
        yield


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is what is tested."""


class _Server6(_Server):
    address_family = socket.AF_INET6


@contextmanager
def _in_background(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
