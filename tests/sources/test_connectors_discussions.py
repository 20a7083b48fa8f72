"""Hacker News by slices of time and Reddit by its token, each as its service behaves."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sources.connectors.base import Fetched
from sources.errors import Denied, Limited, Misconfigured, NotAFeed
from sources.models import Source
from sources.sync import sync
from tests.config.far_end import http
from tests.sources.asking import NOW, ask, ask_again, ask_older, recognised
from tests.sources.conftest import REDDIT
from tests.sources.services import query

NOW_I = int(NOW.timestamp())


# --- Hacker News ---


def algolia(moments: list[int], asked: list[dict[str, str]]) -> Callable[[bytes], bytes]:
    """Algolia's search over stories made at these seconds: newest first, 1,000 reachable."""

    def answer(head: bytes) -> bytes:
        params = query(head)
        asked.append(params)
        filters = params.get("numericFilters", "")
        after = re.search(r"created_at_i>(\d+)", filters)
        until = re.search(r"created_at_i<=(\d+)", filters)
        found = [
            {
                "objectID": str(number), "title": f"Story {number}", "author": "ada",
                "created_at_i": moment, "points": 5, "num_comments": 1,
            }
            for number, moment in enumerate(moments)
            if (not after or moment > int(after[1])) and (not until or moment <= int(until[1]))
        ]  # fmt: skip
        found.sort(key=lambda hit: -hit["created_at_i"])
        return http(body=json.dumps({"hits": found[: int(params["hitsPerPage"])]}).encode())

    return answer


def test_after_a_long_night_no_story_is_lost(site):
    asked: list[dict[str, str]] = []
    moments = [NOW_I - 20 * number for number in range(2500)]  # 14 hours of them
    url = site(algolia(moments, asked))
    options = {"list": "new", "limit": 1000}
    fetched = ask("hackernews", url, options, since=NOW - timedelta(hours=13))
    read = {int(copy.external_id) for copy in fetched.copies}
    assert read >= {n for n, moment in enumerate(moments) if moment > NOW_I - 13 * 3600}
    assert len(asked) == 3
    assert not fetched.warnings
    assert len(fetched.payloads) == 3


def test_stories_of_the_second_at_which_a_slice_ends_are_not_lost(site):
    moments = [NOW_I - number // 40 for number in range(130)]
    fetched = ask(
        "hackernews", site(algolia(moments, [])), {"list": "new", "limit": 50},
        since=NOW - timedelta(hours=1),
    )  # fmt: skip
    assert len(fetched.copies) == 130


def test_a_first_sync_reads_no_more_stories_than_asked_for(site):
    asked: list[dict[str, str]] = []
    url = site(algolia([NOW_I - 20 * number for number in range(2500)], asked))
    assert len(ask("hackernews", url, {"list": "new", "limit": 100}).copies) == 100
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["top", "new"])
def test_a_small_list_is_asked_for_as_such(site, name):
    asked: list[dict[str, str]] = []
    url = site(algolia([NOW_I - 20 * number for number in range(200)], asked))
    assert len(ask("hackernews", url, {"list": name, "limit": 5}).copies) == 5
    assert asked[0]["hitsPerPage"] == "5"


def test_a_sync_says_when_it_may_not_read_all_that_is_new(site):
    url = site(algolia([NOW_I - number for number in range(4000)], []))
    since = NOW - timedelta(days=1)
    fetched = ask("hackernews", url, {"list": "new"}, since=since, requests=2)
    assert len(fetched.payloads) == 2
    assert "Raise the source's limit" in fetched.warnings[0]


def test_older_stories_come_a_slice_at_a_time_until_the_first(site):
    moments = [NOW_I - 60 * number for number in range(2300)]
    url, found, cursor = site(algolia(moments, [])), set(), ""
    for _ in range(10):
        page = ask_older("hackernews", url, {"list": "new"}, cursor=cursor)
        found |= {copy.external_id for copy in page.copies}
        cursor = page.older
        if not page.copies:
            break
    assert len(found) == 2300
    assert cursor == ""


@pytest.mark.parametrize("options", [{"list": "top"}, {"backend": "firebase", "list": "new"}])
def test_lists_without_a_past(options):
    with pytest.raises(Misconfigured, match="have a past"):
        ask_older("hackernews", "https://hn.example", options)


def test_a_list_of_firebase_leaves_out_what_is_gone(site):
    items = {
        "1": {"id": 1, "title": "Ask HN: A&amp;B?", "text": "<p>Well", "by": "ada", "time": NOW_I},
        "2": {"id": 2, "deleted": True, "time": NOW_I},
        "3": {"id": 3, "dead": True, "title": "Buy tea", "time": NOW_I},
        "4": None,
    }

    def answer(head: bytes) -> bytes:
        path = head.split()[1].decode()
        if path == "/newstories.json":
            return http(body=b'[1, 2, 3, 4, true, "5", null]')
        number = path.removeprefix("/item/").removesuffix(".json")
        return http(body=json.dumps(items[number]).encode())

    options = {"backend": "firebase", "list": "new"}
    url = site(answer)
    fetched = ask("hackernews", url, options)
    (copy,) = fetched.copies
    assert (copy.external_id, copy.title, copy.content) == ("1", "Ask HN: A&B?", "<p>Well")
    assert copy.url == "https://news.ycombinator.com/item?id=1"  # a text post
    assert ask_again("hackernews", fetched, url, options).copies == fetched.copies


@pytest.mark.parametrize(
    ("url", "chosen"),
    [
        ("https://news.ycombinator.com/", "top"),
        ("https://news.ycombinator.com/newest", "new"),
        ("https://news.ycombinator.com/jobs?next=1", "job"),
        ("https://news.ycombinator.com/item?id=1", None),
        ("https://news.ycombinator.com.example/newest", None),
    ],
)
def test_the_lists_of_hacker_news_are_recognised(url, chosen):
    found = recognised("hackernews", url)
    assert (found.options["list"] if found else None) == chosen


# --- Reddit ---


class FakeReddit:
    """Grants tokens that it may take back, and lists three posts two at a time."""

    def __init__(self, made: int | None = None) -> None:
        self.made = made
        self.granted = 0
        self.valid = ""
        self.left = "90.0"

    def __call__(self, head: bytes) -> bytes:
        if head.startswith(b"POST"):
            self.granted += 1
            self.valid = f"token{self.granted}"
            body = {"access_token": self.valid, "expires_in": 86_400, "token_type": "bearer"}
            return http(body=json.dumps(body).encode())
        if f"Authorization: Bearer {self.valid}\r".encode() not in head or not self.valid:
            return http("401 Unauthorized", b"{}")
        start = {"": 0, "t3_b": 2}[query(head).get("after", "")]
        shown = ["t3_a", "t3_b", "t3_c"][start : start + 2]
        posts = [
            {"name": name, "title": name, "permalink": "/r/x/", "created_utc": self.made}
            for name in shown
        ]
        body = {"data": {
            "children": [{"kind": "t3", "data": post} for post in posts],
            "after": "t3_b" if start == 0 else None,
        }}  # fmt: skip
        return http(
            body=json.dumps(body).encode(),
            X_Ratelimit_Remaining=self.left,
            X_Ratelimit_Reset="250",
        )


class OurReddit:
    """Asks `far`, a Reddit of our own."""

    def __init__(self, far: FakeReddit, url: str) -> None:
        self.far, self.url = far, url
        self.options = {"subreddit": "x", "token_url": f"{url}/api/v1/access_token"}

    def __call__(self, *, secrets: dict[str, str] | None = None, **more: Any) -> Fetched:
        return ask("reddit", self.url, self.options, secrets or REDDIT, **more)


@pytest.fixture
def reddit(site) -> OurReddit:
    far = FakeReddit()
    return OurReddit(far, site(far))


def test_a_token_is_kept_and_used_again(reddit):
    first = reddit()
    assert first.memory["token"] == "token1"
    again = reddit(memory=first.memory)
    assert len(again.copies) == 2
    assert reddit.far.granted == 1


def test_a_token_outlives_the_sync_in_the_source_and_is_sealed_there(reddit, source):
    asked = source(reddit.url, "reddit", options=reddit.options, credentials=REDDIT)
    assert sync(asked.pk).outcome == "ok"
    asked.refresh_from_db()
    assert asked.memory.reveal()["token"] == "token1"
    assert "token1" not in str(Source.objects.filter(pk=asked.pk).values())
    sync(asked.pk, forced=True)
    assert reddit.far.granted == 1


def test_a_token_is_replaced_ahead_of_its_end(reddit):
    first = reddit()
    soon = NOW + timedelta(seconds=86_400 - 60)
    assert reddit(memory=first.memory, now=soon).memory["token"] == "token2"


def test_a_token_that_was_taken_back_is_replaced_once(reddit):
    memory = reddit().memory
    reddit.far.valid = "another"
    assert reddit(memory=memory).memory["token"] == "token2"


def test_another_applications_token_is_not_used(reddit):
    memory = reddit().memory
    secrets = REDDIT | {"client_id": "another"}
    assert reddit(memory=memory, secrets=secrets).memory["token"] == "token2"


@pytest.mark.parametrize("memory", [{"token": 7}, {"token": "x", "until": "soon"}, {"until": 9e20}])
def test_a_memory_that_makes_no_sense_is_forgotten(reddit, memory):
    assert reddit(memory=memory).memory["token"] == "token1"


def test_a_token_that_is_never_good_is_asked_for_once_only(site):
    granted = []

    def answer(head: bytes) -> bytes:
        if head.startswith(b"POST"):
            granted.append(head)
            return http(body=b'{"access_token": "t", "expires_in": 86400}')
        return http("401 Unauthorized", b"{}")

    url = site(answer)
    options = {"subreddit": "x", "token_url": f"{url}/token"}
    kept = {"token": "old", "until": NOW_I + 5000, "client_id": REDDIT["client_id"]}
    with pytest.raises(Denied):
        ask("reddit", url, options, REDDIT, memory=kept)
    assert len(granted) == 1


def test_the_rest_of_reddits_window_is_left_to_others(reddit):
    assert reddit().wait is None
    reddit.far.left = "1.0"
    assert reddit().wait == 250


def test_no_token_is_in_the_archive(reddit):
    assert b"token1" not in b"".join(payload.body for payload in reddit().payloads)


def test_older_posts_follow_the_last_one(reddit):
    first = ask_older("reddit", reddit.url, reddit.options, REDDIT)
    second = ask_older("reddit", reddit.url, reddit.options, REDDIT, cursor=first.older)
    assert [copy.external_id for copy in first.copies + second.copies] == ["t3_a", "t3_b", "t3_c"]
    assert second.older == ""
    with pytest.raises(Misconfigured, match="begin anew"):
        ask_older("reddit", reddit.url, reddit.options, REDDIT, cursor="../x")


def test_all_posts_since_the_last_sync_are_read_with_one_token(site):
    far = FakeReddit(made=NOW_I)
    ours = OurReddit(far, site(far))
    fetched = ours(since=NOW - timedelta(hours=1))
    assert [copy.external_id for copy in fetched.copies] == ["t3_a", "t3_b", "t3_c"]
    assert len(fetched.payloads) == 2
    assert far.granted == 1
    assert len(ours(since=NOW + timedelta(hours=1)).payloads) == 1


def test_too_many_requests_are_limited_until_the_window_ends(site):
    url = site(
        lambda head: (
            http(body=b'{"access_token": "t", "expires_in": 86400}')
            if head.startswith(b"POST")
            else http("429 Too Many", X_Ratelimit_Remaining="0", X_Ratelimit_Reset="99")
        )
    )
    with pytest.raises(Limited) as caught:
        ask("reddit", url, {"subreddit": "x", "token_url": url}, REDDIT)
    assert caught.value.retry_after == 99


def test_posts_that_were_taken_down_are_left_out(site):
    posts = [
        {"name": "t3_a", "title": "Here", "created_utc": NOW_I, "edited": False},
        {"name": "t3_b", "title": "There", "removed_by_category": "moderator"},
        {"name": "t3_c", "title": "[deleted by user]"},
    ]
    body = {"data": {"children": [{"data": post} for post in posts]}}
    url = site(
        lambda head: (
            http(body=b'{"access_token": "t", "expires_in": 86400}')
            if head.startswith(b"POST")
            else http(body=json.dumps(body).encode())
        )
    )
    fetched = ask("reddit", url, {"subreddit": "x", "token_url": url}, REDDIT)
    assert [copy.external_id for copy in fetched.copies] == ["t3_a"]


def test_a_subreddit_that_is_private_is_no_question_of_patience(site):
    url = site(
        lambda head: (
            http(body=b'{"access_token": "t", "expires_in": 86400}')
            if head.startswith(b"POST")
            else http("403 Forbidden", b'{"reason": "private"}')
        )
    )
    with pytest.raises(Denied, match="private or closed"):
        ask("reddit", url, {"subreddit": "x", "token_url": url}, REDDIT)


def test_rss_that_is_refused_is_a_question_of_patience(site):
    url = site(http("403 Blocked", X_Ratelimit_Remaining="0.0", X_Ratelimit_Reset="40"))
    with pytest.raises(Limited) as caught:
        ask("reddit", url, {"access": "rss", "subreddit": "x"})
    assert caught.value.retry_after == 40


def test_a_personal_feeds_key_is_sent_with_the_request_and_is_not_in_the_address(site):
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(query(head))
        return http(body=b"<feed xmlns='http://www.w3.org/2005/Atom'/>")

    secrets = {"feed_user": "ada", "feed_key": "k3y"}
    ask("reddit", f"{site(answer)}/.rss", {"access": "rss"}, secrets)
    assert asked == [{"feed": "k3y", "user": "ada"}]


@pytest.mark.parametrize("agent", ["Mozilla/5.0 (X11)", "naïve", "a\nb"])
def test_a_user_agent_never_passes_for_a_browser(agent):
    with pytest.raises(Misconfigured, match="pass for browsers"):
        ask("reddit", "https://reddit.example", {"access": "rss", "user_agent": agent})


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://www.reddit.com/r/worldnews/", {"access": "rss", "subreddit": "worldnews"}),
        ("https://old.reddit.com/r/a+b/new/.rss", {"access": "rss", "subreddit": "a+b"}),
        ("https://www.reddit.com/.rss?feed=k&user=ada", {"access": "rss"}),
        ("https://www.reddit.com/r/x1/comments/abc/title/", None),
        ("https://www.reddit.com/user/ada", None),
        ("https://notreddit.com/r/worldnews", None),
    ],
)
def test_subreddits_are_recognised(url, options):
    found = recognised("reddit", url)
    assert (found.options if found else None) == options
    assert found is None or "feed=" not in found.endpoint  # a key is no part of an address


def test_reddit_that_is_no_listing(site):
    url = site(
        lambda head: (
            http(body=b'{"access_token": "t", "expires_in": 86400}')
            if head.startswith(b"POST")
            else http(body=b'{"data": {"children": {}}}')
        )
    )
    with pytest.raises(NotAFeed, match="no listing"):
        ask("reddit", url, {"subreddit": "x", "token_url": url}, REDDIT)
