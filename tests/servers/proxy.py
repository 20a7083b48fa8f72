"""A proxy that fails on purpose, in front of a true server.

It hands every request on as it is, except those that a `Fault` is meant for. What it did with each
is on its `log`, so that a test can tell what reached the server.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_OF_THE_HOP = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding")
)


class Mode(StrEnum):
    """What goes wrong. `done_` and `hung`, `cut_short`: after the server did the work."""

    LOST = "done_lost"  # the connection breaks instead of an answer
    HUNG = "done_hung"  # no answer for as long as anybody waits
    CUT_SHORT = "done_cut_short"  # half of the answer
    DONE_503 = "done_503"
    NEVER = "never_arrived"  # the connection breaks before the server heard of it
    BUSY = "503"
    WAIT = "429"
    SHUT = "401"


_NEVER_HANDED_ON = {Mode.NEVER: 0, Mode.BUSY: 503, Mode.WAIT: 429, Mode.SHUT: 401}


@dataclass(slots=True)
class Fault:
    """The requests that go wrong: `times` of those whose method and path are meant."""

    mode: Mode
    meant: Callable[[str, str], bool]  # method, path
    skip: int = 0  # of them, that go well before
    times: int = 1
    hit: threading.Event = field(default_factory=threading.Event)
    """Set when a request was spoilt; for `HUNG` that is when the server has done the work."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One request and what became of it."""

    method: str
    path: str
    mode: Mode | None
    status: int | None  # of the server's answer; None if it never heard of it


class Proxy:
    """Stands at `url` in front of one server."""

    def __init__(self, server: str) -> None:
        self.url = ""
        self.log: list[Handled] = []
        self.server = urlsplit(server)
        self.faults: list[Fault] = []
        self._door = threading.Lock()
        self._open = threading.Event()

    def spoil(self, *faults: Fault) -> None:
        """These faults from now on, and no others; the log begins anew."""
        self.let_go()
        with self._door:
            self.faults, self.log = list(faults), []

    def let_go(self) -> None:
        """Break the connections that hang."""
        self._open.set()
        self._open = threading.Event()

    def fault_of(self, method: str, path: str) -> Fault | None:
        """The fault for this request, which uses it up."""
        with self._door:
            for fault in self.faults:
                if not fault.times or not fault.meant(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def hang(self) -> None:
        """Wait until somebody lets go."""
        self._open.wait(120)


@contextmanager
def before(server: str) -> Iterator[Proxy]:
    """A proxy before the server at this address, on a free port of loopback."""
    proxy = Proxy(server)

    class Handler(_Handler):
        here = proxy

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{listening.server_address[1]}{proxy.server.path.rstrip('/')}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.let_go()
            listening.shutdown()
            thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    here: Proxy
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.here.fault_of(self.command, self.path)
        mode = fault.mode if fault else None
        if mode in _NEVER_HANDED_ON:
            self._note(mode, None)
            self._refuse(_NEVER_HANDED_ON[mode])
        else:
            status, headers, answer = self._handed_on(body)
            self._note(mode, status)
            self._answer(mode, fault, status, headers, answer)
        if fault:
            fault.hit.set()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any

    def _handed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        server = self.here.server
        connection = HTTPConnection(server.hostname or "", server.port, timeout=60)
        headers = {n: v for n, v in self.headers.items() if n.lower() not in _OF_THE_HOP}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, HTTPException):
            return 502, [], b"the true server is gone"
        finally:
            connection.close()

    def _answer(
        self,
        mode: Mode | None,
        fault: Fault | None,
        status: int,
        headers: list[tuple[str, str]],
        answer: bytes,
    ) -> None:
        match mode:
            case Mode.LOST:
                self._break_off()
            case Mode.HUNG if fault is not None:
                fault.hit.set()
                self.here.hang()
                self._break_off()
            case Mode.DONE_503:
                self._refuse(503)
            case _:
                self._say(status, headers, answer, cut=mode is Mode.CUT_SHORT)

    def _say(
        self, status: int, headers: list[tuple[str, str]], answer: bytes, *, cut: bool
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OF_THE_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer[: len(answer) // 2] if cut else answer)
        if cut:
            self._break_off()

    def _refuse(self, status: int) -> None:
        """A page of the proxy's own, as web servers make them; 0 is none at all."""
        if not status:
            self._break_off()
            return
        headers = [("content-type", "text/html")]
        if status == 429:
            headers.append(("retry-after", "20"))  # longer than a drain waits for
        page = f"<html><body><h1>{status}</h1>The proxy says no.</body></html>"
        self._say(status, headers, page.encode(), cut=False)

    def _break_off(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _note(self, mode: Mode | None, status: int | None) -> None:
        self.here.log.append(Handled(self.command, self.path, mode, status))

    def log_message(self, format: str, *args: Any) -> None:
        """Standard error is the tests' own."""
