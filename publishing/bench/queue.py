"""One measurement: posts that are due, workers that drain, and what arrived."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from articles.lifecycle import Kind, State
from articles.models import Article, Revision
from config.benching import Child, child
from publishing import approval
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery

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


class Bench:
    """A receiver and workers, each in a process of its own, around this process's database."""

    def __init__(self, site: Child, workers: list[Child]) -> None:
        self._site = site
        self._workers = workers

    def measure(self, posts: int, channels: int, latency: float) -> Figures:
        """Queue so many posts over so many channels, drain them all, and count."""
        _empty()
        self._set_up(posts, channels)
        self._site.asks(str(round(latency * 1000)))
        began = time.perf_counter()
        for worker in self._workers:
            worker.tell("")
        taken = [worker.hears() for worker in self._workers]
        seconds = time.perf_counter() - began
        counted = self._site.asks("")
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
        address = f"http://127.0.0.1:{self._site.greeting['port']}/webhook"
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
def bench(workers: int, redis: str) -> Iterator[Bench]:
    """The processes, around the database that this process is connected to."""
    with ExitStack() as stack:
        site = stack.enter_context(child(["publishing.bench.site"], redis))
        crew = [
            stack.enter_context(child(["publishing.bench.worker"], redis)) for _ in range(workers)
        ]
        yield Bench(site, crew)


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
