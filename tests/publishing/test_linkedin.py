"""LinkedIn: looked up, and a refusal that names the post. Not tried against the real service.

Shapes: https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api,
…/shares/images-api, …/shares/social-metadata-api, …/shares/little-text-format and
https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling. As reported:
Arisamiga/Linkedin-RSS#5 (422 DUPLICATE_POST), ComposioHQ/composio#2710 (one that names nothing),
n8n-io/n8n#14737 (426 NONEXISTENT_VERSION).
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from config.outbound import Client, from_settings
from publishing import connecting, platforms, renewal, visiting
from publishing.document import Picture
from publishing.errors import Expired, Reauthorise, Refusal, Unknown, Wait
from publishing.models import Channel
from publishing.platforms import little_text
from publishing.platforms.linkedin import LinkedIn
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

URN = "urn:li:share:7141138937766391808"
QUOTED = "urn%3Ali%3Ashare%3A7141138937766391808"
POSTS, ONE = "/rest/posts", f"/rest/posts/{URN}"
MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
LITTLE = "Ferry \\(no\\_1\\) returns\n\nIt sails again.\n\n{hashtag|\\#|ferry}"
STORY = Post(
    "Ferry (no_1) returns", "<p>It sails.</p>", "It sails.", summary="It sails again.",
    url="https://example.org/ferry", tags=("ferry",), marker="0f7be9a2",
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
STANDS = {
    "id": URN, "author": "urn:li:organization:5", "commentary": LITTLE,
    "createdAt": int((MADE + timedelta(minutes=1)).timestamp() * 1000),
    "lifecycleState": "PUBLISHED",
}  # fmt: skip
DUPLICATE = Answer(
    422,
    {
        "message": "com.linkedin.content.common.exception.BadRequestResponseException: "
        f"Content is a duplicate of {URN}",
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "errorDetails": {
            "inputErrors": [
                {
                    "description": "Duplicate post is detected",
                    "input": {},
                    "code": "DUPLICATE_POST",
                }
            ]
        },
        "status": 422,
    },
)


def said(status, code, message="No.", service=0):
    return Answer(
        status, {"status": status, "code": code, "message": message, "serviceErrorCode": service}
    )


DENIED = said(403, "ACCESS_DENIED", "Not enough permissions to access: posts.GET.20261001", 100)


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says(f"POST {POSTS}", Answer(201, headers={"x-restli-id": URN, "x-li-uuid": "U1"}))
        wire.says(f"GET {ONE}", Answer(json=STANDS))
        yield wire


@pytest.fixture
def job(wire):
    options = {"url": wire.url, "login_url": wire.url, "organization": "5"}
    return Job(STORY, options, {"token": "A", "refresh_token": "R"}, made_at=MADE)


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("linkedin"), act)(*arguments, http)

    return asyncio.run(go())


def test_a_post_goes_out_with_its_link_as_a_card(wire, job):
    receipt = calls("publish", job)
    asked = wire.to(f"POST {POSTS}")[0]
    assert asked.headers["Authorization"] == "Bearer A"
    assert asked.headers["LinkedIn-Version"] == "202610"
    assert asked.headers["X-Restli-Protocol-Version"] == "2.0.0"
    assert asked.json["author"] == "urn:li:organization:5"
    assert asked.json["commentary"] == LITTLE
    assert asked.json["content"]["article"] == {
        "source": "https://example.org/ferry", "title": "Ferry (no_1) returns",
        "description": "It sails again.",
    }  # fmt: skip
    assert asked.json["lifecycleState"] == "PUBLISHED"
    assert (receipt.remote_id, receipt.request_id) == (URN, "U1")
    assert receipt.remote_url == f"https://www.linkedin.com/feed/update/{URN}/"


def test_a_member_posts_in_their_own_name(wire, job):
    options = {**job.options, "organization": ""}
    mine = {**job.credentials, "author": "urn:li:person:abc"}
    calls("publish", replace(job, options=options, credentials=mine))
    assert wire.to(f"POST {POSTS}")[0].json["author"] == "urn:li:person:abc"
    with pytest.raises(Reauthorise, match="in whose name"):
        calls("publish", replace(job, options=options))


def uploads(wire, *urns):
    answers = [
        Answer(json={"value": {"uploadUrl": f"{wire.url}/up/{n}", "image": urn}})
        for n, urn in enumerate(urns)
    ]
    wire.says("POST /rest/images", *answers)
    wire.says("PUT /up/*", Answer(201))
    wire.says("GET /p.png", Answer(body=PNG))
    return tuple(Picture(f"{wire.url}/p.png", f"Ferry {n}") for n in range(len(urns)))


def test_a_picture_is_uploaded_with_its_description_in_place_of_the_card(wire, job):
    pictures = uploads(wire, "urn:li:image:1")
    calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    began = wire.to("POST /rest/images")[0]
    assert began.query == {"action": "initializeUpload"}
    assert began.json == {"initializeUploadRequest": {"owner": "urn:li:organization:5"}}
    assert wire.to("PUT /up/*")[0].body == PNG
    share = wire.to(f"POST {POSTS}")[0].json
    assert share["content"] == {"media": {"id": "urn:li:image:1", "altText": "Ferry 0"}}
    assert "https://example.org/ferry" in share["commentary"]


def test_several_pictures_go_together_and_a_card_takes_one_as_its_thumbnail(wire, job):
    pictures = uploads(wire, "urn:li:image:1", "urn:li:image:2")
    illustrated = replace(job, post=replace(STORY, pictures=pictures))
    calls("publish", illustrated)
    images = wire.to(f"POST {POSTS}")[0].json["content"]["multiImage"]["images"]
    assert [each["id"] for each in images] == ["urn:li:image:1", "urn:li:image:2"]
    calls("publish", replace(illustrated, options={**job.options, "pictures": False}))
    assert wire.to(f"POST {POSTS}")[1].json["content"]["article"]["thumbnail"] == "urn:li:image:2"


def test_trouble_with_a_picture_is_no_doubt_for_nobody_sees_one(wire, job):
    pictures = uploads(wire, "urn:li:image:1")
    wire.says("PUT /up/*", Answer(500))
    with pytest.raises(Wait):
        calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    assert not wire.to(f"POST {POSTS}")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked", 65601), Reauthorise),
        (said(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600), Reauthorise),
        (said(401, "EXPIRED_ACCESS_TOKEN", "The token has expired", 65602), Expired),
        (said(403, "ACCESS_DENIED", "Not enough permissions: posts.CREATE", 100), Reauthorise),
        (said(426, "NONEXISTENT_VERSION", "Requested version 20261001 is not active"), Reauthorise),
        (said(429, "TOO_MANY_REQUESTS", "Resource level throttle limit", 101), Wait),
        (said(422, "UNPROCESSABLE", "Field value is too long"), Refusal),
        (said(400, "ILLEGAL_ARGUMENT", "No virtual resource found"), Refusal),
        (said(404, "NOT_FOUND"), Refusal),
        (said(500, "INTERNAL_SERVER_ERROR"), Unknown),
        (Answer(503, text="<html>"), Unknown),
        (Answer(201), Unknown),
        (Answer(201, headers={"x-restli-id": "<script>"}), Unknown),
    ],
)
def test_every_answer_is_read_for_what_it_means(wire, job, answer, kind):
    wire.says(f"POST {POSTS}", answer)
    with pytest.raises(kind) as problem:
        calls("publish", job)
    assert type(problem.value) is kind


def test_a_version_that_is_no_more_says_which_setting_to_change(wire, job):
    wire.says(f"POST {POSTS}", said(426, "NONEXISTENT_VERSION", "Requested version is not active"))
    with pytest.raises(Reauthorise, match="set “API version” on the channel's page"):
        calls("publish", job)
    newer = replace(job, options={**job.options, "version": "202611"})
    with pytest.raises(Reauthorise):
        calls("publish", newer)
    assert wire.asked[-1].headers["LinkedIn-Version"] == "202611"


def test_a_token_that_cannot_be_renewed_is_not_called_expired(wire, job):
    wire.says(f"POST {POSTS}", said(401, "EXPIRED_ACCESS_TOKEN", "Expired", 65602))
    with pytest.raises(Reauthorise) as problem:
        calls("publish", replace(job, credentials={"token": "A"}))
    assert type(problem.value) is Reauthorise
    with pytest.raises(Reauthorise, match="press Connect"):
        calls("publish", replace(job, credentials={}))


def test_a_day_that_is_used_up_ends_at_midnight_utc(wire, job):
    words = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
    header = {"Date": "Mon, 23 Nov 2026 22:30:00 GMT"}
    body = {"status": 429, "code": "TOO_MANY_REQUESTS", "message": words}
    wire.says(f"POST {POSTS}", Answer(429, body, headers=header))
    with pytest.raises(Wait) as wait:
        calls("publish", job)
    assert wait.value.seconds == 90 * 60


def test_a_refusal_that_names_our_post_is_its_receipt(wire, job):
    wire.says(f"POST {POSTS}", DUPLICATE)
    receipt = calls("publish", replace(job, again=True))
    assert (receipt.remote_id, receipt.confirmed_by) == (URN, "look_up")


def test_a_refusal_that_names_a_ghost_is_a_refusal(wire, job):
    wire.says(f"POST {POSTS}", DUPLICATE)
    wire.says(f"GET {ONE}", said(404, "NOT_FOUND"))
    with pytest.raises(Refusal, match="isn't there any more"):
        calls("publish", replace(job, again=True))


@pytest.mark.parametrize(
    "other", [{"createdAt": 1_700_000_000_000}, {"commentary": "Another story"}, {"createdAt": "x"}]
)
def test_a_refusal_that_names_somebody_elses_post_is_a_refusal(wire, job, other):
    wire.says(f"POST {POSTS}", DUPLICATE)
    wire.says(f"GET {ONE}", Answer(json=STANDS | other))
    with pytest.raises(Refusal, match="feed/update/urn:li:share"):
        calls("publish", job)


def test_a_refusal_that_names_what_we_may_not_read_is_in_doubt(wire, job):
    wire.says(f"POST {POSTS}", DUPLICATE)
    wire.says(f"GET {ONE}", DENIED)
    with pytest.raises(Unknown, match="feed/update/urn:li:share"):
        calls("publish", job)


def test_our_post_is_found_among_the_author_s_own(wire, job):
    old = STANDS | {"id": "urn:li:share:1", "createdAt": 1_700_000_000_000}
    wire.says(f"GET {POSTS}", Answer(json={"elements": [old, {"id": 3}, STANDS], "paging": {}}))
    receipt = calls("look_up", job)
    assert receipt.remote_id == URN
    asked = wire.to(f"GET {POSTS}")[0]
    assert asked.query == {
        "author": "urn:li:organization:5", "q": "author", "count": "50", "sortBy": "CREATED",
    }  # fmt: skip
    assert asked.headers["X-RestLi-Method"] == "FINDER"
    wire.says(f"GET {POSTS}", Answer(json={"elements": [old]}))
    assert calls("look_up", job) is None


@pytest.mark.parametrize("answer", [DENIED, said(400, "ILLEGAL_ARGUMENT")])
def test_posts_that_we_may_not_read_are_left_to_a_person(wire, job, answer):
    wire.says(f"GET {POSTS}", answer)
    with pytest.raises(Refusal, match="not read its posts"):
        calls("look_up", job)


def test_a_search_that_fails_is_no_search(wire, job):
    wire.says(f"GET {POSTS}", Answer(502, text="<html>"))
    with pytest.raises(Wait):
        calls("look_up", job)


def test_a_correction_changes_the_words_and_a_withdrawal_may_be_repeated(wire, job):
    there = replace(job, remote_id=URN, remote_url="https://x.example/")
    wire.says(f"POST {ONE}", Answer(204))
    calls("edit", there)
    asked = wire.to(f"POST {ONE}")[0]
    assert asked.headers["X-RestLi-Method"] == "PARTIAL_UPDATE"
    assert asked.json == {"patch": {"$set": {"commentary": LITTLE}}}
    wire.says(f"DELETE {ONE}", Answer(204), said(404, "NOT_FOUND"))
    calls("delete", there)
    calls("delete", there)
    with pytest.raises(Refusal, match="not known"):
        calls("delete", job)


def test_a_post_is_read_back_as_a_reader_sees_it_with_its_counts(wire, job):
    there = replace(job, remote_id=URN)
    assert calls("seen", there).text == "Ferry (no_1) returns\n\nIt sails again.\n\n#ferry"
    kinds = {
        "LIKE": {"reactionType": "LIKE", "count": 7}, "PRAISE": {"count": 2}, "EMPATHY": None,
    }  # fmt: skip
    wire.says(
        f"GET /rest/socialMetadata/{URN}",
        Answer(json={"reactionSummaries": kinds, "commentSummary": {"count": 3}}), DENIED,
    )  # fmt: skip
    told = {"totalShareStatistics": {"impressionCount": 800, "shareCount": 4, "likeCount": 9}}
    wire.says("GET /rest/organizationalEntityShareStatistics", Answer(json={"elements": [told]}))
    counts = calls("counts", there)
    assert (counts.views, counts.reactions, counts.replies, counts.shares) == (800, 9, 3, 4)
    query = wire.to("GET /rest/organizationalEntityShareStatistics")[0].query
    assert query["shares"] == f"List({URN})"
    assert calls("counts", there).reactions is None
    wire.says(f"GET {ONE}", said(404, "NOT_FOUND"))
    assert not calls("seen", there).there


@given(st.text(max_size=200))
def test_an_escaped_text_reads_as_it_was(words):
    little = little_text.escaped(words)
    assert little_text.plain(little) == words
    assert all(little[at - 1] == "\\" for at, each in enumerate(little) if each in "|{}@[]()<>#*_~")


def test_mentions_and_tags_read_as_their_words():
    assert little_text.plain("@[Acme Corp](urn:li:organization:1) {hashtag|\\#|sea_port}") == (
        "Acme Corp #sea_port"
    )


def test_a_text_of_brackets_still_fits_with_all_its_escapes(wire, job):
    brackets = replace(STORY, summary="(x) " * 1000)
    calls("publish", replace(job, post=brackets))
    assert len(wire.to(f"POST {POSTS}")[0].json["commentary"]) <= 3000
    sent = LinkedIn().texts(brackets, job.options)
    assert sent.ruler.fits(sent.parts[0])


def test_what_would_be_refused_is_found_before():
    found = LinkedIn().problems(Post("", "", ""), {"organization": "acme"})
    assert [each.field for each in found] == ["title", "organization"]
    assert LinkedIn().problems(STORY, {"organization": "urn:li:organization:5"}) == []
    assert LinkedIn().problems(STORY, {}) == []


ROLES = {
    "elements": [
        {"organization": "urn:li:organization:9", "role": "ADMINISTRATOR", "state": "APPROVED"},
        {"organization": "urn:li:organization:5", "role": "CONTENT_ADMIN", "state": "APPROVED"},
    ]
}


def test_the_connection_says_who_we_are_and_for_whom(wire, job):
    wire.says("GET /rest/organizationAcls", Answer(json=ROLES))
    words = connecting.test("linkedin", job.options, job.credentials)
    assert words == "Connected to urn:li:organization:5 as content_admin."
    with pytest.raises(Reauthorise, match="no role"):
        connecting.test("linkedin", {**job.options, "organization": "6"}, job.credentials)
    wire.says("GET /v2/userinfo", Answer(json={"sub": "abc", "name": "Ada Lovelace"}))
    member = {**job.options, "organization": ""}
    assert connecting.test("linkedin", member, job.credentials) == "Connected as Ada Lovelace."


TOKENS = {"access_token": "A2", "expires_in": 5184000, "scope": "w_member_social"}


@pytest.fixture
def channel(db, wire):
    wire.says("POST /oauth/v2/accessToken", Answer(json=TOKENS))
    wire.says("GET /v2/userinfo", Answer(json={"sub": "abc", "name": "Ada Lovelace"}))
    return Channel.objects.create(
        name="LinkedIn", platform="linkedin", options={"url": wire.url, "login_url": wire.url},
        credentials={"client_id": "app", "client_secret": "s3cret"},
    )  # fmt: skip


def test_an_administrator_reads_what_access_needs_and_is_led_to_connect(ada, wire, db):
    browser = Browser()
    browser.force_login(ada)
    add = reverse("admin:publishing_channel_add") + "?platform=linkedin"
    assert "Community Management API" in browser.get(add).content.decode()
    page = browser.post(
        add,
        {
            "name": "Harbour", "is_active": "on", "rate_limit_per_minute": 30,
            "lateness_minutes": 60, "when_late": "missed", "catch_up_minutes": 0,
            "duplicate_days": 7, "link": "ours", "option_version": "202610",
            "option_url": wire.url, "option_login_url": wire.url, "secret_client_id": "app",
            "secret_client_secret": "s3cret",
        },
        follow=True,
    )  # fmt: skip
    words = page.content.decode()
    assert 'id="act-connect"' in words
    assert "Not connected yet" in words
    listed = browser.get(reverse("admin:publishing_channel_changelist")).content.decode()
    assert "Not connected" in listed
    assert "/admin/publishing/channel/connected/" in words
    assert not wire.asked


def test_a_channel_that_was_never_connected_says_so_where_a_story_is_published(
    ada, channel, approved
):
    browser = Browser()
    browser.force_login(ada)
    address = reverse("admin:publishing_delivery_publish", args=(approved().pk,))
    assert "LinkedIn is not connected yet." in browser.get(address).content.decode()
    visited(channel)
    assert "is not connected yet." not in browser.get(address).content.decode()


def visited(channel):
    address, visit = visiting.begin(channel, "https://desk.example/back")
    visiting.finish(visit, {"code": "c", "state": visit.state})
    channel.refresh_from_db()
    asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    return asked, channel.credentials.reveal()


def test_a_visit_ends_with_a_token_and_the_member_s_own_number(wire, channel):
    asked, secrets = visited(channel)
    assert asked["scope"] == "openid profile w_member_social"
    assert "code_challenge" not in asked
    redeemed = wire.to("POST /oauth/v2/accessToken")[0].form
    assert (redeemed["grant_type"], redeemed["client_secret"]) == ("authorization_code", "s3cret")
    assert (secrets["token"], secrets["author"]) == ("A2", "urn:li:person:abc")
    assert channel.token_expires_at > datetime.now(UTC) + timedelta(days=59)


def test_a_visit_for_an_organisation_needs_a_role_there(wire, channel):
    Channel.objects.update(options={**channel.options, "organization": "5"})
    channel.refresh_from_db()
    wire.says("GET /rest/organizationAcls", Answer(json={"elements": []}))
    with pytest.raises(Reauthorise, match="no role"):
        visited(channel)
    channel.refresh_from_db()
    assert "token" not in channel.credentials.reveal()
    wire.says("GET /rest/organizationAcls", Answer(json=ROLES))
    asked, secrets = visited(channel)
    assert asked["scope"] == "w_organization_social r_organization_social rw_organization_admin"
    assert secrets["token"] == "A2"


def ends_in(channel, days):
    now = datetime.now(UTC)
    secrets = channel.credentials.reveal()
    ends = now + timedelta(days=days)
    Channel.objects.update(
        renewed_at=ends - timedelta(days=60), token_expires_at=ends,
        credentials={**secrets, "token_ends": ends.isoformat()},
    )  # fmt: skip


def test_a_token_with_a_refresh_token_is_renewed_a_week_ahead(wire, channel):
    wire.says("POST /oauth/v2/accessToken", Answer(json=TOKENS | {"refresh_token": "R1"}))
    visited(channel)
    ends_in(channel, 6)
    wire.says("POST /oauth/v2/accessToken", Answer(json=TOKENS | {"access_token": "A3"}))
    assert renewal.ahead() == 1
    channel.refresh_from_db()
    secrets = channel.credentials.reveal()
    assert (secrets["token"], secrets["refresh_token"]) == ("A3", "R1")
    assert wire.to("POST /oauth/v2/accessToken")[-1].form == {
        "grant_type": "refresh_token", "refresh_token": "R1", "client_id": "app",
        "client_secret": "s3cret",
    }  # fmt: skip
    assert channel.token_expires_at > datetime.now(UTC) + timedelta(days=59)


def test_a_token_without_one_serves_until_its_end_and_only_then_pauses_the_channel(
    wire, channel, ada
):
    browser = Browser()
    browser.force_login(ada)
    visited(channel)
    ends_in(channel, 2)
    assert renewal.ahead() == 0
    channel.refresh_from_db()
    assert channel.paused_reason == ""
    page = browser.get(reverse("admin:publishing_channel_change", args=(channel.pk,)))
    assert "was not renewed: press “Connect”" in page.content.decode()
    ends_in(channel, -1)
    assert renewal.ahead() == 0
    channel.refresh_from_db()
    assert "connect anew" in channel.paused_reason
    assert len(wire.to("POST /oauth/v2/accessToken")) == 1


def test_a_refresh_token_that_is_dead_does_not_end_a_token_that_holds(wire, channel):
    wire.says("POST /oauth/v2/accessToken", Answer(json=TOKENS | {"refresh_token": "R1"}))
    visited(channel)
    ends_in(channel, 6)
    dead = {"error": "invalid_request", "error_description": "The refresh token is revoked"}
    wire.says("POST /oauth/v2/accessToken", Answer(400, dead))
    assert renewal.ahead() == 0
    channel.refresh_from_db()
    assert (channel.paused_reason, channel.credentials.reveal()["token"]) == ("", "A2")
