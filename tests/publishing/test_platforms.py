"""Every platform against the contract, on the real wire."""

import asyncio
import uuid
from dataclasses import replace

import pytest

from config.outbound import Client, OutboundError, from_settings
from publishing import connecting, platforms
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import LooksUp, Verifies
from publishing.post import Job, Once, Post
from tests.publishing.conftest import CHANNELS

ONCE_ONLY = ("wordpress", "mastodon", "webhook")
POSTING = {
    "wordpress": "/wordpress/wp-json/wp/v2/posts",
    "mastodon": "/mastodon/api/v1/statuses",
    "webhook": "/webhook",
}


@pytest.fixture(params=ONCE_ONLY)
def key(request):
    return request.param


@pytest.fixture
def job(world, key):
    path, secrets = CHANNELS[key]
    post = Post(
        "Ferry returns", "<p>It sails.</p>", "It sails.", summary="It sails again.",
        url="https://example.org/ferry", tags=("ferry",), marker=str(uuid.uuid4()),
    )  # fmt: skip
    return Job(post, {"url": world.url + path}, secrets)


def publish(key, job):
    async def go():
        async with Client(from_settings()) as http:
            return await platforms.platform(key).publish(job, http)

    return asyncio.run(go())


def counts(world, key):
    return list(world.posts(key)["by_marker"].values())


def test_a_post_arrives_once_with_its_proof(world, key, job):
    receipt = publish(key, job)
    assert counts(world, key) == [1]
    assert receipt.remote_id
    if key != "webhook":
        assert receipt.remote_url.startswith(world.url)


def test_a_repetition_makes_no_second_post(world, key, job):
    first = publish(key, job)
    second = publish(key, replace(job, again=True))
    assert counts(world, key) == [1]
    assert second.remote_id == first.remote_id


def test_an_answer_lost_after_the_work_leaves_one_post(world, key, job):
    world.faults({"match": POSTING[key], "method": "POST", "mode": "accept_then_drop", "times": 1})
    with pytest.raises(OutboundError) as lost:
        publish(key, job)
    assert lost.value.maybe_sent
    publish(key, replace(job, again=True))
    assert counts(world, key) == [1]


def test_a_wordpress_flip_whose_answer_was_lost_is_repeated_on_the_same_draft(world):
    path, secrets = CHANNELS["wordpress"]
    kept: list[str] = []

    async def keep(draft_id: str) -> None:
        kept.append(draft_id)
        world.faults({"match": POSTING["wordpress"], "mode": "accept_then_drop", "times": 1})

    post = Post("Ferry", "<p>x</p>", "x", marker=str(uuid.uuid4()))
    job = Job(post, {"url": world.url + path}, secrets, keep_draft=keep)
    with pytest.raises(OutboundError):
        publish("wordpress", job)
    publish("wordpress", replace(job, again=True, draft_id=kept[0]))
    assert counts(world, "wordpress") == [1]
    assert world.posts("wordpress")["total"] == 1


def test_a_mastodon_that_has_forgotten_the_key_is_searched(world):
    """The key is kept for an hour, and not by everything that speaks this API."""
    path, secrets = CHANNELS["mastodon"]
    post = Post("Ferry returns", "", "It sails. " * 90, tags=("ferry",), marker=str(uuid.uuid4()))
    job = Job(post, {"url": world.url + path}, secrets)
    first = publish("mastodon", job)
    forgotten = replace(job, post=replace(post, marker=str(uuid.uuid4())))
    found = publish("mastodon", replace(forgotten, again=True))
    assert (found.remote_id, found.confirmed_by) == (first.remote_id, "look_up")
    assert world.posts("mastodon")["total"] == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [("429", Wait), ("503", Unknown), ("401", Reauthorise), ("truncate", (Unknown, OutboundError))],
)
def test_every_answer_is_read_for_what_it_means(world, key, job, mode, error):
    if key == "webhook" and mode == "truncate":
        pytest.skip("a webhook's answer has no content that matters")
    world.faults({"match": POSTING[key], "mode": mode, "times": 1, "retry_after": 7})
    with pytest.raises(error) as refusal:
        publish(key, job)
    if mode == "429":
        assert refusal.value.seconds == pytest.approx(7, abs=2)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_definite_refusal_is_one(key, job, status, monkeypatch):
    from publishing.platforms.base import must_be_ok
    from tests.publishing.answers import answer

    with pytest.raises(Refusal, match=str(status)):
        must_be_ok(answer(status, b'{"message": "No."}'), "It")


def test_what_a_platform_says_stands_as_a_sentence_before_our_advice():
    from publishing.platforms.base import must_be_ok
    from tests.publishing.answers import answer

    told = "It answered 401: The token is invalid. Check the channel's credentials."
    for said in ("The token is invalid", "The token is invalid."):
        with pytest.raises(Reauthorise) as raised:
            must_be_ok(answer(401, b'{"error": "%s"}' % said.encode()), "It")
        assert str(raised.value) == told


@pytest.mark.parametrize("key", ["bluesky", "discord", "matrix", "micropub", "slack", "telegram"])
@pytest.mark.parametrize(
    ("status", "error"), [(401, Reauthorise), (404, Refusal), (429, Wait), (502, Unknown)]
)
def test_a_page_of_a_proxy_on_the_way_is_read_by_its_status(key, status, error):
    """Not JSON, as everything behind Cloudflare or nginx answers now and then."""
    from importlib import import_module

    from tests.publishing.answers import answer

    read = import_module(f"publishing.platforms.{key}")._read
    with pytest.raises(error) as refusal:
        read(answer(status, b"<html><h1>No</h1></html>", retry_after="7"))
    if error is Wait:
        assert refusal.value.seconds == 7


def test_a_wrong_credential_is_named_when_it_is_tried(world, key, job):
    wrong = dict.fromkeys(job.credentials, "whsec_short")
    if isinstance(platforms.platform(key), Verifies):
        with pytest.raises(PlatformError):
            connecting.test(key, job.options, wrong)
    with pytest.raises(Reauthorise):
        publish(key, replace(job, credentials=wrong))
    assert counts(world, key) == []


def test_a_right_credential_is_confirmed_in_words(job, key):
    assert connecting.test(key, job.options, job.credentials).endswith(".")


def test_what_is_not_there_is_not_found(key, job):
    adapter = platforms.platform(key)
    if not isinstance(adapter, LooksUp):
        pytest.skip(f"{key} has no look-up")

    async def go():
        async with Client(from_settings()) as http:
            return await adapter.look_up(job, http)

    assert asyncio.run(go()) is None


@pytest.mark.parametrize(("status", "error"), [(410, Reauthorise), (302, Refusal)])
def test_a_gone_receiver_pauses_its_channel_and_a_redirecting_one_refuses(status, error):
    from publishing.platforms.webhook import _read
    from tests.publishing.answers import answer

    with pytest.raises(error):
        _read(answer(status))


@pytest.mark.parametrize("mode", ["503", "accept_then_drop", "truncate", "429"])
def test_trouble_while_only_reading_is_no_doubt(world, mode):
    """The limits of a Mastodon instance are read before anything is posted."""
    path, secrets = CHANNELS["mastodon"]
    world.faults({"match": "/mastodon/api/v2/instance", "mode": mode, "times": 1})
    with pytest.raises(Wait):
        publish("mastodon", Job(Post("Ferry", "", ""), {"url": world.url + path}, secrets))
    assert world.posts("mastodon")["total"] == 0


def test_the_dry_run_keeps_what_would_have_gone_out(world):
    post = Post("Ferry", "<p>It sails.</p>", "It sails.", marker="m")
    receipt = publish("dryrun", Job(post, {}, {}))
    assert "It sails." in receipt.excerpt
    assert world.log() == []


@pytest.mark.parametrize("key", sorted(platforms.TABLE))
def test_every_platform_of_the_table_keeps_the_contract(key):
    adapter = platforms.platform(key)
    assert adapter.key == key
    assert adapter.label
    assert adapter.capabilities.in_words
    if adapter.capabilities.once is Once.LOOK_UP:
        assert isinstance(adapter, LooksUp)
    names = [each.name for each in (*adapter.options, *adapter.credentials)]
    assert len(names) == len(set(names))
