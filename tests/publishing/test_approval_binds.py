"""What goes out is what was approved: anything else is held with a sentence."""

import pytest

from articles.models import Article
from publishing import deliver, queue
from publishing.fingerprint import changed, parts, whole
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.post import Post

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def hashed(options=None, **fields):
    post = Post(**{"title": "Ferry", "html": "<p>x</p>", "text": "x", "marker": "a"} | fields)
    return parts(post, platform="dryrun", options=options or {}, act="publish")


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"title": "Ferry!"}, "the text"),
        ({"tags": ("sea",)}, "the story's link, tags, authors or language"),
        ({"options": {"url": "https://b.example"}}, "the channel's settings"),
        ({"marker": "b"}, ""),
        ({"options": {"note": ""}}, ""),  # an empty setting is none
        (
            {"text": "y", "options": {"url": "x"}},
            "the text and the channel's settings",
        ),
    ],
)
def test_each_part_has_a_hash_of_its_own(difference, words):
    assert changed(hashed(), hashed(**difference)) == words
    assert (whole(hashed()) == whole(hashed(**difference))) == (not words)


def test_what_is_unchanged_goes_out_under_the_hash_that_was_approved(queued, channel):
    delivery = queued(channel("dryrun"))
    deliver.drain()
    delivery = fresh(delivery)
    assert delivery.status == Status.PUBLISHED
    assert len(delivery.payload_hash) == 64
    assert delivery.tries.get().payload_hash == delivery.payload_hash


def test_settings_that_were_changed_since_hold_it(queued, channel, world):
    to = channel("webhook")
    delivery = queued(to)
    Channel.objects.filter(pk=to.pk).update(options={"url": world.url + "/elsewhere"})
    assert deliver.drain() == 0
    delivery = fresh(delivery)
    assert (delivery.status, delivery.attempts) == (Status.HELD, 0)
    assert "the channel's settings changed since it was approved" in delivery.error_message
    assert delivery.article.events.filter(what="held").exists()


def test_details_of_the_story_that_were_changed_since_hold_it(queued, channel):
    delivery = queued(channel("dryrun"))
    Article.objects.filter(pk=delivery.article_id).update(tags=["surprise"])
    deliver.drain()
    assert "tags" in fresh(delivery).error_message


def test_who_releases_it_approves_what_it_has_become(queued, channel, by):
    delivery = queued(channel("dryrun"))
    Article.objects.filter(pk=delivery.article_id).update(tags=["surprise"])
    deliver.drain()
    queue.release(delivery.pk, by)
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    event = delivery.article.events.get(what="release")
    assert event.reason == "Approved as it has become."


def test_what_changes_once_more_before_the_release_is_held_again(queued, channel, by):
    delivery = queued(channel("dryrun"))
    Article.objects.filter(pk=delivery.article_id).update(tags=["surprise"])
    deliver.drain()
    Article.objects.filter(pk=delivery.article_id).update(tags=["another"])
    queue.release(delivery.pk, by)
    assert deliver.drain() == 0
    assert fresh(delivery).status == Status.HELD


def test_releasing_what_a_person_held_approves_no_change(queued, channel, by):
    delivery = queued(channel("dryrun"))
    queue.hold(delivery.pk, by, reason="The lawyer reads it")
    Article.objects.filter(pk=delivery.article_id).update(tags=["surprise"])
    queue.release(delivery.pk, by)
    assert deliver.drain() == 0
    assert "changed since it was approved" in fresh(delivery).error_message


def test_what_changed_since_its_preview_is_not_queued(approved, channel, by):
    to = channel("dryrun")
    story = approved()
    [result] = queue.enqueue(story.pk, [to.pk], by, seen={to.pk: "0" * 64})
    assert result.delivery is None
    assert "changed since you looked" in result.problem


def test_a_link_that_is_another_since_holds_it(queued, channel, settings):
    settings.STORY_URL = "https://www.example.org/stories/{id}/{slug}"
    to = channel("dryrun")
    delivery = queued(to, title="The ferry is back")
    Channel.objects.filter(pk=to.pk).update(utm_source="toots")
    deliver.drain()
    delivery = fresh(delivery)
    assert delivery.status == Status.HELD
    assert "the story's link" in delivery.error_message
