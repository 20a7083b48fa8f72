"""What is served: RSS, Atom and JSON Feed, read back by true readers."""

import json
from datetime import timedelta

import feedparser
import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from publishing import deliver
from publishing.feeds import entries
from publishing.models import Channel, Feed, FeedEntry
from tests.publishing.feeds.asking import (
    FERRY,
    FORMS,
    NAMESPACES,
    XML,
    ask,
    bozo,
    corrected,
    killed,
    parsed,
    tree,
)

pytestmark = pytest.mark.django_db(transaction=True)


# --- the documents ---


@pytest.mark.parametrize("form", FORMS)
def test_our_own_reader_gets_the_story_whole(feed, out, form):
    delivery = out(feed(description="From the harbour.", language="de"), **FERRY)
    found = parsed(form)
    [copy] = found.entries
    assert (found.title, found.language, found.warnings) == ("Lindholm news", "de", ())
    assert found.topic == f"https://desk.example/feeds/our-news.{form}"
    assert copy.external_id == delivery.marker.urn
    assert copy.title == FERRY["title"]
    assert copy.url == f"https://desk.example/feeds/our-news/{delivery.marker}/"
    assert "<b>sails</b>" in copy.content
    assert copy.authors == ("Alice Ek", "Bob Øst")
    assert copy.tags == ("ferries", "sea & shore")
    entry = FeedEntry.objects.get()
    assert copy.published_at == entry.published_at.replace(microsecond=0)


@pytest.mark.parametrize("form", XML)
def test_feedparser_gets_the_story_without_a_complaint(feed, out, form):
    delivery = out(feed(language="de", hubs="https://hub.example/"), **FERRY)
    answer = ask(form)
    headers = {"content-type": answer["Content-Type"]}
    found = feedparser.parse(answer.content, response_headers=headers)
    [entry] = found.entries
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == {"rss": "rss20", "atom": "atom10"}[form]
    assert entry.id == delivery.marker.urn
    if form == "rss":
        assert entry.guidislink is False
    assert entry.link.endswith(f"/{delivery.marker}/")
    assert "<b>sails</b>" in entry.content[0].value
    assert [each["term"] for each in entry.tags] == FERRY["tags"]
    assert entry.media_content[0]["url"] == "https://pics.example/a.jpg"
    assert {each["rel"] for each in found.feed.links} == {"alternate", "self", "hub"}
    names = [each.name for each in entry.authors]
    assert names == (FERRY["authors"] if form == "atom" else ["Alice Ek", "Bob Øst"])


def test_rss_has_what_its_profile_asks_for(feed, out):
    out(feed(hubs="https://hub.example/ https://other.example/hub"), **FERRY)
    [channel] = tree("rss").findall("channel")
    for name in ("title", "link", "description", "language", "lastBuildDate"):
        assert channel.findtext(name), name
    links = {(each.get("rel"), each.get("href")) for each in channel.findall("a:link", NAMESPACES)}
    assert links == {
        ("self", "https://desk.example/feeds/our-news.rss"),
        ("hub", "https://hub.example/"),
        ("hub", "https://other.example/hub"),
    }
    [item] = channel.findall("item")
    assert item.find("guid").get("isPermaLink") == "false"
    assert item.findtext("description") == "At last: 1 &lt; 2."  # readers take it for HTML
    assert [each.text for each in item.findall("dc:creator", NAMESPACES)] == FERRY["authors"]
    assert "sails" in item.findtext("content:encoded", namespaces=NAMESPACES)
    picture = item.find("media:content", NAMESPACES)
    assert (picture.get("type"), picture.get("medium")) == ("image/jpeg", "image")
    assert picture.findtext("media:description", namespaces=NAMESPACES) == "The ferry, “Lind”"


def test_atom_has_what_its_rfc_demands(feed, out):
    out(feed(language="en"), **FERRY)
    root = tree("atom")
    for name in ("id", "title", "updated", "author"):
        assert len(root.findall(f"a:{name}", NAMESPACES)) == 1, name
    [entry] = root.findall("a:entry", NAMESPACES)
    for name in ("id", "title", "updated", "published", "content", "summary"):
        assert len(entry.findall(f"a:{name}", NAMESPACES)) == 1, name
    assert root.findtext("a:id", namespaces=NAMESPACES).startswith("urn:uuid:")
    assert entry.find("a:content", NAMESPACES).get("type") == "html"
    assert entry.find("a:summary", NAMESPACES).get("type", "text") == "text"
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert [each.get("rel") for each in entry.findall("a:link", NAMESPACES)] == ["alternate"]


def test_json_feed_has_what_1_1_names_and_no_more(feed, out):
    out(feed(hubs="https://hub.example/", description="From the harbour."), **FERRY)
    document = json.loads(ask("json").content)
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert set(document) == {
        "version", "title", "home_page_url", "feed_url", "description", "language", "hubs", "items",
    }  # fmt: skip
    assert document["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
    [item] = document["items"]
    assert set(item) == {
        "id", "url", "title", "content_html", "summary", "image", "date_published",
        "date_modified", "authors", "tags", "language",
    }  # fmt: skip
    assert item["authors"] == [{"name": "Alice Ek"}, {"name": "Bob Øst"}]
    assert item["image"] == "https://pics.example/a.jpg"
    assert parse_datetime(item["date_published"]).tzinfo is not None


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_feed_is_a_feed(feed, form):
    entries.opened(feed())
    assert parsed(form).entries == ()
    assert ask(form).content == ask(form).content  # nothing in it follows the clock


@pytest.mark.parametrize(
    "title",
    [
        "]]> <script>alert(1)</script>", "A & B &amp; C", "<![CDATA[x", "\u202eevil",
        "&#x1; \ufffe", "'\"><svg onload=x>", "😀 𝔘nicode", "a\x0bb",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_title_stays_a_title(feed, out, form, title):
    content = "<p>]]&gt; &lt;/content:encoded&gt;</p>"
    out(feed(), title=title, content=content, tags=["]]>", "<b>"], authors=['"><x', "\x01"])
    stored = FeedEntry.objects.get()
    if form == "rss":  # whose readers differ on whether a title is HTML; the profile says it isn't
        item = tree("rss").find("channel/item")
        assert item.findtext("title") == stored.title
        assert [each.text for each in item.findall("category")] == ["]]>", "<b>"]
    else:
        [copy] = parsed(form).entries
        assert copy.title == stored.title
        assert copy.tags == ("]]>", "<b>")
    if form != "json":
        assert not bozo(form)


@pytest.mark.parametrize("bad", ["\x00", "\x01", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_no_xml_can_hold_never_comes_into_a_row(bad):
    from publishing.feeds.edition import clean

    assert clean(f"a{bad}b\t\n") == "ab\t\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_feed_of_summaries_brings_summaries(feed, out, form):
    to = feed(form="summary")
    out(to, title="One", content="<p>The whole text.</p>", summary="In short.")
    out(to, title="Two", content="<p>No summary here.</p>")
    two, one = parsed(form).entries
    assert "The whole text" not in one.content + one.summary
    assert "In short." in one.content + one.summary
    assert "No summary here." in two.content + two.summary


def test_a_story_leads_to_our_public_page_if_there_is_one_else_to_its_page_here(
    feed, out, settings
):
    to = feed(home="https://news.example/")
    delivery = out(to, url="https://source.example/wire")
    settings.STORY_URL = "https://news.example/{id}"
    other = out(to, url="https://source.example/wire", title="Another")
    Channel.objects.update(link=Channel.Links.THEIRS)
    out(Channel.objects.get(), url="https://source.example/wire", title="A third")
    assert [copy.url for copy in parsed("rss").entries] == [
        "https://source.example/wire",
        f"https://news.example/{other.article_id}",
        f"https://desk.example/feeds/our-news/{delivery.marker}/",
    ]
    assert parsed("json").url == "https://news.example/"


def test_a_feed_holds_its_newest_entries_only(feed, out):
    to = feed(length=2)
    for number in range(3):
        out(to, title=f"Story {number}")
    assert [copy.title for copy in parsed("atom").entries] == ["Story 2", "Story 1"]


# --- who has it already, and who asks from elsewhere ---


@pytest.mark.parametrize("form", FORMS)
def test_who_has_it_already_is_told_so(feed, out, form):
    out(feed())
    Feed.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    Channel.history.all().update(history_date=timezone.now() - timedelta(hours=1))
    first = ask(form)
    again = ask(form, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert ask(form, if_modified_since=first["Last-Modified"]).status_code == 304
    assert ask(form, if_none_match='"other"').status_code == 200
    assert first["Cache-Control"] == "public, no-cache"


def test_who_asked_before_a_change_is_not_told_304(feed, out, by):
    to = feed()
    delivery = out(to)
    seen = {ask("rss")["ETag"]}
    corrected(delivery, by, title="Ferry renamed")
    deliver.drain()
    seen.add(ask("rss")["ETag"])
    to.options = {**to.options, "title": "Another name"}
    to.save()
    seen.add(ask("rss")["ETag"])
    killed(delivery, by)
    seen.add(ask("rss")["ETag"])
    assert len(seen) == 4


def test_no_date_of_change_is_told_within_the_second_of_it(feed, out):
    out(feed())
    assert "Last-Modified" not in ask("rss")
    Feed.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    assert "Last-Modified" not in ask("rss")  # the channel's settings are as new
    Channel.history.all().update(history_date=timezone.now() - timedelta(minutes=1))
    assert "Last-Modified" in ask("rss")


def test_head_tells_the_same_without_the_body(feed, out):
    out(feed(hubs="https://hub.example/"))
    answer = Browser().head("/feeds/our-news.atom")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == ask("atom")["ETag"]
    assert answer["Link"] == (
        '<https://hub.example/>; rel="hub", <https://desk.example/feeds/our-news.atom>; rel="self"'
    )


def test_nothing_can_be_posted_to_a_feed(feed, out):
    out(feed())
    assert Browser().post("/feeds/our-news.rss").status_code == 405


def test_programs_in_browsers_may_read_json_where_the_api_allows_it(feed, out, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    out(feed())
    answer = ask("json", origin="https://app.example")
    assert answer["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in ask("json", origin="https://other.example")
    assert "Access-Control-Allow-Origin" not in ask("rss", origin="https://app.example")


def test_a_longer_feed_costs_no_more_queries(feed, out):
    to = feed()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            ask("atom")
        return len(captured)

    out(to)
    few = queries()
    for number in range(5):
        out(to, title=f"Story {number}")
    assert queries() == few == 3


def test_a_paused_feed_is_served_and_a_deleted_one_is_not_found(feed, out):
    to = feed()
    out(to)
    Channel.objects.update(paused_reason="By hand.", is_active=False)
    assert len(parsed("json").entries) == 1
    assert ask("rss", "no-such").status_code == 404
    empty = feed("Another")
    entries.opened(empty)
    assert ask("rss", "another").status_code == 200
    empty.delete()
    assert ask("rss", "another").status_code == 404


def test_addresses_are_made_once_and_are_nobody_elses(feed):
    first, second, third = feed("Nachrichten für alle"), feed("nachrichten fur alle!"), feed("※")
    slugs = [entries.opened(each).slug for each in (first, second, third)]
    assert slugs == ["nachrichten-fur-alle", "nachrichten-fur-alle-2", "feed"]
    first.name = "Renamed"
    first.save()
    assert entries.opened(first).slug == "nachrichten-fur-alle"
