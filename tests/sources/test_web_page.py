"""The connector `web_page`: pieces of a page without a feed, robots.txt, hostile pages."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.utils import timezone

from sources import fetching
from sources.connectors.base import Fetch, checked
from sources.connectors.page_selectors import guess
from sources.connectors.web_page import WebPageSource
from sources.errors import Denied, Misconfigured, NotAFeed, SourceError, Unreachable
from sources.models import Source
from sources.webpages import read_page
from tests.config.far_end import http

PIECE = """
<li class="teaser"><h2><a href="/news/{n}?a=1&amp;b=2">Bridge number {n} is open</a></h2>
 <img src="/pictures/{n}.jpg"><p>What everybody waited for has happened at last, in the rain.</p>
 <span class="byline">By Ada Lindholm</span><time datetime="2026-11-2{n}T10:00:00Z">Friday</time>
</li>"""
MENU = "<nav><ul>" + "".join(
    f"<li><a href='/section/{n}'>A long name of a section {n}</a></li>" for n in range(9)
) + "</ul></nav>"  # fmt: skip
FRONT = (
    "<!doctype html><html lang='en'><head><title>The Gazette</title></head><body>"
    f"{MENU}<ul>{''.join(PIECE.format(n=n) for n in (1, 2, 3))}</ul></body></html>"
)
SELECTORS = {"item": "li.teaser", "link": "h2 a", "summary": "p", "date": "time",
             "author": ".byline", "image": "img"}  # fmt: skip


def page(
    body: str | bytes = FRONT, kind: str = "text/html", status: str = "200 OK", **more: str
) -> Callable[[bytes], bytes]:
    """A site with one page for everything but robots.txt."""
    whole = http(
        status, body if isinstance(body, bytes) else body.encode(), Content_Type=kind, **more
    )

    def answering(head: bytes) -> bytes:
        return http("404 Not Found") if b"/robots.txt" in head else whole

    return answering


def fetch(url: str, options=None, **stored):
    source = Source(
        connector="web_page", api_endpoint=url, options=SELECTORS if options is None else options,
        **stored,
    )  # fmt: skip
    return fetching.fetch(source, timezone.now())


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


# --- reading ---


def test_pieces_are_found_by_selectors(site):
    url = site(page())
    fetched = fetch(f"{url}/front/")
    first = fetched.copies[0]
    assert [copy.title for copy in fetched.copies] == [
        f"Bridge number {n} is open" for n in (1, 2, 3)
    ]
    assert first.url == first.external_id == f"{url}/news/1?a=1&b=2"
    assert first.summary.startswith("What everybody waited for")
    assert first.published_at.isoformat() == "2026-11-21T10:00:00+00:00"
    assert (first.authors, first.language) == (("By Ada Lindholm",), "en")
    assert first.metadata == {"image": f"{url}/pictures/1.jpg"}
    assert (fetched.title, fetched.warnings) == ("The Gazette", ())


def test_title_and_link_need_no_selector(site):
    fetched = fetch(site(page()), {"item": "li.teaser"})
    assert fetched.copies[0].title == "Bridge number 1 is open"
    assert fetched.copies[0].url.endswith("/news/1?a=1&b=2")


@pytest.mark.parametrize(
    ("markup", "attribute"),
    [
        ("<time datetime='2026-11-20'>Friday</time>", ""),
        ("<time data-at='2026-11-20T00:00:00Z'>x</time>", "data-at"),
        ("<time>20 November 2026</time>", ""),
        ("<time>Published on Nov 20, 2026 by Ada</time>", ""),
        ("<time>20.11.2026</time>", ""),
        ("<time>Friday, 20. 11. 2026</time>", ""),
        ("<time title='2026-11-20 00:00'>two hours ago</time>", ""),
    ],
)
def test_dates_are_read_from_attributes_and_from_words(site, markup, attribute):
    body = f"<ul><li><a href='/1'>Some title</a>{markup}</li></ul>"
    options = {"item": "li", "date": "time", "date_attribute": attribute}
    (copy,) = fetch(site(page(body)), options).copies
    assert copy.published_at.isoformat() == "2026-11-20T00:00:00+00:00"


def test_links_are_resolved_as_the_page_means_them(site):
    body = "<base href='https://other.example/a/'><p><a href='b'>A title</a></p><p><a href='javascript:x()'>No</a></p>"  # noqa: E501
    fetched = fetch(site(page(body)), {"item": "p"})
    assert [copy.url for copy in fetched.copies] == ["https://other.example/a/b"]


def test_a_page_in_another_encoding_is_read_right(site):
    body = "<p><a href='/1'>Smörgåsbord</a></p>".encode("latin-1")
    (copy,) = fetch(site(page(body, "text/html; charset=iso-8859-1")), {"item": "p"}).copies
    assert copy.title == "Smörgåsbord"


def test_a_feed_of_the_page_is_told(site):
    body = FRONT.replace(
        "</head>", "<link rel='alternate' type='application/rss+xml' href='/rss'></head>"
    )
    url = site(page(body))
    assert fetch(url).warnings == (
        f"This page has a feed after all: {url}/rss Use it as the source's address instead.",
    )


def test_a_page_that_has_not_changed_is_not_read_again(site):
    whole = page(FRONT, ETag='"1"')

    def answering(head: bytes) -> bytes:
        if b'If-None-Match: "1"' in head:
            return http("304 Not Modified")
        return whole(head)

    url = site(answering)
    assert fetch(url, etag=fetch(url).etag).unchanged


def test_an_archived_page_can_be_read_again_with_other_selectors(site):
    fetched = fetch(site(page()))
    options = checked({"item": "li.teaser", "title": ".byline"}, WebPageSource.options)
    again = WebPageSource().read_again(Fetch(endpoint="", options=options), fetched.payloads)
    assert {copy.title for copy in again.copies} == {"By Ada Lindholm"}


# --- robots.txt ---


def site_with_rules(rules: bytes, asked: list[bytes]):
    def answering(head: bytes) -> bytes:
        asked.append(head.split(b" ")[1])
        return rules if b"/robots.txt" in head else page()(head)

    return answering


def test_a_page_that_robots_txt_closes_is_never_asked_for(site):
    asked: list[bytes] = []
    url = site(site_with_rules(http(body=b"User-agent: *\nDisallow: /front"), asked))
    with pytest.raises(Denied, match="asks programs to stay away"):
        fetch(f"{url}/front/")
    assert asked == [b"/robots.txt"]


def test_robots_txt_is_asked_once_a_day_and_names_us(site):
    asked: list[bytes] = []
    rules = b"User-agent: *\nDisallow: /\n\nUser-agent: newsdesk\nAllow: /\n"
    url = site(site_with_rules(http(body=rules), asked))
    fetch(url)
    fetch(url)
    assert asked == [b"/robots.txt", b"/", b"/"]


def test_a_site_whose_robots_txt_fails_is_left_alone(site):
    asked: list[bytes] = []
    url = site(site_with_rules(http("503 Oops"), asked))
    for _ in range(2):
        with pytest.raises(Unreachable, match="The desk asks again") as caught:
            fetch(url)
        assert caught.value.retry_after == 600
    assert asked == [b"/robots.txt"]


# --- what can be wrong ---


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("li[", "no CSS selector"), ("li::before", "no CSS selector"), ("p + p", "none of them"),
        ("a ~ a", "none of them"), ("a b c d e f g", "at most 5 steps"), ("x" * 301, "longer"),
        (":has(+ p)", "none of them"), ("p:nope", "no CSS selector"),
    ],
)  # fmt: skip
def test_a_selector_is_refused_at_its_field(selector, words):
    options = checked({"item": "li", "summary": selector}, WebPageSource.options)
    with pytest.raises(Misconfigured, match=words) as caught:
        WebPageSource().check(options)
    assert caught.value.option == "summary"


@pytest.mark.parametrize("selector", ["li:nth-child(2n+1)", "[class~=teaser]", "ul > li.teaser"])
def test_useful_selectors_are_allowed(site, selector):
    assert fetch(site(page()), {"item": selector}).copies


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (FRONT.replace("teaser", "x"), "finds nothing on the page"),
        ("<li class=teaser>", "finds 1 elements on the page, none of them with a title"),
        ("", "empty, or no HTML"),
        ("<div>" * 100_000, "more than|empty|finds nothing"),
        ("<p>" * 25_000, "more than"),
        ("<div>" + "<i></i>" * 4000, "more than 3,000 parts"),
        ("x" * 6_000_000, "larger"),
    ],
)
def test_a_page_that_can_not_be_read_is_a_sentence(site, body, words):
    with pytest.raises(SourceError, match=words) as caught:
        fetch(site(page(body)))
    assert str(caught.value).endswith(".")


def test_what_could_not_be_read_is_kept_for_the_archive(site):
    with pytest.raises(NotAFeed) as caught:
        fetch(site(page("<p>rebuilt</p>")))
    assert caught.value.payload is not None


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        ("403 Forbidden", "<title>Just a moment...</title>", "Cloudflare"),
        ("200 OK", "<script>window._cf_chl_opt={}</script>", "Cloudflare"),
        ("403 Forbidden", "<script src='https://ct.captcha-delivery.com/c.js'>", "DataDome"),
        ("200 OK", "<title>Making sure you're not a bot!</title>", "Anubis"),
        ("503 Oops", "Please solve the captcha", "a captcha"),
    ],
)
def test_a_page_that_checks_for_humans_is_named(site, status, body, name):
    with pytest.raises(Denied, match=f"checks for humans \\({name}\\)"):
        fetch(site(page(body, status=status)))


# --- guessing ---


def guessed(markup: str) -> dict[str, str] | None:
    return guess(read_page(markup.encode(), "https://gazette.example/"))


def test_selectors_are_guessed_where_they_are_obvious(site):
    found = guessed(FRONT)
    assert found == {
        "item": "li.teaser", "title": "h2", "link": "h2 a", "summary": "p", "date": "time",
        "author": ".byline", "image": "img",
    }  # fmt: skip
    assert len(fetch(site(page()), found).copies) == 3


@pytest.mark.parametrize(
    ("piece", "item"),
    [
        ("<article><header><h3><a href='/{n}'>A title long enough {n}</a></h3></header></article>",
         "article"),
        ("<div class='card'><a href='/{n}'><h2>A title long enough {n}</h2></a></div>",
         "div.card"),
        ("<tr><td>1 May</td><td><a href='/{n}'>A title long enough {n}</a></td></tr>", "tr"),
        ("<h2><a href='/{n}'>A title long enough {n}</a></h2><p>Text</p>", "h2"),
    ],
)  # fmt: skip
def test_patterns_of_lists_are_recognised(site, piece, item):
    body = MENU + "".join(piece.format(n=n) for n in range(6))
    body = f"<table>{body}</table>" if item == "tr" else body
    found = guessed(body)
    assert found is not None
    assert found["item"] == item
    titles = [copy.title for copy in fetch(site(page(body)), found).copies]
    assert titles == [f"A title long enough {n}" for n in range(6)]


@pytest.mark.parametrize("markup", ["<p>Nothing here.</p>", MENU, "<p><a href='/1'>One</a></p>"])
def test_what_is_not_obvious_is_not_guessed(markup):
    assert guessed(markup) is None
