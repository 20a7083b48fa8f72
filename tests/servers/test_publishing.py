"""A story's whole life on servers that we did not write: published, corrected, killed."""

import pytest

from articles import desk, revise
from articles.lifecycle import State
from articles.models import Distribution
from publishing import amend, connecting, deliver, platforms, queue
from publishing.lifecycle import Status
from publishing.models import Delivery
from publishing.platforms.base import Verifies
from tests.servers.going_on import go_on, to_the_end

pytestmark = pytest.mark.django_db(transaction=True)
Acts, Wishes = Delivery.Acts, Delivery.Wishes


def test_what_it_was_tried_against_is_this_very_software(venue):
    said = platforms.platform(venue.key).capabilities.tried_against
    version = ".".join(venue.version().split(".")[:2])
    assert said.endswith(f" {version}"), f"{venue.key} says “{said}”, and this is {venue.version()}"


def test_a_connection_is_confirmed_in_words_and_posts_nothing(venue, channel, proxy):
    adapter = platforms.platform(venue.key)
    if not isinstance(adapter, Verifies):
        pytest.skip(f"{venue.key} has no test of its connection")
    said = connecting.test(venue.key, channel.options, channel.credentials.reveal())
    assert said.endswith(".")
    assert not [each for each in proxy.log if venue.meant(each.method, each.path)]


def test_a_story_is_there_once_with_its_receipt(venue, delivery, story):
    assert venue.posts(story.title) == []
    row = to_the_end(delivery)
    assert row.status == Status.PUBLISHED, row.error_message
    assert len(venue.posts(story.title)) == 1
    assert (row.attempts, row.confirmed_by) == (1, "answer")
    assert row.remote_id


def corrected(story, by):
    """The story with another title, approved; its first word stays."""
    desk.perform(story.pk, "correct", by, reason="The ferry has another name.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, {"title": f"{story.title} for good"})
    desk.submit(story.pk, by)
    return desk.approve(story.pk, by)


def test_a_correction_changes_the_post_or_asks_a_person(venue, delivery, story, channel, by):
    to_the_end(delivery)
    title = story.title
    fresh = corrected(story, by)
    result = queue.enqueue(story.pk, [channel.pk], by)[0]
    assert result.delivery is not None, result.problem
    row = go_on(result.delivery)
    wanted = amend.way(platforms.platform(venue.key), Wishes.CORRECT)
    assert row.act == wanted
    there = venue.posts(title)
    if wanted == Acts.EDIT:
        assert (row.status, row.error_message) == (Status.PUBLISHED, "")
        assert len(there) == 1
        assert fresh.title in there[0]
    elif wanted == Acts.BY_HAND:
        assert row.status == Status.HELD
        assert len(there) == 1
    else:
        assert row.status == Status.PUBLISHED
        assert len(there) == 2


def test_a_kill_takes_the_post_away_or_asks_a_person(venue, delivery, story, by):
    to_the_end(delivery)
    desk.perform(story.pk, "kill", by, reason="It was wrong.")
    assert amend.withdraw() == 1
    deliver.drain()
    row = Delivery.objects.get(of=delivery)
    wanted = amend.way(platforms.platform(venue.key), Wishes.WITHDRAW)
    assert row.act == wanted
    story.refresh_from_db()
    assert story.state == State.KILLED
    if wanted == Acts.DELETE:
        assert (row.status, row.error_message) == (Status.PUBLISHED, "")
        assert venue.posts(story.title) == []
        assert story.distribution == Distribution.NONE
    elif wanted == Acts.BY_HAND:
        assert row.status == Status.HELD


def test_a_repeated_withdrawal_of_what_is_gone_is_a_success(venue, delivery, story, by):
    if amend.way(platforms.platform(venue.key), Wishes.WITHDRAW) != Acts.DELETE:
        pytest.skip(f"{venue.key} can't take a post away")
    to_the_end(delivery)
    desk.perform(story.pk, "kill", by, reason="It was wrong.")
    row = go_on(delivery)
    first = Delivery.objects.get(of=row)
    assert first.status == Status.PUBLISHED, first.error_message
    Delivery.objects.create(
        article=story, channel=first.channel, platform=first.platform, revision=first.revision,
        slot=9, scheduled_at=first.scheduled_at, act=Acts.DELETE, of=row, wish=Wishes.WITHDRAW,
    )  # fmt: skip
    again = go_on(Delivery.objects.get(of=row, slot=9))
    assert (again.status, again.error_message) == (Status.PUBLISHED, "")
