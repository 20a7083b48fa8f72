"""arXiv, DEV, GitHub, Lobsters and YouTube: what is peculiar to each, read from the wire."""

import json
from datetime import datetime

import pytest

from sources.connectors.base import Fetched, Payload
from sources.errors import Denied, Gone, Limited, Misconfigured, Unreachable
from tests.config.far_end import http
from tests.sources.asking import ask, ask_again, ask_older, recognised
from tests.sources.services import CHANNEL, SERVICES, fetch, header, query, recorded, wire

# --- arXiv ---


def test_a_paper_keeps_its_id_while_its_versions_change(site):
    paper, old = fetch("arxiv", site(SERVICES["arxiv"].answer)).copies
    assert (paper.external_id, paper.metadata["version"]) == ("2611.04711", 2)
    assert paper.url == "https://arxiv.org/abs/2611.04711"
    assert paper.title == "Planning the Ferries of Northmark with Bounded Tides"
    assert paper.authors == ("Marit Holm", "Oda Nordby")
    assert paper.tags == ("cs.AI", "math.OC")
    assert paper.metadata["doi"] == "10.9999/tides.2026.7"
    assert paper.metadata["comment"] == "12 pages, 3 figures"
    assert (old.external_id, old.metadata["version"]) == ("hep-th/9901001", 1)


def test_arxiv_is_asked_for_the_newest_of_categories_and_search(site):
    answer, heads = recorded(SERVICES["arxiv"].answer)
    options = {"category": "cs.AI, cs.CL", "search": "ti:ferry", "limit": 9000}
    fetch("arxiv", site(answer), options=options)
    asked = query(heads[0])
    assert asked["search_query"] == "(cat:cs.AI OR cat:cs.CL) AND (ti:ferry)"
    assert (asked["start"], asked["max_results"]) == ("0", "500")
    assert (asked["sortBy"], asked["sortOrder"]) == ("submittedDate", "descending")


def test_older_papers_follow_the_last_one(site):
    answer, heads = recorded(SERVICES["arxiv"].answer)
    url = site(answer) + "/api"
    first = ask_older("arxiv", url, {"category": "cs.AI"})
    assert first.older == "2"
    last = ask_older("arxiv", url, {"category": "cs.AI"}, cursor="1202")
    assert query(heads[1])["start"] == "1202"
    assert last.older == ""


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
def test_arxivs_complaint_about_a_search_is_passed_on(site, status):
    url = site(http(status, wire("arxiv_error.xml"), Content_Type="application/atom+xml"))
    with pytest.raises(Misconfigured, match="the query is malformed"):
        ask("arxiv", url, {"search": "ti:("})


def test_arxiv_that_counts_papers_and_sends_none_is_asked_again_later(site):
    body = wire("arxiv.xml")
    empty = body[: body.index(b"<entry>")] + b"</feed>"
    with pytest.raises(Unreachable, match="counts 1204 papers"):
        ask("arxiv", site(http(body=empty)), {"category": "cs.AI"})
    none = empty.replace(b">1204<", b">0<")
    assert ask("arxiv", site(http(body=none)), {"category": "cs.AI"}).copies == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, "Name a category"), ({"category": "cs.AI) OR (all:x"}, "is no category")],
)
def test_arxiv_without_a_sensible_question(options, words):
    with pytest.raises(Misconfigured, match=words):
        ask("arxiv", "https://arxiv.example", options)


# --- DEV ---


def test_an_article_leads_to_where_it_first_appeared(site):
    gulls, rows = fetch("devto", site(SERVICES["devto"].answer)).copies
    assert (gulls.external_id, gulls.url) == ("3104411", "https://marit.example/gulls/")
    assert gulls.metadata["discussion"].startswith("https://dev.to/marit/")
    assert gulls.metadata["organisation"] == "Northmark Harbour"
    assert gulls.metadata["enclosures"][0]["type"] == "image"
    assert (gulls.authors, gulls.tags) == (("Marit Holm",), ("python", "opencv"))
    assert gulls.published_at.isoformat() == "2026-11-22T10:00:00+00:00"
    assert gulls.updated_at.isoformat() == "2026-11-22T11:30:00+00:00"
    assert rows.updated_at is None


def test_dev_is_asked_for_tag_and_time_with_the_key_in_a_header(site):
    answer, heads = recorded(SERVICES["devto"].answer)
    options = {"tag": "python", "top": 7, "limit": 5}
    fetch("devto", site(answer), options=options, secrets={"api_key": "k3y"})
    assert query(heads[0]) == {"per_page": "5", "page": "1", "tag": "python", "top": "7"}
    assert header(heads[0], "api-key") == "k3y"


def test_a_tag_and_an_author_at_once_are_refused_because_dev_would_forget_one():
    with pytest.raises(Misconfigured, match="never both"):
        ask("devto", "https://dev.example", {"tag": "python", "username": "marit"})


@pytest.mark.parametrize(
    ("since", "pages"),
    [(None, 1), ("2026-11-22T12:00:00Z", 1), ("2026-11-20T00:00:00Z", 3)],
)
def test_all_of_an_author_since_the_last_sync_is_read(site, since, pages):
    def answer(head: bytes) -> bytes:
        page = int(query(head)["page"])
        days = {1: (22, 21), 2: (21, 20), 3: (19, 18), 4: (17, 16)}[page]
        articles = [
            {"id": page * 10 + n, "title": "x", "published_timestamp": f"2026-11-{day}T10:00:00Z"}
            for n, day in enumerate(days)
        ]
        return http(body=json.dumps(articles).encode())

    moment = datetime.fromisoformat(since) if since else None
    url, options = site(answer), {"username": "marit"}
    fetched = ask("devto", url, options, since=moment)
    assert len(fetched.payloads) == pages
    assert len(fetched.copies) == 2 * pages
    assert fetched.older == str(pages + 1)
    assert ask_again("devto", fetched, url, options).copies == fetched.copies
    assert len(ask("devto", url, options, since=moment, requests=1).payloads) == 1


def test_older_articles_end_with_an_empty_page(site):
    service = SERVICES["devto"]
    url = site(
        lambda head: service.answer(head) if query(head)["page"] == "1" else http(body=b"[]")
    )
    first = ask_older("devto", f"{url}/api")
    assert (len(first.copies), first.older) == (2, "2")
    second = ask_older("devto", f"{url}/api", cursor=first.older)
    assert (second.copies, second.older) == ((), "")


# --- GitHub ---


def test_releases_without_previews_and_drafts(site):
    url = site(SERVICES["github"].answer)
    releases = fetch("github", url, options={"prereleases": False}).copies
    assert [copy.external_id for copy in releases] == ["188230", "177000"]
    assert [copy.title for copy in releases] == ["2.0: spring tides", "tides v1.9.0"]
    every = fetch("github", url, options={"prereleases": True, "drafts": True}).copies
    assert len(every) == 4


def test_a_release_tells_its_text_and_what_can_be_downloaded(site):
    newest, *_, oldest = fetch("github", site(SERVICES["github"].answer)).copies
    assert newest.content.startswith("<h2>New</h2>")
    assert newest.metadata["assets"][0]["bytes"] == 48213
    assert oldest.content == "<p>Fixes the moon.</p><p>And &lt; the sun.</p>"


def test_an_unchanged_list_of_releases_is_not_sent_again(site):
    def answer(head: bytes) -> bytes:
        if header(head, "If-None-Match") == '"1"':
            return http("304 Not Modified", ETag='"1"', X_RateLimit_Remaining="4000")
        body = wire("github_releases.json")
        return http(body=body, ETag='"1"', Cache_Control="private, max-age=60, s-maxage=60")

    url = site(answer)
    first = fetch("github", url, secrets={"token": "t0ken"})
    assert (first.etag, first.pace.fresh_for) == ('"1"', 60)
    assert fetch("github", url, etag=first.etag).unchanged


def test_a_token_goes_to_github_in_a_header_and_nowhere_else(site):
    answer, heads = recorded(SERVICES["github"].answer)
    fetch("github", site(answer), secrets={"token": "t0ken"})
    assert header(heads[0], "Authorization") == "Bearer t0ken"
    assert b"t0ken" not in heads[0].split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        ("403 Forbidden", {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1795348900",
                           "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 100),
        ("403 Forbidden", {"Retry_After": "60"}, 60),
        ("429 Too Many", {"Retry_After": "60"}, 60),
    ],
)  # fmt: skip
def test_githubs_limits_are_told_from_a_refusal(site, status, headers, wait):
    with pytest.raises(Limited) as caught:
        fetch("github", site(http(status, b"{}", **headers)))
    assert caught.value.retry_after == wait


def test_a_refused_token_and_an_unknown_repository(site):
    with pytest.raises(Denied):
        fetch("github", site(http("401 Bad credentials", b"{}")), secrets={"token": "x"})
    with pytest.raises(Denied):
        fetch("github", site(http("403 Forbidden", b"{}", X_RateLimit_Remaining="58")))
    with pytest.raises(Gone):
        fetch("github", site(http("404 Not Found", b"{}")))


def test_the_last_request_of_an_hour_is_followed_by_a_rest(site):
    answer = http(
        body=wire("github_releases.json"), X_RateLimit_Remaining="0",
        X_RateLimit_Reset="1795349400", Date="Sun, 22 Nov 2026 12:00:00 GMT",
    )  # fmt: skip
    assert fetch("github", site(answer)).wait == 600


def test_the_feed_of_releases_needs_no_token(site):
    newest, chart = fetch("github feed", site(SERVICES["github feed"].answer)).copies
    assert (newest.metadata["tag"], chart.metadata["tag"]) == ("v2.0.0", "charts/v1.9.0")
    assert chart.title == "tides charts/v1.9.0"
    assert newest.authors == ("maritholm",)


@pytest.mark.parametrize("entered", ["northmark", "a/b/c/../..", "a/..", "", "https://github.com/"])
def test_what_is_no_repository(entered):
    with pytest.raises(Misconfigured):
        ask("github_releases", "https://api.example", {"repository": entered})


def test_a_repositorys_address_is_as_good_as_its_name(site):
    url = site(SERVICES["github"].answer)
    options = {"repository": "https://github.com/northmark/tides.git"}
    assert fetch("github", url, options=options).copies


# --- Lobsters ---


def test_stories_of_lobsters(site):
    tides, ferry, old = fetch("lobsters", site(SERVICES["lobsters"].answer)).copies
    assert (tides.external_id, tides.authors) == ("kq3wzn", ("marit",))
    assert tides.published_at.isoformat() == "2026-11-22T15:14:03+00:00"
    assert ferry.url == ferry.metadata["discussion"]  # a text post
    assert "cron job" in ferry.content
    assert old.authors == ("tove",)


@pytest.mark.parametrize(
    ("options", "cursor", "path"),
    [
        ({}, "", "/hottest.json"),
        ({}, "3", "/page/3.json"),
        ({"list": "newest"}, "", "/newest.json"),
        ({"list": "newest"}, "2", "/newest/page/2.json"),
        ({"tags": "python, release"}, "", "/t/python,release.json"),
        ({"tags": "../x"}, "2", "/t/..%2Fx/page/2.json"),
    ],
)
def test_every_list_of_lobsters_has_its_pages(site, options, cursor, path):
    answer, heads = recorded(lambda _: http(body=b"[]"))
    ask_older("lobsters", site(answer), options, cursor=cursor)
    assert heads[0].split()[1].decode() == path


# --- YouTube ---


def test_videos_with_their_descriptions(site):
    fog, silent = fetch("youtube", site(SERVICES["youtube"].answer)).copies
    assert (fog.external_id, fog.url) == (
        "yt:video:dQtides0001", "https://www.youtube.com/watch?v=dQtides0001",
    )  # fmt: skip
    assert fog.title == "The night ferry & the fog"
    assert fog.content.startswith("<p>Visibility &lt; 20 metres.</p><p>Chapters:<br>00:00")
    assert fog.metadata["views"] == 15204
    assert silent.content == ""


def test_youtubes_hub_is_known_though_its_feed_declares_none(site):
    fetched = fetch("youtube", site(SERVICES["youtube"].answer))
    assert fetched.hub == "https://pubsubhubbub.appspot.com/"
    assert fetched.topic == f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"


def test_a_handle_is_looked_up_once(site):
    page = (
        '<link rel="canonical" href="https://www.youtube.com/channel/' + CHANNEL + '">'
        '<script>{"channelId":"UCanotherchannel_0000000","externalId":"' + CHANNEL + '"}</script>'
    )

    def answer(head: bytes) -> bytes:
        if head.split()[1].startswith(b"/@northmark"):
            return http(body=page.encode(), Content_Type="text/html")
        return SERVICES["youtube"].answer(head)

    counted, heads = recorded(answer)
    url, options = site(counted), {"channel": "@northmark"}
    first = fetch("youtube", url, options=options)
    assert query(heads[1]) == {"channel_id": CHANNEL}
    assert first.memory == {"channel": "@northmark", "id": CHANNEL}
    fetch("youtube", url, options=options, memory=first.memory)
    assert len(heads) == 3
    fetch("youtube", url, options={"channel": "@northmark2"}, memory=first.memory)
    assert len(heads) == 5  # another one is looked up anew


def test_a_page_that_asks_for_consent_first_is_named(site):
    with pytest.raises(Misconfigured, match="asks for consent"):
        fetch("youtube", site(http(body=b"<p>Before you continue")), options={"channel": "@x12"})


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oh"])
def test_a_feed_that_youtube_denies_for_a_while_is_not_gone(site, status):
    with pytest.raises(Unreachable, match="denies this feed for now"):
        fetch("youtube", site(http(status)))


@pytest.mark.parametrize("entered", ["", "northmark", "@a/../b", "https://vimeo.com/x"])
def test_what_is_no_channel(entered):
    with pytest.raises(Misconfigured, match="channel"):
        ask("youtube", "https://youtube.example", {"channel": entered})


def test_a_pushed_video_is_read_like_a_feed(site):
    fetched = fetch("youtube", site(SERVICES["youtube"].answer))
    again = ask_again("youtube", fetched, "https://www.youtube.com", {"channel": CHANNEL})
    assert again.copies == fetched.copies


@pytest.mark.parametrize(("updated", "pieces"), [("18:03:00", 1), ("23:00:00", 0)])
def test_a_pushed_edit_is_left_to_the_next_sync_because_it_has_no_description(updated, pieces):
    body = f"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>yt:video:dQtides0001</id>
        <title>The night ferry</title><published>2026-11-21T18:00:00+00:00</published>
        <link rel="alternate" href="https://www.youtube.com/watch?v=dQtides0001"/>
        <updated>2026-11-21T{updated}+00:00</updated></entry></feed>"""
    pushed = Fetched(payloads=(Payload("https://www.youtube.com/", 200, (), body.encode()),))
    again = ask_again("youtube", pushed, "https://www.youtube.com", {"channel": CHANNEL})
    assert len(again.copies) == pieces


# --- their pages' addresses ---


@pytest.mark.parametrize(
    ("key", "url", "options"),
    [
        ("arxiv", "https://arxiv.org/list/cs.AI/recent", {"category": "cs.AI"}),
        ("arxiv", "https://arxiv.org/list/hep-th/new", {"category": "hep-th"}),
        ("arxiv", "https://arxiv.org/search/?query=tides&order=x", {"search": 'all:"tides"'}),
        ("arxiv", "https://arxiv.org/abs/2611.04711", None),
        ("devto", "https://dev.to/t/python", {"tag": "python"}),
        ("devto", "https://dev.to/top/week", {"top": 7}),
        ("devto", "https://dev.to/marit", {"username": "marit"}),
        ("devto", "https://dev.to/", {}),
        ("devto", "https://dev.to/marit/counting-gulls-1ab2", None),
        ("devto", "https://dev.to/about", None),
        ("github_releases", "https://github.com/northmark/tides",
         {"repository": "northmark/tides", "access": "atom"}),
        ("github_releases", "https://github.com/northmark/tides/releases/tag/v2",
         {"repository": "northmark/tides", "access": "atom"}),
        ("github_releases", "https://github.com/northmark", None),
        ("github_releases", "https://github.com/topics/tides", None),
        ("github_releases", "https://gist.github.com/a/b", None),
        ("lobsters", "https://lobste.rs/", {"list": "hottest"}),
        ("lobsters", "https://lobste.rs/newest", {"list": "newest"}),
        ("lobsters", "https://lobste.rs/t/python,release.rss", {"tags": "python,release"}),
        ("lobsters", "https://lobste.rs/s/kq3wzn/x", None),
        ("youtube", f"https://www.youtube.com/channel/{CHANNEL}/videos", {"channel": CHANNEL}),
        ("youtube", "https://www.youtube.com/@northmark/videos", {"channel": "@northmark"}),
        ("youtube", "https://youtube.com/c/Northmark",
         {"channel": "https://www.youtube.com/c/Northmark"}),
        ("youtube", "https://www.youtube.com/playlist?list=PLnorth000000",
         {"playlist": "PLnorth000000"}),
        ("youtube", f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
         {"channel": CHANNEL}),
        ("youtube", "https://www.youtube.com/watch?v=dQtides0001", None),
        ("youtube", "https://www.youtube.com/", None),
    ],
)  # fmt: skip
def test_pages_of_services_are_recognised(key, url, options):
    found = recognised(key, url)
    assert (found.options if found else None) == options
