"""Finding the text of a page, in a child process that a page can't take down with it.

The extractor is pure Python on lxml and follows whatever a page holds, so it runs under limits of
CPU time and memory and without our environment. This module is both ends: `Extractor` here,
`python -m sources.extraction` there. It knows neither Django nor network.
"""

import json
import os
import re
import resource
import select
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

CPU_SECONDS = 5.0  # of one page
WALL_SECONDS = 20.0
MEMORY = 768 * 1024 * 1024  # bytes of address space of the child
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it came."""

    url: str
    body: bytes = field(repr=False)
    charset: str = ""  # by its HTTP header


class TooCostly(Exception):
    """The page took more time or memory than a page may."""


class Extractor:
    """A child that extracts one page after the other; started when the first one comes."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def text(self, page: Page) -> str:
        """The page's text as HTML, "" when there is none. Raises `TooCostly`."""
        child = self._child = self._child or _started()
        about = {
            "url": page.url,
            "charset": page.charset,
            "seconds": self._cpu_seconds,
            "length": len(page.body),
        }
        try:
            _in(child).write(json.dumps(about).encode() + b"\n" + page.body)
            _in(child).flush()
            length = struct.unpack(">Q", self._read(child, 8))[0]
            return self._read(child, length).decode()
        except (OSError, EOFError, TimeoutError):
            self._end()
            raise TooCostly("The page takes too much time or memory to read.") from None

    def _read(self, child: subprocess.Popen[bytes], length: int) -> bytes:
        found = b""
        pipe = _out(child)
        while len(found) < length:
            ready, _, _ = select.select([pipe], [], [], WALL_SECONDS)
            if not ready:
                raise TimeoutError
            piece = os.read(pipe.fileno(), min(length - len(found), 65536))
            if not piece:
                raise EOFError
            found += piece
        return found

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                try:
                    if pipe:
                        pipe.close()
                except OSError:
                    pass  # what it did not read any more
            self._child.wait()
            self._child = None


def extract(page: Page) -> str:
    """The main text of a page as HTML, "" when there is none."""
    import trafilatura

    found = trafilatura.extract(
        _decoded(page),
        url=page.url,
        fast=True,
        output_format="html",
        include_formatting=True,
        include_links=True,
        include_tables=True,
        include_comments=False,
        include_images=False,
    )
    inside = re.sub(r"</?(?:html|body|head|doc|main)\b[^>]*>", "", found or "")
    return re.sub(r"<(/?)h1\b", r"<\1h2", inside).strip()


def _decoded(page: Page) -> str | bytes:
    if page.charset:
        try:
            return page.body.decode(page.charset, "replace")
        except (LookupError, ValueError):
            pass  # no charset, or no codec for text: by what the page says itself
    return page.body


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sources.extraction"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={"PATH": os.environ.get("PATH", "")},
    )


def _in(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdin is not None  # noqa: S101 (a pipe was asked for)
    return child.stdin


def _out(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdout is not None  # noqa: S101 (a pipe was asked for)
    return child.stdout


def _serve() -> None:
    """The child: read pages from stdin, write texts to stdout, until there are no more."""
    import trafilatura  # noqa: F401 (before memory is limited, and once for all pages)

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := asked.readline():
        about = json.loads(line)
        page = Page(about["url"], asked.read(about["length"]), about["charset"])
        signal.setitimer(signal.ITIMER_PROF, about["seconds"])  # the signal ends the process
        try:
            text = extract(page).encode(errors="replace")
        except Exception:  # noqa: BLE001 (whatever a page does to the extractor: it has no text)
            text = b""
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(struct.pack(">Q", len(text)) + text)
        answers.flush()


if __name__ == "__main__":
    _serve()
