"""Reads broken feeds with feedparser, in a process of its own that may be lost at any time.

Run by `sources.feedparsing.fallback` as a script; it speaks length-prefixed messages on its
standard input and output. Before each document the kernel is told to end it after one second of
CPU time, and never to give it more than 100 MB beyond what it needs to exist.
"""

import io
import json
import os
import resource
import signal
import struct
import sys
import time
from typing import Any

CPU_SECONDS = 1.0
MEMORY = 100 * 1024 * 1024  # bytes above the baseline
IDLE_SECONDS = 120  # then it ends, to be started again when it is needed
_MOST_ENTRIES = 500


def main() -> None:
    """Answer documents until the other side hangs up."""
    import feedparser

    feedparser.parse(io.BytesIO(b"<rss><channel><item><title>a</title></item></channel></rss>"))
    _limit_memory()
    source, answer = sys.stdin.buffer, sys.stdout.buffer
    while True:
        signal.alarm(IDLE_SECONDS)
        size = source.read(8)
        if len(size) < 8:
            return
        about, document = struct.unpack(">II", size)
        headers = json.loads(source.read(about))
        body = source.read(document)
        signal.alarm(0)
        _limit_cpu()
        result = feedparser.parse(
            io.BytesIO(body),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        reply = json.dumps(_feed(result)).encode("utf-8")
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer.write(struct.pack(">I", len(reply)) + reply)
        answer.flush()


def _limit_memory() -> None:
    try:
        with open("/proc/self/statm", encoding="ascii") as told:
            now = int(told.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no Linux: there the CPU limit and the parent's deadline must do
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def _limit_cpu() -> None:
    """SIGPROF ends it to the hundredth; the kernel's limit, in whole seconds, is the safety net."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + 3, resource.RLIM_INFINITY))


def _feed(result: Any) -> dict[str, Any]:
    head = result.feed
    return {
        "title": _text(head.get("title")),
        "url": _text(head.get("link")),
        "language": _text(head.get("language")),
        "version": _text(result.get("version")),
        "entries": [_entry(each) for each in result.entries[:_MOST_ENTRIES]],
    }


def _entry(each: Any) -> dict[str, Any]:
    contents = [_text(part.get("value")) for part in each.get("content", ())]
    people = each.get("authors", ())
    return {
        "id": _text(each.get("id")),
        "url": _text(each.get("link")),
        "title": _text(each.get("title")),
        "summary": _text(each.get("summary")),
        "content": next((text for text in contents if text), ""),
        "authors": [_text(one.get("name") or one.get("email")) for one in people],
        "tags": [_text(tag.get("label") or tag.get("term")) for tag in each.get("tags", ())],
        "published": _text(each.get("published") or each.get("created")),
        "updated": _text(each.get("updated")),
        "enclosures": [
            [_text(one.get("href")), _text(one.get("type")), _text(one.get("length"))]
            for one in each.get("enclosures", ())
        ],
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


if __name__ == "__main__":
    main()
