"""A second opinion on broken documents: feedparser, in a child process under hard limits.

feedparser reads nearly anything, but may take seconds and hundreds of megabytes for it. So it
never runs in a worker: a child is started when the first broken feed comes, is kept for the next,
and is killed by the kernel when a document costs it more than a second of CPU time or 100 MB.
Losing it costs nothing but that document.
"""

import atexit
import os
import re
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import orjson

from articles.wire import WireCopy
from sources.feedparsing import Feed
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import Links, absolute
from sources.feedparsing.texts import one_line

WALL_SECONDS = 5.0  # it may have to wait for its second of CPU time on a busy machine
_MOST_BYTES = 2 * 1024 * 1024  # more takes feedparser longer than it is given
_MOST_REPLY = 16 * 1024 * 1024
_PIECE = re.compile(rb"<(?:\w{1,20}:)?(?:item|entry)[\s>]", re.I)
_VERSIONS = re.compile(r"(rss|atom|cdf)(\d)?(\d+)?")


def read(document: bytes, content_type: str, url: str) -> Feed | None:
    """What feedparser makes of `document`; None if it finds nothing or is stopped."""
    if len(document) > _MOST_BYTES or not _PIECE.search(document):
        return None
    told = _reader.ask(document, {"content-type": content_type, "content-location": url})
    if not told or not told["entries"]:
        return None
    links = Links()
    family = _VERSIONS.match(told["version"])
    version = f"{family[1]} {family[2] or ''}.{family[3] or '0'}" if family and family[2] else "rss"
    return Feed(
        title=one_line(told["title"]),
        url=absolute(url, told["url"]),
        language=told["language"],
        version=version,
        entries=tuple(_piece(each, url, told["language"], links) for each in told["entries"]),
        warnings=("The document is too broken for XML; it was read as far as it makes sense.",),
    )


def _piece(told: dict[str, Any], base: str, language: str, links: Links) -> WireCopy:
    link = absolute(base, told["url"]) if told["url"] else ""
    title = one_line(told["title"])
    published = parse_date(told["published"])
    updated = parse_date(told["updated"])
    content = links.made_absolute(told["content"] or told["summary"], link or base)
    enclosures = [
        {"url": absolute(base, address), "type": kind, "length": _size(length)}
        for address, kind, length in told["enclosures"][:20]
        if address
    ]
    return WireCopy(
        external_id=identity(told["id"], link, title, published or updated, content),
        title=title,
        url=link,
        content=content,
        summary=told["summary"] if told["content"] and told["summary"] != told["content"] else "",
        authors=tuple(dict.fromkeys(name for name in told["authors"] if name)),
        tags=tuple(dict.fromkeys(tag for tag in told["tags"] if tag)),
        language=language,
        published_at=published or updated,
        updated_at=updated,
        metadata={"enclosures": enclosures} if enclosures else {},
    )


def _size(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


class _Reader:
    """The child, started when it is needed; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, document: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """The child's answer; None when it was stopped over this document."""
        about = orjson.dumps(headers)
        message = struct.pack(">II", len(about), len(document)) + about
        with self._lock:
            child = self._ready()
            deadline = threading.Timer(WALL_SECONDS, child.kill)
            deadline.daemon = True
            deadline.start()
            try:
                reply = self._exchange(child, message, document)
            finally:
                deadline.cancel()
            if reply is None:
                self._lose()
                return None
        answer = orjson.loads(reply)
        return answer if isinstance(answer, dict) else None

    def stop(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._lose()

    def _ready(self) -> "subprocess.Popen[bytes]":
        child = self._child
        if child is not None and self._owner == os.getpid() and child.poll() is None:
            return child
        self._lose()
        child = subprocess.Popen(  # noqa: S603 - our own script, nothing from outside
            [sys.executable, "-I", str(Path(__file__).with_name("fallback_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._child, self._owner = child, os.getpid()
        return child

    @staticmethod
    def _exchange(
        child: "subprocess.Popen[bytes]", message: bytes, document: bytes
    ) -> bytes | None:
        """The reply in full; None when the child broke off."""
        if child.stdin is None or child.stdout is None:
            return None
        try:
            child.stdin.write(message)
            child.stdin.write(document)
            child.stdin.flush()
            head = child.stdout.read(4)
            size = struct.unpack(">I", head)[0] if len(head) == 4 else 0
            reply = child.stdout.read(size) if 0 < size <= _MOST_REPLY else b""
        except OSError:
            return None
        return reply if reply and len(reply) == size else None

    def _lose(self) -> None:
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():  # a fork's parent looks after its own
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written has nobody to read it
                    continue
        child.wait()


_reader = _Reader()
atexit.register(_reader.stop)
