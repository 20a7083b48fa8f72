"""X: looked up, and 403 for a text that it had. Not tried against the real service.

Shapes: https://docs.x.com/x-api/posts/create-post, …/users/get-posts, …/media/upload-media,
https://docs.x.com/x-api/fundamentals/response-codes-and-errors and …/rate-limits; the answer 402
as in tryethernal/ethernal#927.
"""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from config.outbound import Client, from_settings
from publishing import deliver, platforms, renewal, visiting
from publishing.document import Picture
from publishing.errors import Expired, Reauthorise, Refusal, Undecidable, Unknown, Wait
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.post import Job, Post
from tests.publishing import conftest
from tests.publishing.wire import Answer, Wire, speaking

MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
LINK = "https://example.org/ferry?a=1&b=2"
STORY = Post(
    "Ferry returns", "<p>It sails.</p>", "It sails. " * 60, summary="It sails again.",
    url=LINK, tags=("ferry",), marker="0f7be9a2",
)  # fmt: skip
WORDS = f"Ferry returns\n\nIt sails again.\n\n{LINK}\n\n#ferry"
T_CO = {"url": "https://t.co/abc", "expanded_url": LINK}
STANDS = {
    "id": "77", "created_at": "2026-11-23T08:31:00.000Z",
    "text": "Ferry returns\n\nIt sails again.\n\nhttps://t.co/abc\n\n#ferry https://t.co/pic",
    "entities": {"urls": [
        T_CO,
        {"url": "https://t.co/pic", "expanded_url": "https://x.com/desk/status/77/photo/1",
         "media_key": "3_1"},
    ]},
    "public_metrics": {"impression_count": 900, "like_count": 7, "reply_count": 2,
                       "retweet_count": 3, "quote_count": 1},
}  # fmt: skip
TWEETS, MINE = "POST /2/tweets", "GET /2/users/5/tweets"
DUPLICATE = Answer(403, {
    "detail": "You are not allowed to create a Tweet with duplicate content.",
    "type": "about:blank", "title": "Forbidden", "status": 403,
})  # fmt: skip


def problem(status, kind, detail="No.", **headers):
    body = {"title": "T", "detail": detail, "type": f"https://api.x.com/2/problems/{kind}"}
    return Answer(status, body, headers={n.replace("_", "-"): v for n, v in headers.items()})


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says(TWEETS, Answer(201, {"data": {"id": "77", "text": "…"}}))
        wire.says(MINE, Answer(json={"meta": {"result_count": 0}}))
        wire.says("GET /2/tweets/77", Answer(json={"data": STANDS}))
        yield wire


@pytest.fixture
def job(wire):
    secrets = {"token": "A", "user_id": "5", "username": "desk"}
    return Job(STORY, {"url": wire.url, "login_url": wire.url}, secrets, made_at=MADE)


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("x"), act)(*arguments, http)

    return asyncio.run(go())


def test_a_post_goes_out_with_link_and_tag(wire, job):
    receipt = calls("publish", job)
    [asked] = wire.to(TWEETS)
    assert asked.headers["Authorization"] == "Bearer A"
    assert asked.json == {"text": WORDS}
    assert (receipt.remote_id, receipt.remote_url) == ("77", "https://x.com/desk/status/77")


def test_a_picture_goes_along_with_its_description(wire, job):
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    wire.says("GET /p.png", Answer(body=picture))
    wire.says("POST /2/media/upload", Answer(json={"data": {"id": "9", "media_key": "3_9"}}))
    wire.says("POST /2/media/metadata", Answer(json={"data": {"id": "9"}}))
    post = replace(STORY, pictures=(Picture(f"{wire.url}/p.png", "A ferry"),))
    calls("publish", replace(job, post=post))
    body = wire.to("POST /2/media/upload")[0].body
    assert picture in body
    assert b'name="media_category"\r\n\r\ntweet_image' in body
    assert b'name="media"; filename="picture.png"' in body
    told = wire.to("POST /2/media/metadata")[0].json
    assert told == {"id": "9", "metadata": {"alt_text": {"text": "A ferry"}}}
    assert wire.to(TWEETS)[0].json["media"] == {"media_ids": ["9"]}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(400, "invalid-request"), Refusal),
        (problem(401, "unauthorized"), Expired),
        (problem(402, "credits-depleted", "Your account has no credits."), Reauthorise),
        (problem(403, "client-forbidden", "Client not enrolled."), Reauthorise),
        (problem(403, "not-authorized-for-resource", "You may not answer this."), Refusal),
        (DUPLICATE, Refusal),
        (problem(429, "usage-capped", "Usage cap exceeded: Monthly product cap"), Reauthorise),
        (problem(429, "rate-limited"), Wait),
        (Answer(200, {"errors": [{"detail": "Over capacity", "title": "X"}]}), Refusal),
        (Answer(201, {"data": {}}), Unknown),
        (Answer(200, text="<html>"), Unknown),
        (Answer(500, {"title": "Internal Server Error"}), Unknown),
        (Answer(503, text="upstream connect error"), Unknown),
    ],
)
def test_each_answer_to_a_post_is_one_of_five(wire, job, answer, kind):
    wire.says(TWEETS, answer)
    with pytest.raises(kind):
        calls("publish", job)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "{900}"}, 900),
        (
            {"x_rate_limit_remaining": "0", "x_rate_limit_reset": "{60}",
             "x_user_limit_24hour_remaining": "0", "x_user_limit_24hour_reset": "{7200}"},
            7200,
        ),
        ({"x_rate_limit_reset": "{60}"}, 60),
        ({"x_rate_limit_reset": "tomorrow"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_wait_is_as_long_as_the_window_that_is_used_up(wire, job, headers, seconds):
    now = int(datetime.now(UTC).timestamp())
    told = {
        name: str(now + int(value.strip("{}"))) if value.startswith("{") else value
        for name, value in headers.items()
    }
    wire.says(TWEETS, problem(429, "rate-limited", **told))
    with pytest.raises(Wait) as waits:
        calls("publish", job)
    if seconds is None:
        assert waits.value.seconds is None
    else:
        assert seconds - 5 <= waits.value.seconds <= seconds + 1


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({}, True),
        ({"text": "Ferry sinks https://t.co/abc"}, False),
        ({"referenced_tweets": [{"type": "replied_to", "id": "3"}]}, False),
        ({"referenced_tweets": [{"type": "quoted", "id": "3"}]}, True),
    ],
)
def test_a_post_of_ours_is_known_behind_xs_own_addresses(wire, job, there, found):
    wire.says(MINE, Answer(json={"data": [{"id": "1", "text": "Else"}, STANDS | there]}))
    receipt = calls("look_up", job)
    assert (receipt is not None) == found
    assert wire.to(MINE)[0].query["start_time"] == "2026-11-23T08:25:00Z"


def test_a_long_post_is_read_whole(wire, job):
    words = "Ferry returns\n\nIt sails again.\n\nhttps://t.co/abc\n\n#ferry"
    note = {"text": words, "entities": {"urls": [T_CO]}}
    wire.says(MINE, Answer(json={"data": [{"id": "77", "text": "Ferry…", "note_tweet": note}]}))
    assert calls("look_up", job) is not None


def test_a_refusal_for_a_text_that_it_had_is_looked_into(wire, job):
    wire.says(TWEETS, DUPLICATE)
    with pytest.raises(Refusal, match="this very text lately"):
        calls("publish", job)
    with pytest.raises(Undecidable):
        calls("publish", replace(job, again=True))
    wire.says(MINE, Answer(json={"data": [STANDS]}))
    assert calls("publish", job).confirmed_by == "look_up"


def test_a_thread_goes_on_where_it_broke_and_repeats_no_part(wire, job):
    kept: list[str] = []

    async def keep(part: str) -> None:
        kept.append(part)

    numbers = iter(range(100, 200))
    whole = platforms.platform("x").texts(STORY, {"form": "thread"}).parts  # type: ignore[attr-defined]  # it has Previews
    assert len(whole) > 2
    options = {**job.options, "form": "thread"}
    there = {"id": "101", "text": whole[1],
             "referenced_tweets": [{"type": "replied_to", "id": "100"}]}  # fmt: skip
    wire.says(MINE, Answer(json={"data": [there]}))
    wire.says(TWEETS, *[Answer(201, {"data": {"id": str(n)}}) for n in list(numbers)[2:]])
    thread = replace(job, options=options, parts=("100",), again=True, keep_part=keep)
    receipt = calls("publish", thread)
    assert receipt.remote_id == "100"
    said = [each.json for each in wire.to(TWEETS)]
    assert [each["text"] for each in said] == list(whole[2:])
    assert said[0]["reply"] == {"in_reply_to_tweet_id": "101"}
    assert kept == ["101", *(str(102 + n) for n in range(len(said)))]


def test_a_post_is_answered_taken_away_read_back_and_counted(wire, job):
    there = replace(job, remote_id="77")
    calls("reply", there)
    assert wire.to(TWEETS)[0].json["reply"] == {"in_reply_to_tweet_id": "77"}
    wire.says("DELETE /2/tweets/77", Answer(json={"data": {"deleted": True}}))
    calls("delete", there)
    seen = calls("seen", there)
    assert (seen.there, seen.text) == (True, WORDS)
    counts = calls("counts", there)
    assert (counts.views, counts.reactions, counts.replies, counts.shares) == (900, 7, 2, 4)


def test_a_post_that_is_gone_is_said_with_status_200(wire, job):
    gone = {"errors": [{"title": "Not Found Error", "detail": "Could not find tweet",
                        "type": "https://api.x.com/2/problems/resource-not-found"}]}  # fmt: skip
    wire.says("GET /2/tweets/77", Answer(json=gone))
    assert not calls("seen", replace(job, remote_id="77")).there
    wire.says("DELETE /2/tweets/77", Answer(404, gone))
    calls("delete", replace(job, remote_id="77"))


def test_premium_accounts_have_room(job):
    x: Any = platforms.platform("x")
    long = replace(STORY, summary="Sails. " * 100)
    assert len(x.texts(long, {}).parts[0]) < 300
    assert len(x.texts(long, {"premium": True}).parts[0]) > 700
    assert x.problems(Post("", "", ""), {})


@pytest.mark.django_db(transaction=True)
def test_a_visit_with_pkce_connects_it_and_each_refresh_token_is_used_once(wire):
    wire.says("POST /2/oauth2/token", Answer(json={
        "token_type": "bearer", "expires_in": 7200, "access_token": "A1", "refresh_token": "R1",
    }))  # fmt: skip
    wire.says("GET /2/users/me", Answer(json={"data": {"id": "5", "username": "desk"}}))
    channel = Channel.objects.create(
        name="X", platform="x", options={"url": wire.url, "login_url": wire.url},
        credentials={"client_id": "id", "client_secret": "secret"},
    )  # fmt: skip
    address, visit = visiting.begin(channel, "https://desk.example/back")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert "offline.access" in asked["scope"][0]
    visiting.finish(visit, {"state": visit.state, "code": "c"})
    [redeemed] = wire.to("POST /2/oauth2/token")
    assert redeemed.form["code_verifier"] == visit.verifier
    login = f"Basic {base64.b64encode(b'id:secret').decode()}"
    assert redeemed.headers["Authorization"] == login
    wire.says("POST /2/oauth2/token", Answer(json={
        "expires_in": 7200, "access_token": "A2", "refresh_token": "R2",
    }))  # fmt: skip
    Channel.objects.filter(pk=channel.pk).update(token_expires_at=timezone.now())
    assert renewal.ahead() == 1
    assert wire.to("POST /2/oauth2/token")[1].form["refresh_token"] == "R1"
    channel.refresh_from_db()
    kept = channel.credentials.reveal()
    assert (kept["token"], kept["refresh_token"], kept["user_id"]) == ("A2", "R2", "5")


def test_a_refresh_token_that_is_refused_needs_a_person(wire, job):
    wire.says("POST /2/oauth2/token", Answer(400, {"error": "invalid_request"}))
    with pytest.raises(Reauthorise, match="connect anew"):
        calls("renew", job.options, {"refresh_token": "R", "client_id": "id"})
    with pytest.raises(Reauthorise, match="press Connect"):
        calls("renew", job.options, {})


class SmallX(Wire):
    """Keeps posts, refuses a text that it has, and loses answers where a test wants that."""

    def __init__(self, loses: int) -> None:
        super().__init__()
        self.posts: dict[str, dict[str, Any]] = {}
        self.loses = loses  # the number of the post whose answer is lost; 0 for none

    async def handle(self, request):
        if request.method != "POST":
            self.says("GET /2/users/5/tweets", Answer(json={"data": list(self.posts.values())}))
            return await super().handle(request)
        said = json.loads(await request.read())
        if any(each["text"] == said["text"] for each in self.posts.values()):
            self.says("POST /2/tweets", DUPLICATE)
            return await super().handle(request)
        number = str(len(self.posts) + 1)
        above = said.get("reply", {}).get("in_reply_to_tweet_id")
        answers = [{"type": "replied_to", "id": above}] if above else []
        self.posts[number] = {"id": number, "text": said["text"], "referenced_tweets": answers}
        if int(number) == self.loses:
            request.transport.abort()
        self.says("POST /2/tweets", Answer(201, {"data": {"id": number}}))
        return await super().handle(request)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("form", "loses"), [("post", 0), ("post", 1), ("thread", 1), ("thread", 2)]
)
def test_a_lost_answer_leaves_each_post_once(channel, queued, monkeypatch, form, loses):
    monkeypatch.setitem(conftest.CHANNELS, "x", ("", {}))
    x = SmallX(loses)
    with speaking(x):
        now = timezone.now()
        to = channel(
            "x", options={"url": x.url, "form": form}, renewed_at=now,
            credentials={"token": "T", "user_id": "5", "username": "desk"},
            token_expires_at=now + timedelta(hours=2),
        )  # fmt: skip
        delivery = queued(to, content="<p>It sails, and the harbour fills up again.</p>" * 20)
        for _ in range(4):
            deliver.drain()
            Delivery.objects.exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())
        delivery = Delivery.objects.get(pk=delivery.pk)
        assert delivery.status == Status.PUBLISHED
        texts = [each["text"] for each in x.posts.values()]
        assert len(texts) == len(set(texts)) == (1 if form == "post" else len(delivery.parts))
        assert delivery.remote_id == "1"
