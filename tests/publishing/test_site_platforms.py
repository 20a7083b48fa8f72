"""Ghost, Micropub, Matrix, DEV: what is sent, and what every answer means. Recorded shapes."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from config.outbound import Client, from_settings
from publishing import platforms
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.ghost import token
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

MARKER = "0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11"
STORY = Post(
    "Ferry returns", "<p>It <b>sails</b>.</p>", "It sails.", summary="At last.",
    url="https://example.org/ferry", canonical_url="https://example.org/ferry",
    tags=("North Sea", "ferry"), marker=MARKER,
)  # fmt: skip
GHOST_KEY = "65f0:" + "ab" * 32


@pytest.fixture
def wire():
    with speaking() as wire:
        yield wire


def calls(key, act, job):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform(key), act)(job, http)

    return asyncio.run(go())


def ghost(wire, **more):
    return Job(STORY, {"url": wire.url}, {"key": GHOST_KEY}, **more)


def matrix(wire, **more):
    return Job(STORY, {"url": wire.url, "room": "!r:x.org"}, {"token": "t"}, **more)


def micropub(wire, **more):
    return Job(STORY, {"url": f"{wire.url}/micropub"}, {"token": "t"}, **more)


def dev(wire, **more):
    return Job(STORY, {"url": wire.url}, {"key": "k"}, **more)


def posts(status, **more):
    post = {"id": "p1", "status": status, "url": "https://g.example/ferry/", "updated_at": "T1"}
    return Answer(json={"posts": [post | more]})


SEND = "PUT /_matrix/client/v3/rooms/!r:x.org/send/m.room.message/*"
MINE = "GET /api/articles/me/all"


PNG = b"\x89PNG\r\n\x1a\n"


def with_picture(wire):
    wire.says("GET /a.png", Answer(body=PNG))
    return replace(STORY, pictures=(Picture(f"{wire.url}/a.png", "A ferry"),))


# --- Ghost ---


def test_ghost_gets_the_first_picture_with_its_description(wire):
    there = {"images": [{"url": "https://g.example/content/images/a.png", "ref": "x"}]}
    wire.says("POST /ghost/api/admin/images/upload/", Answer(201, there))
    wire.says("POST /ghost/api/admin/posts/", posts("draft"))
    wire.says("PUT /ghost/api/admin/posts/p1/", posts("published"))
    calls("ghost", "publish", replace(ghost(wire), post=with_picture(wire)))
    [upload] = wire.to("POST /ghost/api/admin/images/upload/")
    assert PNG in upload.body
    assert b'name="purpose"\r\n\r\nimage' in upload.body
    [draft] = wire.to("POST /ghost/api/admin/posts/")
    made = draft.json["posts"][0]
    assert made["feature_image"] == "https://g.example/content/images/a.png"
    assert made["feature_image_alt"] == "A ferry"


def test_a_picture_that_ghost_does_not_take_leaves_no_draft(wire):
    wire.says("POST /ghost/api/admin/images/upload/", Answer(500, {"errors": [{"message": "no"}]}))
    with pytest.raises(Wait):
        calls("ghost", "publish", replace(ghost(wire), post=with_picture(wire)))
    assert not wire.to("POST /ghost/api/admin/posts/")


def test_ghosts_token_is_signed_as_it_asks():
    head, claims, signature = token({"key": GHOST_KEY}, 1000).split(".")
    expected = hmac.new(bytes.fromhex("ab" * 32), f"{head}.{claims}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "==") == expected.digest()
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {
        "iat": 1000, "exp": 1240, "aud": "/admin/",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["", "abc", "1:zz", "1:abcd", ":" + "ab" * 32])
def test_a_key_that_is_none_is_said_to_be_none(key):
    with pytest.raises(Reauthorise, match="two parts"):
        token({"key": key}, 1000)


def test_ghost_gets_an_invisible_draft_first_and_then_the_flip(wire):
    kept: list[str] = []

    async def keep(draft: str) -> None:
        assert not wire.to("PUT /ghost/api/admin/posts/p1/")
        kept.append(draft)

    wire.says("POST /ghost/api/admin/posts/", posts("draft"))
    wire.says("PUT /ghost/api/admin/posts/p1/", posts("published"))
    receipt = calls("ghost", "publish", ghost(wire, keep_draft=keep))
    assert (receipt.remote_id, receipt.remote_url) == ("p1", "https://g.example/ferry/")
    assert kept == ["p1"]
    draft = wire.to("POST /ghost/api/admin/posts/")[0].json["posts"][0]
    assert draft["status"] == "draft"
    assert {"name": f"#desk-{MARKER}"} in draft["tags"]
    flip = wire.to("PUT /ghost/api/admin/posts/p1/")[0].json["posts"][0]
    assert (flip["status"], flip["updated_at"]) == ("published", "T1")


def test_a_lost_draft_of_ghosts_is_found_by_its_tag_and_not_made_twice(wire):
    wire.says("GET /ghost/api/admin/posts/", posts("draft"))
    wire.says("PUT /ghost/api/admin/posts/p1/", posts("published"))
    calls("ghost", "publish", ghost(wire, again=True))
    assert wire.to("GET /ghost/api/admin/posts/")[0].query["filter"] == f"tag:hash-desk-{MARKER}"
    assert not wire.to("POST /ghost/api/admin/posts/")


def test_a_lost_flip_of_ghosts_is_seen_and_not_repeated(wire):
    wire.says("GET /ghost/api/admin/posts/p1/", posts("published"))
    receipt = calls("ghost", "publish", ghost(wire, again=True, draft_id="p1"))
    assert receipt.confirmed_by == "look_up"
    assert not wire.to("PUT /ghost/api/admin/posts/p1/")


# --- Matrix ---


def test_matrix_gets_pictures_with_their_descriptions_below_the_message(wire):
    wire.says("POST /_matrix/media/v3/upload", Answer(json={"content_uri": "mxc://x.org/pic"}))
    wire.says(SEND, Answer(json={"event_id": "$e"}), Answer(json={"event_id": "$p"}))
    kept = []

    async def keep(part):
        kept.append(part)

    job = replace(matrix(wire), post=with_picture(wire), keep_part=keep)
    assert calls("matrix", "publish", job).remote_id == "$e"
    assert kept == ["$e", "$p"]
    message, picture = wire.to(SEND)
    assert message.path.endswith(MARKER)
    assert picture.path.endswith(f"{MARKER}-1")
    assert picture.json == {
        "msgtype": "m.image", "body": "A ferry", "filename": "picture.png",
        "url": "mxc://x.org/pic", "info": {"mimetype": "image/png", "size": len(PNG)},
    }  # fmt: skip
    redact = "PUT /_matrix/client/v3/rooms/!r:x.org/redact/*"
    wire.says(redact, Answer(json={"event_id": "$r"}))
    calls("matrix", "delete", matrix(wire, remote_id="$e", parts=("$e", "$p"), key="k"))
    assert [each.path.split("/redact/")[1] for each in wire.to(redact)] == ["$e/k", "$p/k-1"]


def test_a_picture_that_can_not_be_had_is_found_before_anything_is_said(wire):
    wire.says("GET /a.png", Answer(404))
    post = replace(STORY, pictures=(Picture(f"{wire.url}/a.png", "A ferry"),))
    with pytest.raises(Refusal, match="could not be had"):
        calls("matrix", "publish", replace(matrix(wire), post=post))
    assert not wire.to(SEND)


def test_matrix_gets_our_marker_as_the_transaction(wire):
    wire.says(SEND, Answer(json={"event_id": "$e1"}))
    receipt = calls("matrix", "publish", matrix(wire))
    assert receipt.remote_id == "$e1"
    assert wire.asked[0].path.endswith(MARKER)
    assert wire.asked[0].json["formatted_body"].startswith("<h4>Ferry returns</h4><p>At last.</p>")


def test_a_matrix_message_is_replaced_under_the_first_ones_number(wire):
    wire.says(SEND, Answer(json={"event_id": "$e2"}))
    assert calls("matrix", "edit", matrix(wire, remote_id="$e1")).remote_id == "$e1"
    assert wire.asked[0].json["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$e1"}


def test_a_redacted_message_is_seen_to_be_gone(wire):
    wire.says("GET /_matrix/client/v3/rooms/!r:x.org/event/$e1", Answer(json={"content": {}}))
    assert not calls("matrix", "seen", matrix(wire, remote_id="$e1")).there


# --- Micropub ---


def test_a_site_gets_an_entry_and_says_where_it_is(wire):
    wire.says("POST /micropub", Answer(201, headers={"Location": "/2026/ferry"}))
    receipt = calls("micropub", "publish", micropub(wire))
    assert receipt.remote_url == f"{wire.url}/2026/ferry"
    properties = wire.asked[0].json["properties"]
    assert properties["content"] == [{"html": STORY.html}]
    assert properties["mp-slug"] == ["ferry-returns-0f7be9a25c1d"]


def test_an_entry_is_found_by_our_slug(wire):
    ours = {"properties": {"url": ["https://me.example/ferry-returns-0f7be9a25c1d"]}}
    wire.says("GET /micropub", Answer(json={"items": [{"properties": {"url": "odd"}}, ours]}))
    assert calls("micropub", "look_up", micropub(wire)).confirmed_by == "look_up"


# --- DEV ---


def test_dev_gets_markdown_with_our_marker_where_nobody_sees_it(wire):
    made = {"id": 7, "url": "https://dev.to/desk/ferry"}
    wire.says("POST /api/articles", Answer(201, made))
    assert calls("devto", "publish", dev(wire)).remote_url == made["url"]
    article = wire.asked[0].json["article"]
    assert article["body_markdown"] == f"It **sails**.\n\n<!-- newsdesk {MARKER} -->\n"
    assert article["tags"] == ["northsea", "ferry"]
    assert article["canonical_url"] == "https://example.org/ferry"


def test_a_422_of_devs_that_made_the_article_all_the_same_is_found_out(wire):
    body = f"…\n<!-- newsdesk {MARKER} -->"
    there = {"id": 7, "url": "https://dev.to/x", "published": True, "body_markdown": body}
    wire.says("POST /api/articles", Answer(422, {"error": "Title has already been used"}))
    wire.says(MINE, Answer(json=[there]))
    receipt = calls("devto", "publish", dev(wire))
    assert (receipt.remote_id, receipt.confirmed_by) == ("7", "look_up")


def test_a_draft_that_dev_made_in_spite_of_its_refusal_is_published(wire):
    body = f"…\n<!-- newsdesk {MARKER} -->"
    there = {"id": 7, "url": "https://dev.to/x", "published": False, "body_markdown": body}
    wire.says("POST /api/articles", Answer(422, {"error": "x"}))
    wire.says(MINE, Answer(json=[there]))
    wire.says("PUT /api/articles/7", Answer(json={"id": 7, "url": "https://dev.to/y"}))
    assert calls("devto", "publish", dev(wire)).remote_url == "https://dev.to/y"
    assert wire.asked[-1].json["article"]["published"] is True


def test_a_422_with_nothing_there_is_a_refusal(wire):
    wire.says("POST /api/articles", Answer(422, {"error": "Tag list exceed the maximum"}))
    wire.says(MINE, Answer(json=[]))
    with pytest.raises(Refusal, match="Tag list"):
        calls("devto", "publish", dev(wire))


# --- what answers mean: one row of the table each ---

ANSWERS: list[tuple[str, Callable[..., Job], str, list[tuple[Answer, type[Exception]]]]] = [
    ("ghost", ghost, "POST /ghost/api/admin/posts/", [
        (Answer(400, {"errors": [{"message": "Invalid token: jwt malformed"}]}), Reauthorise),
        (Answer(401, {"errors": [{"code": "INVALID_JWT", "message": "x"}]}), Reauthorise),
        (Answer(422, {"errors": [{"message": "Value in [posts.title] exceeds"}]}), Refusal),
        (Answer(503, text="<html>"), Unknown),
        (Answer(201, {"posts": []}), Unknown),
    ]),
    ("matrix", matrix, SEND, [
        (Answer(401, {"errcode": "M_UNKNOWN_TOKEN", "error": "x"}), Reauthorise),
        (Answer(403, {"errcode": "M_FORBIDDEN", "error": "not in room"}), Reauthorise),
        (Answer(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}), Wait),
        (Answer(413, {"errcode": "M_TOO_LARGE", "error": "x"}), Refusal),
        (Answer(502, text="<html>"), Unknown),
        (Answer(200, {}), Unknown),
    ]),
    ("micropub", micropub, "POST /micropub", [
        (Answer(401, {"error": "unauthorized"}), Reauthorise),
        (Answer(403, {"error": "insufficient_scope"}), Reauthorise),
        (Answer(400, {"error": "invalid_request", "error_description": "x"}), Refusal),
        (Answer(201), Unknown),
        (Answer(500), Unknown),
    ]),
    ("devto", dev, "POST /api/articles", [
        (Answer(401, {"error": "unauthorized"}), Reauthorise),
        (Answer(429, headers={"Retry-After": "30"}), Wait),
        (Answer(500), Unknown),
        (Answer(201, {}), Unknown),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "job", "route", "answer", "error"),
    [
        pytest.param(key, job, route, answer, error, id=f"{key}-{answer.status}-{number}")
        for key, job, route, rows in ANSWERS
        for number, (answer, error) in enumerate(rows)
    ],
)
def test_every_answer_is_read_for_what_it_means(wire, key, job, route, answer, error):
    wire.says(route, answer)
    with pytest.raises(error) as problem:
        calls(key, "publish", job(wire))
    assert type(problem.value) is error


def test_the_wait_that_matrix_names_is_the_wait(wire):
    wire.says(SEND, Answer(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}))
    with pytest.raises(Wait) as problem:
        calls("matrix", "publish", matrix(wire))
    assert problem.value.seconds == 2.5


@pytest.mark.parametrize(
    ("key", "job", "remote", "route"),
    [
        ("ghost", ghost, "p1", "DELETE /ghost/api/admin/posts/p1/"),
        ("micropub", micropub, "https://me.example/x", "POST /micropub"),
        ("devto", dev, "7", "PUT /api/articles/7"),
    ],
)
def test_deleting_what_is_gone_already_is_a_success(wire, key, job, remote, route):
    wire.says(route, Answer(404, {"error": "not found"}))
    assert calls(key, "delete", job(wire, remote_id=remote, remote_url=remote)).remote_id == remote


def test_a_story_too_long_for_an_event_is_found_before_anything_is_sent():
    problems = platforms.platform("matrix").problems(
        replace(STORY, html="<p>x</p>" * 20_000), {"form": "whole"}
    )
    assert "short form" in problems[0].sentence
