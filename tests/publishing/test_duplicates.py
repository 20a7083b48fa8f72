"""The same text or link to the same channel asks first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from articles.models import Article
from publishing import queue
from publishing.models import Channel, Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def put(approved, by):
    def put(to, *, url="", at=None, confirm=False, **text):
        story = approved(**text)
        Article.objects.filter(pk=story.pk).update(url=url)
        return queue.enqueue(story.pk, [to.pk], by, at=at, confirm_duplicates=confirm)[0]

    return put


def test_the_same_text_names_the_delivery_that_it_equals(put, channel):
    to = channel("dryrun")
    first = put(to, title="Ferry returns").delivery
    again = put(to, title="FERRY  returns!")
    assert again.delivery is None
    assert again.duplicate_of == first
    assert f"Delivery {first.pk} to {to} has the same text" in again.problem


def test_a_person_who_confirms_sends_it(put, channel):
    to = channel("dryrun")
    put(to)
    assert put(to, confirm=True).delivery is not None


def test_the_same_link_in_another_spelling_is_the_same(put, channel):
    to = channel("dryrun")
    put(to, title="One", url="https://example.org/a?utm_source=x")
    again = put(to, title="Two", url="https://EXAMPLE.org:443/a")
    assert "has the same link" in again.problem


def test_stories_without_a_link_do_not_share_one(put, channel):
    to = channel("dryrun")
    put(to, title="One")
    assert put(to, title="Two").delivery is not None


def test_another_channel_may_say_the_same(put, channel):
    put(channel("dryrun"))
    assert put(channel("dryrun")).delivery is not None


def test_on_a_short_platform_the_same_summary_is_the_same_text(put, channel):
    to = channel("mastodon")
    put(to, summary="It sails.", content="<p>One way.</p>")
    assert put(to, summary="It sails.", content="<p>Another.</p>").duplicate_of


def test_on_a_whole_story_platform_it_is_not(put, channel):
    to = channel("dryrun")
    put(to, summary="It sails.", content="<p>One way.</p>")
    assert put(to, summary="It sails.", content="<p>Another.</p>").delivery


@pytest.mark.parametrize("status", ["failed", "cancelled", "missed"])
def test_what_never_went_out_is_no_duplicate(put, channel, status):
    to = channel("dryrun")
    first = put(to).delivery
    Delivery.objects.filter(pk=first.pk).update(status=status)
    assert put(to).delivery is not None


def test_after_the_channels_days_it_is_news_again(put, channel):
    to = channel("dryrun", duplicate_days=2)
    first = put(to).delivery
    then = timezone.now() - timedelta(days=3)
    Delivery.objects.filter(pk=first.pk).update(scheduled_at=then)
    assert put(to).delivery is not None


def test_what_is_queued_for_later_counts_too(put, channel):
    to = channel("dryrun")
    put(to, at=timezone.now() + timedelta(days=2))
    assert "is queued for" in put(to).problem


def test_a_channel_may_ask_nothing(put, channel):
    to = channel("dryrun")
    Channel.objects.update(duplicate_days=0)
    put(to)
    assert put(to).delivery is not None
