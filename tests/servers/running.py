"""Server processes on loopback, ended by their own number and nobody else's."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.installing import Missing


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


@contextmanager
def process(
    command: list[str],
    *,
    log: Path,
    ready: Callable[[], bool],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    within: float = 120,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server from when it is `ready` to the end of the block, in a process group of its own.

    Raises `Missing`, with the end of its log, if it ends or isn't ready `within` these seconds.
    """
    with log.open("wb") as words:
        server = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + within
        while not ready():
            if server.poll() is not None or time.monotonic() > until:
                end = log.read_text(errors="replace").strip().splitlines()[-5:]
                raise Missing(f"{Path(command[0]).name} did not start: {' / '.join(end)}")
            time.sleep(0.1)
        yield server
    finally:
        _end(server)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(url: str) -> bool:
    """Whether a GET of this address is answered with success."""
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        connection.request("GET", where.path or "/")
        return connection.getresponse().status < 300
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(server: "subprocess.Popen[bytes]") -> None:
    """Ask it and its children to end; after ten seconds, end them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            break
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            continue
