"""A channel's page: how it is doing, what comes, what its platform can do."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from publishing import abilities, deliver, platforms
from publishing.abilities import Ability
from publishing.counting import Ruler
from publishing.models import Channel
from publishing.post import Capabilities, Once


@pytest.fixture
def shown(client, ada):
    """The page of a channel, as text."""
    client.force_login(ada)

    def look(channel, name="change"):
        url = reverse(f"admin:publishing_channel_{name}", args=(channel.pk,))
        return " ".join(client.get(url).content.decode().split())

    return look


# --- what a platform can do ---


def said(capabilities, *able):
    return {line.about: line.words for line in abilities.in_words(capabilities, able)}


def test_limits_are_told_in_words():
    ruler = Ruler(500, url_counts=23)
    words = said(Capabilities(Once.KEY, "A key.", ruler=ruler, pictures=4, alt_text=True))
    assert "At most 500 characters; a link counts 23, whatever its length." in words["Length"]
    assert words["Pictures"] == "Up to 4, with descriptions."
    assert words["Once only"] == "A repetition is known by an id of ours. A key."


@pytest.mark.parametrize(
    ("able", "correction", "withdrawal"),
    [
        ((Ability.EDITS, Ability.DELETES), "The post is changed.", "The post is taken away."),
        ((Ability.EDITS,), "The post is changed.", "The post's text becomes a notice."),
        ((Ability.REPLIES,), "answered with a note", "answered with a notice"),
        ((), "by hand", "by hand"),
    ],
)
def test_what_becomes_of_corrections_is_told(able, correction, withdrawal):
    words = said(Capabilities(Once.NONE, "Not at all."), *able)
    assert correction in words["Corrections"]
    assert withdrawal in words["Withdrawals"]


def test_what_was_not_tried_says_so_and_what_it_costs_is_told():
    words = said(Capabilities(Once.NONE, "", access="A paid plan."), Ability.RENEWS)
    assert words["Tried"] == "Against recorded answers, not the real service."
    assert words["Access"] == "A paid plan."
    assert "renews the token" in words["Signing in"]


@pytest.mark.django_db
def test_every_platform_has_a_page(shown, settings):
    for key, platform in platforms.platforms().items():
        channel = Channel.objects.create(name=platform.label, platform=key, credentials={})
        page = shown(channel)
        assert "What its platform can do" in page
        for line in abilities.in_words(platform.capabilities, ()):
            assert line.about in page


# --- the page ---

pytestmark = pytest.mark.django_db(transaction=True)


def test_health_tells_how_the_last_deliveries_ended(queued, channel, shown):
    to = channel("dryrun")
    first = queued(to, title="It went out")
    deliver.drain()
    later = timezone.now() + timedelta(hours=2)
    queued(to, title="It waits", at=later)
    page = shown(to)
    assert "On. What is due goes out." in page
    assert "Of 1 that ended lately, 1 went out." in page
    assert reverse("admin:publishing_delivery_change", args=(first.pk,)) in page
    assert page.index("It went out") < page.index("Coming up") < page.index("It waits")


def test_the_next_slots_say_who_has_them(queued, channel, shown):
    to = channel("dryrun", slots="daily 09:00 18:00")
    [moment, *_] = to.plan.coming(timezone.now())
    queued(to, title="It has a slot", at=moment)
    page = shown(to)
    assert "Its next slots:" in page
    assert "It has a slot" in page
    assert page.count(">Free<") == 5


def test_what_is_due_on_a_channel_that_stands_still_is_counted(queued, channel, shown):
    to = channel("dryrun", paused_reason="Password refused.")
    assert "Nothing waits for a later time." in shown(to)
    queued(to, title="It is due")
    deliver.drain()
    page = shown(to)
    assert "1 delivery</a> is due." in page
    assert "Nothing waits" not in page


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"is_active": False}, "Switched off."),
        ({"paused_reason": "Password refused."}, "Paused; its deliveries wait. Password refused."),
        ({"waits_until": timezone.now() + timedelta(hours=1)}, "It waits for its limit until"),
        ({"slots": "whenever"}, "can’t be read|can't be read|can&#x27;t be read"),
        ({"last_error": "Blog answered 500."}, "Last trouble: Blog answered 500."),
    ],
)  # fmt: skip
def test_the_state_is_a_sentence(channel, shown, fields, says):
    page = shown(channel("dryrun", **fields))
    assert any(words in page for words in says.split("|"))


def test_quiet_hours_are_named(channel, shown):
    pause = (timezone.localtime().hour + 12) % 24
    to = channel("dryrun", quiet_hours=f"daily {(pause + 1) % 24:02}:00-{pause:02}:00")
    assert "Quiet hours until" in shown(to)


def test_a_platform_that_went_away_is_said(shown):
    to = Channel.objects.create(name="Old", platform="gone", credentials={})
    assert "The platform “gone” is not installed here." in shown(to)


def test_the_card_alone_keeps_the_page_live(channel, shown, client):
    to = channel("dryrun")
    assert 'id="channel"' in shown(to, "card")
    assert "<form" not in shown(to, "card")
    url = reverse("admin:publishing_channel_card", args=(to.pk,))
    assert client.get(url.replace(f"/{to.pk}/", "/999999/")).status_code == 404
    client.logout()
    assert client.get(url).status_code == 302


def test_a_busy_channel_asks_no_more_often_than_a_quiet_one(
    queued, channel, shown, django_assert_max_num_queries
):
    to = channel("dryrun")
    queued(to)
    shown(to, "card")
    with django_assert_max_num_queries(14) as many:
        shown(to, "card")
    for number in range(8):
        queued(to, title=f"Number {number}", at=timezone.now() + timedelta(hours=number + 1))
    with django_assert_max_num_queries(len(many)):
        shown(to, "card")


def test_a_platform_that_is_visited_is_saved_before_the_first_visit(client, ada, settings):
    settings.EXTRA_PLATFORMS = {"visited": "tests.publishing.test_visiting.Visited"}
    client.force_login(ada)
    data = {
        "name": "Visited", "is_active": "on", "rate_limit_per_minute": 30, "lateness_minutes": 60,
        "catch_up_minutes": 0, "duplicate_days": 7, "when_late": "missed",
        "link": "ours", "option_url": "https://unreachable.example",
    }  # fmt: skip
    url = reverse("admin:publishing_channel_add") + "?platform=visited"
    client.post(url, data)
    page = client.get(
        reverse("admin:publishing_channel_change", args=(Channel.objects.get().pk,))
    ).content.decode()
    assert "then press “Connect”" in page
    assert "http://testserver/admin/publishing/channel/connected/" in page
