"""Channels and the queue in the console: every act by a POST, every refusal in words."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from publishing import deliver, queue
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from simulator import credentials

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at(client):
    """A browser with somebody signed in: `at(paula)`."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def page(row):
    return reverse(f"admin:publishing_{row._meta.model_name}_change", args=(row.pk,))


def act(browser, row, name, **data):
    url = reverse(f"admin:publishing_{row._meta.model_name}_act", args=(row.pk, name))
    return browser.post(url, {"confirmed": 1, **data}, follow=True).content.decode()


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


@pytest.fixture
def in_doubt(queued, channel, world):
    world.faults({"match": "/bare", "method": "POST", "mode": "drop_before", "times": 1})
    delivery = queued(channel("bare"))
    deliver.drain()
    return fresh(delivery)


# --- the queue ---


def test_the_first_page_asks_only_about_what_the_desk_does_not_find_out_by_itself(
    in_doubt, at, paula
):
    question = "Only a person can tell"
    assert question in at(paula).get(reverse("admin:index")).content.decode()
    in_doubt.next_attempt_at = timezone.now() + timedelta(minutes=5)
    in_doubt.save()
    assert question not in at(paula).get(reverse("admin:index")).content.decode()


def test_the_queue_shows_what_is_in_doubt_first_and_says_what_to_do(in_doubt, queued, channel, at,
                                                                    paula):  # fmt: skip
    queued(channel("dryrun"), title="Later on", at=timezone.now() + timedelta(hours=1))
    shown = at(paula).get(reverse("admin:publishing_delivery_changelist")).content.decode()
    assert shown.index(in_doubt.article.title) < shown.index("Later on")
    detail = at(paula).get(page(in_doubt)).content.decode()
    assert "please look, and say which" in detail
    for name in ("was_posted", "send_again", "was_not_posted"):
        assert f'id="act-{name}"' in detail
    assert 'id="act-cancel"' not in detail


def test_a_doubt_is_answered_with_a_link(in_doubt, at, paula):
    done = act(at(paula), in_doubt, "was_posted", url="https://bare.example/1")
    assert "Noted" in done
    assert fresh(in_doubt).remote_url == "https://bare.example/1"


def test_an_answer_with_a_link_that_is_none_is_refused(in_doubt, at, paula):
    act(at(paula), in_doubt, "was_posted", url="javascript:alert(1)")
    assert fresh(in_doubt).status == Status.IN_DOUBT


def test_a_doubt_is_answered_by_leaving_it(in_doubt, at, paula):
    act(at(paula), in_doubt, "was_not_posted", reason="Old news by now")
    assert fresh(in_doubt).status == Status.CANCELLED
    event = in_doubt.article.events.filter(what="was_not_posted").get()
    assert (event.actor, event.reason) == (paula, "Old news by now")


def test_a_delivery_is_held_and_released_and_moved_and_cancelled(queued, channel, at, paula):
    delivery = queued(channel("dryrun"), at=timezone.now() + timedelta(hours=1))
    browser = at(paula)
    act(browser, delivery, "hold", reason="The lawyer reads it")
    assert fresh(delivery).status == Status.HELD
    act(browser, delivery, "release")
    assert fresh(delivery).status == Status.PENDING
    act(browser, delivery, "reschedule", scheduled_at_0="2027-01-02", scheduled_at_1="08:30")
    assert fresh(delivery).scheduled_at.isoformat() == "2027-01-02T08:30:00+00:00"
    act(browser, delivery, "cancel")
    assert fresh(delivery).status == Status.CANCELLED
    again = act(browser, delivery, "retry")
    assert "the new delivery" in again
    assert Delivery.objects.count() == 2


def test_an_editor_may_look_and_not_touch(queued, channel, at, edda):
    delivery = queued(channel("dryrun"))
    browser = at(edda)
    assert 'id="act-cancel"' not in browser.get(page(delivery)).content.decode()
    act(browser, delivery, "cancel")
    assert fresh(delivery).status == Status.PENDING


def test_every_attempt_is_told_in_words(in_doubt, at, paula, by):
    queue.send_again(in_doubt.pk, by)
    deliver.drain()
    shown = at(paula).get(page(in_doubt)).content.decode()
    assert "A person looked: not there" in shown
    assert "Published" in shown


# --- channels ---


def add(browser, world, **data):
    url = reverse("admin:publishing_channel_add") + "?platform=wordpress"
    fields = {
        "name": "Blog", "is_active": "on", "rate_limit_per_minute": 30, "lateness_minutes": 60,
        "catch_up_minutes": 0, "duplicate_days": 7, "link": "ours",
        "when_late": "missed", "option_url": f"{world.url}/wordpress",
        "secret_user": credentials.WORDPRESS_USER,
        "secret_app_password": credentials.WORDPRESS_APP_PASSWORD,
    }  # fmt: skip
    return browser.post(url, {**fields, **data}, follow=True).content.decode()


def test_a_channel_is_connected_and_its_secret_never_shown_again(at, ada, world):
    browser = at(ada)
    add(browser, world)
    channel = Channel.objects.get()
    assert channel.credentials.reveal()["app_password"] == credentials.WORDPRESS_APP_PASSWORD
    shown = browser.get(page(channel)).content.decode()
    assert credentials.WORDPRESS_APP_PASSWORD not in shown
    assert "Once only:" in shown
    assert "Connected as" in act(browser, channel, "test")


def test_a_wrong_password_is_refused_with_what_the_platform_said(at, ada, world):
    shown = add(at(ada), world, secret_app_password="wrong wrong wrong wrong")
    assert "The connection does not work." in shown
    assert not Channel.objects.exists()


def test_a_channel_can_be_saved_without_checking(at, ada, world):
    add(at(ada), world, secret_app_password="wrong wrong wrong wrong", unchecked="on")
    assert Channel.objects.count() == 1


def test_a_channel_is_paused_and_resumed_with_a_reason(queued, channel, at, ada):
    to = channel("dryrun")
    delivery = queued(to)
    browser = at(ada)
    act(browser, to, "pause", reason="Moving to another server")
    listed = browser.get(reverse("admin:publishing_channel_changelist")).content.decode()
    assert "Moving to another server" in listed
    assert deliver.drain() == 0
    act(browser, to, "resume")
    assert deliver.drain() == 1
    assert fresh(delivery).status == Status.PUBLISHED


def test_a_channel_that_waits_for_its_platform_says_until_when_and_may_be_freed(channel, at, ada):
    until = timezone.now() + timedelta(hours=2)
    to = channel("dryrun", waits_until=until)
    browser = at(ada)
    shown = browser.get(reverse("admin:publishing_channel_changelist")).content.decode()
    assert f"Waits until {timezone.localtime(until):%H:%M}" in shown
    act(browser, to, "resume")
    to.refresh_from_db()
    assert to.waits_until is None


# --- from the story's page ---


def test_a_story_is_published_from_its_page_and_each_channel_says_what_is_wrong(
    approved, channel, at, paula, world
):
    story, good, bad = approved(), channel("wordpress"), channel("mastodon", options={})
    browser = at(paula)
    there = reverse("admin:articles_story_act", args=(story.pk, "publish"))
    previews = browser.post(there, {"version": story.version}).url
    assert "“Instance” is missing" in browser.get(previews).content.decode()
    data = {"revision": story.approved_revision_id, "when": "now", "channels": [good.pk, bad.pk]}
    done = browser.post(previews, data, follow=True).content.decode()
    assert f"Queued to {good.name}, now." in done
    assert "“Instance” is missing" in done
    deliver.drain()
    story_page = reverse("admin:articles_story_change", args=(story.pk,))
    assert "Open the post" in browser.get(story_page).content.decode()
