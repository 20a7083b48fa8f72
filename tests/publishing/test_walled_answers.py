"""Whatever the walled platforms answer: a receipt comes of it, or an error of ours."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.outbound import Headers, Response
from publishing import platforms
from publishing.errors import PlatformError
from publishing.platforms import threads_containers
from publishing.post import Job, Post

NAMES = st.sampled_from((
    "error", "code", "error_subcode", "message", "is_transient", "id", "data", "status", "success",
    "elements", "commentary", "createdAt", "created_time", "is_published", "permalink_url", "value",
    "values", "name", "summary", "total_count", "reactions", "comments", "shares", "count",
    "quota_usage", "config", "quota_total", "access_token", "expires_in", "reactionSummaries",
    "commentSummary", "text", "permalink", "replied_to", "sub", "role", "organization", "uploadUrl",
    "json", "errors", "children", "ratelimit", "reason", "type", "detail", "entities", "urls",
    "note_tweet", "referenced_tweets", "public_metrics", "username", "title", "created_utc",
    "url", "score",
))  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.just(2**52) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(("FINISHED", "PUBLISHED", "EXPIRED", "ERROR", "5_7", "17", "long",
                       "urn:li:share:1", "2026-11-23T08:31:00+0000", "DUPLICATE_POST"))
)  # fmt: skip
BODIES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
STATUSES = st.sampled_from((200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 422, 426, 429, 500))
RAW = st.binary(max_size=20) | BODIES.map(lambda body: json.dumps(body).encode())
HEADERS = st.dictionaries(
    st.sampled_from(("x-restli-id", "retry-after", "x-app-usage", "x-business-use-case-usage")),
    st.sampled_from(("urn:li:share:1", "7", "{", '{"1": [{"estimated_time_to_regain_access": 3}]}',
                     '{"1": [3]}', "[]", "null")),
    max_size=2,
)  # fmt: skip
ANSWERS = st.lists(st.tuples(STATUSES, RAW, HEADERS), min_size=1, max_size=5)
ACTS = ("publish", "look_up", "edit", "reply", "delete", "seen", "counts")
POST = Post("Ferry", "<p>x</p>", "It sails. " * 80, "It sails.", "https://example.org/f", ("a",))


class Says:
    """A client that gives one answer after the other, the last one for ever."""

    def __init__(self, answers):
        self.answers = list(answers)

    async def request(self, _method, url, **_more):
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Response(status, Headers(tuple(headers.items())), body, url)

    async def post(self, url, **more):
        return await self.request("POST", url, **more)

    async def get(self, url, **more):
        return await self.request("GET", url, **more)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(threads_containers, "_BETWEEN_LOOKS", 0)


@pytest.mark.parametrize("key", ["linkedin", "threads", "facebook_page", "x", "reddit"])
@settings(max_examples=150, deadline=None)
@given(answers=ANSWERS, again=st.booleans(), draft=st.sampled_from(("", "0/17", "5_7")))
def test_every_answer_ends_in_a_receipt_or_in_our_words(key, answers, again, draft):
    adapter = platforms.platform(key)
    options = {
        "organization": "5", "page_id": "5", "form": "thread" if again else "post",
        "subreddit": "n",
    }  # fmt: skip
    secrets = {
        "token": "T", "refresh_token": "R", "client_id": "c", "client_secret": "s", "user_id": "5",
        "name": "desk",
    }  # fmt: skip
    remote = {
        "linkedin": "urn:li:share:1", "threads": "17", "facebook_page": "5_7", "x": "17",
        "reddit": "t3_17",
    }[key]  # fmt: skip
    job = Job(
        POST, options, secrets, made_at=datetime(2026, 11, 23, tzinfo=UTC), again=again,
        draft_id=draft, remote_id=remote,
    )  # fmt: skip
    for act in ACTS:
        if hasattr(adapter, act):
            with suppress(PlatformError):
                asyncio.run(getattr(adapter, act)(job, Says(answers)))
    for act in ("verify", "renew", "connected"):
        if hasattr(adapter, act):
            given_ = {"access_token": "A"} if act == "connected" else secrets
            with suppress(PlatformError):
                asyncio.run(getattr(adapter, act)(options, given_, Says(answers)))


@pytest.mark.parametrize(("key", "act"), [("linkedin", "connected"), ("threads", "renew")])
def test_a_token_for_longer_than_time_lasts_is_one_for_two_years(key, act):
    body = json.dumps({"access_token": "A", "expires_in": 2**52, "sub": "x"}).encode()
    given_ = {"access_token": "A", "token": "A", "expires_in": 2**52}
    answers = Says([(200, body, {})])
    renewed = asyncio.run(getattr(platforms.platform(key), act)({}, given_, answers))
    assert renewed.expires_at < datetime.now(UTC) + timedelta(days=733)
