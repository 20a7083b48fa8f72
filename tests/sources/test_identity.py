"""Feeds whose ids lie, over the wire: one piece stays one item, two pieces stay two."""

import pytest

from articles.models import Article
from sources.sync import sync
from tests.sources.conftest import rss


def entry(guid, title, link, text="", date="Tue, 12 May 2026 12:00:00 GMT"):
    """One entry of a feed, with or without a guid and a date."""
    parts = {"guid": guid, "title": title, "link": link, "description": text, "pubDate": date}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value)
    return f"<item>{inside}</item>"


@pytest.fixture
def feed(site, source):
    """A source that sends these deliveries one after the other: `feed([entry(…)], […])`."""

    def run(*deliveries):
        answers = [rss(*entries) for entries in deliveries]
        gazette = source(site(lambda _head: answers.pop(0)))
        return [sync(gazette.pk, forced=True) for _ in deliveries]

    return run


PAGE = "https://gazette.example"


def test_a_site_that_moves_to_https_brings_nothing_twice(feed):
    old, new = "http://gazette.example", "https://gazette.example"
    runs = feed(
        [entry(f"{old}/1", "Ferry returns", f"{old}/1"), entry(f"{old}/2/", "Fire", f"{old}/2/")],
        [entry(f"{new}/1/", "Ferry returns", f"{new}/1/"), entry(f"{new}/2", "Fire", f"{new}/2")],
    )
    assert [run.new for run in runs] == [2, 0]
    assert Article.objects.count() == 2


def test_a_new_content_system_with_new_guids_brings_nothing_twice(feed):
    old = [entry(f"old-{n}", f"Story {name}", f"{PAGE}/{n}") for n, name in enumerate("abc")]
    new = [entry(f"new-{n}", f"Story {name}", f"{PAGE}/{n}") for n, name in enumerate("abc")]
    runs = feed(old, new, new[::-1])  # the same bytes would not even be read
    assert [(run.new, run.same) for run in runs] == [(3, 0), (0, 3), (0, 3)]
    assert Article.objects.filter(events__what="id_changed").count() == 3


def test_one_guid_for_every_piece_loses_none(feed):
    first = entry("feed", "Ferry returns", f"{PAGE}/1")
    second = entry("feed", "Fire in the harbour", f"{PAGE}/2")
    third = entry("feed", "Storm warning", f"{PAGE}/3")
    runs = feed([first, second], [second, third], [third])
    assert [run.new for run in runs] == [2, 1, 0]
    assert "2 different pieces share 1 id" in runs[0].warnings[0]
    assert not Article.objects.filter(revisions__isnull=False).exists()


def test_a_feed_without_guids_where_every_link_is_the_homepage(feed):
    titles = ("Ferry returns", "Fire in the harbour", "Storm warning")
    delivery = [entry("", title, f"{PAGE}/") for title in titles]
    runs = feed(delivery, list(reversed(delivery)))
    assert [(run.new, run.same) for run in runs] == [(3, 0), (0, 3)]


def test_a_headline_that_was_rewritten_under_a_new_guid_and_link_is_an_update(feed):
    runs = feed(
        [entry("1", "Two hurt in harbour fire", f"{PAGE}/two-hurt", "Flames were seen.")],
        [entry("2", "Two hurt in harbour fire, police say", f"{PAGE}/two-hurt-police", "Flames.")],
    )
    assert [(run.new, run.updated) for run in runs] == [(1, 0), (0, 1)]


def test_links_with_tracking_that_changes_at_each_sync_change_nothing(feed):
    deliveries = [
        [entry("", "Ferry returns", f"{PAGE}/1?id=7&amp;utm_campaign={n}")] for n in range(3)
    ]
    assert [run.new for run in feed(*deliveries)] == [1, 0, 0]
    assert not Article.objects.filter(revisions__isnull=False).exists()


def test_one_page_as_guid_and_link_of_everything(feed):
    titles = ("Ferry returns", "Fire in the harbour", "Storm warning")
    delivery = [entry(f"{PAGE}/news.html", title, f"{PAGE}/news.html", date="") for title in titles]
    runs = feed(delivery[:2], delivery[:1], delivery[1:], delivery)
    assert [(run.new, run.updated) for run in runs] == [(2, 0), (0, 0), (1, 0), (0, 0)]
