"""What posts draw is held against what is usual, and comes to stories and to sources."""

import csv
from datetime import datetime, timedelta

import httpx
import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from articles import desk, triage
from articles.models import Article, StoryResponse
from publishing import deliver, queue, readback, receipts, response
from publishing.admin import story_response
from publishing.models import Delivery, Reading, Watch
from publishing.post import Counts
from publishing.usual import AGES, times_usual, together
from sources import timetable
from sources.assess import assess
from sources.models import Source, SyncRun

HALF_AN_HOUR, DAY = AGES[0], timedelta(days=1)


# --- what is usual: pure ---


def channel_of(*reactions, age=DAY):
    return {key: {age: Counts(reactions=number)} for key, number in enumerate(reactions)}


def test_a_post_is_held_against_the_others_of_its_channel():
    found = times_usual(channel_of(9, 9, 9, 19, 4))
    assert found[3] == 2.0
    assert found[4] == 0.5
    assert found[0] == 1.0


def test_a_big_channel_does_not_drown_a_small_one():
    small, big = times_usual(channel_of(3, 3, 3, 7)), times_usual(channel_of(399, 399, 399, 799))
    assert small[3] == big[3] == 2.0


def test_three_others_are_needed_before_anything_is_usual():
    assert times_usual(channel_of(1, 2, 3)) == {}
    assert set(times_usual(channel_of(1, 2, 3, 4))) == {0, 1, 2, 3}


def test_a_young_post_is_held_against_what_the_others_had_when_they_were_as_young():
    old = {HALF_AN_HOUR: Counts(reactions=4), DAY: Counts(reactions=99)}
    found = times_usual({1: old, 2: old, 3: old, 4: {HALF_AN_HOUR: Counts(reactions=9)}})
    assert found[4] == 2.0


def test_where_too_few_others_are_as_old_the_age_before_is_taken():
    young = {HALF_AN_HOUR: Counts(reactions=4)}
    old = {HALF_AN_HOUR: Counts(reactions=9), DAY: Counts(reactions=99)}
    assert times_usual({1: young, 2: young, 3: young, 4: old})[4] == 2.0


def test_views_and_reactions_have_one_mean_and_what_one_platform_keeps_to_itself_has_none():
    usual = {DAY: Counts(views=99, reactions=9)}
    found = times_usual({1: usual, 2: usual, 3: usual, 4: {DAY: Counts(views=399, reactions=9)}})
    assert found[4] == 2.0  # four times the views, the usual reactions
    found = times_usual({1: usual, 2: usual, 3: usual, 4: {DAY: Counts(views=399)}})
    assert found[4] == 4.0
    assert 4 not in times_usual({1: usual, 2: usual, 3: usual, 4: {DAY: Counts(shares=5)}})


def test_silence_where_silence_is_usual_says_nothing():
    assert times_usual(channel_of(0, 0, 0, 0, 3)) == {4: 4.0}


def test_luck_has_an_end():
    assert times_usual(channel_of(0, 0, 0, 5_000_000))[3] == 16.0


def test_a_storys_posts_make_one_number_together():
    assert together([]) is None
    assert together([4.0, 1.0]) == 2.0


# --- from the platform to the source ---


@pytest.fixture
def paper(db):
    """A source: `paper("Gazette")`."""

    def made(name):
        paper = Source.objects.create(
            name=name, connector="feed", api_endpoint=f"https://{name.lower()}.example/",
            last_success=timezone.now(),
        )  # fmt: skip
        timetable.keep(paper)
        SyncRun.objects.create(source=paper, outcome="ok", finished_at=timezone.now())
        return paper

    return made


@pytest.fixture
def out(world, channel, by, no_limits_used):
    """Publishes stories of two papers on the simulated Mastodon, half an hour ago."""
    to = channel("mastodon")

    def put(title, of, favourites):
        piece = Article.objects.create(
            kind="wire", source=of, external_id=title, title=title, state="new",
            content=f"<p>{title}. It sails again.</p>", raw_hash="x",
        )  # fmt: skip
        story = triage.pick_up([piece.pk], by)
        for act in ("submit", "approve"):
            desk.perform(story.pk, act, by)
        delivery = queue.enqueue(story.pk, [to.pk], by, confirm_duplicates=True)[0].delivery
        deliver.drain()
        delivery.refresh_from_db()
        said = {"id": delivery.remote_id, "favourites": favourites, "boosts": 1}
        assert httpx.post(f"{world.url}/_control/readers", json=said).status_code == 200
        return story

    return put


def read_back_after(time):
    """Let the posts get older, and the tick come round."""
    now = timezone.now()
    readback.begin()
    Delivery.objects.update(published_at=F("published_at") - time)
    Reading.objects.update(at=F("at") - time)
    Watch.objects.update(count_at=now, look_at=now)
    readback.read_back()


@pytest.mark.django_db(transaction=True)
def test_the_source_whose_stories_draw_more_rises_above_the_other(out, paper):
    gazette, courier = paper("Gazette"), paper("Courier")
    loved = [out(f"Ferry {number}", gazette, 39) for number in range(3)]
    passed = [out(f"Council {number}", courier, 4) for number in range(3)]
    assess()
    assert len(set(Source.objects.values_list("health", flat=True))) == 1
    read_back_after(timedelta(minutes=10))
    assert set(StoryResponse.objects.values_list("reactions", "times")) == {(39, None), (4, None)}
    read_back_after(timedelta(minutes=25))
    assert {each.response.times > 1 for each in Article.objects.filter(pk__in=_pks(loved))} == {
        True
    }
    assert {each.response.times < 1 for each in Article.objects.filter(pk__in=_pks(passed))} == {
        True
    }
    assess()
    gazette.refresh_from_db()
    courier.refresh_from_db()
    assert gazette.health > courier.health
    assert "3 stories from this source drew" in gazette.health_parts[-1]["words"]


@pytest.mark.django_db(transaction=True)
def test_all_is_asked_in_a_few_queries_however_many_posts(
    out, paper, django_assert_max_num_queries
):
    gazette = paper("Gazette")
    stories = [out(f"Ferry {number}", gazette, number) for number in range(6)]
    read_back_after(timedelta(minutes=10))
    read_back_after(timedelta(minutes=25))
    Watch.objects.update(times=None)
    channels = set(Delivery.objects.values_list("channel_id", flat=True))
    with django_assert_max_num_queries(10):
        assert response.weigh(channels, _pks(stories)) == 0  # as it was
    assert Watch.objects.filter(times=None).count() == 0


def _times(stories):
    return StoryResponse.objects.filter(story__in=stories).values_list("times", flat=True)


def _pks(stories):
    return [each.pk for each in stories]


# --- where people and programs read it ---


@pytest.mark.django_db(transaction=True)
def test_the_storys_page_has_a_row_for_each_post_and_what_came_since_the_first_reading(
    out, paper, client, ada, world
):
    story = out("Ferry", paper("Gazette"), 12)
    read_back_after(timedelta(minutes=10))
    delivery = Delivery.objects.get()
    said = {"id": delivery.remote_id, "favourites": 30, "boosts": 1}
    httpx.post(f"{world.url}/_control/readers", json=said)
    read_back_after(timedelta(minutes=10))
    table = story_response.table(story)
    (row,) = table["rows"]
    assert [(cell.number, cell.more) for cell in row.cells] == [(None, 0), (30, 18), (0, 0), (1, 0)]
    assert row.since is not None
    assert table["totals"] == []  # of one post there is nothing to sum
    client.force_login(ada)
    page = client.get(reverse("admin:articles_story_change", args=(story.pk,))).content.decode()
    assert "+18" in page
    assert "30 reactions, 0 replies, 1 share" in page
    item = story.origins.get().item_id
    page = client.get(reverse("admin:articles_wireitem_change", args=(item,))).content.decode()
    assert "(30 reactions, 0 replies, 1 share)" in page


@pytest.mark.django_db(transaction=True)
def test_before_the_first_reading_the_page_says_when_that_will_be(out, paper, client, ada):
    story = out("Ferry", paper("Gazette"), 12)
    Watch.objects.create(delivery=Delivery.objects.get(), count_at=timezone.now())
    client.force_login(ada)
    page = client.get(reverse("admin:articles_story_change", args=(story.pk,))).content.decode()
    assert "The platforms are asked for numbers from" in page
    assert "Against its channel" not in page


@pytest.mark.django_db(transaction=True)
def test_the_api_and_the_receipt_tell_the_counts_once_there_are_any(
    out, paper, client, vera, paula
):
    story = out("Ferry", paper("Gazette"), 12)
    delivery = Delivery.objects.get()
    api = APIClient()
    api.force_authenticate(vera)
    row, receipt = f"/api/deliveries/{delivery.pk}/", f"/api/deliveries/{delivery.pk}/receipt/"
    assert api.get(row).json()["counts"] is None
    assert api.get(receipt).json()["counts"] is None
    read_back_after(timedelta(minutes=10))
    wanted = {"views": None, "reactions": 12, "replies": 0, "shares": 1}
    listed = api.get(f"/api/deliveries/?article={story.pk}").json()["results"][0]
    for told in (listed, api.get(row).json(), api.get(receipt).json()):
        assert told["counts"].items() >= wanted.items()
        assert datetime.fromisoformat(told["counts"]["read_at"]) == Watch.objects.get().counted_at
    client.force_login(paula)
    assert (
        "12 reactions, 0 replies, 1 share"
        in client.get(receipts.address(delivery)).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_the_posts_of_a_story_are_summed_over_its_channels(out, paper, channel, by):
    story = out("Ferry", paper("Gazette"), 12)
    queue.enqueue(story.pk, [channel("wordpress").pk], by, confirm_duplicates=True)
    deliver.drain()
    assert story_response.table(story) == {}  # nobody has been asked
    read_back_after(timedelta(minutes=10))
    table = story_response.table(story)
    assert [row.cells[1].number for row in table["rows"]] == [12, None]  # WordPress has no likes
    assert table["totals"] == [None, 12, 0, 1]
    assert table["words"] == "12 reactions, 0 replies, 1 share"


@pytest.mark.django_db
def test_the_list_of_sources_is_sorted_by_score_and_its_file_has_the_response(paper, client, ada):
    good, poor = paper("Gazette"), paper("Courier")
    part = {"name": "Response", "percent": 91, "words": "6 stories drew much."}
    Source.objects.filter(pk=good.pk).update(health=97, health_parts=[part])
    Source.objects.filter(pk=poor.pk).update(health=40)
    client.force_login(ada)
    listed = reverse("admin:sources_source_changelist")
    for order, names in (("1", ["Courier", "Gazette"]), ("-1", ["Gazette", "Courier"])):
        rows = client.get(listed, {"o": order}).context["cl"].result_list
        assert [row.name for row in rows] == names
    file = b"".join(client.get(f"{listed}csv/").streaming_content).decode("utf-8-sig")
    rows = csv.DictReader(file.splitlines())
    assert {row["Source"]: row["Response"] for row in rows} == {"Gazette": "91", "Courier": ""}
