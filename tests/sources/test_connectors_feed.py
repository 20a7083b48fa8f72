"""What a feed and its server say about pace, moves, hubs and older pieces, read from the wire."""

import pytest

from sources.connectors.base import Pace
from sources.errors import Denied, Gone, NotAFeed, Unreachable
from tests.config.far_end import http, redirect
from tests.sources.asking import ask, ask_again, ask_older
from tests.sources.conftest import item

HOUR = 3600.0


def feed(*items: str, channel: str = "", **headers: str) -> bytes:
    """An RSS feed with more in its channel and in the head of the answer."""
    body = (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>'
        f"<title>The Gazette</title>{channel}{''.join(items)}</channel></rss>"
    )
    return http(body=body.encode(), Content_Type="application/rss+xml", **headers)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache_Control": "public, max-age=1800"}, 1800),
        ({"Cache_Control": "max-age=1800", "Age": "600"}, 1200),
        ({"Cache_Control": "max-age=600", "Age": "1800"}, 0),
        ({"Cache_Control": "s-maxage=99"}, None),
        ({"Cache_Control": "max-age=99999999999"}, 7 * 24 * HOUR),
        ({"Cache_Control": "max-age=-5"}, None),
        (
            {
                "Date": "Mon, 23 Nov 2026 08:00:00 GMT",
                "Expires": "Mon, 23 Nov 2026 09:00:00 GMT",
            },
            HOUR,
        ),  # a server whose clock is wrong tells the lifetime all the same
        ({"Date": "Mon, 23 Nov 2026 08:00:00 GMT", "Expires": "0"}, None),
        (
            {
                "Cache_Control": "max-age=60",
                "Date": "Mon, 23 Nov 2026 08:00:00 GMT",
                "Expires": "Mon, 23 Nov 2026 09:00:00 GMT",
            },
            60,
        ),
    ],
)
def test_an_answer_stays_fresh_for_as_long_as_its_head_says(site, headers, seconds):
    assert ask("feed", site(feed(item(1), **headers))).pace.fresh_for == seconds


@pytest.mark.parametrize(
    ("channel", "pace"),
    [
        ("<ttl>90</ttl>", Pace(90 * 60.0)),
        ("<ttl>soon</ttl>", Pace()),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", Pace(24 * HOUR)),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            Pace(6 * HOUR),
        ),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
         Pace(HOUR)),
        (
            "<skipHours><hour>0</hour><hour>23</hour><hour>24</hour><hour>late</hour></skipHours>"
            "<skipDays><day>Sunday</day><day>Doomsday</day></skipDays>",
            Pace(None, frozenset({0, 23}), frozenset({6})),
        ),
    ],
)  # fmt: skip
def test_a_feed_names_its_own_pace(site, channel, pace):
    assert ask("feed", site(feed(item(1), channel=channel))).pace == pace


def test_the_longer_of_feed_and_server_is_the_pace(site):
    answer = feed(item(1), channel="<ttl>60</ttl>", Cache_Control="max-age=60")
    assert ask("feed", site(answer)).pace.fresh_for == HOUR


def test_a_success_may_ask_for_patience_too(site):
    assert ask("feed", site(feed(item(1), Retry_After="120"))).wait == 120


def test_a_feed_declares_its_hub_and_its_own_name(site):
    channel = (
        '<atom:link rel="hub" href="https://hub.example/"/>'
        '<atom:link rel="self" href="https://gazette.example/feed"/>'
    )
    fetched = ask("feed", site(feed(item(1), channel=channel)))
    assert (fetched.hub, fetched.topic) == (
        "https://hub.example/", "https://gazette.example/feed",
    )  # fmt: skip


def test_the_head_of_an_answer_counts_before_the_feed_for_hubs(site):
    link = '<https://hub2.example/>; rel="hub", </own>; rel=self; type="x,y"'
    channel = '<atom:link rel="hub" href="https://hub.example/"/>'
    url = site(feed(item(1), channel=channel, Link=link))
    fetched = ask("feed", f"{url}/feed")
    assert (fetched.hub, fetched.topic) == ("https://hub2.example/", f"{url}/own")


def test_a_feed_with_a_hub_and_no_name_is_known_by_its_address(site):
    url = site(feed(item(1), channel='<atom:link rel="hub" href="https://hub.example/"/>'))
    assert ask("feed", f"{url}/feed").topic == f"{url}/feed"


def test_a_json_feed_declares_hub_name_and_next_page(site):
    body = (
        b'{"version": "https://jsonfeed.org/version/1.1", "feed_url": "https://g.example/feed",'
        b'"next_url": "/page/2", "hubs": [7, {"type": "WebSub", "url": "https://hub.example/"}],'
        b'"items": [{"id": "1", "title": "One"}]}'
    )
    url = site(http(body=body))
    fetched = ask("feed", url)
    assert fetched.hub == "https://hub.example/"
    assert fetched.topic == "https://g.example/feed"
    assert fetched.older == f"{url}/page/2"


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        (["301 Moved"], True),
        (["308 Moved", "301 Moved"], True),
        (["302 Found"], False),
        (["301 Moved", "307 For now"], False),
    ],
)
def test_a_feed_has_moved_only_if_every_hop_was_for_good(site, statuses, moved):
    def answer(head: bytes) -> bytes:
        hop = int(head.split()[1].rpartition(b"/")[2])
        if hop < len(statuses):
            return redirect(f"/{hop + 1}", statuses[hop])
        return feed(item(1))

    url = site(answer)
    assert ask("feed", f"{url}/0").moved_to == (f"{url}/{len(statuses)}" if moved else "")


def test_nothing_changed_is_an_error_when_nobody_asked(site):
    url = site(http("304 Not Modified"))
    with pytest.raises(Unreachable, match="without having been asked"):
        ask("feed", url)
    assert ask("feed", url, etag='"1"').unchanged


def test_an_unchanged_feed_still_tells_its_pace(site):
    url = site(http("304 Not Modified", Cache_Control="max-age=900", ETag='"2"'))
    fetched = ask("feed", url, etag='"1"')
    assert (fetched.pace.fresh_for, fetched.etag) == (900, '"2"')


def test_a_feed_is_kept_as_it_came_and_read_again(site):
    fetched = ask("feed", site(feed(item(1), item(2))))
    assert [payload.status for payload in fetched.payloads] == [200]
    assert ask_again("feed", fetched, "https://gazette.example").copies == fetched.copies


def test_what_is_no_feed_is_kept_as_well(site):
    with pytest.raises(NotAFeed) as caught:
        ask("feed", site(http(body=b"<!doctype html><title>Hello</title>")))
    assert caught.value.payload.body.startswith(b"<!doctype")


# --- older pieces ---


def test_the_archive_of_a_feed_is_read_page_by_page(site):
    pages = {
        b"/feed": ('<atom:link rel="prev-archive" href="/2"/>', item(3)),
        b"/2": (
            '<atom:link rel="next" href="/x"/><atom:link rel="prev-archive" href="/1"/>', item(2),
        ),
        b"/1": ("", item(1)),
    }  # fmt: skip

    def answer(head: bytes) -> bytes:
        channel, piece = pages[head.split()[1]]
        return feed(piece, channel=channel)

    url = f"{site(answer)}/feed"
    found, cursor = [], ""
    while True:
        page = ask_older("feed", url, cursor=cursor)
        found += [copy.external_id for copy in page.copies]
        cursor = page.older
        if not cursor:
            break
    assert found == ["g3", "g2", "g1"]


def test_wordpress_has_older_pages_that_it_does_not_declare(site):
    wordpress = "<generator>https://wordpress.org/?v=6.9</generator>"

    def answer(head: bytes) -> bytes:
        path = head.split()[1].decode()
        if path == "/feed/?cat=3":
            return feed(item(2), channel=wordpress)
        if path == "/feed/?cat=3&paged=2":
            return feed(item(1), channel=wordpress)
        return http("404 Not Found")

    url = f"{site(answer)}/feed/?cat=3"
    first = ask("feed", url)
    second = ask_older("feed", url, cursor=first.older)
    assert [copy.external_id for copy in second.copies] == ["g1"]
    after_the_last = ask_older("feed", url, cursor=second.older)
    assert (after_the_last.copies, after_the_last.older) == ((), "")
    with pytest.raises(Gone):
        ask_older("feed", url.replace("cat=3", "cat=4"))


def test_a_page_that_names_itself_ends_the_archive(site):
    url = site(feed(item(1), channel='<atom:link rel="next" href="/feed"/>'))
    assert ask_older("feed", f"{url}/feed").older == ""


def test_a_login_is_not_sent_where_a_feed_points(site):
    seen: list[bytes] = []

    def elsewhere(head: bytes) -> bytes:
        seen.append(head)
        return feed(item(1))

    secrets = {"token": "t0ken"}
    other, own = site(elsewhere), site(elsewhere)
    ask_older("feed", own, {}, secrets, cursor=f"{other}/older")
    assert b"t0ken" not in seen[0]
    ask_older("feed", own, {}, secrets, cursor=f"{own}/older")
    assert b"Authorization: Bearer t0ken" in seen[1]


def test_a_feed_that_refuses_its_older_pages(site):
    with pytest.raises(Denied):
        ask_older("feed", site(http("403 Forbidden")), cursor="")
