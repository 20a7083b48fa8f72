"""The feeds' shape, and what a polite reader is told about changes."""

import email.utils

import httpx
from lxml import etree

from simulator.testing import Simulator

NAMESPACES = {
    "a": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
FEEDS = ("/feeds/rss.xml", "/feeds/atom.xml", "/feeds/feed.json")


def test_rss_has_full_texts_bylines_and_stable_guids(http: httpx.Client) -> None:
    answer = http.get("/feeds/rss.xml")
    items = etree.fromstring(answer.content).findall("channel/item")
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    assert len(items) >= 8
    assert len({item.findtext("guid") for item in items}) == len(items)
    for item in items:
        assert "<p>" in (item.findtext("content:encoded", None, NAMESPACES) or "")
        assert item.findtext("dc:creator", None, NAMESPACES)
        assert item.findall("category")
        assert email.utils.parsedate_to_datetime(item.findtext("pubDate") or "").tzinfo


def test_atom_entries_carry_html_and_an_id(http: httpx.Client) -> None:
    feed = etree.fromstring(http.get("/feeds/atom.xml").content)
    entries = feed.findall("a:entry", NAMESPACES)
    assert len(entries) >= 8
    for entry in entries:
        assert (entry.findtext("a:id", None, NAMESPACES) or "").startswith("tag:")
        content = entry.find("a:content", NAMESPACES)
        assert content is not None
        assert content.get("type") == "html"
        assert (content.text or "").startswith("<p>")


def test_json_feed_says_its_version_and_keeps_to_it(http: httpx.Client) -> None:
    feed = http.get("/feeds/feed.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert len(feed["items"]) >= 8
    wanted = {"id", "url", "title", "content_html", "authors", "tags", "date_published"}
    assert all(wanted <= item.keys() for item in feed["items"])


def test_a_report_has_a_page(http: httpx.Client) -> None:
    item = http.get("/feeds/feed.json").json()["items"][0]
    page = http.get(item["url"])
    assert page.status_code == 200
    assert item["content_html"] in page.text
    assert http.get("/stories/never-written").status_code == 404


def test_an_unchanged_feed_answers_304_to_tag_or_date(http: httpx.Client) -> None:
    for path in FEEDS:
        first = http.get(path)
        by_tag = http.get(path, headers={"If-None-Match": first.headers["ETag"]})
        by_date = http.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
        assert (by_tag.status_code, by_tag.content) == (304, b"")
        assert by_date.status_code == 304


def test_a_new_report_and_an_update_both_end_the_304(
    http: httpx.Client, simulator: Simulator
) -> None:
    old = http.get("/feeds/rss.xml").headers["ETag"]
    report = simulator.publish_story(outlet="rss", title="Lamp lit at Skarn", html="<p>It is.</p>")
    new = http.get("/feeds/rss.xml", headers={"If-None-Match": old})
    assert new.status_code == 200
    assert "Lamp lit at Skarn" in new.text
    simulator.publish_story(update=report["slug"], title="Lamp lit again at Skarn")
    newer = http.get("/feeds/rss.xml", headers={"If-None-Match": new.headers["ETag"]})
    assert newer.status_code == 200
    assert "Lamp lit again at Skarn" in newer.text
    assert newer.text.count(f'<guid isPermaLink="false">courier-{report["number"]}</guid>') == 1
