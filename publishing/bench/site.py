"""The receiver, in a process of its own: `python -m publishing.bench.site`.

It answers every post after a while and counts by `webhook-id`, which is our marker. A line with a
number on its input empties the count and sets the milliseconds it takes; an empty line asks for the
count. It ends with its input.
"""

import asyncio
import json
import re
import sys
from collections import Counter

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_MARKER = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.I)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Count:
    """What has arrived."""

    def __init__(self) -> None:
        self.begin(0.1)

    def begin(self, seconds: float) -> None:
        """Nothing has arrived; an answer takes so long."""
        self.by_marker: Counter[bytes] = Counter()
        self.open = self.most_open = 0
        self.seconds = seconds

    def told(self) -> dict[str, int]:
        """Posts, markers, and the most that were open at once."""
        return {
            "posts": self.by_marker.total(),
            "markers": len(self.by_marker),
            "most_open": self.most_open,
        }


class _Connection(asyncio.Protocol):
    def __init__(self, count: Count) -> None:
        self._count = count
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
        head, there, body = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not there or len(body) < int(length[1] if length else 0):
            return
        self._came = b""
        marker = _MARKER.search(head)
        self._count.by_marker[marker[1] if marker else b""] += 1
        self._count.open += 1
        self._count.most_open = max(self._count.most_open, self._count.open)
        self._loop.call_later(self._count.seconds, self._answer)

    def _answer(self) -> None:
        self._count.open -= 1
        if not self._wire.is_closing():
            self._wire.write(_ANSWER)


async def _serve() -> None:
    count = Count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(count), "127.0.0.1", 0, backlog=2000)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            count.begin(float(line) / 1000)
        print(json.dumps(count.told()), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
