"""The health of a source: its parts, and how they are found out."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from articles.lifecycle import State
from articles.models import Article
from sources.assess import assess
from sources.health import Evidence, health
from sources.models import Source, SyncRun
from tests.sources.conftest import item, rss

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def evidence(**more):
    known: dict[str, Any] = {"outcomes": [True] * 20, "last_success": NOW} | more
    return dataclasses.replace(Evidence(QUARTER), **known)


def part(found, name):
    return next(part for part in found.parts if part.name == name)


def test_a_source_that_always_worked_is_at_100():
    assert health(evidence(), NOW).score == 100


def test_a_source_that_was_never_asked_is_trusted():
    assert health(Evidence(QUARTER), NOW).score == 100


def test_a_source_that_never_worked_is_at_0():
    assert health(evidence(outcomes=[False], last_success=None), NOW).score == 0


def test_the_latest_failure_counts_most():
    now_bad = health(evidence(outcomes=[False, True, True, True]), NOW).score
    once_bad = health(evidence(outcomes=[True, True, True, False]), NOW).score
    assert now_bad < once_bad < 100


def test_freshness_is_measured_by_the_sources_own_rhythm():
    quiet = NOW - timedelta(days=4)
    weekly = health(evidence(newest=quiet, gap=timedelta(days=7)), NOW)
    hourly = health(evidence(newest=quiet, gap=HOUR), NOW)
    assert part(weekly, "Freshness").value == 1
    assert part(hourly, "Freshness").value == 0
    assert "4 days ago" in part(hourly, "Freshness").words


def test_a_source_that_can_not_be_reached_is_not_fresh_however_rare_its_news():
    gone = NOW - timedelta(days=2)
    found = health(evidence(last_success=gone, newest=gone, gap=timedelta(days=7)), NOW)
    assert part(found, "Freshness").value == 0


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("Dates", {"pieces": 20, "undated": 10}),
        ("Own pieces", {"pieces": 20, "duplicates": 10}),
        ("Use", {"pieces": 20, "decided": 16, "used": 2}),
    ],
)
def test_each_weakness_of_its_pieces_costs_its_part_of_the_score(name, some):
    found = health(evidence(**some), NOW)
    assert part(found, name).value == 0.5
    assert 85 < found.score < 100


def test_a_few_pieces_say_nothing_yet():
    found = health(evidence(pieces=4, undated=4, duplicates=4, decided=4), NOW)
    assert [part.name for part in found.parts] == ["Success", "Freshness"]


@pytest.mark.django_db
def test_all_sources_are_assessed_from_what_the_desk_has_seen(site, source):
    courier, gazette = source("https://courier.example/"), source("https://gazette.example/")
    now = timezone.now()
    for paper, good in ((courier, True), (gazette, False)):
        SyncRun.objects.create(
            source=paper, finished_at=now, outcome="ok" if good else "failed", started_at=now
        )
    for number in range(10):
        Article.objects.create(
            kind="wire", source=courier, external_id=str(number), title="A piece",
            canonical_url=f"https://courier.example/{number}", created_at=now,
            published_at=now if number < 5 else now - timedelta(hours=number),
            state=State.SPIKED if number else State.SHORTLISTED,
        )  # fmt: skip
    Article.objects.create(
        kind="wire", source=gazette, external_id="0", title="A piece, taken over", state=State.NEW,
        canonical_url="https://courier.example/0", created_at=now, published_at=now,
    )  # fmt: skip
    courier.last_success = now
    courier.save()
    known = courier.history.count()
    assert assess() == 2
    assert courier.history.count() == known
    courier.refresh_from_db()
    gazette.refresh_from_db()
    words = {part["name"]: part["percent"] for part in courier.health_parts}
    assert words == {"Success": 100, "Freshness": 100, "Dates": 50, "Own pieces": 100, "Use": 40}
    assert courier.health == 86
    assert gazette.health == 0


@pytest.mark.django_db
def test_who_took_a_piece_over_has_the_duplicate_not_who_had_it_first(source):
    first, later = source("https://first.example/"), source("https://later.example/")
    now = timezone.now()
    for paper in (first, later):
        SyncRun.objects.create(source=paper, finished_at=now, outcome="ok", started_at=now)
        for number in range(5):
            Article.objects.create(
                kind="wire", source=paper, external_id=str(number), title="A piece", state="new",
                canonical_url=f"https://first.example/{number}", published_at=now - HOUR,
            )  # fmt: skip
    assess()
    for paper, percent in ((first, 100), (later, 0)):
        paper.refresh_from_db()
        words = {part["name"]: part["percent"] for part in paper.health_parts}
        assert words["Own pieces"] == percent


@pytest.mark.django_db
def test_a_failed_sync_shows_in_the_next_assessment(site, source):
    from sources.sync import sync

    answers = [rss(item(1)), b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"]
    gazette = source(site(lambda _head: answers.pop(0)))
    sync(gazette.pk)
    assess([gazette.pk])
    gazette.refresh_from_db()
    assert gazette.health == 100
    sync(gazette.pk, forced=True)
    assess([gazette.pk])
    gazette.refresh_from_db()
    assert gazette.health < 80


@pytest.mark.django_db
def test_the_assessment_is_on_the_schedule():
    assert PeriodicTask.objects.get(task="sources.assess").interval.every == 10


@pytest.mark.django_db(transaction=True)
def test_a_new_source_is_assessed_after_its_first_sync(site, source):
    from sources.tasks import drain

    gazette, idle = source(site(rss(item(1)))), source("https://idle.invalid/", is_active=False)
    Source.objects.filter(pk=gazette.pk).update(due_at=timezone.now())
    drain()
    gazette.refresh_from_db()
    idle.refresh_from_db()
    assert gazette.health_parts
    assert not idle.health_parts
