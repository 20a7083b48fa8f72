"""Deliveries that may have been posted: found out by the desk, or by a person, never guessed."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from articles import desk
from articles.errors import WrongState
from articles.models import Article
from publishing import claim, deliver, queue, reconcile
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery

pytestmark = pytest.mark.django_db(transaction=True)

POSTING = {
    "wordpress": "/wordpress/wp-json/wp/v2/posts",
    "mastodon": "/mastodon/api/v1/statuses",
    "webhook": "/webhook",
    "bare": "/bare",
    "searchable": "/bare",
}


LATER = {"match": "/bare", "mode": "429", "times": 1, "retry_after": 60}


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def lose_the_answer(world, platform, *more, done=True):
    mode = "accept_then_drop" if done else "drop_before"
    first = {"match": POSTING[platform], "method": "POST", "mode": mode, "times": 1}
    world.faults(first, *more)


def go_on(delivery):
    """Let the wait before the next attempt pass."""
    Delivery.objects.filter(pk=delivery.pk).exclude(next_attempt_at=None).update(
        next_attempt_at=timezone.now()
    )
    Channel.objects.update(waits_until=None)
    deliver.drain()
    return fresh(delivery)


@pytest.fixture
def doubted(queued, channel, world):
    """A delivery whose post arrived (unless `done=False`) and whose answer was lost."""

    def make(platform, *more, done=True):
        lose_the_answer(world, platform, *more, done=done)
        delivery = queued(channel(platform))
        deliver.drain()
        delivery = fresh(delivery)
        assert delivery.status == Status.IN_DOUBT
        return delivery

    return make


@pytest.mark.parametrize("platform", ["mastodon", "webhook"])
@pytest.mark.parametrize(("mode", "outcome"), [("429", "wait"), ("401", "reauthorise")])
def test_a_definite_answer_to_the_second_attempt_settles_nothing_about_the_first(
    doubted, world, by, platform, mode, outcome
):
    delivery = doubted(platform)
    world.faults({"match": f"/{platform}", "mode": mode, "times": 1, "retry_after": 60})
    delivery = go_on(delivery)
    assert delivery.tries.first().outcome == outcome
    assert delivery.status == Status.IN_DOUBT
    with pytest.raises(WrongState, match="in doubt"):
        queue.cancel(delivery.pk, by)
    Channel.objects.update(paused_reason="")
    assert go_on(delivery).status == Status.PUBLISHED
    assert list(world.posts(platform)["by_marker"].values()) == [1]


def test_a_second_attempt_that_is_refused_for_good_goes_to_a_person(doubted):
    delivery = doubted("webhook")
    Channel.objects.update(options={**delivery.channel.options, "url": "ftp://nowhere.example/"})
    delivery = go_on(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert "look" in delivery.error_message
    assert delivery.article.events.filter(what="in_doubt").exists()


def test_a_second_attempt_that_reaches_nobody_leaves_the_doubt(doubted, channel):
    delivery = doubted("mastodon")
    where = delivery.channel.options
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    Channel.objects.update(options={"url": f"http://127.0.0.1:{port}/mastodon"})
    delivery = go_on(delivery)
    assert delivery.status == Status.IN_DOUBT
    assert delivery.next_attempt_at is not None
    Channel.objects.update(options=where)
    assert go_on(delivery).status == Status.PUBLISHED


def test_after_too_many_attempts_a_person_is_asked(doubted, world):
    delivery = doubted("mastodon")
    world.faults({"match": "/mastodon", "mode": "503"})
    for _ in range(8):
        delivery = go_on(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert delivery.attempts == 8


def test_a_draft_whose_making_was_not_confirmed_is_found_and_not_made_twice(doubted, world):
    delivery = doubted("wordpress")
    assert delivery.remote_draft_id == ""
    assert go_on(delivery).status == Status.PUBLISHED
    posts = world.posts("wordpress")
    assert (posts["total"], posts["public"]) == (1, 1)


# --- what must not go out any more ---


@pytest.mark.parametrize("platform", ["mastodon", "wordpress", "searchable"])
def test_a_story_killed_in_doubt_is_searched_for_and_never_sent(doubted, world, by, platform):
    delivery = doubted(platform, done=False)
    Article.objects.filter(pk=delivery.article_id).update(state="live")
    desk.perform(delivery.article_id, "kill", by, reason="Wrong person named")
    for _ in range(3):
        delivery = go_on(delivery)
    assert world.posts(POSTING[platform].split("/")[1])["public"] == 0
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert "killed" in delivery.error_message
    queue.was_not_posted(delivery.pk, by)
    assert fresh(delivery).status == Status.CANCELLED


def test_a_story_killed_in_doubt_whose_post_is_there_is_known_to_be_there(doubted, by, world):
    delivery = doubted("mastodon")
    Article.objects.filter(pk=delivery.article_id).update(state="live")
    desk.perform(delivery.article_id, "kill", by, reason="Wrong person named")
    delivery = go_on(delivery)
    assert delivery.status == Status.PUBLISHED
    assert delivery.remote_url.startswith(world.url)
    assert Article.objects.get(pk=delivery.article_id).state == "killed"


def test_where_nothing_can_be_searched_a_killed_story_goes_to_a_person_at_once(doubted, by, world):
    delivery = doubted("webhook", done=False)
    Article.objects.filter(pk=delivery.article_id).update(state="live")
    desk.perform(delivery.article_id, "kill", by, reason="Wrong person named")
    delivery = go_on(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert world.posts("webhook")["total"] == 0


# --- a platform that can be searched ---


def test_what_is_found_is_not_sent_again(doubted, world):
    delivery = go_on(doubted("searchable"))
    assert delivery.status == Status.PUBLISHED
    assert world.posts("bare")["total"] == 1
    assert "look-up" in delivery.tries.first().excerpt


def test_what_is_not_found_twice_is_sent_again(doubted, world):
    delivery = go_on(doubted("searchable", done=False))
    assert (delivery.status, delivery.looked_up) == (Status.IN_DOUBT, 1)
    assert world.posts("bare")["total"] == 0
    assert go_on(delivery).status == Status.PUBLISHED
    assert world.posts("bare")["total"] == 1


def test_each_new_doubt_is_searched_for_twice(doubted, world):
    delivery = go_on(doubted("searchable", done=False))
    lose_the_answer(world, "searchable", done=False)
    delivery = go_on(delivery)
    assert (delivery.status, delivery.looked_up) == (Status.IN_DOUBT, 0)
    assert (go_on(delivery).looked_up, world.posts("bare")["total"]) == (1, 0)
    assert go_on(delivery).status == Status.PUBLISHED


# --- a person's answer ---


def test_a_persons_answer_is_on_record_and_closes_the_doubt(doubted, by, world):
    delivery = doubted("bare", LATER, done=False)
    queue.send_again(delivery.pk, by)
    deliver.drain()
    delivery = fresh(delivery)
    outcomes = list(delivery.tries.order_by("number").values_list("outcome", flat=True))
    assert outcomes == [Attempt.Outcomes.ABSENT, Attempt.Outcomes.WAIT]
    assert delivery.status == Status.RETRY  # and no question again
    assert go_on(delivery).status == Status.PUBLISHED
    assert world.posts("bare")["total"] == 1


def test_a_worker_that_dies_before_a_persons_wish_is_sent_leaves_no_new_doubt(doubted, by):
    delivery = doubted("bare", done=False)
    queue.send_again(delivery.pk, by)
    assert claim.claim(1)
    Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    reconcile.expire()
    assert fresh(delivery).status == Status.RETRY


def test_an_answer_after_days_is_not_too_late(doubted, by, world):
    delivery = doubted("bare", done=False)
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(days=3))
    queue.send_again(delivery.pk, by)
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED


def test_what_is_not_in_doubt_has_no_answer(queued, channel, by):
    delivery = queued(channel("dryrun"))
    for answer in (queue.send_again, queue.was_not_posted):
        with pytest.raises(WrongState, match="pending"):
            answer(delivery.pk, by)
