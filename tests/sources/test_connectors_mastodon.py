"""Mastodon: nothing lost between two syncs, warnings, boosts, limits."""

import json
from typing import Any

import pytest

from sources.connectors.base import Fetched
from sources.errors import Denied, Limited, Misconfigured
from tests.config.far_end import http
from tests.sources.asking import ask_older, recognised
from tests.sources.services import SERVICES, fetch, header, query, recorded, wire


class Timeline:
    """A hashtag with this many statuses, answered as Mastodon pages them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[dict[str, str]] = []

    def __call__(self, head: bytes) -> bytes:
        params = query(head)
        self.asked.append(params)
        numbers = list(range(1, self.count + 1))
        if "max_id" in params:
            numbers = [each for each in numbers if each < int(params["max_id"])]
        size = int(params["limit"])
        if "min_id" in params:  # the ones right after it, the newest first all the same
            numbers = [each for each in numbers if each > int(params["min_id"])][:size]
        shown = numbers[-size:][::-1]
        return http(body=json.dumps([_status(each) for each in shown]).encode())


def _status(number: int) -> dict[str, Any]:
    return {
        "id": str(number), "uri": f"https://social.example/s/{number}", "visibility": "public",
        "content": f"<p>Status {number}</p>", "account": {"acct": "ada"},
    }  # fmt: skip


def numbers(fetched: Fetched) -> set[int]:
    return {int(copy.external_id.rpartition("/")[2]) for copy in fetched.copies}


def test_a_status_is_told_in_full(site):
    fog, wreck, boost = fetch("mastodon", site(SERVICES["mastodon"].answer)).copies
    assert fog.external_id == "https://harbour.example/users/marit/statuses/115590000000000001"
    assert fog.url == "https://harbour.example/@marit/115590000000000001"
    assert fog.title == "The night ferry is late & the fog is here. #ferry"
    assert fog.authors == ("Marit Holm (@marit@harbour.example)",)
    assert (fog.tags, fog.language) == (("ferry",), "en")
    assert fog.metadata["enclosures"][0]["alt"] == "A pier that ends in fog."
    assert fog.metadata["link"] == "https://northmark.example/ferries"
    assert fog.updated_at is not None
    assert boost.external_id == "https://far.example/objects/777"
    assert boost.metadata["boosted_by"] == "@oda@localhost"
    assert wreck.authors == ("@oda@localhost",)


def test_a_content_warning_is_what_an_editor_reads_first(site):
    wreck = fetch("mastodon", site(SERVICES["mastodon"].answer)).copies[1]
    assert (wreck.title, wreck.summary) == (
        "Shipwreck, injuries", "Content warning: Shipwreck, injuries",
    )  # fmt: skip
    assert wreck.metadata["content_warning"] == "Shipwreck, injuries"
    assert wreck.metadata["sensitive"] is True


def test_boosts_and_replies_only_when_asked_for(site):
    url = site(SERVICES["mastodon"].answer)
    assert len(fetch("mastodon", url, options={"boosts": False}).copies) == 2
    assert len(fetch("mastodon", url, options={"replies": True}).copies) == 4


def test_no_status_between_two_syncs_is_lost(site):
    timeline = Timeline(100)
    url = site(timeline)
    first = fetch("mastodon", url)
    assert numbers(first) == set(range(61, 101))
    timeline.count = 250
    second = fetch("mastodon", url, memory=first.memory)
    assert numbers(second) >= set(range(101, 251))
    third = fetch("mastodon", url, memory=second.memory)
    assert numbers(third) <= set(range(220, 251))  # a few again, for the sake of their edits
    assert numbers(third)


def test_more_than_one_sync_may_read_comes_with_the_next_ones(site):
    timeline = Timeline(40)
    url = site(timeline)
    seen, memory = set(), fetch("mastodon", url).memory
    timeline.count = 300
    for _ in range(6):
        page = fetch("mastodon", url, memory=memory, requests=3)
        seen |= numbers(page)
        memory = page.memory
    assert seen >= set(range(41, 301))


def test_a_slow_timeline_is_read_again_from_the_same_place(site):
    timeline = Timeline(3)
    url = site(timeline)
    memory = fetch("mastodon", url).memory
    timeline.count = 5
    assert numbers(fetch("mastodon", url, memory=memory)) == {2, 3, 4, 5}


def test_another_hashtag_begins_anew(site):
    timeline = Timeline(50)
    url = site(timeline)
    memory = fetch("mastodon", url).memory
    fetch("mastodon", url, memory=memory, options={"tag": "boats"})
    assert "min_id" not in timeline.asked[-1]


def test_older_statuses_until_the_first(site):
    url, found, cursor = site(Timeline(95)), set(), ""
    for _ in range(5):
        page = ask_older("mastodon", url, {"tag": "ferry"}, cursor=cursor)
        found |= numbers(page)
        cursor = page.older
        if not cursor:
            break
    assert found == set(range(1, 96))
    assert cursor == ""


def test_an_accounts_number_is_looked_up_once(site):
    def answer(head: bytes) -> bytes:
        if head.split()[1].startswith(b"/api/v1/accounts/lookup"):
            return http(body=b'{"id": "4711"}')
        assert head.split()[1].startswith(b"/api/v1/accounts/4711/statuses")
        return http(body=json.dumps([_status(1)]).encode())

    counted, heads = recorded(answer)
    url, options = site(counted), {"timeline": "account", "account": "@ada", "replies": True}
    memory = fetch("mastodon", url, options=options).memory
    assert query(heads[0]) == {"acct": "ada"}
    assert query(heads[1])["exclude_replies"] == "false"
    fetch("mastodon", url, options=options, memory=memory)
    assert len(heads) == 3


def test_an_account_that_does_not_exist(site):
    options = {"timeline": "account", "account": "nobody"}
    with pytest.raises(Misconfigured, match="knows no account “nobody”"):
        fetch("mastodon", site(http("404 Not Found", b"{}")), options=options)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "422 Unprocessable"])
def test_an_instance_that_wants_a_token_says_so(site, status):
    with pytest.raises(Denied, match="enter an access token"):
        fetch("mastodon", site(http(status, b'{"error": "..."}')))


def test_a_token_is_sent_in_a_header(site):
    answer, heads = recorded(SERVICES["mastodon"].answer)
    fetch("mastodon", site(answer), secrets={"token": "t0ken"})
    assert header(heads[0], "Authorization") == "Bearer t0ken"


def test_mastodons_limits_name_a_moment(site):
    head = {
        "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "2026-11-22T12:03:20.000Z",
        "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
    }  # fmt: skip
    with pytest.raises(Limited) as caught:
        fetch("mastodon", site(http("429 Too Many Requests", b"{}", **head)))
    assert caught.value.retry_after == 200
    assert fetch("mastodon", site(http(body=wire("mastodon_statuses.json"), **head))).wait == 200


@pytest.mark.parametrize(
    ("timeline", "path", "local"),
    [
        ("local", "/api/v1/timelines/public", "true"),
        ("federated", "/api/v1/timelines/public", None),
    ],
)
def test_public_timelines(site, timeline, path, local):
    answer, heads = recorded(lambda _: http(body=b"[]"))
    fetch("mastodon", site(answer), options={"timeline": timeline})
    assert heads[0].split()[1].decode().split("?")[0] == path
    assert query(heads[0]).get("local") == local


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://mastodon.social/@ada", {"timeline": "account", "account": "ada"}),
        ("https://mastodon.social/@ada@other.example",
         {"timeline": "account", "account": "ada@other.example"}),
        ("https://fosstodon.org/tags/python", {"timeline": "tag", "tag": "python"}),
        ("https://chaos.social/public/local", {"timeline": "local"}),
        ("https://mastodon.social/@ada/115590000000000001", None),
        ("https://www.youtube.com/@northmark", None),
        ("https://medium.com/@ada", None),
    ],
)  # fmt: skip
def test_pages_of_mastodon_are_recognised(url, options):
    found = recognised("mastodon", url)
    assert (found.options if found else None) == options
    assert found is None or found.endpoint == "/".join(url.split("/")[:3])
