"""A sync stores all or nothing, writes down how it went, and never runs twice at once."""

import threading
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from articles import intake
from articles.models import Article, Revision
from sources import fetching, samples, storing
from sources.models import Source, SyncRun
from sources.sync import Skipped, sync
from sources.tasks import sync as sync_task
from tests.config.far_end import http
from tests.sources.conftest import REDDIT, item, reddit_options, rss


def at(source: Source) -> Source:
    """As it is stored now."""
    return Source.objects.get(pk=source.pk)


def test_a_sync_files_what_came_and_says_so(world, source):
    courier = source(f"{world.url}/feeds/rss.xml", section="region")
    run = sync(courier.pk)
    assert isinstance(run, SyncRun)
    assert (run.outcome, run.http_status) == ("ok", 200)
    assert run.new == run.fetched == courier.items.count() > 3
    assert run.bytes > 0
    assert run.finished_at >= run.started_at
    assert set(courier.items.values_list("section", flat=True)) == {"region"}
    courier = at(courier)
    assert courier.last_success
    assert courier.last_sync == run.started_at
    assert (courier.health, courier.failures, courier.last_error) == (100, 0, "")
    assert courier.etag


def test_a_second_sync_asks_conditionally_and_changes_nothing(world, source):
    courier = source(f"{world.url}/feeds/rss.xml")
    sync(courier.pk)
    stored = list(courier.items.values_list("pk", "version", "updated_at"))
    validators = at(courier).etag
    run = sync(courier.pk, forced=True)  # it is fresh for a minute, by its head
    assert (run.outcome, run.http_status, run.fetched) == ("unchanged", 304, 0)
    assert list(courier.items.values_list("pk", "version", "updated_at")) == stored
    assert at(courier).etag == validators
    assert "if-none-match" in str(world.log("/feeds/rss.xml")[-1]["headers"]).lower()


def test_a_piece_that_its_source_rewrote_keeps_its_former_text(site, source):
    answers = [rss(item(1, "First version.")), rss(item(1, "Second version."), item(2))]
    gazette = source(site(lambda _head: answers.pop(0)))
    sync(gazette.pk)
    run = sync(gazette.pk)
    assert (run.new, run.updated, run.same) == (1, 1, 0)
    piece = gazette.items.get(external_id="g1")
    assert "Second version." in piece.content
    assert "First version." in piece.revisions.get().content


def test_a_failure_stores_nothing_and_keeps_what_was_known(site, source):
    answers = [rss(item(1)).replace(b"\r\n\r\n", b'\r\nETag: "1"\r\n\r\n', 1), http("410 Gone")]
    gazette = source(site(lambda _head: answers.pop(0)))
    sync(gazette.pk)
    good = at(gazette)
    run = sync(gazette.pk)
    assert (run.outcome, run.http_status, run.error_kind) == ("failed", 410, "gone")
    failed = at(gazette)
    assert (failed.etag, failed.last_success) == (good.etag, good.last_success)
    assert failed.failures == 1
    assert "for good (410)" in failed.last_error
    assert failed.items.count() == 1


def test_a_crash_while_filing_leaves_nothing_half(site, source, monkeypatch):
    gazette = source(site(rss(item(1), item(2))))
    upsert = intake._upsert

    def crashing(*given):
        upsert(*given)
        raise RuntimeError("the power went")

    monkeypatch.setattr(intake, "_upsert", crashing)
    with pytest.raises(RuntimeError):
        sync(gazette.pk)
    assert not Article.objects.exists()
    assert not Revision.objects.exists()
    assert not SyncRun.objects.exists()
    monkeypatch.undo()
    assert sync(gazette.pk).new == 2


def test_after_failures_a_source_waits_longer_each_time(site, source):
    gazette = source(site(http("500 Oops")))
    for _ in range(4):
        sync(gazette.pk, forced=True)
        wait = at(gazette).next_sync_at - timezone.now()
        assert timedelta(seconds=50) < wait <= timedelta(minutes=2 ** at(gazette).failures + 1)
    assert at(gazette).failures == 4
    skipped = sync(gazette.pk)
    assert isinstance(skipped, Skipped)
    assert "4 times in a row" in skipped.reason
    assert gazette.runs.count() == 4


def test_a_source_that_asks_for_patience_gets_it(world, source):
    courier = source(f"{world.url}/feeds/rss.xml")
    world.faults({"mode": "429", "retry_after": 3600, "times": 1})
    run = sync(courier.pk)
    assert (run.outcome, run.error_kind) == ("failed", "limited")
    wait = at(courier).next_sync_at - timezone.now()
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    assert isinstance(sync(courier.pk), Skipped)
    assert sync(courier.pk, forced=True).outcome == "ok"
    assert "fresh" in at(courier).next_sync_reason  # its head's wish, not the failure's wait


def test_a_source_that_is_off_is_synced_only_when_a_person_asks(world, source):
    courier = source(f"{world.url}/feeds/rss.xml", is_active=False)
    assert isinstance(sync(courier.pk), Skipped)
    paused = source(f"{world.url}/feeds/atom.xml", paused_reason="They asked us to.")
    assert isinstance(sync(paused.pk), Skipped)
    assert sync(courier.pk, forced=True).outcome == "ok"


def test_a_sources_limit_a_minute_holds(site, source, no_limits_used):
    gazette = source(site(rss(item(1))))
    Source.objects.filter(pk=gazette.pk).update(rate_limit_per_minute=1)
    assert isinstance(sync(gazette.pk), SyncRun)
    skipped = sync(gazette.pk)
    assert isinstance(skipped, Skipped)
    assert "limit a minute" in skipped.reason


def test_a_source_changed_meanwhile_keeps_the_change(site, source, monkeypatch):
    ask = fetching.ask

    async def ask_while_an_administrator_edits(*given):
        asked = await ask(*given)
        editing = Source.objects.filter(pk=gazette.pk).update
        await sync_to_async(editing)(name="Renamed", trust="low")
        return asked

    gazette = source(site(rss(item(1))))
    monkeypatch.setattr(fetching, "ask", ask_while_an_administrator_edits)
    sync(gazette.pk)
    assert (at(gazette).name, at(gazette).trust) == ("Renamed", "low")
    assert at(gazette).last_success


def test_a_sync_of_a_deleted_source_is_no_error(db):
    sync_task(999_999)


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_are_one(site, source):
    begun, go_on = threading.Event(), threading.Event()
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(head)
        begun.set()
        go_on.wait(10)
        return rss(item(1))

    gazette = source(site(answer))
    results = []

    def first() -> None:
        try:
            results.append(sync(gazette.pk))
        finally:
            connection.close()

    worker = threading.Thread(target=first)
    worker.start()
    assert begun.wait(10)
    second = sync(gazette.pk, forced=True)
    go_on.set()
    worker.join()
    assert second == Skipped("Another worker is at it.")
    assert results[0].outcome == "ok"
    assert len(asked) == 1
    assert isinstance(sync(gazette.pk), SyncRun)  # the lock was let go of


def test_old_runs_are_forgotten(site, source, monkeypatch):
    monkeypatch.setattr(storing, "RUNS_KEPT", 3)
    gazette = source(site(rss(item(1))))
    for _ in range(5):
        sync(gazette.pk, forced=True)  # not within a limit a minute
    assert gazette.runs.count() == 3
    assert "ok" not in gazette.runs.values_list("outcome", flat=True)  # the first one was


def test_reddit_from_credentials_to_wire_items(world, source):
    northmark = source(
        f"{world.url}/reddit", "reddit", options=reddit_options(world.url), credentials=REDDIT
    )
    assert sync(northmark.pk).new > 3


@pytest.mark.parametrize("demo", [True, False])
def test_samples_loaded_twice_are_the_same(world, db, demo):
    def load():
        samples.load(world.url if demo else None)
        return list(Source.objects.values_list("pk", "name", "schedule_id").order_by("pk"))

    first = load()
    assert len(first) >= 5
    assert all(schedule for _pk, _name, schedule in first)
    Source.objects.filter(pk=first[0][0]).update(api_endpoint="https://changed.example/")
    assert load() == first
    assert Source.objects.get(pk=first[0][0]).api_endpoint == "https://changed.example/"


def test_every_source_of_the_demo_brings_copy(world, db):
    samples.load(world.url)
    for each in Source.objects.all():
        run = sync(each.pk)
        assert (each.name, run.outcome) == (each.name, "ok")


def test_a_sample_that_cannot_be_reached_says_so(db, settings, monkeypatch):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    samples.load(None)
    bbc = Source.objects.get(name="BBC News: World")
    Source.objects.filter(pk=bbc.pk).update(api_endpoint="http://127.0.0.1:49151/rss")
    assert sync(bbc.pk).outcome == "failed"
    assert "private" in at(bbc).last_error or "not allowed" in at(bbc).last_error


def test_nothing_is_missing_from_the_migrations(db):
    call_command("makemigrations", "sources", check=True, dry_run=True, verbosity=0)
