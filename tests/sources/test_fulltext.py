"""Full text from pages: only where sources send openings, politely, and without harm."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.cache import cache

from articles import intake
from articles.models import WireItem
from articles.wire import WireCopy
from sources import extraction, fulltext
from sources.extraction import Extractor, Page, TooCostly
from sources.models import PageFetch, Source
from sources.sync import sync
from tests.config.far_end import http, redirect
from tests.sources.conftest import rss

LONG = "The ferry had been out of service since spring and the islanders were glad. " * 12
PAGE = f"""<html><head><title>Ferry</title></head><body><nav><a href="/">Home</a></nav>
<article><h1>Ferry</h1><p>{LONG}</p><p>Captain <b>Holm</b> was glad, too.</p>
<script>alert(1)</script></article><footer>Imprint</footer></body></html>"""

MANY = b"".join(b"<p id=%d>word %d</p>" % (n, n) for n in range(60_000))


@pytest.fixture(autouse=True)
def nothing_asked_yet(db: None, no_limits_used: None) -> None:
    cache.clear()


@pytest.fixture
def paper(site) -> Callable[..., tuple[str, list[str]]]:
    """A paper with a feed of one opening, that page, and robots.txt; its address and its log."""

    def open_one(robots: bytes = http("404 No"), page: bytes = b"", opening: str = "Back again."):
        asked: list[str] = []

        def answer(head: bytes) -> bytes:
            path = head.split(b" ")[1].decode()
            asked.append(path)
            host = head.lower().partition(b"host: ")[2].partition(b"\r\n")[0].decode()
            if path == "/robots.txt":
                return robots
            if path == "/feed":
                return rss(
                    f"<item><guid isPermaLink='false'>g1</guid><title>Ferry</title>"
                    f"<link>http://{host}/ferry</link><description>{opening}</description></item>"
                )
            return page or http(body=PAGE.encode(), Content_Type="text/html; charset=utf-8")

        return site(answer), asked

    return open_one


def synced(source: Callable[..., Source], url: str, **more: Any) -> Source:
    gazette = source(f"{url}/feed", **more)
    assert sync(gazette.pk, forced=True).outcome != "failed"
    return gazette


# --- which pages ---


@pytest.mark.parametrize(
    ("setting", "lengths", "needed"),
    [
        ("auto", [100, 200, 4000], True),
        ("auto", [100, 4000, 4000], False),
        ("auto", [], False),
        ("always", [4000], True),
        ("never", [10], False),
    ],
)
def test_pages_are_needed_where_the_median_piece_is_short(setting, lengths, needed):
    assert fulltext.pages_needed(setting, lengths) is needed


def test_short_pieces_are_noted_once(paper, source):
    url, _ = paper()
    synced(source, url)
    assert (fulltext.want(), fulltext.want()) == (1, 0)
    row = PageFetch.objects.get()
    assert (row.url, row.host, row.own_characters) == (f"{url}/ferry", "localhost", 11)


@pytest.mark.parametrize("more", [{"full_text": "never"}, {"is_active": False}])
def test_a_source_that_wants_none_gets_none(paper, source, more):
    url, _ = paper()
    synced(source, url, **more)
    assert fulltext.want() == 0


def test_long_pieces_need_no_page_unless_the_source_always_wants_them(paper, source):
    url, _ = paper(opening=LONG)
    synced(source, url)
    assert fulltext.want() == 0
    synced(source, url, full_text="always")
    assert fulltext.want() == 1


def test_old_news_and_services_whose_pages_say_no_more_are_left_alone(source):
    copy = WireCopy(external_id="1", title="Old", url="https://gazette.example/1")
    intake.file(source("https://gazette.example/feed").pk, [copy], backfilled=True)
    intake.file(source("https://oauth.reddit.com", "reddit").pk, [copy])
    assert fulltext.want() == 0


def test_what_was_spiked_needs_no_page(paper, source):
    url, _ = paper()
    synced(source, url)
    WireItem.objects.update(state="spiked")
    assert fulltext.want() == 0


# --- fetching ---


def test_the_page_s_text_takes_the_place_of_the_opening(paper, source):
    url, asked = paper()
    synced(source, url)
    fulltext.want()
    assert fulltext.drain() == 1
    item = WireItem.objects.get()
    assert item.content.count("The ferry had been out of service") == 12
    assert "Captain <strong>Holm</strong> was glad, too." in item.content
    for outside in ("<h2>", "alert(1)", "Imprint", "Home", "<script"):
        assert outside not in item.content
    assert item.metadata["full_text"]["from"] == f"{url}/ferry"
    former = item.revisions.get()
    assert former.content == "Back again."
    assert "As the source sent it" in former.note
    row = PageFetch.objects.get()
    assert (row.state, row.due_at) == ("done", None)
    assert asked == ["/feed", "/robots.txt", "/ferry"]


def test_the_same_copy_again_does_not_wipe_the_text(paper, source):
    url, _ = paper()
    gazette = synced(source, url)
    fulltext.want()
    fulltext.drain()
    Source.objects.update(answer_digest="")  # as if another piece had come beside it
    assert sync(gazette.pk, forced=True).same == 1
    assert LONG.strip() in WireItem.objects.get().content
    assert fulltext.want() == 0


def test_a_piece_that_was_rewritten_is_fetched_anew(paper, source):
    url, _ = paper()
    gazette = synced(source, url)
    fulltext.want()
    fulltext.drain()
    rewritten = WireCopy(
        external_id="g1", title="Ferry stops", url=f"{url}/ferry", content="It stops again."
    )
    assert intake.file(gazette.pk, [rewritten]).updated == 1
    assert WireItem.objects.get().content == "It stops again."
    PageFetch.objects.update(due_at=None)
    assert fulltext.want() == 1
    assert PageFetch.objects.get().own_characters == 15


def test_a_piece_that_only_got_another_tag_keeps_its_page_s_text(paper, source):
    url, asked = paper()
    gazette = synced(source, url)
    fulltext.want()
    fulltext.drain()
    tagged = WireCopy(
        external_id="g1", title="Ferry", url=f"{url}/ferry", summary="Back again.", tags=("sea",)
    )
    assert intake.file(gazette.pk, [tagged]).updated == 1
    assert LONG.strip() in WireItem.objects.get().content
    assert (fulltext.want(), fulltext.drain()) == (0, 0)
    assert PageFetch.objects.get().raw_hash == WireItem.objects.get().raw_hash
    assert asked.count("/ferry") == 1


def test_a_piece_that_came_whole_in_the_end_needs_no_page(paper, source):
    url, _ = paper()
    gazette = synced(source, url)
    fulltext.want()
    fulltext.drain()
    whole = WireCopy(external_id="g1", title="Ferry", url=f"{url}/ferry", content=LONG * 2)
    assert intake.file(gazette.pk, [whole]).updated == 1
    assert fulltext.want() == 0


def test_a_piece_rewritten_while_its_page_came_keeps_the_new_words(paper, source):
    url, _ = paper()
    synced(source, url)
    fulltext.want()
    WireItem.objects.update(raw_hash="rewritten", content="It stops again.")
    assert fulltext.drain() == 0
    assert WireItem.objects.get().content == "It stops again."


def test_a_source_stays_one_of_openings_after_its_texts_were_fetched(paper, source):
    url, _ = paper()
    gazette = synced(source, url)
    fulltext.want()
    fulltext.drain()
    another = WireCopy(external_id="g2", title="Tide", url=f"{url}/tide", content="High water.")
    intake.file(gazette.pk, [another])
    assert fulltext.want() == 1


def test_robots_are_obeyed(paper, source):
    url, asked = paper(robots=http(body=b"User-agent: newsdesk\nDisallow: /ferry\n"))
    synced(source, url)
    fulltext.want()
    assert fulltext.drain() == 0
    row = PageFetch.objects.get()
    assert row.state == "failed"
    assert "robots.txt" in row.reason
    assert "/ferry" not in asked
    assert WireItem.objects.get().content == "Back again."


def test_a_site_whose_rules_cannot_be_asked_is_left_alone(paper, source):
    url, asked = paper(robots=http("503 Busy"))
    synced(source, url)
    fulltext.want()
    assert fulltext.drain() == 0
    assert "/ferry" not in asked


def test_robots_are_asked_once_a_day(paper, source, monkeypatch):
    monkeypatch.setattr(fulltext, "PER_HOST", 6000)
    url, asked = paper()
    gazette = synced(source, url)
    intake.file(gazette.pk, [WireCopy(external_id="g2", title="Tide", url=f"{url}/tide")])
    fulltext.want()
    assert fulltext.drain() == 2
    assert asked.count("/robots.txt") == 1


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (http("404 Not Found"), "The page answered 404."),
        (http("403 Forbidden"), "The page answered 403."),
        (http(body=b"%PDF-1.7", Content_Type="application/pdf"), "something else than a page"),
        (http(body=b"<p>Hi</p>", Content_Type="text/html"), "says no more than"),
        (http(body=b"", Content_Type="text/html"), "says no more than"),
        (http(body=b"\0\xff" * 5000, Content_Type="text/html; charset=rot13"), "says no more than"),
        (redirect("http://169.254.169.254/"), "private or special network"),
    ],
)
def test_a_page_that_brings_nothing_leaves_the_source_s_text(paper, source, page, words):
    url, _ = paper(page=page)
    synced(source, url)
    fulltext.want()
    assert fulltext.drain() == 0
    row = PageFetch.objects.get()
    assert row.state == "failed"
    assert words in row.reason
    assert WireItem.objects.get().content == "Back again."
    assert not WireItem.objects.get().revisions.exists()


def test_a_site_in_trouble_is_asked_again_later_and_not_for_ever(paper, source, monkeypatch):
    monkeypatch.setattr(fulltext, "PER_HOST", 6000)
    url, asked = paper(page=http("503 Busy", Retry_After="3600"))
    synced(source, url)
    fulltext.want()
    for attempts in (1, 2):
        fulltext.drain()
        row = PageFetch.objects.get()
        assert (row.state, row.attempts) == ("wanted", attempts)
        assert (row.due_at.timestamp() - time.time()) > 3500
        PageFetch.objects.update(due_at="2026-01-01T00:00Z")
    fulltext.drain()
    assert PageFetch.objects.get().state == "failed"
    assert asked.count("/ferry") == 3


def test_one_host_gets_so_many_requests_a_minute(paper, source, monkeypatch):
    monkeypatch.setattr(fulltext, "_SECONDS", 1.0)
    url, _ = paper()
    gazette = synced(source, url)
    more = [WireCopy(external_id=str(n), title="Tide", url=f"{url}/{n}") for n in range(5)]
    intake.file(gazette.pk, more)
    fulltext.want()
    assert fulltext.drain() == 1
    assert PageFetch.objects.filter(state="wanted").count() == 5


def test_what_a_dead_worker_held_is_taken_up_when_its_lease_is_over(paper, source, monkeypatch):
    monkeypatch.setattr(fulltext, "PER_HOST", 6000)
    url, _ = paper()
    synced(source, url)
    fulltext.want()
    (row,) = fulltext._claim()  # and dies
    assert row.host == "localhost"
    assert fulltext.drain() == 0
    PageFetch.objects.update(due_at="2026-01-01T00:00Z")  # its lease is over
    assert fulltext.drain() == 1


# --- hostile pages, in the child ---


def test_a_page_that_takes_too_long_ends_the_child_and_nothing_else():
    with Extractor(cpu_seconds=0.3) as extractor:
        with pytest.raises(TooCostly):
            extractor.text(Page("https://x.example/", MANY))
        assert "out of service" in extractor.text(Page("https://x.example/", PAGE.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 300_000,
        b"<table><tr><td>" * 100_000,
        b"<p>" + b"a " * 900_000,
        b"&" * 2_000_000,
        b"<a href='" + b"x" * 2_000_000,
        b"\xff\xfe" * 500_000,
        b"<!DOCTYPE html [<!ENTITY a 'aaaa'>]><html>&a;</html>",
        MANY,
    ],
    ids=["divs", "tables", "words", "ampersands", "attribute", "bom", "entities", "paragraphs"],
)
def test_a_hostile_page_costs_a_bounded_time(body):
    began = time.monotonic()
    with Extractor() as extractor:
        with suppress(TooCostly):
            assert isinstance(extractor.text(Page("https://x.example/", body)), str)
        assert "out of service" in extractor.text(Page("https://x.example/", PAGE.encode()))
    assert time.monotonic() - began < 3 * extraction.CPU_SECONDS + 15


def test_a_charset_by_header_is_believed():
    page = PAGE.replace("islanders", "Öländer").encode("cp1252")
    with Extractor() as extractor:
        assert "Öländer" in extractor.text(Page("https://x.example/", page, "windows-1252"))


def test_the_child_sees_nothing_of_our_environment():
    with Extractor() as extractor:
        extractor.text(Page("https://x.example/", b"<p>x</p>"))
        pid = extractor._child.pid
        with open(f"/proc/{pid}/environ", "rb") as environment:
            names = {each.partition(b"=")[0] for each in environment.read().split(b"\0") if each}
    assert names <= {b"PATH", b"LC_CTYPE"}
