"""Politeness, end to end: limits over all workers, hosts that fail, moves, ends, validators."""

import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from config import turns
from config.outbound import Response
from config.outbound.reply import Headers
from config.turns import Bucket, Fuse
from sources import breaker
from sources.connectors.answers import read_feed
from sources.errors import Denied, Limited
from sources.models import Source, SyncRun
from sources.sync import Skipped, drain, sync
from tests.config.far_end import http
from tests.sources.conftest import as_in_the_morning, item, rss

pytestmark = pytest.mark.django_db

PAGE = http(body=b"<html><li class=a><a href=/1>One</a></li></html>", Content_Type="text/html")


class Site:
    """A site whose answer is changed as it goes; keeps the heads of what it was asked."""

    def __init__(self, site, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.url: str = site(self._answers)

    def _answers(self, head: bytes) -> bytes:
        self.heads.append(head)
        return self.answer


@pytest.fixture
def answering(site):
    return lambda answer: Site(site, answer)


def at(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


def earlier(source: Source, **by: float) -> None:
    """As if what the source remembers had been that much earlier."""
    then = timedelta(**by)
    now = at(source)
    changes = {
        name: getattr(now, name) - then
        for name in ("moved_since", "last_whole", "last_success", "last_sync")
        if getattr(now, name)
    }
    Source.objects.filter(pk=source.pk).update(next_sync_at=None, **changes)


# --- limits ---


def test_no_minute_sees_more_than_the_limit_however_many_workers_ask():
    bucket = Bucket("test", 7)
    passed: list[float] = []

    def worker() -> None:
        for _ in range(10):
            [turn] = turns.take_from([(None, [bucket])])
            if not turn.wait:
                passed.append(time.monotonic())

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 7
    [turn] = turns.take_from([(None, [bucket])])
    assert 50 < turn.wait <= 60
    assert turn.by == "test"


def test_what_one_bucket_refuses_is_taken_from_none():
    full, free = Bucket("full", 1), Bucket("free", 1)
    turns.take_from([(None, [full])])
    [turn] = turns.take_from([(None, [free, full])])
    assert turn.by == "full"
    [turn] = turns.take_from([(None, [free])])
    assert turn.wait == 0


def test_a_limit_of_credentials_holds_for_all_who_use_them(answering, source):
    paper = answering(rss(item(1)))
    for number in range(3):
        gazette = source(f"{paper.url}/{number}", credentials={"token": "one"})
        Source.objects.filter(pk=gazette.pk).update(rate_limit_per_minute=2)
    results = [sync(each.pk) for each in Source.objects.order_by("pk")]
    assert [isinstance(each, Skipped) for each in results] == [False, False, True]
    assert "The limit a minute of its credentials" in results[2].reason
    waiting = Source.objects.order_by("pk").last()
    assert waiting.failures == 0  # that is no failure
    assert len(paper.heads) == 2


@pytest.mark.django_db(transaction=True)
def test_a_host_for_one_at_a_time_is_asked_one_after_the_other(site, source):
    at_once, most = [0], [0]
    lock = threading.Lock()

    def answer(_head: bytes) -> bytes:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.2)
        with lock:
            at_once[0] -= 1
        return http(
            body=b"<html><li class=a><a href=/1>One</a></li></html>", Content_Type="text/html"
        )

    url = site(answer)
    for number in range(3):
        source(
            f"{url}/{number}", "web_page", due_at=timezone.now(),
            options={"item": "li.a", "title": "a", "link": "a"},
        )  # fmt: skip
    drain()
    assert most[0] == 1
    assert SyncRun.objects.count() == 3


# --- hosts that fail ---


def test_a_host_that_does_not_answer_is_left_alone_and_tried_again(source):
    fuse = breaker.fuse("127.0.0.9")  # where nobody listens
    for number in range(breaker.FAILURES):
        gazette = source(f"http://127.0.0.9:8765/{number}")
        assert sync(gazette.pk).outcome == "failed"
    spared = source("http://127.0.0.9:8765/spared")
    result = sync(spared.pk)
    assert "has not answered 5 times in a row" in result.reason
    assert at(spared).failures == 0
    [turn] = turns.take_from([(fuse, [])])
    assert 30 < turn.wait <= breaker.SHORTEST
    turns.report(fuse, works=True)
    Source.objects.filter(pk=spared.pk).update(next_sync_at=None)
    assert sync(spared.pk).outcome == "failed"  # it is asked again


def test_after_its_time_one_request_finds_out_and_the_others_wait():
    fuse = Fuse("test", failures=1, shortest=0.05, longest=1.0, trial=5.0)
    turns.report(fuse, works=False)
    time.sleep(0.1)
    first, second = turns.take_from([(fuse, []), (fuse, [])])
    assert first.wait == 0
    assert second.wait > 1
    turns.report(fuse, works=True)
    assert turns.take_from([(fuse, [])])[0].wait == 0


def test_an_error_that_the_host_answers_blows_no_fuse(answering, source):
    paper = answering(http("500 Oops"))
    for number in range(breaker.FAILURES + 2):
        assert sync(source(f"{paper.url}/{number}").pk).outcome == "failed"
    assert len(paper.heads) == breaker.FAILURES + 2


# --- moves and ends ---


def moved(url: str, to: str) -> tuple[bytes, str]:
    return http("301 Moved Permanently", Location=f"{to}/new"), f"{to}/new"


def test_a_move_is_followed_after_five_sightings_over_two_days(answering, source):
    new = answering(rss(item(1)))
    old = answering(b"")
    old.answer, there = moved(old.url, new.url)
    gazette = source(f"{old.url}/feed")
    for _ in range(6):
        sync(gazette.pk, forced=True)
    assert at(gazette).api_endpoint == f"{old.url}/feed"  # often enough, but not for long enough
    earlier(gazette, hours=49)
    sync(gazette.pk, forced=True)
    gazette = at(gazette)
    assert gazette.api_endpoint == there
    assert gazette.notice == f"It has moved for good; its address was {old.url}/feed"
    assert "Moved for good" in gazette.history.first().history_change_reason
    asked = len(old.heads)
    assert sync(gazette.pk, forced=True).outcome in ("ok", "unchanged")
    assert len(old.heads) == asked


def test_a_move_that_is_taken_back_counts_from_the_beginning(answering, source):
    new, old = answering(rss(item(1))), answering(b"")
    old.answer, _there = moved(old.url, new.url)
    gazette = source(old.url)
    for _ in range(5):
        sync(gazette.pk, forced=True)
    old.answer = rss(item(1))
    sync(gazette.pk, forced=True)
    assert (at(gazette).moved_to, at(gazette).moved_times) == ("", 0)


def test_a_move_for_now_is_not_adopted(answering, source):
    new, old = answering(rss(item(1))), answering(b"")
    old.answer = http("302 Found", Location=f"{new.url}/x")
    gazette = source(old.url)
    sync(gazette.pk)
    assert at(gazette).moved_times == 0


def test_credentials_are_not_taken_to_another_host(answering, source):
    new, old = answering(rss(item(1))), answering(b"")
    other_host = new.url.replace("localhost", "127.0.0.1")
    old.answer = http("308 Permanent Redirect", Location=f"{other_host}/new")
    gazette = source(old.url, credentials={"token": "SECRET"})
    for _ in range(5):
        sync(gazette.pk, forced=True)
    earlier(gazette, hours=49)
    sync(gazette.pk, forced=True)
    assert at(gazette).api_endpoint == old.url
    assert "another host" in at(gazette).notice
    assert not any(b"SECRET" in head for head in new.heads)


def test_gone_twice_pauses_and_tells(
    answering, source, settings, django_capture_on_commit_callbacks
):
    settings.ADMINS = [("Desk", "desk@example.org")]
    gazette = source(answering(http("410 Gone")).url)
    sync(gazette.pk)
    assert at(gazette).paused_reason == ""
    with django_capture_on_commit_callbacks(execute=True):
        sync(gazette.pk, forced=True)
    gazette = at(gazette)
    assert "gone for good (410), twice" in gazette.paused_reason
    assert not gazette.schedule.enabled
    assert [each.subject for each in mail.outbox] == [f"[Newsdesk] {gazette} is paused"]


def test_not_found_only_waits_longer_each_time(answering, source):
    gazette = source(answering(http("404 Not Found")).url)
    for _ in range(8):
        sync(gazette.pk, forced=True)
    gazette = at(gazette)
    assert gazette.paused_reason == ""
    assert gazette.next_sync_at > timezone.now()
    assert "8 times in a row" in gazette.next_sync_reason


@pytest.mark.parametrize(
    ("host", "kind"),
    [("www.reddit.com", Limited), ("reddit.com", Limited), ("notreddit.com", Denied)],
)
def test_a_refusal_of_a_known_limiter_is_a_wish_for_patience(host, kind):
    answer = Response(403, Headers(), b"", f"https://{host}/.rss")
    with pytest.raises(kind):
        read_feed(answer, host)


def test_retry_after_counts_from_the_servers_own_clock(answering, source):
    wrong_clock = http(
        "503 Busy",
        Date="Mon, 01 Jan 2024 10:00:00 GMT",
        Retry_After="Mon, 01 Jan 2024 11:00:00 GMT",
    )
    gazette = source(answering(wrong_clock).url)
    sync(gazette.pk)
    wait = at(gazette).next_sync_at - timezone.now()
    assert timedelta(minutes=59) < wait < timedelta(minutes=61)


# --- validators ---


def with_validators(body: bytes, etag: str) -> bytes:
    return body.replace(b"\r\n", f'\r\nETag: "{etag}"\r\n'.encode(), 1)


def test_validators_are_kept_with_every_whole_answer(answering, source):
    paper = answering(with_validators(rss(item(1)), "a"))
    gazette = source(paper.url)
    sync(gazette.pk)
    assert at(gazette).etag == '"a"'
    paper.answer = with_validators(rss(item(1), item(2)), "b")
    sync(gazette.pk)
    assert b'If-None-Match: "a"' in paper.heads[-1]
    assert at(gazette).etag == '"b"'
    paper.answer = rss(item(3))  # no validator any more
    sync(gazette.pk)
    assert at(gazette).etag == ""


def test_a_server_that_lies_about_news_is_found_out_within_a_day(answering, source):
    paper = answering(with_validators(rss(item(1)), "a"))
    gazette = source(paper.url)
    sync(gazette.pk)
    paper.answer = http("304 Not Modified")
    assert sync(gazette.pk).outcome == "unchanged"
    assert b"If-None-Match" in paper.heads[-1]
    earlier(gazette, hours=25)
    paper.answer = with_validators(rss(item(1), item(2)), "a")
    assert sync(gazette.pk).new == 1
    assert b"If-None-Match" not in paper.heads[-1]
    paper.answer = http("304 Not Modified")
    sync(gazette.pk)
    assert b"If-None-Match" in paper.heads[-1]  # once a day at most


def test_the_same_bytes_are_not_read_twice(answering, source):
    paper = answering(rss(item(1)))  # a server without validators
    gazette = source(paper.url)
    sync(gazette.pk)
    run = sync(gazette.pk)
    assert (run.outcome, run.http_status) == ("unchanged", 200)


# --- robots.txt ---


@pytest.mark.parametrize(
    ("rules", "words", "kind"),
    [
        (http("503 Busy"), "could not say", "unreachable"),
        (http("429 Slow down"), "could not say", "unreachable"),
        (http(body=b"User-agent: *\nDisallow: /\n"), "stay away", "denied"),
    ],
)
def test_rules_that_cannot_be_had_are_asked_for_again(site, source, rules, words, kind):
    url = site(lambda head: rules if b"/robots.txt" in head else PAGE)
    options = {"item": "li.a", "title": "a", "link": "a"}
    run = sync(source(url, "web_page", options=options).pk)
    assert words in run.error
    assert run.error_kind == kind


def test_a_source_waits_by_its_own_pace_and_the_page_says_why(answering, source):
    body = rss(item(1)).replace(b"\r\n", b"\r\nCache-Control: max-age=7200\r\n", 1)
    gazette = source(answering(body).url)
    sync(gazette.pk)
    wait = at(gazette).next_sync_at - timezone.now()
    assert timedelta(minutes=118) < wait <= timedelta(minutes=120)
    assert "stays fresh" in at(gazette).next_sync_reason
    as_in_the_morning()
    assert "stays fresh" in sync(gazette.pk).reason
