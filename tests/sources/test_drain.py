"""Many sources at a time: marked, claimed, asked at once, stored; hangers hold nobody up."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from articles import intake
from articles.models import Article
from config import turns
from config.outbound import Client
from sources import breaker, claim, fetching, storing
from sources import sync as syncing
from sources.models import Source, SyncRun
from sources.sync import drain, mark, request, sync
from sources.tasks import sync as sync_task
from tests.config.far_end import http
from tests.sources.conftest import item, rss
from tests.together import at_once


def at(source: Source) -> Source:
    """As it is stored now."""
    return Source.objects.get(pk=source.pk)


def path_of(head: bytes) -> str:
    """What a request asks for."""
    return head.split()[1].decode()


@pytest.fixture
def paper(site) -> str:
    """A site with a feed of its own at every path."""
    url: str = site(lambda head: rss(item(1, path_of(head)), item(2, path_of(head))))
    return url


def hanging_paper(site) -> tuple[str, threading.Event]:
    """A site where /hangs never answers; it hangs up when the event is set."""
    let_go = threading.Event()

    def answer(head: bytes) -> bytes:
        if path_of(head) == "/hangs":
            let_go.wait(240)
            return b""
        return rss(item(1, path_of(head)), item(2, path_of(head)))

    return site(answer), let_go


def when_stored(count: int, runs: "QuerySet[SyncRun]", then: threading.Event) -> None:
    """Set the event as soon as there are so many runs."""
    try:
        while runs.all().count() < count and not then.wait(0.1):
            pass
        then.set()
    finally:
        connection.close()


def many(count: int, url: str, **more) -> list[Source]:
    """So many sources at this site, all due."""
    sources = [
        Source(
            name=f"{url} {number}", api_endpoint=f"{url}/{number}", rate_limit_per_minute=6000,
            due_at=timezone.now() - timedelta(seconds=1), follows_rhythm=False, **more,
        )
        for number in range(count)
    ]  # fmt: skip
    return Source.objects.bulk_create(sources)


def test_all_that_is_due_is_asked_stored_and_settled(paper, db):
    many(30, paper)
    assert drain() == 30
    assert Article.objects.count() == 60
    assert SyncRun.objects.filter(outcome="ok", new=2).count() == 30
    left = Source.objects.exclude(due_at=None, claim_token=None, stage="", lease_expires_at=None)
    assert not left.exists()
    assert drain() == 0


def test_a_message_only_marks_and_twice_is_once(source):
    gazette = source("https://gazette.example/feed")
    assert mark(gazette.pk)
    first = at(gazette).due_at
    assert mark(gazette.pk)
    assert at(gazette).due_at == first
    assert at(gazette).stage == "requested"


def test_a_source_that_has_to_wait_is_due_when_its_wait_ends(source):
    later = timezone.now() + timedelta(minutes=9)
    gazette = source("https://gazette.example/feed", next_sync_at=later)
    mark(gazette.pk)
    assert at(gazette).due_at == later
    assert at(gazette).stage == ""
    assert drain() == 0


def test_a_source_that_is_off_or_paused_is_not_marked(source):
    assert not mark(source("https://a.example/", is_active=False).pk)
    assert not mark(source("https://b.example/", paused_reason="They asked us to.").pk)
    sync_task(999_999)  # deleted meanwhile


def test_a_person_s_wish_goes_first_whatever_the_pace_says(paper, source):
    later = timezone.now() + timedelta(hours=3)
    gazette = source(f"{paper}/feed", next_sync_at=later, is_active=False)
    assert request(gazette.pk, "ada")
    assert at(gazette).stage == "requested"
    assert drain() == 1
    run = gazette.runs.get()
    assert (run.asked_by, run.new) == ("ada", 2)
    assert (at(gazette).asked_by, at(gazette).stage) == ("", "")


def test_a_claim_is_taken_once_and_a_dead_worker_s_comes_back(paper, db):
    many(3, paper)
    assert len(claim.claim(10)) == 3
    assert claim.claim(10) == []
    assert drain() == 0
    Source.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert drain() == 3


def test_a_worker_that_lost_its_claim_stores_nothing(paper, source):
    gazette = source(f"{paper}/feed", due_at=timezone.now())
    (claimed,) = claim.claim(1)
    fetched = fetching.fetch(claimed, timezone.now())
    Source.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert sync(gazette.pk).new == 2
    late = fetching.Asked(claimed, timezone.now(), 1, fetched=fetched)
    assert storing.store([late]) == []
    assert gazette.runs.count() == 1


def test_one_source_s_trouble_while_storing_is_its_own(paper, db, monkeypatch):
    bad, *good = many(5, paper)
    file = intake.file

    def failing(source_id, *given, **more):
        if source_id == bad.pk:
            raise RuntimeError("a mistake of ours")
        return file(source_id, *given, **more)

    monkeypatch.setattr(intake, "file", failing)
    assert drain() == 5
    assert (at(bad).runs.get().error_kind, at(bad).failures) == ("crashed", 1)
    assert "its log says more" in at(bad).last_error
    assert all(each.runs.get().outcome == "ok" for each in good)


def test_a_connector_s_mistake_is_its_source_s_alone(paper, db, monkeypatch):
    broken, *_others = many(3, paper)
    ask = fetching.ask

    async def failing(source, *given):
        if source.pk == broken.pk:
            raise TypeError("a connector's mistake")
        return await ask(source, *given)

    monkeypatch.setattr(fetching, "ask", failing)
    assert drain() == 3
    assert at(broken).runs.get().error_kind == "crashed"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_hanging_sources_hold_nobody_up(site, monkeypatch):
    """The same run with and without: everybody else is stored while the hangers still hang."""
    monkeypatch.setitem(Client.request.__kwdefaults__, "deadline", 200.0)
    monkeypatch.setattr(fetching, "LONGEST", 250.0)
    url, let_go = hanging_paper(site)

    def finished(path: str, hanging: int) -> list[tuple[str, str]]:
        sources = many(500, f"{url}/{path}")
        chosen = [each.pk for each in sources[:: 500 // hanging]] if hanging else []
        Source.objects.filter(pk__in=chosen).update(api_endpoint=f"{url}/hangs")
        runs = SyncRun.objects.filter(source__in=sources).order_by("finished_at", "pk")
        watcher = threading.Thread(target=when_stored, args=(500 - hanging, runs.all(), let_go))
        watcher.start()
        assert drain() == 500
        watcher.join()
        return list(runs.values_list("outcome", "error_kind"))

    assert finished("first", hanging=0) == [("ok", "")] * 500
    let_go.clear()
    with_hangers = finished("second", hanging=25)
    assert with_hangers == [("ok", "")] * 475 + [("failed", "noanswer")] * 25
    # One page of a host that hangs says nothing about the host.
    assert turns.take_from([(breaker.fuse("localhost"), [])])[0].failures == 0


@pytest.mark.django_db(transaction=True)
def test_many_drains_share_the_work_and_nothing_is_asked_twice(site, monkeypatch):
    asked: list[str] = []

    def answer(head: bytes) -> bytes:
        asked.append(path_of(head))
        return rss(item(1, path_of(head)))

    many(120, site(answer))

    at_once(*[drain] * 4)
    assert len(asked) == len(set(asked)) == 120
    assert SyncRun.objects.filter(outcome="ok").count() == Article.objects.count() == 120


def test_a_drain_that_is_told_to_end_leaves_what_it_has_not_begun(paper, db):
    many(5, paper)
    assert drain(stopping=lambda: True) == 0
    assert Source.objects.filter(due_at__isnull=False, claim_token=None).count() == 5
    began = time.monotonic()
    assert drain() == 5
    assert time.monotonic() - began < 60


def test_one_host_is_not_asked_by_everybody_at_once(site, db):
    open_now, most = [0], [0]
    lock = threading.Lock()

    def answer(_head: bytes) -> bytes:
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        time.sleep(0.05)
        with lock:
            open_now[0] -= 1
        return rss(item(1))

    many(40, site(answer))
    assert drain() == 40
    assert 2 <= most[0] <= 2 * claim.PER_HOST


def test_failures_of_a_drain_are_runs_with_words(site, db):
    many(3, site(http("500 Oops")))
    assert drain() == 3
    for each in Source.objects.all():
        assert "trouble of its own" in each.last_error
        assert each.next_sync_at > timezone.now()
        assert syncing.sync(each.pk).reason == each.next_sync_reason
