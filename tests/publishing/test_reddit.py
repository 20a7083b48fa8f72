"""Reddit: looked up, and refusals with status 200. Not tried against the real service.

Shapes: https://www.reddit.com/dev/api/ (submit, editusertext, del, info), PRAW's recorded answers
of json.errors (https://praw.readthedocs.io), https://github.com/reddit-archive/reddit/wiki/OAuth2
and https://support.reddithelp.com/hc/en-us/articles/16160319875092 (rate limits).
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
from hypothesis import given
from hypothesis import strategies as st

from config.outbound import Client, Headers, Response, from_settings
from publishing import deliver, platforms, renewal, visiting
from publishing.errors import Expired, Reauthorise, Refusal, Unknown, Wait
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms.reddit_errors import complaints, patience
from publishing.post import Job, Post
from tests.publishing import conftest
from tests.publishing.wire import Answer, Wire, speaking

MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
STORY = Post(
    "Ferry returns", "<p>It <b>sails</b>.</p>", "It sails.", summary="It sails again.",
    url="https://example.org/ferry", tags=("ferry",), marker="0f7be9a2",
)  # fmt: skip
STANDS = {
    "name": "t3_1abc", "title": "Ferry returns", "subreddit": "NorthMark", "author": "desk",
    "permalink": "/r/NorthMark/comments/1abc/ferry_returns/", "is_self": True,
    "created_utc": (MADE + timedelta(minutes=1)).timestamp(), "selftext": "It **sails**.",
    "score": 7, "num_comments": 2, "num_crossposts": 1, "removed_by_category": None,
}  # fmt: skip
TAKEN = {
    "json": {
        "errors": [],
        "data": {
            "url": "https://www.reddit.com/r/NorthMark/comments/1abc/ferry_returns/",
            "drafts_count": 0, "id": "1abc", "name": "t3_1abc",
        },
    }
}  # fmt: skip


def listing(*posts):
    return Answer(
        json={"kind": "Listing", "data": {"children": [{"data": each} for each in posts]}}
    )


def complains(code, words="No.", field="", **more):
    return Answer(json={"json": {"errors": [[code, words, field]], **more}})


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says("POST /api/submit", Answer(json=TAKEN))
        wire.says("GET /user/desk/submitted", listing())
        wire.says("GET /api/info", listing(STANDS))
        yield wire


@pytest.fixture
def job(wire):
    options = {"url": wire.url, "login_url": wire.url, "subreddit": "northmark", "form": "text"}
    secrets = {"token": "A", "refresh_token": "R", "name": "desk"}
    return Job(STORY, options, secrets, made_at=MADE)


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("reddit"), act)(*arguments, http)

    return asyncio.run(go())


def test_a_story_goes_as_markdown_with_its_link(wire, job):
    receipt = calls("publish", job)
    [asked] = wire.to("POST /api/submit")
    assert asked.headers["Authorization"] == "Bearer A"
    assert asked.headers["User-Agent"].startswith("Newsdesk/")
    assert asked.form == {
        "api_type": "json", "sr": "northmark", "kind": "self", "title": "Ferry returns",
        "text": "It **sails**.\n\nhttps://example.org/ferry", "resubmit": "false",
        "sendreplies": "true", "nsfw": "false", "spoiler": "false",
    }  # fmt: skip
    assert receipt.remote_id == "t3_1abc"
    assert receipt.remote_url.endswith("/comments/1abc/ferry_returns/")


def test_a_link_goes_with_its_title_and_a_flair(wire, job):
    options = {**job.options, "form": "link", "flair_id": "f-1", "subreddit": "r/northmark/"}
    calls("publish", replace(job, options=options))
    form = wire.to("POST /api/submit")[0].form
    assert (form["kind"], form["url"]) == ("link", "https://example.org/ferry")
    assert (form["sr"], form["flair_id"]) == ("northmark", "f-1")
    assert "text" not in form


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (complains("SUBREDDIT_NOTALLOWED", "you aren't allowed to post there.", "sr"), Refusal),
        (complains("SUBREDDIT_NOEXIST", "Hmm, that community doesn't exist.", "sr"), Refusal),
        (complains("SUBMIT_VALIDATION_FLAIR_REQUIRED", "Your post must contain flair."), Refusal),
        (complains("TOO_LONG", "this is too long (max: 300)", "title"), Refusal),
        (complains("RATELIMIT", "Take a break for 9 minutes before trying again."), Wait),
        (complains("QUOTA_FILLED", "You've submitted too many links recently."), Wait),
        (complains("USER_REQUIRED", "Please log in to do that."), Expired),
        (Answer(json={"success": False, "explanation": "you broke reddit"}), Refusal),
        (Answer(json={"json": {"errors": [], "data": {}}}), Unknown),
        (Answer(200, text="<html>our CDN was unable to reach our servers</html>"), Unknown),
        (Answer(401, {"message": "Unauthorized", "error": 401}), Expired),
        (Answer(403, {"message": "Forbidden", "error": 403, "reason": "private"}), Refusal),
        (Answer(403, {"message": "Forbidden", "error": 403}), Reauthorise),
        (Answer(404, {"message": "Not Found", "error": 404}), Refusal),
        (Answer(429, {"message": "Too Many Requests", "error": 429}), Wait),
        (Answer(500, {"message": "Internal Server Error"}), Unknown),
        (Answer(503, text="<html>all of our servers are busy right now</html>"), Unknown),
    ],
)
def test_each_answer_to_a_submission_is_one_of_five(wire, job, answer, kind):
    wire.says("POST /api/submit", answer)
    with pytest.raises(kind):
        calls("publish", job)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (complains("RATELIMIT", "try again in 9 minutes.", ratelimit=534.5), 534.5),
        (complains("RATELIMIT", "Take a break for 9 minutes before trying again."), 600),
        (complains("RATELIMIT", "Take a break for 45 seconds."), 46),
        (complains("RATELIMIT", "Slow down."), 600),
        (complains("QUOTA_FILLED", "Please try again in an hour."), 3600),
        (Answer(429, {"error": 429}, headers={"x-ratelimit-reset": "312"}), 312),
        (Answer(429, {"error": 429}, headers={"x-ratelimit-reset": "soon"}), None),
    ],
)
def test_reddits_patience_is_read_to_the_second(wire, job, answer, seconds):
    wire.says("POST /api/submit", answer)
    with pytest.raises(Wait) as told:
        calls("publish", job)
    assert told.value.seconds == seconds


@given(errors=st.recursive(st.none() | st.text(max_size=5) | st.integers(), st.lists, max_leaves=8))
def test_whatever_stands_under_errors_is_read(errors):
    body = json.dumps({"json": {"errors": errors, "ratelimit": errors}}).encode()
    answer = Response(200, Headers(()), body, "https://oauth.reddit.com/api/submit")
    patience(answer, complaints(answer))


def test_a_link_that_is_there_already_is_ours_or_refused(wire, job):
    wire.says("POST /api/submit", complains("ALREADY_SUB", "that link has already been submitted"))
    with pytest.raises(Refusal, match="submitted to r/northmark before"):
        calls("publish", job)
    with pytest.raises(Unknown):  # an attempt before this one may have been it
        calls("publish", replace(job, again=True))
    wire.says("GET /user/desk/submitted", listing(STANDS))
    receipt = calls("publish", job)
    assert (receipt.remote_id, receipt.confirmed_by) == ("t3_1abc", "look_up")


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({}, True),
        ({"title": "Ferry sinks"}, False),
        ({"subreddit": "elsewhere"}, False),
        ({"created_utc": (MADE - timedelta(hours=1)).timestamp()}, False),
        ({"created_utc": None}, False),
    ],
)
def test_a_post_of_ours_is_known_by_title_place_and_time(wire, job, there, found):
    wire.says("GET /user/desk/submitted", listing(STANDS | there))
    receipt = calls("look_up", job)
    assert (receipt is not None) == found
    if receipt is not None:
        address = "https://www.reddit.com/r/NorthMark/comments/1abc/ferry_returns/"
        assert receipt.remote_url == address


def test_a_look_that_fails_is_a_wait(wire, job):
    wire.says("GET /user/desk/submitted", Answer(502, text="bad gateway"))
    with pytest.raises(Wait):
        calls("look_up", job)


def test_a_text_is_edited_and_a_link_is_not(wire, job):
    wire.says("POST /api/editusertext", Answer(json={"json": {"errors": [], "data": {}}}))
    there = replace(job, remote_id="t3_1abc", remote_url="https://www.reddit.com/x")
    calls("edit", there)
    form = wire.to("POST /api/editusertext")[0].form
    assert (form["thing_id"], form["text"][:13]) == ("t3_1abc", "It **sails**.")
    wire.says("GET /api/info", listing(STANDS | {"is_self": False}))
    with pytest.raises(Refusal, match="Nobody can change"):
        calls("edit", there)


def test_a_post_is_taken_away_read_back_and_counted(wire, job):
    there = replace(job, remote_id="t3_1abc")
    wire.says("POST /api/del", Answer(json={}))
    calls("delete", there)
    assert wire.to("POST /api/del")[0].form == {"id": "t3_1abc"}
    seen = calls("seen", there)
    assert (seen.there, seen.text) == (True, "Ferry returns\n\nIt **sails**.")
    counts = calls("counts", there)
    assert (counts.views, counts.reactions, counts.replies, counts.shares) == (None, 7, 2, 1)


@pytest.mark.parametrize(
    "gone", [{"removed_by_category": "moderator"}, {"author": "[deleted]"}, None]
)
def test_a_post_that_was_removed_is_not_there(wire, job, gone):
    wire.says("GET /api/info", listing() if gone is None else listing(STANDS | gone))
    assert not calls("seen", replace(job, remote_id="t3_1abc")).there


def test_a_story_that_is_too_long_is_found_before_it_goes(job):
    long = replace(STORY, html=f"<p>{'sails ' * 8000}</p>")
    reddit = platforms.platform("reddit")
    [problem] = reddit.problems(long, job.options)
    assert "40,000 characters" in problem.sentence
    assert reddit.problems(long, job.options | {"form": "link"}) == []
    assert reddit.problems(replace(STORY, title=""), job.options)


def test_the_connection_says_who_and_where(wire, job):
    wire.says("GET /api/v1/me", Answer(json={"name": "desk"}))
    wire.says("GET /r/northmark/about", Answer(json={"data": {"display_name": "NorthMark"}}))
    assert calls("verify", job.options, job.credentials) == "Connected as u/desk, for r/northmark."
    wire.says("GET /r/northmark/about", Answer(404, {"error": 404}))
    with pytest.raises(Refusal, match="no subreddit"):
        calls("verify", job.options, job.credentials)


@pytest.mark.django_db(transaction=True)
def test_a_visit_connects_it_for_good_and_the_token_is_renewed(wire, settings):
    wire.says("POST /api/v1/access_token", Answer(json={
        "access_token": "A1", "token_type": "bearer", "expires_in": 86400,
        "refresh_token": "R1", "scope": "identity submit",
    }))  # fmt: skip
    wire.says("GET /api/v1/me", Answer(json={"name": "desk"}))
    channel = Channel.objects.create(
        name="Sub", platform="reddit",
        options={"url": wire.url, "login_url": wire.url, "subreddit": "northmark"},
        credentials={"client_id": "id", "client_secret": "secret"},
    )  # fmt: skip
    address, visit = visiting.begin(channel, "https://desk.example/back")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["duration"] == "permanent"
    assert "submit" in asked["scope"].split(" ")
    visiting.finish(visit, {"state": visit.state, "code": "c"})
    login = base64.b64encode(b"id:secret").decode()
    assert wire.to("POST /api/v1/access_token")[0].headers["Authorization"] == f"Basic {login}"
    channel.refresh_from_db()
    assert channel.credentials.reveal()["name"] == "desk"
    wire.says("POST /api/v1/access_token", Answer(json={"access_token": "A2", "expires_in": 3600}))
    Channel.objects.filter(pk=channel.pk).update(token_expires_at=timezone.now())
    assert renewal.ahead() == 1
    channel.refresh_from_db()
    kept = channel.credentials.reveal()
    assert (kept["token"], kept["refresh_token"], kept["name"]) == ("A2", "R1", "desk")


def test_a_refresh_token_that_is_refused_needs_a_person(wire, job):
    wire.says("POST /api/v1/access_token", Answer(400, {"error": "invalid_grant"}))
    with pytest.raises(Reauthorise, match="connect anew"):
        calls("renew", job.options, job.credentials)
    with pytest.raises(Reauthorise, match="press Connect"):
        calls("renew", job.options, {})


class SmallReddit(Wire):
    """Keeps what is submitted, and loses the answer where a test wants that."""

    def __init__(self, loses: int) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.loses = loses

    async def handle(self, request):
        if request.path != "/api/submit":
            return await super().handle(request)
        form = await request.post()
        number = f"t3_{len(self.posts)}"
        self.posts.append({
            "name": number, "title": form["title"], "subreddit": form["sr"],
            "permalink": f"/r/{form['sr']}/comments/{len(self.posts)}/",
            "created_utc": datetime.now(UTC).timestamp(),
        })  # fmt: skip
        self.says("GET /user/desk/submitted", listing(*self.posts))
        if self.loses:
            self.loses -= 1
            request.transport.abort()
        body = {"json": {"errors": [], "data": {"name": number, "url": f"{self.url}/{number}"}}}
        self.says("POST /api/submit", Answer(json=body))
        return await super().handle(request)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loses", [0, 1])
def test_a_lost_answer_leaves_one_post(channel, queued, monkeypatch, loses):
    monkeypatch.setitem(conftest.CHANNELS, "reddit", ("", {}))
    reddit = SmallReddit(loses)
    with speaking(reddit):
        now = timezone.now()
        to = channel(
            "reddit", options={"url": reddit.url, "subreddit": "northmark", "form": "text"},
            credentials={"token": "T", "name": "desk"}, renewed_at=now,
            token_expires_at=now + timedelta(hours=1),
        )  # fmt: skip
        delivery = queued(to)
        deliver.drain()
        if loses:
            assert Delivery.objects.get(pk=delivery.pk).status == Status.IN_DOUBT
            Delivery.objects.update(next_attempt_at=timezone.now())
            deliver.drain()
        delivery = Delivery.objects.get(pk=delivery.pk)
        assert delivery.status == Status.PUBLISHED
        assert [each["name"] for each in reddit.posts] == [delivery.remote_id] == ["t3_0"]
