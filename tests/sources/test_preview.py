"""A look before saving: volume, rhythm, doubts, what is here already; and the command."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from articles.models import Article
from articles.wire import WireCopy
from sources import forecast
from sources.models import Source
from sources.preview import preview
from sources.sync import sync
from tests.config.far_end import http, redirect
from tests.sources.conftest import item, rss

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = "<p>" + "What has happened. " * 60 + "</p>"


def copies(*hours_ago: float | None, text: str = LONG) -> list[WireCopy]:
    return [
        WireCopy(
            external_id=f"id{n}", title=f"Piece {n}", url=f"https://g.example/{n}", content=text,
            published_at=None if ago is None else NOW - timedelta(hours=ago),
        )
        for n, ago in enumerate(hours_ago)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


# --- volume and rhythm ---


@pytest.mark.parametrize(
    ("hours_ago", "volume"),
    [
        ((0, 12, 24, 36, 48), 2.5),
        ((48, 60, 72, 84, 96), 1.25),  # silent for two days
        ((0.1, 0.2, 0.3), 72),  # all within an hour
        ((40 * 24, 50 * 24, 60 * 24), 0),
        ((None, None, 1), None),
        ((), None),
    ],
)
def test_the_volume_is_told_by_the_dates(hours_ago, volume):
    assert forecast.per_day(copies(*hours_ago), NOW) == pytest.approx(volume)


@pytest.mark.parametrize(
    ("volume", "usual", "fresh_for", "listed", "minutes"),
    [
        (24, 30, None, 30, 30),
        (6, 30, None, 30, 120),
        (240, 30, None, 30, 10),
        (2000, 30, None, 30, 10),  # a third of the usual at the most
        (2000, 15, None, 30, 5),
        (1, 30, None, 30, 720),
        (0.2, 30, None, 30, 1440),
        (24, 30, None, 1, 30),
        (0, 30, None, 30, 720),
        (None, 30, None, 30, 30),
        (240, 30, 3600, 30, 60),  # Cache-Control asks for an hour
        (240, 30, 2000, 30, 60),
        (None, 30, 86400, 30, 1440),
    ],
)
def test_the_interval_follows_volume_freshness_and_kind(volume, usual, fresh_for, listed, minutes):
    assert forecast.rhythm(volume, usual, fresh_for, listed).minutes == minutes


# --- doubts ---


def doubts(of: list[WireCopy], endpoint: str = "https://g.example/rss", moved_to: str = "") -> str:
    return " ".join(forecast.doubts(of, endpoint, moved_to, NOW))


def test_a_healthy_source_raises_no_doubts():
    assert doubts(copies(1, 2, 3)) == ""


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ([], "no piece at all"),
        (copies(None, None), "No piece has a date"),
        (copies(1, None), "1 of 2 pieces have no date"),
        (copies(-30, 1), "1 piece is dated in the future"),
        (copies(24 * 100), "Its newest piece is of 15 Aug 2026"),
        (copies(1, 2, text="<p>Short.</p>"), "Texts are short (about 6 characters)"),
        (copies(1, 2, text=""), "only titles"),
        ([WireCopy("a", "x", "u", LONG, published_at=NOW)] * 3, "All pieces carry the same id"),
    ],
)
def test_what_an_administrator_should_know_is_said(of, words):
    assert words in doubts(of)


def test_the_address_itself_may_be_doubtful():
    assert "is http, not https" in doubts(copies(1), "http://g.example/rss")
    assert "is http" not in doubts(copies(1), "http://localhost:8000/rss")
    assert "leads to https://new.example/rss for good" in doubts(
        copies(1), "http://g.example", "https://new.example/rss"
    )
    assert "looks like a key (api_key)" in doubts(copies(1), "https://g.example/?API_KEY=x")


# --- the preview ---


def test_a_preview_shows_five_pieces_as_they_would_be_filed(source, site):
    moment = "<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate><author>ada@x.example (Ada)</author>"
    pieces = [item(n, f"&lt;p&gt;Text {n}&lt;/p&gt;").replace("</item>", f"{moment}</item>")
              for n in range(1, 8)]  # fmt: skip
    found = preview(source(site(rss(*pieces))))
    assert (found.title, found.count, len(found.first)) == ("The Gazette", 7, 5)
    first = found.first[0]
    assert (first.title, first.words, first.url) == (
        "Piece 1", "Text 1", "https://gazette.example/1",
    )  # fmt: skip
    assert first.published_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert "Ada" in first.author
    assert Article.objects.count() == 0


def test_what_is_here_already_is_counted_by_source_and_by_page(source, site):
    one, other = source(site(rss(item(1), item(2)))), source(site(rss(item(3))))
    sync(one.pk)
    sync(other.pk)
    bigger = Source(connector="feed", api_endpoint=site(rss(*map(item, range(1, 5)))))
    bigger.rate_limit_per_minute = 60
    found = preview(bigger)
    assert (found.known, found.elsewhere) == (0, 3)
    again = preview(one)
    assert (again.known, again.elsewhere) == (2, 0)
    assert [each.known for each in again.first] == [True, True]


def test_a_second_source_of_the_same_address_is_told(source, site):
    url = site(rss(item(1)))
    source(url, name="The Gazette")
    trial = Source(connector="feed", api_endpoint=url, rate_limit_per_minute=60)
    assert "\u201cThe Gazette\u201d reads the same already." in preview(trial).warnings


def test_the_sources_own_freshness_counts_for_the_interval(source, site):
    recent = f"{timezone.now():%a, %d %b %Y %H:%M:%S} GMT"
    pieces = [item(n).replace("</item>", f"<pubDate>{recent}</pubDate></item>") for n in range(9)]
    plain = rss(*pieces)
    cached = plain.replace(b"\r\n\r\n", b"\r\nCache-Control: max-age=7200\r\n\r\n", 1)
    assert preview(source(site(plain))).minutes == 10
    found = preview(source(site(cached)))
    assert (found.minutes, found.minutes_why) == (
        120, "it asks to be left alone for 120 minutes",
    )  # fmt: skip


def test_an_address_that_leads_to_another_host_is_told(source, site):
    far = site(rss(item(1))).replace("localhost", "127.0.0.1")
    url = site(redirect(far))
    assert "The address redirects to 127.0.0.1 for now." in preview(source(url)).warnings
    for_good = site(redirect(far, "301 Moved Permanently"))
    assert any("leads to" in words for words in preview(source(for_good)).warnings)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (http(body=b"User-agent: *\nDisallow: /1"), "ask them to stay away"),
        (http("404 No"), "may be read by them, too"),
        (http("503 Busy"), "Could not be asked"),
    ],
)
def test_what_robots_txt_says_about_the_pages(source, site, rules: bytes, words):
    def answering(request: bytes) -> bytes:
        if b"/robots.txt" in request:
            return rules
        host = request.partition(b"Host: ")[2].partition(b"\r\n")[0]
        return rss(item(1).replace("https://gazette.example", f"http://{host.decode()}"))

    found = preview(source(site(answering)), ask_robots=True)
    assert words in found.robots


# --- manage.py preview_source ---


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("preview_source", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_shows_what_a_page_comes_to(site):
    shown = command(site(rss(item(1), item(2))))
    for words in ("A feed (RSS), 2 pieces", "Piece 1", "https://gazette.example/1", "suggested",
                  "robots.txt", "! No piece has a date"):  # fmt: skip
        assert words in shown
    assert not Source.objects.exists()


@pytest.mark.django_db
def test_the_command_speaks_to_programs(site):
    url = site(rss(item(1)))
    told = json.loads(command(url, "--json"))
    assert told["candidates"][0]["endpoint"] == url
    assert told["preview"]["first"][0]["title"] == "Piece 1"
    assert told["preview"]["minutes"] == 30


@pytest.mark.django_db
def test_the_command_reads_by_a_connector_with_options(site):
    body = json.dumps({"rows": [{"k": 1, "name": "Row 1"}]}).encode()
    url = site(http(body=body))
    shown = command(
        url, "--connector", "json_api", "--option", "items=rows", "--option", "title=name"
    )
    assert "Row 1" in shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no web address"),
        (["https://x.example", "--connector", "pigeon"], "there are: feed"),
        (["https://x.example", "--option", "x"], "NAME=VALUE"),
        (["https://x.example", "--connector", "feed", "--option", "x=1"], "There is no option"),
    ],
)
def test_the_command_refuses_in_words(arguments, words):
    with pytest.raises(CommandError, match=words):
        command(*arguments)
