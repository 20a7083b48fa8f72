"""What is out is read back: how it does, and whether it still stands there unchanged."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from articles.errors import WrongState
from publishing import deliver, readback
from publishing.afterwards import WATCHED_FOR, until_count, until_look, words_hash
from publishing.errors import Reauthorise, Wait
from publishing.lifecycle import Status
from publishing.models import Delivery, Reading, Watch
from publishing.post import Counts
from tests.publishing.bare import Watched
from tests.publishing.conftest import CHANNELS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def out(queued, channel, settings, monkeypatch):
    """A post that is out where it can be read back, and due to be."""
    settings.EXTRA_PLATFORMS = settings.EXTRA_PLATFORMS | {
        "watched": "tests.publishing.bare.Watched"
    }
    monkeypatch.setitem(CHANNELS, "watched", ("/bare/post", {}))
    for kept in (Watched.stands, Watched.asked, Watched.trouble):
        kept.clear()

    def put(**text):
        delivery = queued(channel("watched"), **text)
        deliver.drain()
        delivery.refresh_from_db()
        Watched.stands[delivery.remote_id] = ("It sails again.", Counts(reactions=3, replies=1))
        readback.begin()
        return delivery

    return put


def due():
    now = timezone.now()
    Watch.objects.exclude(count_at=None).update(count_at=now)
    Watch.objects.exclude(look_at=None).update(look_at=now)


def again():
    due()
    return readback.read_back()


def watch():
    return Watch.objects.get()


# --- when: pure ---


def test_the_older_a_post_the_rarer_it_is_asked_about():
    ages = [timedelta(minutes=5), timedelta(hours=3), timedelta(days=1), timedelta(days=5)]
    for until in (until_count, until_look):
        waits = [wait for age in ages if (wait := until(age)) is not None]
        assert len(waits) == len(ages)
        assert waits == sorted(waits)
        assert until(WATCHED_FOR) is None


def test_each_failure_doubles_the_wait_up_to_a_limit():
    age = timedelta(hours=3)
    assert until_count(age) == timedelta(minutes=30)
    assert until_count(age, failures=2) == timedelta(hours=2)
    assert until_count(age, failures=500) == until_count(age, failures=6)


def test_marks_and_spacing_are_the_platforms_own():
    assert words_hash("It  sails — again!") == words_hash("it sails again")
    assert words_hash("it sails") != words_hash("it sails again")
    assert words_hash(" … ") == ""


# --- counts ---


def test_counts_come_into_the_table_and_to_the_story(out, client, ada):
    delivery = out()
    assert again() == 1
    assert (watch().reactions, watch().replies, watch().views) == (3, 1, None)
    assert readback.in_words(watch()) == "3 reactions, 1 reply"
    client.force_login(ada)
    page = client.get(reverse("admin:articles_story_change", args=(delivery.article_id,)))
    assert "3 reactions, 1 reply" in page.content.decode()


def test_only_a_count_that_moved_makes_a_reading(out):
    delivery = out()
    again()
    again()
    Watched.stands[delivery.remote_id] = ("It sails again.", Counts(reactions=4, replies=1))
    again()
    assert list(Reading.objects.values_list("reactions", flat=True)) == [4, 3]


def test_a_second_tick_asks_nothing_twice(out):
    out()
    again()
    asked = list(Watched.asked)
    assert readback.read_back() == 0
    assert Watched.asked == asked


def test_what_cannot_be_read_back_is_not_watched(queued, channel):
    queued(channel("bare"))
    deliver.drain()
    assert readback.begin() == 0


def test_a_platform_in_trouble_is_asked_more_rarely_and_nothing_else_happens(out):
    delivery = out()
    for problem in (Wait("Later."), Reauthorise("May not read."), ValueError("a bug")):
        Watched.trouble.append(problem)
        again()
    assert watch().failures == 3
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED
    assert delivery.channel.paused_reason == ""
    assert watch().finding == ""


def test_counts_that_cannot_be_had_take_nothing_from_the_look(out, monkeypatch):
    delivery = out()

    async def no_counts(*_):
        raise Wait("There is nobody here who counts.")

    monkeypatch.setattr(Watched, "counts", no_counts)
    again()
    assert watch().words_hash == words_hash("It sails again.")
    assert watch().failures == 1
    del Watched.stands[delivery.remote_id]
    again()
    again()
    assert watch().finding == Watch.Findings.GONE


def test_a_paused_channel_is_not_asked(out):
    out().channel.__class__.objects.update(paused_reason="The token is dead.")
    assert again() == 0


# --- drift ---


def test_a_post_that_is_gone_is_looked_for_twice_and_then_told(out):
    delivery = out()
    again()
    Watched.stands.clear()
    again()
    assert watch().finding == ""
    assert watch().look_at - timezone.now() < timedelta(minutes=6)
    again()
    assert watch().finding == "gone"
    event = delivery.article.events.get(what="drifted")
    assert event.reason == f"The post on {delivery.channel} is gone."
    assert again() == 0  # nothing more to ask


def test_a_post_that_comes_back_at_the_second_look_was_never_gone(out):
    delivery = out()
    kept = dict(Watched.stands)
    again()
    Watched.stands.clear()
    again()
    Watched.stands.update(kept)
    again()
    assert (watch().missed, watch().finding) == (0, "")
    assert not delivery.article.events.filter(what="drifted").exists()


def test_a_post_that_says_something_else_is_told_once(out):
    delivery = out()
    again()
    Watched.stands[delivery.remote_id] = ("It never sails again.", Counts())
    again()
    again()
    assert watch().finding == "changed"
    assert delivery.article.events.filter(what="drifted").count() == 1


def test_what_the_desk_changed_itself_is_no_drift(out, by):
    delivery = out()
    again()
    Delivery.objects.create(
        article=delivery.article, channel=delivery.channel, platform="watched",
        revision=delivery.revision, slot=1, act="edit", of=delivery, wish="correct",
        status="published", scheduled_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip
    Watched.stands[delivery.remote_id] = ("A corrected text.", Counts())
    again()
    assert watch().finding == ""


def test_what_was_withdrawn_is_not_missed(out):
    delivery = out()
    Delivery.objects.create(
        article=delivery.article, channel=delivery.channel, platform="watched",
        revision=delivery.revision, slot=1, act="delete", of=delivery, wish="withdraw",
        status="published", scheduled_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip
    Watched.stands.clear()
    again()
    again()
    assert watch().finding == ""
    assert (watch().look_at, watch().count_at) == (None, None)


def test_the_dashboard_tells_until_a_person_has_seen_it(out, client, paula, by):
    delivery = out()
    again()
    Watched.stands.clear()
    again()
    again()
    client.force_login(paula)
    told = "What is out is not what was sent"
    assert told in client.get(reverse("admin:index")).content.decode()
    readback.noted(delivery.pk, by)
    assert told not in client.get(reverse("admin:index")).content.decode()
    with pytest.raises(WrongState):
        readback.noted(delivery.pk, by)


def test_a_dead_credential_is_one_alert_on_the_dashboard(queued, channel, client, paula):
    to = channel("dryrun", paused_reason="The token is not accepted any more.")
    for _ in range(3):
        queued(to)
    client.force_login(paula)
    page = client.get(reverse("admin:index")).content.decode()
    assert page.count("The token is not accepted any more.") == 1
