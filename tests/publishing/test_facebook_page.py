"""A Facebook Page: unpublished first, then flipped. Not tried against the real service.

Shapes: https://developers.facebook.com/documentation/pages-api/posts (creating, flipping, lists),
https://developers.facebook.com/docs/graph-api/guides/error-handling (errors and their numbers),
https://developers.facebook.com/docs/graph-api/overview/rate-limiting (usage headers), and as
reported: arsduo/koala#699 (500 and code 2 though it was posted),
facebook-csharp-sdk/facebook-csharp-sdk#119 (506).
"""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.outbound import Client, from_settings
from publishing import connecting, platforms, visiting
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.models import Channel
from publishing.platforms.facebook_page import FacebookPage
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

PAGE, DRAFT = "1122", "1122_77"
CREATE, FLIP, READ = "POST /v25.0/1122/feed", "POST /v25.0/1122_77", "GET /v25.0/1122_77"
LIST = "GET /v25.0/1122/published_posts"
MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
WORDS = "Ferry returns\n\nIt sails again.\n\n#ferry"
STORY = Post(
    "Ferry returns", "<p>It sails.</p>", "It sails.", summary="It sails again.",
    url="https://example.org/ferry", tags=("ferry",), marker="0f7be9a2",
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
STANDS = {
    "id": DRAFT, "message": WORDS, "is_published": True,
    "created_time": "2026-11-23T08:31:00+0000",
    "permalink_url": "https://www.facebook.com/harbour/posts/77",
}  # fmt: skip


def error(code, message="No.", **more):
    return {"error": {"message": message, "type": "OAuthException", "code": code, **more}}


GONE = Answer(400, error(100, "Unsupported get request.", error_subcode=33))


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says(CREATE, Answer(json={"id": DRAFT}))
        wire.says(FLIP, Answer(json={"success": True}, headers={"x-fb-trace-id": "T1"}))
        wire.says(READ, Answer(json=STANDS))
        yield wire


@pytest.fixture
def job(wire):
    kept: list[str] = []

    async def keep(number: str) -> None:
        kept.append(number)

    options = {"url": wire.url, "login_url": wire.url, "page_id": PAGE}
    made = Job(STORY, options, {"token": "page-token"}, made_at=MADE, keep_draft=keep)
    wire.kept = kept
    return made


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("facebook_page"), act)(*arguments, http)

    return asyncio.run(go())


def test_a_post_is_made_unseen_and_then_flipped(wire, job):
    receipt = calls("publish", job)
    made = wire.to(CREATE)[0]
    assert made.form == {
        "message": WORDS, "published": "false", "link": "https://example.org/ferry",
    }  # fmt: skip
    assert made.headers["Authorization"] == "Bearer page-token"
    assert wire.to(FLIP)[0].form == {"is_published": "true"}
    assert wire.kept == [DRAFT]
    assert receipt.remote_id == DRAFT
    assert receipt.remote_url == "https://www.facebook.com/harbour/posts/77"
    assert receipt.request_id == "T1"


def test_its_pictures_are_uploaded_with_their_descriptions_in_place_of_the_card(wire, job):
    wire.says("GET /p.png", Answer(body=PNG))
    wire.says("POST /v25.0/1122/photos", Answer(json={"id": "501"}), Answer(json={"id": "502"}))
    pictures = (Picture(f"{wire.url}/p.png", "A ferry"), Picture(f"{wire.url}/p.png", "Its bow"))
    calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    first = wire.to("POST /v25.0/1122/photos")[0].body
    assert b'name="source"; filename="picture.png"' in first
    assert b'name="alt_text_custom"\r\n\r\nA ferry' in first
    assert b'name="published"\r\n\r\nfalse' in first
    form = wire.to(CREATE)[0].form
    assert json.loads(form["attached_media[1]"]) == {"media_fbid": "502"}
    assert "link" not in form
    assert "https://example.org/ferry" in form["message"]


def test_a_flip_whose_answer_was_lost_is_found_done_and_not_repeated(wire, job):
    receipt = calls("publish", replace(job, draft_id=DRAFT, again=True))
    assert (receipt.remote_id, receipt.confirmed_by) == (DRAFT, "look_up")
    assert not wire.to(CREATE)
    assert not wire.to(FLIP)


def test_a_flip_that_never_arrived_is_repeated_on_the_same_draft(wire, job):
    wire.says(READ, Answer(json=STANDS | {"is_published": False}))
    calls("publish", replace(job, draft_id=DRAFT, again=True))
    assert not wire.to(CREATE)
    assert len(wire.to(FLIP)) == 1


def test_a_draft_that_somebody_took_away_is_made_anew_if_the_page_has_no_such_post(wire, job):
    wire.says(READ, GONE, GONE, Answer(json=STANDS))
    wire.says(LIST, Answer(json={"data": []}))
    calls("publish", replace(job, draft_id=DRAFT, again=True))
    assert len(wire.to(CREATE)) == 1


def test_a_draft_that_is_gone_may_have_become_a_post_of_the_page(wire, job):
    wire.says(READ, GONE)
    old = STANDS | {"id": "1122_1", "created_time": "2026-11-22T08:31:00+0000"}
    wire.says(LIST, Answer(json={"data": [old, STANDS | {"id": "1122_78"}]}))
    receipt = calls("publish", replace(job, draft_id=DRAFT, again=True))
    assert (receipt.remote_id, receipt.confirmed_by) == ("1122_78", "look_up")
    assert not wire.to(CREATE)


@pytest.mark.parametrize("step", [CREATE, FLIP])
def test_a_duplicate_is_ours_if_it_is_younger_than_the_delivery(wire, job, step):
    wire.says(step, Answer(400, error(506, "Duplicate status message")))
    wire.says(LIST, Answer(json={"data": [STANDS | {"id": "1122_78"}]}))
    assert calls("publish", job).remote_id == "1122_78"


def test_a_duplicate_of_an_older_post_is_refused(wire, job):
    wire.says(CREATE, Answer(400, error(506, "Duplicate status message")))
    old = STANDS | {"created_time": "2026-11-22T08:31:00+0000"}
    wire.says(LIST, Answer(json={"data": [old]}))
    with pytest.raises(Refusal, match="only once running"):
        calls("publish", job)


LIMITED = {"1122": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19}]}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, error(190, "Session has expired", error_subcode=463)), Reauthorise),
        (Answer(401, error(190, "Invalid OAuth access token")), Reauthorise),
        (Answer(403, error(200, "Permissions error")), Reauthorise),
        (Answer(403, error(10, "Application does not have permission")), Reauthorise),
        (Answer(400, error(4, "Application request limit reached")), Wait),
        (Answer(400, error(17, "User request limit reached")), Wait),
        (Answer(403, error(32, "Page request limit reached")), Wait),
        (Answer(400, error(613, "Calls to this api have exceeded the rate limit.")), Wait),
        (Answer(400, error(80001, "There have been too many calls")), Wait),
        (Answer(400, error(341, "Feed action request limit reached")), Wait),
        (Answer(400, error(9999, "Try later", is_transient=True)), Wait),
        (Answer(400, error(100, "Invalid parameter")), Refusal),
        (Answer(400, error(1609005, "Link post failure")), Refusal),
        (Answer(200, error(100, "Invalid parameter")), Refusal),
        (Answer(500, error(2, "An unexpected error has occurred. Please retry.")), Unknown),
        (Answer(400, error(1, "An unknown error has occurred.", is_transient=True)), Unknown),
        (Answer(502, text="<html>"), Unknown),
        (Answer(200, text="<html>"), Unknown),
        (Answer(200, {"success": False}), Unknown),
    ],
)
def test_every_answer_to_the_flip_is_read_for_what_it_means(wire, job, answer, kind):
    wire.says(FLIP, answer)
    with pytest.raises(kind) as problem:
        calls("publish", job)
    assert type(problem.value) is kind
    assert wire.kept == [DRAFT]


@pytest.mark.parametrize(
    "answer", [Answer(500, error(2)), Answer(502, text="<html>"), Answer(200, {"id": "me"})]
)
def test_trouble_while_making_the_draft_is_no_doubt_for_nobody_sees_one(wire, job, answer):
    wire.says(CREATE, answer)
    with pytest.raises(Wait):
        calls("publish", job)
    assert not wire.to(FLIP)


def test_the_wait_is_what_the_usage_header_says_in_minutes(wire, job):
    header = {"X-Business-Use-Case-Usage": json.dumps(LIMITED)}
    wire.says(CREATE, Answer(400, error(32, "Page request limit reached"), headers=header))
    with pytest.raises(Wait) as wait:
        calls("publish", job)
    assert wait.value.seconds == 19 * 60


def test_an_address_that_cannot_be_read_does_not_make_a_post_unpublished(wire, job):
    wire.says(READ, Answer(500, error(2)))
    receipt = calls("publish", job)
    assert receipt.remote_url == f"https://www.facebook.com/{DRAFT}"


def test_a_correction_changes_the_words(wire, job):
    calls("edit", replace(job, remote_id=DRAFT, post=replace(STORY, title="Ferry sails")))
    assert wire.to(FLIP)[0].form["message"].startswith("Ferry sails\n\n")


def test_a_withdrawal_may_be_repeated(wire, job):
    wire.says("DELETE /v25.0/1122_77", Answer(json={"success": True}), GONE)
    calls("delete", replace(job, remote_id=DRAFT))
    calls("delete", replace(job, remote_id=DRAFT))
    assert len(wire.to("DELETE /v25.0/1122_77")) == 2


def test_a_post_is_read_back_with_its_counts(wire, job):
    there = replace(job, remote_id=DRAFT)
    wire.says(
        READ,
        Answer(json={
            "shares": {"count": 3}, "reactions": {"data": [], "summary": {"total_count": 12}},
            "comments": {"data": [], "summary": {"total_count": 4}}, "id": DRAFT,
        }),
        Answer(json=STANDS), GONE,
    )  # fmt: skip
    views = {"name": "post_media_view", "period": "lifetime", "values": [{"value": 900}]}
    wire.says(
        "GET /v25.0/1122_77/insights",
        Answer(json={"data": [views]}), Answer(403, error(10, "Requires read_insights")),
    )  # fmt: skip
    counts = calls("counts", there)
    assert (counts.views, counts.reactions, counts.replies, counts.shares) == (900, 12, 4, 3)
    assert calls("counts", there).views is None
    assert not calls("seen", there).there


def test_what_would_be_refused_is_found_before():
    adapter = FacebookPage()
    sentences = [each.sentence for each in adapter.problems(Post("", "", ""), {"page_id": "desk"})]
    assert len(sentences) == 2
    assert adapter.problems(STORY, {"page_id": PAGE}) == []
    sent = adapter.texts(STORY, {}).parts[0]
    assert sent == WORDS


def test_the_token_must_be_that_of_the_page(wire, job):
    wire.says("GET /v25.0/me", Answer(json={"id": PAGE, "name": "Harbour Times"}))
    said = connecting.test("facebook_page", job.options, job.credentials)
    assert said == "Connected to “Harbour Times”."
    with pytest.raises(Reauthorise, match="not of the page 5"):
        connecting.test("facebook_page", {**job.options, "page_id": "5"}, job.credentials)
    with pytest.raises(Reauthorise, match="press Connect"):
        connecting.test("facebook_page", job.options, {})


PAGES = {
    "data": [
        {"id": "9", "name": "Other", "access_token": "other-token"},
        {"id": PAGE, "name": "Harbour Times", "access_token": "page-token"},
    ]
}


@pytest.fixture
def channel(db, wire):
    wire.says("POST /v25.0/oauth/access_token", Answer(json={"access_token": "short"}))
    wire.says(
        "GET /v25.0/oauth/access_token",
        Answer(json={"access_token": "long", "token_type": "bearer", "expires_in": 5183944}),
    )
    wire.says("GET /v25.0/me/accounts", Answer(json=PAGES))
    return Channel.objects.create(
        name="Page", platform="facebook_page",
        options={"url": wire.url, "login_url": wire.url, "page_id": PAGE},
        credentials={"client_id": "app", "client_secret": "s3cret"},
    )  # fmt: skip


def test_a_visit_ends_with_the_page_s_own_token_that_has_no_end(wire, channel):
    address, visit = visiting.begin(channel, "https://desk.example/back")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert urlsplit(address).path == "/v25.0/dialog/oauth"
    assert "pages_manage_posts,pages_read_engagement" in asked["scope"]
    assert "code_challenge" not in asked
    visiting.finish(visit, {"code": "c", "state": visit.state})
    exchange = wire.to("GET /v25.0/oauth/access_token")[0].query
    assert exchange["grant_type"] == "fb_exchange_token"
    assert (exchange["fb_exchange_token"], exchange["client_secret"]) == ("short", "s3cret")
    assert wire.to("GET /v25.0/me/accounts")[0].headers["Authorization"] == "Bearer long"
    channel.refresh_from_db()
    assert channel.credentials.reveal()["token"] == "page-token"
    assert channel.token_expires_at is None


def test_a_page_that_was_not_chosen_is_named_with_those_that_were(wire, channel):
    Channel.objects.update(options={**channel.options, "page_id": "5"})
    channel.refresh_from_db()
    _address, visit = visiting.begin(channel, "https://desk.example/back")
    with pytest.raises(Refusal, match=r"Harbour Times \(1122\)"):
        visiting.finish(visit, {"code": "c", "state": visit.state})


def test_a_post_of_nobody_s_clock_is_not_taken_for_ours(wire, job):
    wire.says(READ, GONE)
    strange = STANDS | {"created_time": "yesterday"}
    wire.says(LIST, Answer(json={"data": [strange, {"message": None}, "x"]}))
    assert calls("look_up", replace(job, draft_id=DRAFT)) is None
    assert calls("look_up", job) is None
    late = replace(job, made_at=MADE + timedelta(hours=1), draft_id=DRAFT)
    wire.says(LIST, Answer(json={"data": [STANDS]}))
    assert calls("look_up", late) is None
