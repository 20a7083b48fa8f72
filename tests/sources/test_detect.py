"""What a pasted address turns out to be, against loopback sites."""

import json
import time

import pytest
from django.core.cache import cache

from sources import detect as detecting
from sources.detect import address_of, detect
from sources.errors import Denied, Misconfigured, NotAFeed, SourceError
from tests.config.far_end import http, redirect
from tests.sources.conftest import item, rss
from tests.sources.test_web_page import FRONT

ATOM = http(
    body=b"<feed xmlns='http://www.w3.org/2005/Atom'><title>Atom of it</title><entry><id>1</id>"
    b"<title>One</title></entry></feed>",
    Content_Type="application/atom+xml",
)
NOTHING = http("404 Not Found", b"<html><title>Nothing here</title>")


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


class Site:
    """A site of several pages that remembers what was asked."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {f"/{path.lstrip('/')}": answer for path, answer in pages.items()}
        self.asked: list[str] = []

    def __call__(self, request: bytes) -> bytes:
        path = request.split(b" ")[1].decode()
        self.asked.append(path)
        return self.pages.get(path, NOTHING)


def html(body: str, status: str = "200 OK", **more: str) -> bytes:
    return http(status, f"<!doctype html><html>{body}".encode(), Content_Type="text/html", **more)


# --- what is typed ---


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://gazette.example/a", "https://gazette.example/a"),
        ("HTTP://gazette.example", "HTTP://gazette.example"),
        ("  <gazette.example/news> \n", "https://gazette.example/news"),
        ("feed://gazette.example/rss", "https://gazette.example/rss"),
        ("feed:https://gazette.example/rss", "https://gazette.example/rss"),
        ("itpc://gazette.example/pod", "https://gazette.example/pod"),
        ("//gazette.example/x", "https://gazette.example/x"),
        ("localhost:8000/x", "https://localhost:8000/x"),
        ("@ada@social.example", "https://social.example/@ada"),
        ("r/worldnews", "https://www.reddit.com/r/worldnews/"),
    ],
)
def test_a_pasted_text_becomes_an_address(typed, address):
    assert address_of(typed)[0] == address


@pytest.mark.parametrize(
    "typed", ["", "news", "what is new", "mailto:ada@x.example", "file:///etc/passwd",
              "javascript:alert(1)", "https://", "http://[half", "ftp://x.example/"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_sent(typed):
    with pytest.raises(Misconfigured):
        detect(typed)


def test_without_a_scheme_plain_http_is_tried_after_https(site):
    typed = site(rss(item(1))).removeprefix("http://")
    (found,) = detect(typed).candidates
    assert found.endpoint == f"http://{typed}"


# --- what is there ---


def test_a_known_service_is_recognised_without_asking_anybody():
    (found,) = detect("https://news.ycombinator.com/newest").candidates
    assert (found.connector, found.options["list"]) == ("hackernews", "new")


def test_a_feed_is_a_feed(site):
    url = site(rss(item(1), item(2)))
    (found,) = detect(url).candidates
    assert (found.connector, found.endpoint, found.name) == ("feed", url, "The Gazette")
    assert found.why == "A feed (RSS), 2 pieces"


def test_a_feed_that_has_moved_for_good_is_entered_where_it_is_now(site):
    far = Site(old=redirect("/new", "301 Moved Permanently"), new=rss(item(1)))
    far.pages["/for-now"] = redirect("/new")
    url = site(far)
    assert detect(f"{url}/old").candidates[0].endpoint == f"{url}/new"
    assert detect(f"{url}/for-now").candidates[0].endpoint == f"{url}/for-now"


def test_the_feeds_that_a_page_names_come_first_and_comments_last(site):
    far = Site(**{
        "": html(
            "<head><title>Gazette</title>"
            "<link rel=alternate type=application/rss+xml href=/comments/feed title=Comments>"
            "<link rel='alternate' type='application/rss+xml' href='/rss?a=1&amp;b=2'>"
            "<link rel=alternate type=application/atom+xml href=/dead></head>"
            "<a href=/atom>Our Atom feed</a><a href=/story>A story</a>"
        ),
        "comments/feed": rss(item(1), title="Comments"), "rss?a=1&b=2": rss(item(1)),
        "atom": ATOM,
    })  # fmt: skip
    url = site(far)
    found = detect(url).candidates
    assert [(each.connector, each.endpoint) for each in found] == [
        ("feed", f"{url}/rss?a=1&b=2"), ("feed", f"{url}/atom"), ("feed", f"{url}/comments/feed"),
    ]  # fmt: skip
    assert "/story" not in far.asked


def test_usual_addresses_are_tried_when_a_page_names_no_feed(site):
    far = Site(**{"": html("<p>Hello</p>"), "atom.xml": ATOM, "index.xml": ATOM})
    url = site(far)
    (found,) = detect(f"{url}/").candidates
    assert found.endpoint == f"{url}/atom.xml"
    assert len(far.asked) <= 8


def test_a_page_without_a_feed_is_offered_itself(site):
    detected = detect(site(Site(**{"": html(FRONT)})))
    (found,) = detected.candidates
    assert (found.connector, found.options["item"]) == ("web_page", "li.teaser")
    assert detected.notes == ("The page names no feed, and none is at the usual addresses.",)


def test_robots_txt_that_closes_the_page_is_told(site):
    rules = http(body=b"User-agent: *\nDisallow: /")
    detected = detect(site(Site(**{"": html(FRONT), "robots.txt": rules})))
    assert "robots.txt asks programs to stay away" in detected.notes[0]


def test_robots_txt_that_can_not_be_asked_is_told_as_that(site):
    detected = detect(site(Site(**{"": html(FRONT), "robots.txt": http("503 Busy")})))
    assert "could not say what programs may read" in detected.notes[0]


def test_json_comes_with_a_guess_of_its_fields(site):
    document = {"news": [{"headline": f"Piece {n}", "link": f"/{n}", "id": n} for n in (1, 2)]}
    url = site(http(body=json.dumps(document).encode(), Content_Type="application/json"))
    (found,) = detect(url).candidates
    assert (found.connector, found.endpoint) == ("json_api", url)
    assert {name: found.options[name] for name in ("items", "title", "url")} == {
        "items": "news", "title": "headline", "url": "link",
    }  # fmt: skip


def test_a_json_feed_is_a_feed(site):
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "J",
                "items": [{"id": "1", "title": "x"}]}  # fmt: skip
    url = site(http(body=json.dumps(document).encode(), Content_Type="application/json"))
    assert detect(url).candidates[0].connector == "feed"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (http(body=b'{"ok": true}'), NotAFeed, "no list of pieces"),
        (html("<p>Hello</p>"), NotAFeed, "No feed was found on this page"),
        (html("<title>Just a moment...</title>", "403 Forbidden"), Denied, "(Cloudflare)"),
        (http("401 Unauthorized"), Denied, "refuses access"),
        (http("404 Not Found"), SourceError, "nothing at this address"),
        (http("500 Oops"), SourceError, "trouble of its own"),
        (b"", SourceError, "localhost"),
        (http(body=b"\x89PNG\r\n\x1a\n" + b"\0" * 500), NotAFeed, "No feed|no HTML"),
    ],
)
def test_what_can_not_be_read_is_a_sentence(site, answer, kind, words):
    with pytest.raises(kind, match=words.replace("(", r"\(").replace(")", r"\)")) as caught:
        detect(site(answer))
    assert str(caught.value).endswith(".")


def test_a_feed_behind_a_page_that_checks_for_humans_is_found(site):
    guard = html("<title>Just a moment...</title>", "403 Forbidden", CF_Mitigated="challenge")
    far = Site(**{"": guard, "feed": rss(item(1))})
    url = site(far)
    detected = detect(f"{url}/")
    assert detected.candidates[0].endpoint == f"{url}/feed"
    assert "checks for humans (Cloudflare)" in detected.notes[0]


def test_feeds_of_a_page_can_not_lead_into_the_house(site, settings):
    """A page names an address inside; the guard of every request refuses it."""
    page = "<link rel=alternate type=application/rss+xml href='http://10.0.0.7/feed'>"
    far = Site(**{"": html(page), "feed": rss(item(1))})
    url = site(far)
    assert [each.endpoint for each in detect(url).candidates] == [f"{url}/feed"]


def test_everything_together_has_one_deadline(site, monkeypatch):
    monkeypatch.setattr(detecting, "LONGEST", 0.5)

    def slow(_request: bytes) -> bytes:
        time.sleep(4)
        return NOTHING

    began = time.monotonic()
    with pytest.raises(SourceError, match=r"not through within 0\.5 seconds"):
        detect(site(slow))
    assert time.monotonic() - began < 3.8


def test_a_page_of_a_thousand_links_to_feeds_costs_few_requests(site):
    links = "".join(f"<a href='/feed/{n}'>RSS</a>" for n in range(1000))
    far = Site(**{"": html(links)})
    url = site(far)
    with pytest.raises(NotAFeed):
        detect(url)
    assert len(far.asked) <= 15
