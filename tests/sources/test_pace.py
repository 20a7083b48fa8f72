"""How requests are paced: turns, pauses, conditions; and what the source's page says of it."""

import asyncio
import gzip
import itertools
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from config.outbound import Client, from_settings
from sources import breaker, fetching
from sources.connectors.feed import Feed
from sources.models import Source, SyncRun
from sources.pace import PLACEHOLDER, Gate
from sources.sync import Skipped, drain, sync
from tests.config.far_end import http
from tests.sources.conftest import item, rss

HOUR = timedelta(hours=1)


def at(source: Source) -> Source:
    """As it is stored now."""
    return Source.objects.get(pk=source.pk)


def again(source: Source) -> SyncRun:
    """Synced once more, whatever its pace."""
    run = sync(source.pk, forced=True)
    assert isinstance(run, SyncRun)
    return run


def with_head(answer: bytes, **headers: str) -> bytes:
    """The answer with more headers."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    first, _, rest = answer.partition(b"\r\n")
    return first + b"\r\n" + lines.encode() + rest


def nobody_there() -> str:
    """An address of this machine where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/feed"


class Asked:
    """A site that notes the heads of its requests and answers by a function."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.heads: list[bytes] = []
        self._answer = answer

    def __call__(self, head: bytes) -> bytes:
        self.heads.append(head.lower())
        return self._answer(head)

    @property
    def conditional(self) -> list[bool]:
        """Whether each request had a condition."""
        return [b"if-none-match" in head for head in self.heads]


def test_gone_for_good_once_and_once_more_much_later_pauses_nothing(site, source):
    answers = [http("410 Gone"), rss(item(1)), http("410 Gone"), http("404 Not Found")]
    gazette = source(site(lambda _head: answers.pop(0)))
    for _ in range(4):
        again(gazette)
    assert not at(gazette).paused_reason


def test_hours_to_skip_are_skipped_and_the_page_says_so(site, source):
    hour = timezone.now().hour
    hours = "".join(f"<hour>{each % 24}</hour>" for each in (hour, hour + 1))
    gazette = source(site(rss(f"<skipHours>{hours}</skipHours>", item(1))))
    again(gazette)
    assert timezone.now() < at(gazette).next_sync_at <= timezone.now() + 2 * HOUR
    assert "nothing at these hours" in at(gazette).next_sync_reason


def test_validators_of_every_whole_answer_are_kept_even_of_the_same_one(site, source):
    tags = iter(['"1"', '"2"', '"3"'])
    asked = Asked(lambda _head: with_head(rss(item(1)), ETag=next(tags)))
    gazette = source(site(asked))
    again(gazette)
    assert at(gazette).etag == '"1"'
    run = again(gazette)  # the same bytes under another tag
    assert (run.outcome, run.http_status) == ("unchanged", 200)
    assert at(gazette).etag == '"2"'
    again(gazette)
    assert b'if-none-match: "2"' in asked.heads[-1]


def test_a_source_without_validators_is_never_shown_one(site, source):
    asked = Asked(lambda _head: rss(item(1)))
    gazette = source(site(asked))
    for _ in range(3):
        again(gazette)
    assert asked.conditional == [False] * 3
    assert PLACEHOLDER.encode() not in b"".join(asked.heads)
    assert at(gazette).etag == ""
    assert gazette.runs.latest("pk").outcome == "unchanged"


@pytest.mark.django_db(transaction=True)  # now() stands still within one
def test_what_a_limit_put_off_is_due_again_when_its_turn_comes(site, source):
    gazette = source(site(rss(item(1))), due_at=timezone.now())
    Source.objects.update(rate_limit_per_minute=1)
    assert drain() == 1
    Source.objects.update(due_at=timezone.now(), next_sync_at=None)
    assert drain() == 0
    assert gazette.runs.count() == 1
    assert at(gazette).due_at > timezone.now() + timedelta(seconds=50)


@pytest.mark.django_db(transaction=True)
def test_a_host_that_asks_for_it_is_asked_by_one_at_a_time_with_pauses(site, source, monkeypatch):
    monkeypatch.setattr(Feed, "one_at_a_time", True)
    monkeypatch.setattr(Feed, "seconds_between", 0.5)
    lock, open_now, most, begun = threading.Lock(), [0], [0], []

    def answer(_head: bytes) -> bytes:
        begun.append(time.monotonic())
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        time.sleep(0.05)
        with lock:
            open_now[0] -= 1
        return rss(item(1))

    url = site(answer)
    for number in range(4):
        source(f"{url}/{number}", due_at=timezone.now())
    assert drain() == 4
    assert most == [1]
    gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert min(gaps) > 0.2  # the first may lose a moment on its way


def test_a_host_that_answers_again_is_asked_by_everybody_at_once(site, source):
    url = nobody_there()
    for _ in range(breaker.FAILURES):
        sync(source(url).pk)
    back = source(site(rss(item(1))).replace("localhost", "127.0.0.1"))
    assert isinstance(sync(back.pk), Skipped)
    assert again(back).outcome == "ok"
    other = source(back.api_endpoint + "/other")
    assert sync(other.pk).outcome == "ok"


def test_a_site_whose_robots_txt_fails_is_asked_later_and_not_given_up(site, source):
    asked = Asked(lambda _head: http("503 Busy"))
    front = source(site(asked), connector="web_page", options={"item": "li"})
    run = again(front)
    assert (run.error_kind, len(asked.heads)) == ("unreachable", 1)
    assert at(front).next_sync_at > timezone.now() + timedelta(minutes=9)
    assert "The desk asks again" in at(front).last_error


def test_what_could_not_be_read_is_not_kept_in_memory(site):
    """A hundred bombs in one drain must not be there at the same time."""
    url = site(http(body=gzip.compress(bytes(12 * 1024 * 1024)), Content_Encoding="gzip"))
    source = Source(api_endpoint=url, rate_limit_per_minute=6000)

    async def five() -> list[fetching.Asked]:
        async with Client(from_settings()) as client:
            return [
                await fetching.ask(source, timezone.now(), client, Gate()) for _number in range(5)
            ]

    tracemalloc.start()
    try:
        asked = asyncio.run(five())
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all("larger than" in str(each.problem) for each in asked)
    assert kept < 5 * 1024 * 1024
