"""Telegram, Discord, Slack: what is sent, and what every answer means. Recorded shapes.

The shapes are those of the platforms' documentation, named in each adapter.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from config.outbound import Client, from_settings
from publishing import platforms
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

STORY = Post(
    "Ferry <returns> & sails", "<p>It sails.</p>", "It sails.", summary="It sails @everyone again.",
    url="https://example.org/ferry", tags=("ferry",),
    marker="0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11",
)  # fmt: skip


@pytest.fixture
def wire():
    with speaking() as wire:
        yield wire


def calls(key, act, job):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform(key), act)(job, http)

    return asyncio.run(go())


def telegram(wire, **more):
    return Job(STORY, {"chat": "@harbour", "url": wire.url}, {"token": "12:ab"}, **more)


def discord(wire, **more):
    return Job(STORY, {}, {"webhook": f"{wire.url}/api/webhooks/1/tok"}, **more)


def bot(wire, **more):
    return Job(STORY, {"channel": "77", "url": wire.url}, {"token": "secret"}, **more)


def slack(wire, **more):
    return Job(STORY, {"channel": "C1", "url": wire.url}, {"token": "xoxb-1"}, **more)


def hook(wire, **more):
    return Job(STORY, {}, {"webhook": f"{wire.url}/services/T/B/x"}, **more)


PNG = b"\x89PNG\r\n\x1a\n"
SENT = {"ok": True, "result": {"message_id": 5, "chat": {"id": -100, "username": "harbour"}}}
MESSAGE = {"id": "9", "channel_id": "77", "content": "x", "guild_id": "3"}
POSTED = {"ok": True, "ts": "17.5", "channel": "C1"}
LINK = {"ok": True, "permalink": "https://team.slack.com/archives/C1/p175"}


# --- what goes out ---


def test_telegram_gets_safe_html_and_gives_the_posts_address(wire):
    wire.says("POST /bot12:ab/sendMessage", Answer(json=SENT))
    receipt = calls("telegram", "publish", telegram(wire))
    assert (receipt.remote_id, receipt.remote_url) == ("-100/5", "https://t.me/harbour/5")
    text = wire.asked[0].json["text"]
    assert text.startswith("<b>Ferry &lt;returns&gt; &amp; sails</b>\n\nIt sails @everyone")
    assert text.endswith("https://example.org/ferry\n\n#ferry")


def test_a_picture_goes_to_telegram_with_a_caption_that_fits(wire):
    wire.says("POST /bot12:ab/sendPhoto", Answer(json=SENT))
    post = replace(
        STORY, summary="Word " * 600, pictures=(Picture("https://x.example/p.jpg", "P"),)
    )
    calls("telegram", "publish", replace(telegram(wire), post=post))
    assert wire.asked[0].json["photo"] == "https://x.example/p.jpg"
    assert 500 < len(wire.asked[0].json["caption"]) <= 1024 + 30  # tags and entities don't count


def test_discord_waits_for_the_number_and_calls_nobody(wire):
    wire.says("POST /api/webhooks/1/tok", Answer(json=MESSAGE))
    receipt = calls("discord", "publish", discord(wire))
    assert receipt.remote_id == "9"
    assert receipt.remote_url == "https://discord.com/channels/3/77/9"
    assert wire.asked[0].query == {"wait": "true"}
    assert wire.asked[0].json["allowed_mentions"] == {"parse": []}


def test_a_discord_bot_sends_a_nonce_that_is_enforced(wire):
    wire.says("POST /channels/77/messages", Answer(json=MESSAGE))
    calls("discord_bot", "publish", bot(wire))
    body = wire.asked[0].json
    assert (body["nonce"], body["enforce_nonce"]) == ("0f7be9a25c1d4b7e9d7e2f6c1", True)
    assert wire.asked[0].headers["Authorization"] == "Bot secret"


def test_slack_gets_our_marker_and_escaped_words(wire):
    wire.says("POST /chat.postMessage", Answer(json=POSTED))
    wire.says("GET /chat.getPermalink", Answer(json=LINK))
    receipt = calls("slack", "publish", slack(wire))
    assert (receipt.remote_id, receipt.remote_url) == ("17.5", LINK["permalink"])
    body = wire.asked[0].json
    assert body["metadata"]["event_payload"] == {"marker": STORY.marker}
    assert body["text"].startswith("*Ferry &lt;returns&gt; &amp; sails*")


def test_a_slack_message_stands_even_if_its_address_is_not_told(wire):
    wire.says("POST /chat.postMessage", Answer(json=POSTED))
    wire.says("GET /chat.getPermalink", Answer(500))
    assert calls("slack", "publish", slack(wire)).remote_id == "17.5"


def test_a_slack_webhook_says_ok_and_no_more(wire):
    wire.says("POST /services/T/B/x", Answer(text="ok"))
    assert calls("slack_webhook", "publish", hook(wire)).remote_id == STORY.marker


@pytest.mark.parametrize(
    ("key", "made", "route"),
    [
        ("discord", discord, "POST /api/webhooks/1/tok"),
        ("discord_bot", bot, "POST /channels/77/messages"),
    ],
)
def test_discord_gets_pictures_with_their_descriptions(wire, key, made, route):
    wire.says(route, Answer(json=MESSAGE))
    wire.says("GET /a.png", Answer(body=PNG + b"a"))
    wire.says("GET /b.png", Answer(body=PNG + b"b"))
    pictures = (Picture(f"{wire.url}/a.png", "A ferry"), Picture(f"{wire.url}/b.png", ""))
    calls(key, "publish", replace(made(wire), post=replace(STORY, pictures=pictures)))
    [sent] = wire.to(route)
    form = message_from_bytes(
        b"Content-Type: " + sent.headers["Content-Type"].encode() + b"\r\n\r\n" + sent.body,
        policy=policy.HTTP,
    )
    told, first, second = form.iter_parts()
    body = json.loads(told.get_content())
    assert body["content"].startswith("Ferry <returns>")
    assert body["attachments"] == [
        {"id": 0, "description": "A ferry"}, {"id": 1, "description": ""},
    ]  # fmt: skip
    assert told["Content-Disposition"].params["name"] == "payload_json"
    assert first["Content-Disposition"].params["name"] == "files[0]"
    assert (first.get_content(), second.get_content()) == (PNG + b"a", PNG + b"b")


def test_pictures_stay_away_where_that_is_wished(wire):
    wire.says("POST /channels/77/messages", Answer(json=MESSAGE))
    pictures = (Picture(f"{wire.url}/a.png", "A ferry"),)
    job = replace(bot(wire), post=replace(STORY, pictures=pictures))
    calls("discord_bot", "publish", replace(job, options={**job.options, "pictures": False}))
    assert "attachments" not in wire.to("POST /channels/77/messages")[0].json


def test_slack_gets_pictures_with_their_descriptions_as_blocks(wire):
    wire.says("POST /chat.postMessage", Answer(json=POSTED))
    wire.says("GET /chat.getPermalink", Answer(json=LINK))
    wire.says("POST /chat.update", Answer(json=POSTED))
    wire.says("POST /services/T/B/x", Answer(text="ok"))
    post = replace(STORY, pictures=(Picture("https://x.example/a.png", "A <ferry>"),))
    picture = {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "A <ferry>"}
    calls("slack", "publish", replace(slack(wire), post=post))
    body = wire.to("POST /chat.postMessage")[0].json
    assert body["blocks"][-1] == picture
    assert body["blocks"][0]["text"]["text"] == "*Ferry &lt;returns&gt; &amp; sails*"
    assert body["text"].startswith("*Ferry &lt;returns&gt; &amp; sails*")
    calls("slack_webhook", "publish", replace(hook(wire), post=post))
    assert wire.to("POST /services/T/B/x")[0].json["blocks"][-1] == picture
    calls("slack", "edit", slack(wire, remote_id="17.5"))
    assert wire.to("POST /chat.update")[0].json["blocks"] == []  # they would stay otherwise


def test_a_text_too_long_for_slacks_blocks_goes_without_pictures(wire):
    wire.says("POST /services/T/B/x", Answer(text="ok"))
    post = replace(
        STORY, summary="& " * 1200, pictures=(Picture("https://x.example/a.png", "A ferry"),)
    )
    calls("slack_webhook", "publish", replace(hook(wire), post=post))
    assert "blocks" not in wire.to("POST /services/T/B/x")[0].json


# --- what answers mean: one row of the table each ---

ANSWERS: list[tuple[str, Callable[..., Job], str, list[tuple[Answer, type[Exception]]]]] = [
    ("telegram", telegram, "POST /bot12:ab/sendMessage", [
        (Answer(429, {"ok": False, "description": "Too Many Requests: retry after 7",
                      "parameters": {"retry_after": 7}}), Wait),
        (Answer(400, {"ok": False, "description": "Bad Request: message is too long"}), Refusal),
        (Answer(403, {"ok": False, "description": "Forbidden: bot was kicked"}), Reauthorise),
        (Answer(401, {"ok": False, "description": "Unauthorized"}), Reauthorise),
        (Answer(404, {"ok": False, "description": "Not Found"}), Reauthorise),
        (Answer(400, {"ok": False, "description": "group chat was upgraded",
                      "parameters": {"migrate_to_chat_id": -1009}}), Reauthorise),
        (Answer(502, text="<html>Bad Gateway"), Unknown),
        (Answer(200, text="not json"), Unknown),
    ]),
    ("discord", discord, "POST /api/webhooks/1/tok", [
        (Answer(429, {"message": "You are being rate limited.", "retry_after": 0.6}), Wait),
        (Answer(400, {"code": 50006, "message": "Cannot send an empty message"}), Refusal),
        (Answer(404, {"code": 10015, "message": "Unknown Webhook"}), Reauthorise),
        (Answer(401, {"code": 50027, "message": "Invalid Webhook Token"}), Reauthorise),
        (Answer(500, {"message": "500: Internal Server Error", "code": 0}), Unknown),
        (Answer(204), Unknown),
    ]),
    ("discord_bot", bot, "POST /channels/77/messages", [
        (Answer(403, {"code": 50001, "message": "Missing Access"}), Reauthorise),
        (Answer(404, {"code": 10003, "message": "Unknown Channel"}), Reauthorise),
    ]),
    ("slack", slack, "POST /chat.postMessage", [
        (Answer(json={"ok": False, "error": "token_revoked"}), Reauthorise),
        (Answer(json={"ok": False, "error": "not_in_channel"}), Reauthorise),
        (Answer(json={"ok": False, "error": "msg_too_long"}), Refusal),
        (Answer(json={"ok": False, "error": "ratelimited"}), Wait),
        (Answer(json={"ok": False, "error": "internal_error"}), Unknown),
        (Answer(429, text="", headers={"Retry-After": "30"}), Wait),
        (Answer(json={"ok": True}), Unknown),
        (Answer(json=[1]), Unknown),
    ]),
    ("slack_webhook", hook, "POST /services/T/B/x", [
        (Answer(404, text="no_service"), Reauthorise),
        (Answer(403, text="action_prohibited"), Reauthorise),
        (Answer(400, text="invalid_payload"), Refusal),
        (Answer(429, headers={"Retry-After": "30"}), Wait),
        (Answer(500, text="rollup_error"), Unknown),
        (Answer(200, text="hm"), Unknown),
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
    assert "12:ab" not in str(problem.value)


def test_the_wait_that_is_named_is_the_wait(wire):
    body = {"ok": False, "description": "x", "parameters": {"retry_after": 7}}
    wire.says("POST /bot12:ab/sendMessage", Answer(429, body))
    with pytest.raises(Wait) as problem:
        calls("telegram", "publish", telegram(wire))
    assert problem.value.seconds == 7


# --- afterwards ---


def test_slack_is_searched_by_our_marker(wire):
    theirs = {"ts": "1.0", "text": "x"}
    payload = {"event_type": "newsdesk_story", "event_payload": {"marker": STORY.marker}}
    ours = {"ts": "2.0", "metadata": payload}
    wire.says("GET /conversations.history", Answer(json={"ok": True, "messages": [theirs, ours]}))
    wire.says("GET /chat.getPermalink", Answer(json=LINK))
    assert calls("slack", "look_up", slack(wire)).remote_id == "2.0"
    wire.says("GET /conversations.history", Answer(json={"ok": True, "messages": [theirs]}))
    assert calls("slack", "look_up", slack(wire)) is None


def test_a_discord_bot_finds_its_message_by_its_words(wire):
    from publishing.platforms.discord import _text

    wire.says("GET /channels/77/messages", Answer(json=[MESSAGE | {"content": _text(STORY)}]))
    found = calls("discord_bot", "look_up", bot(wire))
    assert (found.remote_id, found.confirmed_by) == ("9", "look_up")


@pytest.mark.parametrize(
    ("key", "job", "remote", "route", "gone"),
    [
        ("discord", discord, "9", "DELETE /api/webhooks/1/tok/messages/9",
         Answer(404, {"code": 10008, "message": "Unknown Message"})),
        ("discord_bot", bot, "9", "DELETE /channels/77/messages/9",
         Answer(404, {"code": 10008, "message": "Unknown Message"})),
        ("slack", slack, "17.5", "POST /chat.delete",
         Answer(json={"ok": False, "error": "message_not_found"})),
        ("telegram", telegram, "-100/5", "POST /bot12:ab/deleteMessage",
         Answer(400, {"ok": False, "description": "Bad Request: message to delete not found"})),
    ],
)  # fmt: skip
def test_deleting_what_is_gone_already_is_a_success(wire, key, job, remote, route, gone):
    wire.says(route, gone)
    assert calls(key, "delete", job(wire, remote_id=remote)).remote_id == remote


def test_an_edit_whose_answer_was_lost_may_be_repeated(wire):
    unchanged = {"ok": False, "description": "Bad Request: message is not modified: …"}
    wire.says("POST /bot12:ab/editMessageText", Answer(400, unchanged))
    assert calls("telegram", "edit", telegram(wire, remote_id="-100/5")).remote_id == "-100/5"


def test_a_telegram_message_with_a_picture_has_its_caption_edited(wire):
    nothing = {"ok": False, "description": "Bad Request: there is no text in the message to edit"}
    wire.says("POST /bot12:ab/editMessageText", Answer(400, nothing))
    wire.says("POST /bot12:ab/editMessageCaption", Answer(json=SENT))
    assert calls("telegram", "edit", telegram(wire, remote_id="-100/5")).remote_id == "-100/5"


def test_reactions_are_counted(wire):
    message = MESSAGE | {"reactions": [{"count": 2}, {"count": 3}, {"count": "x"}, 7]}
    wire.says("GET /channels/77/messages/9", Answer(json=message))
    assert calls("discord_bot", "counts", bot(wire, remote_id="9")).reactions == 5


def test_a_message_that_is_gone_is_seen_to_be_gone(wire):
    gone = Answer(404, {"code": 10008, "message": "Unknown Message"})
    wire.says("GET /channels/77/messages/9", gone)
    assert calls("discord_bot", "seen", bot(wire, remote_id="9")).there is False
    wire.says("GET /conversations.history", Answer(json={"ok": True, "messages": []}))
    assert calls("slack", "seen", slack(wire, remote_id="17.5")).there is False
