"""The health of a source: its parts, and how they are found out."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from articles import response
from articles.lifecycle import State
from articles.models import Article, StoryOrigin
from sources.assess import assess
from sources.health import Drawn, Evidence, health
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


# --- what came of it ---


def drew(*times, weight=1.0):
    return evidence(responses=[Drawn(each, weight) for each in times])


def test_a_source_without_a_story_that_went_out_has_no_response():
    assert "Response" not in [part.name for part in health(evidence(), NOW).parts]


def test_stories_that_draw_more_than_usual_are_worth_more_and_less_cost():
    values = [part(health(drew(*[times] * 10), NOW), "Response").value for times in (0.5, 1.0, 2.0)]
    assert values[1] == 0.75
    assert 0.5 < values[0] < values[1] < values[2] < 1


def test_one_success_proves_less_than_ten():
    assert (
        0.75
        < part(health(drew(2.0), NOW), "Response").value
        < part(health(drew(*[2.0] * 10), NOW), "Response").value
    )


def test_half_as_much_and_twice_as_much_are_the_usual_together():
    found = part(health(drew(0.5, 2.0), NOW), "Response")
    assert found.value == 0.75
    assert found.words == "2 stories from this source drew the usual response."


def test_background_says_less_of_a_source_than_a_lead():
    lead, background = drew(4.0, 4.0), drew(4.0, 4.0, weight=0.5)
    assert (
        part(health(background, NOW), "Response").value < part(health(lead, NOW), "Response").value
    )


def test_however_much_a_story_draws_the_part_stays_between_nothing_and_all():
    assert part(health(drew(*[16.0] * 50), NOW), "Response").value == 1
    assert part(health(drew(*[1 / 16] * 50), NOW), "Response").value == 0


def test_the_response_is_told_in_words():
    found = part(health(drew(1.8), NOW), "Response")
    assert found.words == "One story from this source drew 1.8 times the usual response."


@pytest.mark.django_db
def test_a_story_counts_once_for_a_source_however_many_of_its_pieces_are_in_it(
    source, draft, paula
):
    gazette, idle = source("https://gazette.example/"), source("https://idle.example/")
    now = timezone.now()
    SyncRun.objects.create(source=gazette, finished_at=now, outcome="ok", started_at=now)
    story = draft(paula)
    Article.objects.filter(pk=story.pk).update(published_at=now - timedelta(days=1))
    for number in range(3):
        piece = Article.objects.create(
            kind="wire", source=gazette, external_id=str(number), title="A piece", state="picked_up"
        )
        StoryOrigin.objects.create(
            story=story, item=piece, role="background" if number else "lead", raw_hash_seen="x"
        )
    response.keep([response.Response(story.pk, now, reactions=9, times=4.0)])
    assess()
    gazette.refresh_from_db()
    idle.refresh_from_db()
    told = {part["name"]: part["words"] for part in gazette.health_parts}
    assert told["Response"] == "One story from this source drew 4.0 times the usual response."
    assert idle.health_parts == []
    Article.objects.filter(pk=story.pk).update(published_at=now - timedelta(days=91))
    assess()
    gazette.refresh_from_db()
    assert "Response" not in [part["name"] for part in gazette.health_parts]
