"""Bluesky: one record however often it is written. Recorded shapes of AT Protocol."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.outbound import Client, from_settings
from publishing import platforms
from publishing.document import Picture
from publishing.errors import Expired, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.bluesky import Bluesky
from publishing.platforms.tid import tid
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

MADE = datetime(2026, 11, 23, 8, 30, 0, 123456, tzinfo=UTC)
DID = "did:plc:abc"
PUT = "POST /xrpc/com.atproto.repo.putRecord"
GET = "GET /xrpc/com.atproto.repo.getRecord"
STORY = Post(
    "Größe zählt", "", "Ein Absatz. " * 80, summary="Kurz.", url="https://example.org/ferry",
    tags=("ferry",), language="de", marker="0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11",
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says(PUT, Answer(json={"uri": f"at://{DID}/app.bsky.feed.post/k1", "cid": "c1"}))
        yield wire


@pytest.fixture
def job(wire):
    secrets = {"handle": "d.example", "app_password": "p", "access_jwt": "A", "did": DID}
    return Job(STORY, {"url": wire.url}, secrets, made_at=MADE)


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("bluesky"), act)(*arguments, http)

    return asyncio.run(go())


def records(wire):
    return [asked.json for asked in wire.to(PUT)]


def test_every_attempt_writes_the_same_record_under_the_same_key(wire, job):
    receipt = calls("publish", job)
    calls("publish", replace(job, again=True))
    first, second = records(wire)
    assert first == second
    assert first["rkey"] == tid(MADE, STORY.marker)
    assert first["record"]["createdAt"] == "2026-11-23T08:30:00.123Z"
    assert receipt.remote_url == f"https://bsky.app/profile/{DID}/post/k1"


def test_links_and_tags_are_pointed_at_in_bytes(wire, job):
    calls("publish", job)
    record = records(wire)[0]["record"]
    raw = record["text"].encode()
    found = {
        raw[each["index"]["byteStart"] : each["index"]["byteEnd"]].decode(): each["features"][0]
        for each in record["facets"]
    }
    assert found["https://example.org/ferry"]["uri"] == "https://example.org/ferry"
    assert found["#ferry"]["tag"] == "ferry"
    assert record["embed"]["external"]["title"] == "Größe zählt"
    assert record["langs"] == ["de"]


def test_a_thread_is_chained_and_goes_on_where_it_broke(wire, job):
    kept: list[str] = []

    async def keep(uri: str) -> None:
        kept.append(uri)

    long = replace(job, options=job.options | {"form": "thread"}, keep_part=keep)
    answers = [
        Answer(json={"uri": f"at://{DID}/app.bsky.feed.post/k{n}", "cid": f"c{n}"})
        for n in range(4)
    ]
    wire.says(PUT, *answers)
    calls("publish", long)
    written = records(wire)
    assert len(written) == 4
    assert [each["rkey"] for each in written] == [tid(MADE, STORY.marker, n) for n in range(4)]
    assert written[3]["record"]["reply"]["root"]["cid"] == "c0"
    assert written[3]["record"]["reply"]["parent"]["cid"] == "c2"
    assert len(kept) == 4
    wire.says(PUT, *answers)
    calls("publish", replace(long, again=True, parts=tuple(kept[:2])))
    assert [each["rkey"] for each in records(wire)[4:]] == [each["rkey"] for each in written]
    assert kept[4:] == kept[2:4]  # only what was not out yet is noted


def test_pictures_go_along_with_what_they_show(wire, job):
    blob = {"$type": "blob", "ref": {"$link": "x"}, "mimeType": "image/png", "size": 58}
    wire.says("POST /xrpc/com.atproto.repo.uploadBlob", Answer(json={"blob": blob}))
    wire.says("GET /p.png", Answer(body=PNG))
    post = replace(STORY, pictures=(Picture(f"{wire.url}/p.png", "A ferry"),))
    calls("publish", replace(job, post=post))
    embed = records(wire)[0]["record"]["embed"]
    assert embed["images"] == [{"alt": "A ferry", "image": blob}]
    assert wire.to("POST /xrpc/com.atproto.repo.uploadBlob")[0].body == PNG


def test_what_is_no_picture_is_refused_before_anything_is_posted(wire, job):
    wire.says("GET /p.png", Answer(text="<svg onload=alert(1)>"))
    post = replace(STORY, pictures=(Picture(f"{wire.url}/p.png", ""),))
    with pytest.raises(Refusal, match="neither JPEG"):
        calls("publish", replace(job, post=post))
    assert not records(wire)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, {"error": "ExpiredToken", "message": "Token has expired"}), Expired),
        (Answer(400, {"error": "InvalidToken", "message": "Bad token scope"}), Expired),
        (Answer(401, {"error": "AuthMissing", "message": "x"}), Reauthorise),
        (Answer(403, {"error": "AccountTakedown", "message": "x"}), Reauthorise),
        (Answer(400, {"error": "InvalidRequest", "message": "grapheme too big"}), Refusal),
        (Answer(429, {"error": "RateLimitExceeded"}, headers={"ratelimit-reset": "1"}), Wait),
        (Answer(500, {"error": "InternalServerError"}), Unknown),
        (Answer(502, text="<html>"), Unknown),
        (Answer(200, text="<html>"), Unknown),
    ],
)
def test_every_answer_is_read_for_what_it_means(wire, job, answer, error):
    wire.says(PUT, answer)
    with pytest.raises(error) as problem:
        calls("publish", job)
    assert type(problem.value) is error


def test_a_session_is_renewed_by_its_refresh_token_and_by_the_password_only_if_that_is_dead(wire):
    session = {"accessJwt": "A2", "refreshJwt": "R2", "did": DID}
    wire.says("POST /xrpc/com.atproto.server.refreshSession", Answer(json=session))
    secrets = {"handle": "@d.example", "app_password": "p", "refresh_jwt": "R1"}
    renewed = calls("renew", {"url": wire.url}, secrets)
    assert renewed.credentials == {"access_jwt": "A2", "refresh_jwt": "R2", "did": DID}
    assert renewed.expires_at > datetime.now(UTC) + timedelta(minutes=60)
    assert wire.asked[0].headers["Authorization"] == "Bearer R1"
    wire.says(
        "POST /xrpc/com.atproto.server.refreshSession", Answer(400, {"error": "ExpiredToken"})
    )
    wire.says("POST /xrpc/com.atproto.server.createSession", Answer(json=session))
    calls("renew", {"url": wire.url}, secrets)
    assert wire.asked[-1].json == {"identifier": "d.example", "password": "p"}


def test_without_a_session_nothing_is_asked(wire, job):
    with pytest.raises(Expired):
        calls("publish", replace(job, credentials={"handle": "d", "app_password": "p"}))
    assert not wire.asked


def test_a_correction_keeps_the_record_s_time_and_place(wire, job):
    old = {"text": "Old", "createdAt": "2026-01-01T00:00:00.000Z", "reply": {"root": 1}}
    wire.says(GET, Answer(json={"uri": "at://x", "cid": "c", "value": old}))
    calls("edit", replace(job, remote_id=f"at://{DID}/app.bsky.feed.post/k9"))
    body = records(wire)[0]
    assert body["rkey"] == "k9"
    assert body["record"]["createdAt"] == "2026-01-01T00:00:00.000Z"
    assert body["record"]["text"].startswith("Größe zählt")


def test_a_post_that_is_gone_is_seen_to_be_gone(wire, job):
    wire.says(GET, Answer(400, {"error": "RecordNotFound", "message": "x"}))
    assert not calls("seen", replace(job, remote_id=f"at://{DID}/app.bsky.feed.post/k9")).there


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.uuids())  # noqa: DTZ001 - below
def test_keys_are_as_the_specification_has_them_and_sort_by_time(moment, marker):
    moment = moment.replace(tzinfo=UTC)
    key = tid(moment, str(marker))
    assert len(key) == 13
    assert key[0] in "234567abcdefghij"
    assert set(key) <= set("234567abcdefghijklmnopqrstuvwxyz")
    assert key < tid(moment + timedelta(milliseconds=1), str(marker))
    assert key < tid(moment, str(marker), 1)


def test_a_link_that_leaves_no_room_is_found_before_anything_is_sent():
    post = replace(STORY, url="https://example.org/" + "a" * 300)
    assert "longer than" in Bluesky().problems(post, {})[0].sentence
