"""The settings of a feed, its page for readers, and the console."""

import re
from uuid import uuid4

import feedparser
import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from publishing import connecting, platforms, receipts
from publishing.dry_run import dry_run
from publishing.errors import Refusal
from publishing.feeds import entries, pings
from publishing.models import Channel
from tests.publishing.feeds.asking import FORMS, ask, bozo
from tests.publishing.wire import Answer

pytestmark = pytest.mark.django_db(transaction=True)


# --- settings ---


def test_settings_saved_unchecked_break_no_feed(feed, out):
    out(feed())
    options = {"language": "de\r\nX: y", "length": "many", "home": "javascript:x", "hubs": '"><x'}
    Channel.objects.update(options=options)
    answer = ask("atom")
    assert (answer.status_code, answer["Content-Language"]) == (200, "en")
    assert not bozo("atom")
    assert 'rel="self"' in answer["Link"]
    assert Browser().get("/feeds/our-news/").status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hubs": "ftp://hub.example"}, "no address of a hub"),
        ({"hubs": "https://hub.example/ nonsense"}, "nonsense"),
        ({"language": "deutsch!"}, "language"),
        ({"length": 0}, "1 to 500"),
        ({"length": "many"}, "1 to 500"),
        ({"home": "news.example"}, "https://"),
    ],
)
def test_settings_that_cannot_be_read_are_told_before_anything_is_saved(options, words):
    with pytest.raises(Refusal, match=re.escape(words)):
        connecting.test("feed", options, {})


def test_settings_that_can_be_read_connect():
    said = connecting.test(
        "feed", {"hubs": "https://a.example/ https://b.example/", "length": None}, {}
    )
    assert "2 hubs" in said


def test_it_says_what_it_was_tried_against():
    said = platforms.platform("feed").capabilities.tried_against
    assert said == f"feedparser {feedparser.__version__.partition('.')[0]}"


# --- pages ---


def test_the_feeds_page_leads_to_its_forms_and_entries(feed, out):
    delivery = out(feed(description="From <the> harbour."), title="Ferry <b>")
    page = Browser().get("/feeds/our-news/").content.decode()
    for form, kind in (("rss", "rss+xml"), ("atom", "atom+xml"), ("json", "feed+json")):
        assert f'type="application/{kind}"' in page
        assert f"https://desk.example/feeds/our-news.{form}" in page
    assert "Ferry &lt;b&gt;" in page
    assert "From &lt;the&gt; harbour." in page
    assert str(delivery.marker) in page


def test_an_entrys_page_shows_the_story_and_runs_nothing(feed, out):
    delivery = out(feed(), url="https://news.example/ferry?a=1&b=2")
    answer = Browser().get(f"/feeds/our-news/{delivery.marker}/")
    page = answer.content.decode()
    assert '<link rel="canonical" href="https://news.example/ferry?a=1&amp;b=2">' in page
    assert 'rel="alternate" type="application/rss+xml"' in page
    assert "It sails again." in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert delivery.remote_url == f"https://desk.example/feeds/our-news/{delivery.marker}/"


def test_a_feed_of_summaries_gives_nothing_away_that_stands_elsewhere(feed, out, settings):
    settings.STORY_URL = "https://news.example/{id}"
    delivery = out(feed(form="summary"), content="<p>For those who pay.</p>", summary="In short.")
    page = Browser().get(f"/feeds/our-news/{delivery.marker}/").content.decode()
    assert "In short." in page
    assert "For those who pay" not in page
    assert f"https://news.example/{delivery.article_id}" in page


def test_the_preview_of_a_feed_of_summaries_is_the_summary(feed, approved):
    story = approved(content="<p>The whole text.</p>", summary="In short.")
    [trial] = dry_run(story, story.approved_revision, [feed(form="summary")], timezone.now())
    assert [part.text for part in trial.preview.parts] == [f"{story.title}\n\nIn short."]
    [trial] = dry_run(story, story.approved_revision, [feed("Whole")], timezone.now())
    assert trial.preview.parts == ()


def test_an_entry_is_found_in_its_own_feed_only(feed, out):
    delivery = out(feed())
    entries.opened(feed("Another"))
    assert Browser().get(f"/feeds/another/{delivery.marker}/").status_code == 404
    assert Browser().get(f"/feeds/our-news/{uuid4()}/").status_code == 404


# --- the console ---


def test_a_new_feed_channel_opens_its_feed_and_its_page_shows_the_addresses(client, ada, settings):
    settings.PUBLIC_URL = "https://desk.example"
    client.force_login(ada)
    plain = {
        "name": "Our news", "is_active": "on", "rate_limit_per_minute": 30,
        "lateness_minutes": 60, "when_late": "missed", "catch_up_minutes": 0, "duplicate_days": 7,
        "link": "ours", "option_length": 20, "option_form": "whole",
    }  # fmt: skip
    add = f"{reverse('admin:publishing_channel_add')}?platform=feed"
    page = client.post(add, {**plain, "option_hubs": "nonsense"}).content.decode()
    assert "“nonsense” is no address of a hub" in page
    answer = client.post(add, {**plain, "option_hubs": "https://hub.example/"}, follow=True)
    page = answer.content.decode()
    for form in FORMS:
        assert f'value="https://desk.example/feeds/our-news.{form}"' in page
    assert "0 entries" in page
    assert ask("rss").status_code == 200


def test_the_channels_page_says_what_hubs_know(client, ada, feed, out, hub):
    hub.says("POST /hub", Answer(503))
    to = feed(hubs=f"{hub.url}/hub")
    delivery = out(to)
    pings.tell_hubs()
    client.force_login(ada)
    page = client.get(reverse("admin:publishing_channel_change", args=(to.pk,))).content.decode()
    assert "1 entry," in page
    assert "The hub answered 503" in page
    assert "The hub answered 503" in client.get(receipts.address(delivery)).content.decode()
