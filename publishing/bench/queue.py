"""One measurement: posts that are due, workers that drain, and what arrived."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from articles.lifecycle import Kind, State
from articles.models import Article, Revision
from publishing import approval
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery

_HERE = Path(__file__).resolve().parents[2]
_TEXT = "".join(f"<p>Paragraph {number} of a story of a usual length.</p>" for number in range(40))


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    posts: int
    seconds: float  # from the bell until the last is written down
    cpu: float  # seconds, of the workers; the database's is not in it
    rss: int  # bytes, of the largest worker
    most_open: int  # calls at once, at the receiver
    arrived: int
    twice: int
    unsettled: int  # rows that are not published

    @property
    def is_right(self) -> bool:
        """Whether each arrived once and is written down."""
        return self.arrived == self.posts and not self.twice and not self.unsettled


class Child:
    """A process of the bench that answers each line with one."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.began = self.hears()

    def tell(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None  # noqa: S101 (a pipe, see `_child`)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hears(self) -> dict[str, Any]:
        """Its next line; raises `RuntimeError` when it has ended."""
        assert self._process.stdout is not None  # noqa: S101 (a pipe, see `_child`)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("A process of the bench has ended; its words stand above.")
        told: dict[str, Any] = json.loads(line)
        return told


class Bench:
    """A receiver and workers, each in a process of its own, around this process's database."""

    def __init__(self, site: Child, workers: list[Child]) -> None:
        self._site = site
        self._workers = workers

    def measure(self, posts: int, channels: int, latency: float) -> Figures:
        """Queue so many posts over so many channels, drain them all, and count."""
        _empty()
        self._set_up(posts, channels)
        self._site.tell(str(round(latency * 1000)))
        self._site.hears()
        began = time.perf_counter()
        for worker in self._workers:
            worker.tell("")
        taken = [worker.hears() for worker in self._workers]
        seconds = time.perf_counter() - began
        self._site.tell("")
        counted = self._site.hears()
        return Figures(
            posts=posts,
            seconds=seconds,
            cpu=sum(each["cpu"] for each in taken),
            rss=max(each["rss"] for each in taken),
            most_open=counted["most_open"],
            arrived=counted["markers"],
            twice=counted["posts"] - counted["markers"],
            unsettled=Delivery.objects.exclude(status=Status.PUBLISHED).count(),
        )

    def _set_up(self, posts: int, channels: int) -> None:
        """Every story goes to as many channels as it takes, all of it due."""
        address = f"http://127.0.0.1:{self._site.began['port']}/webhook"
        made = [
            Channel(
                name=f"Partner {number}", platform="webhook", options={"url": address},
                credentials={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                rate_limit_per_minute=6000,
            )
            for number in range(channels)
        ]  # fmt: skip
        to = Channel.objects.bulk_create(made)
        due = timezone.now() - timedelta(seconds=5)
        rows = []
        each_to = min(10, channels)
        for number in range(-(-posts // each_to)):
            story = _story(number)
            for step in range(min(each_to, posts - number * each_to)):
                channel = to[(number * each_to + step) % channels]
                row = Delivery(
                    article=story, channel=channel, platform="webhook", scheduled_at=due,
                    revision=story.approved_revision,
                )  # fmt: skip
                approval.bind(row)
                rows.append(row)
        Delivery.objects.bulk_create(rows, batch_size=500)


@contextmanager
def bench(workers: int, redis_url: str) -> Iterator[Bench]:
    """The processes, around the database that this process is connected to."""
    environment = os.environ | {
        "DATABASE_URL": database_url(str(connection.settings_dict["NAME"])),
        "REDIS_URL": redis_url,
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "LOG_LEVEL": "ERROR",
    }
    with ExitStack() as stack:
        site = stack.enter_context(_child("publishing.bench.site", environment))
        crew = [
            stack.enter_context(_child("publishing.bench.worker", environment))
            for _ in range(workers)
        ]
        yield Bench(site, crew)


def database_url(name: str) -> str:
    """The desk's database server, and another database on it."""
    return urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{quote(name)}"))


def redis_url(number: int) -> str:
    """The desk's Redis, and another of its databases."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query)) | {"db": str(number)}
        return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))


@contextmanager
def _child(module: str, environment: Mapping[str, str]) -> Iterator[Child]:
    process = subprocess.Popen(  # noqa: S603 (our own modules)
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_HERE, env=environment,
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()  # they end with their input
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _story(number: int) -> Article:
    title = f"Story {number}"
    story = Article.objects.create(
        kind=Kind.STORY, state=State.APPROVED, title=title, content=_TEXT,
        published_at=timezone.now(),
    )  # fmt: skip
    revision = Revision.objects.create(article=story, number=1, title=title, content=_TEXT)
    story.current_revision = story.approved_revision = revision
    story.save(update_fields=["current_revision", "approved_revision"])
    return story


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE articles, channels RESTART IDENTITY CASCADE")
