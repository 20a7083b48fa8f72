"""The site of the measured world, in a process of its own: `python -m sources.bench.site HOSTS`.

Answers are made before anybody asks and written by a bare protocol, so that the worker is what is
measured. A line of JSON on its input is the world from then on; each is answered by a line. It
ends with its input.
"""

import asyncio
import gzip
import json
import re
import sys
from functools import partial

from sources.bench.papers import Manner, World, bomb, document

_ASKS = re.compile(rb"GET /(\d+) HTTP")
_HAS = re.compile(rb"\r\nif-none-match: *([^\r]+)", re.I)
_DRIP = 0.5  # seconds between two bytes of a slow answer
_FIRST_HOST = 16  # 127.0.1.16 …: addresses of this machine that nothing else listens on


def hosts(count: int) -> list[str]:
    """So many addresses of this machine: limits and fuses are by host, as in the real world."""
    if not sys.platform.startswith("linux"):  # elsewhere only 127.0.0.1 is there
        return ["127.0.0.1"]
    return [f"127.0.{1 + number // 200}.{_FIRST_HOST + number % 200}" for number in range(count)]


class Answers:
    """Every feed's answer, ready to be written."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._kept: dict[tuple[int, int], bytes] = {}

    def set_up(self, world: World) -> None:
        """From now on the world is this one."""
        self.world = world
        for feed in range(world.feeds):
            self.whole(feed)
        if world.hostile:
            bomb()

    def whole(self, feed: int) -> bytes:
        """The whole answer of a good feed; every second one is compressed."""
        world = self.world
        key = feed, world.version_of(feed)
        if key not in self._kept:
            body, more = document(*key, world.entries), ""
            if feed % 2:
                body, more = gzip.compress(body, 4), "Content-Encoding: gzip\r\n"
            self._kept[key] = _answer(
                "200 OK", body, f'{more}ETag: "{key[1]}"\r\nContent-Type: application/rss+xml\r\n'
            )
            self._kept.pop((feed, key[1] - 1), None)
        return self._kept[key]

    def to(self, head: bytes) -> bytes | None:
        """What to answer to a request; None for one byte at a time."""
        asked = _ASKS.match(head)
        if asked is None:
            return _answer("404 Not Found", b"")
        feed = int(asked[1])
        manner = self.world.manner_of(feed)
        if manner is Manner.SLOW:
            return None
        if manner is Manner.BROKEN:
            return _answer("503 Service Unavailable", b"")
        if manner is Manner.BOMB:
            return _answer("200 OK", bomb(), "Content-Encoding: gzip\r\n")
        if manner is Manner.BAD:
            return _answer("200 OK", b"<rss><channel><item><<<" * 50)
        has = _HAS.search(head)
        if has and has[1].strip() == f'"{self.world.version_of(feed)}"'.encode():
            return _answer("304 Not Modified", None, f"ETag: {has[1].decode()}\r\n")
        return self.whole(feed)


def _answer(status: str, body: bytes | None, headers: str = "") -> bytes:
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{headers}{length}\r\n".encode() + (body or b"")


class _Connection(asyncio.Protocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._came = b""
        self._wire: asyncio.Transport
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (TCP gives no other)
        self._wire = transport

    def data_received(self, data: bytes) -> None:
        """A request, or a part of one."""
        self._came += data
        while b"\r\n\r\n" in self._came:
            head, self._came = self._came.split(b"\r\n\r\n", 1)
            answer = self._answers.to(head)
            send = self._drip if answer is None else partial(self._wire.write, answer)
            self._loop.call_later(self._answers.world.latency, send)

    def _drip(self) -> None:
        if not self._wire.is_closing():
            self._wire.write(b"H")
            self._loop.call_later(_DRIP, self._drip)


async def _serve(count: int) -> None:
    answers = Answers(World(0, 0))
    loop = asyncio.get_running_loop()
    port = 0
    for host in hosts(count):
        server = await loop.create_server(lambda: _Connection(answers), host, port, backlog=500)
        port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await asyncio.to_thread(answers.set_up, World(**json.loads(line)))
        print("{}", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
