"""Our own feeds: through the real queue to the served document, read back by true readers."""

import json
import re
import threading
from datetime import timedelta
from uuid import uuid4

import feedparser
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from lxml import etree

from articles import desk, revise
from articles.models import Article
from publishing import amend, claim, connecting, deliver, platforms, queue, readback, receipts
from publishing.dry_run import dry_run
from publishing.errors import LostClaim, Refusal
from publishing.feeds import entries, pings
from publishing.feeds.entries import Entries
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery, Feed, FeedEntry, HubPing, Watch
from publishing.posts import of_delivery
from sources import feedparsing
from tests.publishing.conftest import CHANNELS
from tests.publishing.processes import start
from tests.publishing.wire import Answer, speaking
from tests.servers.test_kills import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
FORMS = ("rss", "atom", "json")
XML = ("rss", "atom")
NAMESPACES = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}
FERRY = {
    "title": "Fähre & Brücke <wieder> da",
    "content": '<p>It <b>sails</b> again &amp; again.</p><p><img src="https://pics.example/a.jpg"'
    ' alt="The ferry, “Lind”"></p>',
    "summary": "At last: 1 < 2.",
    "authors": ["Alice Ek", "Bob Øst"],
    "tags": ["ferries", "sea & shore"],
    "language": "de",
}


@pytest.fixture
def feed(channel, monkeypatch, settings):
    """A channel to a feed of our own: `feed(hubs=…)`."""
    monkeypatch.setitem(CHANNELS, "feed", ("", {}))
    settings.PUBLIC_URL = "https://desk.example"

    def connect(name="Our news", **options):
        return channel("feed", name=name, options={"title": "Lindholm news", **options})

    return connect


@pytest.fixture
def out(approved, by):
    """A story in a feed: `out(feed(), title=…)`."""

    def put(to, *, authors=(), url="", **text):
        story = approved(**text)
        Article.objects.filter(pk=story.pk).update(authors=list(authors), url=url)
        [result] = queue.enqueue(story.pk, [to.pk], by, confirm_duplicates=True)
        delivery = result.delivery
        assert delivery is not None, result.problem
        deliver.drain()
        delivery.refresh_from_db()
        assert delivery.status == Status.PUBLISHED, delivery.error_message
        return delivery

    return put


@pytest.fixture
def hub():
    """A WebSub hub that takes every ping."""
    with speaking() as wire:
        wire.says("POST /hub", Answer(204))
        yield wire


def ask(form, slug="our-news", **headers):
    return Browser().get(f"/feeds/{slug}.{form}", headers=headers)


def parsed(form, slug="our-news"):
    answer = ask(form, slug)
    assert answer.status_code == 200
    return feedparsing.parse(
        answer.content, content_type=answer["Content-Type"], url="https://reader.example/"
    )


def tree(form):
    return etree.fromstring(ask(form).content, etree.XMLParser(recover=False))


def bozo(form):
    """What feedparser complains of."""
    answer = ask(form)
    headers = {"content-type": answer["Content-Type"]}
    found = feedparser.parse(answer.content, response_headers=headers)
    return found.get("bozo_exception") if found.bozo else None


def corrected(delivery, by, **text):
    """A correction of the story, queued to the same channel."""
    story = delivery.article
    story.refresh_from_db()
    desk.perform(story.pk, "correct", by, reason="A name was wrong.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, text)
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    [result] = queue.enqueue(story.pk, [delivery.channel_id], by)
    assert result.delivery is not None, result.problem
    return result.delivery


def killed(delivery, by):
    desk.perform(delivery.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()


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


# --- changing what is out ---


@pytest.mark.parametrize("form", FORMS)
def test_a_correction_changes_the_entry_and_keeps_its_id_and_date(feed, out, by, form):
    delivery = out(feed(), title="Fery returns")
    [before] = parsed(form).entries
    FeedEntry.objects.update(published_at=timezone.now() - timedelta(days=1))
    [dated] = parsed(form).entries
    edit = corrected(delivery, by, title="Ferry returns")
    deliver.drain()
    edit.refresh_from_db()
    assert edit.status == Status.PUBLISHED
    [after] = parsed(form).entries
    assert (before.title, after.title) == ("Fery returns", "Ferry returns")
    assert (after.external_id, after.published_at) == (before.external_id, dated.published_at)
    if form != "rss":
        assert after.updated_at > after.published_at


def test_a_kill_takes_the_entry_out_and_says_that_it_is_gone(feed, out, by):
    delivery = out(feed())
    page = f"/feeds/our-news/{delivery.marker}/"
    assert Browser().get(page).status_code == 200
    killed(delivery, by)
    assert [parsed(form).entries for form in FORMS] == [(), (), ()]
    [gone] = tree("atom").findall("at:deleted-entry", NAMESPACES)
    assert gone.get("ref") == delivery.marker.urn
    assert parse_datetime(gone.get("when")) <= timezone.now()
    answer = Browser().get(page)
    assert answer.status_code == 410
    assert b"sails" not in answer.content
    assert delivery.article.title.encode() not in answer.content
    assert not bozo("atom")


def test_what_was_withdrawn_does_not_come_back_by_a_late_repetition(feed, out, by):
    delivery = out(feed())
    killed(delivery, by)
    with pytest.raises(Refusal, match="withdrawn"):
        _put_again(delivery)


def test_a_withdrawal_repeated_moves_nothing(feed, out, by):
    delivery = out(feed())
    killed(delivery, by)
    version = Feed.objects.get().version
    withdrawal = Delivery.objects.get(of=delivery)
    _as_claimed(withdrawal, lambda place: place._take_down())
    assert Feed.objects.get().version == version


def test_the_entry_is_watched(feed, out):
    delivery = out(feed())
    readback.begin()
    Watch.objects.update(look_at=timezone.now(), count_at=None)
    assert readback.read_back() == 1
    watch = Watch.objects.get()
    assert (watch.missed, watch.finding) == (0, "")
    assert watch.words_hash
    FeedEntry.objects.filter(delivery=delivery).update(text="Something else")
    Watch.objects.update(look_at=timezone.now())
    readback.read_back()
    assert Watch.objects.get().finding == Watch.Findings.CHANGED


# --- once ---


def _claimed(delivery):
    """Claim the delivery by hand, as a worker does."""
    token = uuid4()
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.SENDING, claim_token=token, lease_expires_at=timezone.now() + claim.LEASE
    )
    return claim.Claim(delivery.pk, token, Status.PENDING)


def _as_claimed(delivery, act):
    """Do something to its entry as a worker that holds it."""
    with connection.cursor() as cursor:  # what is over never reopens: the trigger sees to that
        cursor.execute("ALTER TABLE publishing_queue DISABLE TRIGGER USER")
    try:
        return act(Entries(Delivery.objects.get(pk=delivery.pk), _claimed(delivery)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE publishing_queue ENABLE TRIGGER USER")


def _put_again(delivery):
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    return _as_claimed(delivery, lambda place: place._put(of_delivery(row)))


def test_the_same_words_again_change_nothing(feed, out):
    delivery = out(feed())
    before = ask("rss")["ETag"], FeedEntry.objects.values().get()
    _put_again(delivery)
    assert (ask("rss")["ETag"], FeedEntry.objects.values().get()) == before


def test_many_at_once_make_one_entry(feed, queued):
    delivery = queued(feed())
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    claimed, post = _claimed(delivery), of_delivery(row)
    together, troubles = threading.Barrier(6), []

    def put():
        try:
            together.wait(10)
            Entries(row, claimed)._put(post)
        except Exception as problem:  # noqa: BLE001 (whatever it is, the test must say so)
            troubles.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=put) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert not troubles
    assert (FeedEntry.objects.count(), Feed.objects.get().version) == (1, 1)


def test_who_has_lost_the_claim_writes_nothing(feed, queued):
    delivery = queued(feed())
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    late = _claimed(delivery)
    _claimed(delivery)
    with pytest.raises(LostClaim):
        Entries(row, late)._put(of_delivery(row))
    assert not FeedEntry.objects.exists()


@pytest.mark.parametrize(
    "point", ["after the attempt row", "after the answer", "before the commit"]
)
def test_a_worker_killed_between_row_and_settling_leaves_one_entry(feed, queued, point, tmp_path):
    delivery = queued(feed())
    reached = tmp_path / "reached"
    worker = start("-m", "tests.servers.worker", point, str(reached))
    wait_for(reached.exists)
    worker.kill()
    worker.wait(10)
    assert FeedEntry.objects.count() == (0 if point == "after the attempt row" else 1)
    Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    call_command("sweep", "--once")
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED
    assert Attempt.objects.filter(delivery=delivery).count() == 2
    assert (FeedEntry.objects.count(), Feed.objects.get().version) == (1, 1)
    assert len(parsed("rss").entries) == 1


# --- hubs ---


def pinged(hub):
    """The addresses that the hub was told of."""
    from urllib.parse import parse_qs

    told = [parse_qs(asked.body.decode()) for asked in hub.to("POST /hub")]
    assert all(each["hub.mode"] == ["publish"] for each in told)
    return [each["hub.url"][0].rpartition("/")[2] for each in told]


ALL = ["our-news.rss", "our-news.atom", "our-news.json"]


def test_a_hub_is_told_once_after_a_burst_and_again_after_a_change(feed, queued, hub, by):
    to = feed(hubs=f"{hub.url}/hub")
    first, *_others = [queued(to, title=f"Story {number}") for number in range(3)]
    deliver.drain()
    assert pinged(hub) == []
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL
    assert pings.tell_hubs() == 0
    corrected(first, by, title="Better")
    deliver.drain()
    pings.tell_hubs()
    killed(first, by)
    pings.tell_hubs()
    pings.tell_hubs()
    assert pinged(hub) == ALL * 3


@pytest.mark.parametrize("answer", [Answer(503), Answer(403, text="<b>Who</b> are you?")])
def test_a_hub_that_refuses_fails_no_delivery_and_is_told_later(feed, out, hub, answer):
    hub.says("POST /hub", answer)
    delivery = out(feed(hubs=f"{hub.url}/hub"))
    assert pings.tell_hubs() == 0
    row = HubPing.objects.get()
    assert str(answer.status) in row.said
    assert row.due_at > timezone.now() + timedelta(seconds=50)
    assert pings.tell_hubs() == 0  # not yet
    assert len(hub.to("POST /hub")) == 1
    [told] = receipts.receipt(delivery)["feed"]["hubs"]
    assert (told["told"], told["said"]) == (False, row.said)
    hub.says("POST /hub", Answer(202))
    HubPing.objects.update(due_at=timezone.now())
    assert pings.tell_hubs() == 1
    [told] = receipts.receipt(delivery)["feed"]["hubs"]
    assert (told["told"], told["said"]) == (True, "")
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED


def test_a_hub_that_cannot_be_reached_is_noted_and_waits_longer_each_time(feed, out):
    out(feed(hubs="http://localhost:1/hub"))
    waits = []
    for _ in range(3):
        HubPing.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        pings.tell_hubs()
        waits.append(HubPing.objects.get().due_at - timezone.now())
    assert waits == sorted(waits)
    assert waits[-1] > 3 * waits[0]
    assert HubPing.objects.get().said


def test_a_hub_that_asks_for_patience_gets_it(feed, out, hub):
    hub.says("POST /hub", Answer(429, headers={"Retry-After": "1800"}))
    out(feed(hubs=f"{hub.url}/hub"))
    pings.tell_hubs()
    assert HubPing.objects.get().due_at > timezone.now() + timedelta(minutes=29)


def test_one_hub_in_trouble_holds_up_no_other(feed, out, hub):
    out(feed(hubs=f"http://localhost:1/hub, {hub.url}/hub"))
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL


def test_a_worker_that_died_while_telling_is_made_up_for(feed, out, hub):
    out(feed(hubs=f"{hub.url}/hub"))
    pings._claimed(10)  # and then it was killed
    assert pings.tell_hubs() == 0  # somebody is at it
    HubPing.objects.update(due_at=timezone.now())  # its lease has run out
    assert pings.tell_hubs() == 1


def test_what_changes_while_a_hub_is_told_is_told_next(feed, out, hub):
    to = feed(hubs=f"{hub.url}/hub")
    out(to)
    [ping] = pings._claimed(10)
    out(to, title="Another")
    pings._settle(ping, None)
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL


def test_a_hub_that_the_channel_no_longer_names_is_told_nothing(feed, out, hub):
    to = feed(hubs=f"{hub.url}/hub")
    out(to)
    Channel.objects.update(options={})
    assert pings.tell_hubs() == 0
    assert (pinged(hub), HubPing.objects.count()) == ([], 0)


def test_the_sweeper_tells_hubs_when_redis_is_down(feed, queued, hub):
    queued(feed(hubs=f"{hub.url}/hub"))
    call_command("sweep", "--once")
    assert pinged(hub) == ALL


def test_many_feeds_are_told_in_one_go(feed, hub):
    for number in range(25):
        opened = entries.opened(feed(f"Feed {number}", hubs=f"{hub.url}/hub"))
        HubPing.objects.create(feed=opened, hub=f"{hub.url}/hub")
    Feed.objects.update(version=1)
    assert pings.tell_hubs() == 25
    assert len(hub.to("POST /hub")) == 75


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
