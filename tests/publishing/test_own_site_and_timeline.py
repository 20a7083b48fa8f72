"""WordPress and Mastodon beyond the first post: pictures, threads, changes, reading back."""

import asyncio
import json
import urllib.request
import uuid
from dataclasses import replace

import pytest

from config.outbound import Client, OutboundError, from_settings
from publishing import platforms
from publishing.document import Picture
from publishing.errors import LostClaim, Reauthorise, Refusal, Wait
from publishing.post import Counts, Job, Post
from tests.publishing.conftest import CHANNELS
from tests.publishing.wire import Answer, speaking

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
GIF = b"GIF89a" + bytes(50)
LONG = " ".join(f"This is sentence {n} of a longer text on a ferry." for n in range(1, 31))
STATUSES = "/mastodon/api/v1/statuses"
MEDIA = "/wordpress/wp-json/wp/v2/media"


@pytest.fixture
def files():
    with speaking() as wire:
        wire.says("GET /p.png", Answer(body=PNG))
        wire.says("GET /p.gif", Answer(body=GIF))
        yield wire


@pytest.fixture
def job(world):
    """Alice's story on its way to a platform: `job("mastodon", pictures=…)`."""

    def make(key, **text):
        path, secrets = CHANNELS[key]
        post = Post(
            "Ferry returns", "<p>It sails.</p>", "It sails.", summary="It sails again.",
            marker=str(uuid.uuid4()),
        )  # fmt: skip
        return Job(replace(post, **text), {"url": world.url + path}, secrets)

    return make


def calls(key, act, job):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform(key), act)(job, http)

    return asyncio.run(go())


def picture(files, name="p.png", alt="A ferry"):
    return (Picture(f"{files.url}/{name}", alt),)


def shown(world, path):
    """What a platform's own interface says of a post."""
    with urllib.request.urlopen(f"{world.url}{path}", timeout=10) as answer:
        return json.loads(answer.read())


# --- Mastodon ---


def test_a_status_takes_its_pictures_with_what_they_show(world, files, job):
    receipt = calls("mastodon", "publish", job("mastodon", pictures=picture(files)))
    media = shown(world, f"{STATUSES}/{receipt.remote_id}")["media_attachments"]
    assert [(each["type"], each["description"]) for each in media] == [("image", "A ferry")]


def test_a_picture_that_mastodon_still_works_on_is_waited_for(world, files, job, monkeypatch):
    from publishing.platforms import mastodon

    monkeypatch.setattr(mastodon, "_BETWEEN_LOOKS", 0.01)
    receipt = calls("mastodon", "publish", job("mastodon", pictures=picture(files, "p.gif")))
    assert len(shown(world, f"{STATUSES}/{receipt.remote_id}")["media_attachments"]) == 1
    looks = [each for each in world.log("/mastodon/api/v1/media/") if each["method"] == "GET"]
    assert len(looks) == 3


def test_a_picture_whose_upload_fails_has_posted_nothing(world, files, job):
    world.faults({"match": "/mastodon/api/v2/media", "mode": "accept_then_drop", "times": 1})
    with pytest.raises(Wait):
        calls("mastodon", "publish", job("mastodon", pictures=picture(files)))
    assert world.posts("mastodon")["total"] == 0


def thread(job, **more):
    return replace(job, options=job.options | {"form": "thread"}, **more)


def keeper(kept, most=99):
    async def keep(part):
        if len(kept) >= most:
            raise LostClaim("taken over")
        kept.append(part)

    return keep


def test_a_long_story_becomes_a_chain_of_statuses(world, job):
    kept: list[str] = []
    receipt = calls(
        "mastodon", "publish", thread(job("mastodon", text=LONG), keep_part=keeper(kept))
    )
    assert receipt.remote_id == kept[0]
    statuses = [shown(world, f"{STATUSES}/{each}") for each in kept]
    assert len(statuses) >= 3
    assert [each["in_reply_to_id"] for each in statuses] == [None, *kept[:-1]]
    assert f"1/{len(kept)} Ferry returns" in statuses[0]["content"]


@pytest.mark.parametrize("out", [1, 2])
def test_a_thread_that_broke_goes_on_where_it_broke(world, job, out):
    kept: list[str] = []
    first = thread(job("mastodon", text=LONG), keep_part=keeper(kept, out))
    with pytest.raises(LostClaim):
        calls("mastodon", "publish", first)
    assert world.posts("mastodon")["total"] == out + 1  # the last one's id was not written down
    again = replace(first, again=True, parts=tuple(kept), keep_part=keeper(kept))
    receipt = calls("mastodon", "publish", again)
    assert receipt.remote_id == kept[0]
    assert world.posts("mastodon")["total"] == len(kept) == len(set(kept))


def test_a_part_that_only_the_server_remembers_is_found_by_its_text(world, job):
    """The key is kept for an hour; a thread may go on later than that."""
    kept: list[str] = []
    first = thread(job("mastodon", text=LONG), keep_part=keeper(kept, 1))
    with pytest.raises(LostClaim):
        calls("mastodon", "publish", first)
    forgotten = replace(first.post, marker=str(uuid.uuid4()))
    again = replace(first, post=forgotten, again=True, parts=tuple(kept), keep_part=keeper(kept))
    calls("mastodon", "publish", again)
    assert world.posts("mastodon")["total"] == len(kept)


def test_an_edit_changes_the_words_and_leaves_the_pictures(world, files, job):
    first = job("mastodon", pictures=picture(files))
    there = calls("mastodon", "publish", first)
    changed = replace(first.post, title="Ferry renamed")
    calls("mastodon", "edit", replace(first, post=changed, remote_id=there.remote_id))
    status = shown(world, f"{STATUSES}/{there.remote_id}")
    assert "Ferry renamed" in status["content"]
    assert len(status["media_attachments"]) == 1


def test_a_thread_is_edited_part_by_part_and_can_get_shorter(world, job):
    kept: list[str] = []
    first = thread(job("mastodon", text=LONG), keep_part=keeper(kept))
    calls("mastodon", "publish", first)
    shorter = replace(first.post, text=LONG[: len(LONG) // 2])
    calls("mastodon", "edit", replace(first, post=shorter, remote_id=kept[0], parts=tuple(kept)))
    left = world.posts("mastodon")["total"]
    assert 1 < left < len(kept)
    assert f"1/{left} " in shown(world, f"{STATUSES}/{kept[0]}")["content"]


def test_a_thread_that_would_get_longer_is_a_persons_task(world, job):
    kept: list[str] = []
    first = thread(job("mastodon", text=LONG), keep_part=keeper(kept))
    calls("mastodon", "publish", first)
    longer = replace(first.post, text=LONG * 2)
    with pytest.raises(Refusal, match="parts"):
        calls("mastodon", "edit", replace(first, post=longer, parts=tuple(kept)))


def test_a_thread_goes_away_whole_and_going_twice_is_no_error(world, job):
    kept: list[str] = []
    first = thread(job("mastodon", text=LONG), keep_part=keeper(kept))
    there = calls("mastodon", "publish", first)
    gone = replace(first, remote_id=there.remote_id, parts=tuple(kept))
    calls("mastodon", "delete", gone)
    assert world.posts("mastodon")["total"] == 0
    calls("mastodon", "delete", gone)


def test_an_answer_hangs_on_the_first_status_and_comes_once(world, job):
    first = job("mastodon")
    there = calls("mastodon", "publish", first)
    note = Post("Correction: Ferry", "", "It was Monday.", marker=str(uuid.uuid4()))
    answer = replace(first, post=note, remote_id=there.remote_id, key=str(uuid.uuid4()))
    world.faults({"match": STATUSES, "method": "POST", "mode": "accept_then_drop", "times": 1})
    with pytest.raises(OutboundError):
        calls("mastodon", "reply", answer)
    forgotten = replace(answer, again=True, key=str(uuid.uuid4()))
    reply = calls("mastodon", "reply", forgotten)
    assert world.posts("mastodon")["total"] == 2
    assert shown(world, f"{STATUSES}/{reply.remote_id}")["in_reply_to_id"] == there.remote_id
    counts = calls("mastodon", "counts", replace(first, remote_id=there.remote_id))
    assert counts == Counts(reactions=0, replies=1, shares=0)


@pytest.mark.parametrize("key", ["mastodon", "wordpress"])
def test_a_post_is_read_back_and_its_absence_seen(job, key):
    first = job(key)
    there = replace(first, remote_id=calls(key, "publish", first).remote_id)
    assert "It sails" in calls(key, "seen", there).text
    calls(key, "delete", there)
    assert not calls(key, "seen", there).there


def test_the_instances_own_limits_hold(files):
    """Glitch and Pleroma instances have thousands of characters; some take one picture."""
    configuration = {
        "statuses": {"max_characters": 5000, "max_media_attachments": 1},
        "media_attachments": {"image_size_limit": 20, "description_limit": 20},
    }
    files.says("GET /api/v2/instance", Answer(json={"configuration": configuration}))
    post = Post("T", "", "", summary="x" * 800, marker="m", pictures=picture(files) * 2)
    with pytest.raises(Refusal, match="could not be had"):
        calls("mastodon", "publish", Job(post, {"url": files.url}, {"token": "t"}))
    configuration["media_attachments"]["image_size_limit"] = 1000
    files.says("POST /api/v2/media", Answer(json={"id": "7"}))
    files.says("POST /api/v1/statuses", Answer(json={"id": "1", "url": "https://m.example/1"}))
    calls("mastodon", "publish", Job(post, {"url": files.url}, {"token": "t"}))
    sent = files.to("POST /api/v1/statuses")[0].json
    assert (sent["media_ids"], len(sent["status"])) == (["7"], 803)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, {"error": "Invalid token"}), Reauthorise),
        (Answer(400, {"error": "Missing parameter"}), Refusal),
        (Answer(422, {"error": "Validation failed: Text character limit"}), Refusal),
        (Answer(429, {}, headers={"X-RateLimit-Reset": "2100-01-01T00:00:00.000000Z"}), Wait),
    ],
)
def test_what_those_who_speak_mastodons_language_say_is_understood(files, answer, error):
    files.says("GET /api/v2/instance", Answer(404, {"error": "x"}))
    files.says("POST /api/v1/statuses", answer)
    post = Post("T", "", "", marker="m")
    with pytest.raises(error) as problem:
        calls("mastodon", "publish", Job(post, {"url": files.url}, {"token": "t"}))
    if error is Wait:
        assert problem.value.seconds > 1e9


# --- WordPress ---


def wordpress(world, number):
    return shown(world, f"/wordpress/wp-json/wp/v2/posts/{number}")


def test_the_first_picture_becomes_the_featured_image_with_its_description(world, files, job):
    receipt = calls("wordpress", "publish", job("wordpress", pictures=picture(files)))
    number = wordpress(world, receipt.remote_id)["featured_media"]
    medium = shown(world, f"{MEDIA}/{number}")
    assert (medium["alt_text"], medium["mime_type"]) == ("A ferry", "image/png")


def test_an_uploaded_picture_is_found_again_when_an_attempt_is_repeated(world, files, job):
    first = job("wordpress", pictures=picture(files))
    world.faults(
        {"match": "/wordpress/wp-json/wp/v2/posts", "method": "POST", "mode": "503", "times": 1}
    )
    with pytest.raises(Exception, match="503"):
        calls("wordpress", "publish", first)
    calls("wordpress", "publish", replace(first, again=True))
    assert len(shown(world, MEDIA)) == 1


def test_a_site_without_pictures_gets_none(world, files, job):
    first = job("wordpress", pictures=picture(files))
    calls("wordpress", "publish", replace(first, options=first.options | {"featured": False}))
    assert shown(world, MEDIA) == []


def test_a_post_is_changed_in_its_place(world, files, job):
    first = job("wordpress", pictures=picture(files))
    there = calls("wordpress", "publish", first)
    changed = replace(first.post, title="Ferry renamed")
    edited = calls("wordpress", "edit", replace(first, post=changed, remote_id=there.remote_id))
    assert edited.remote_url == there.remote_url
    post = wordpress(world, there.remote_id)
    assert post["title"]["rendered"] == "Ferry renamed"
    assert post["featured_media"]


def test_a_post_goes_into_the_trash_and_going_twice_is_no_error(world, job):
    first = job("wordpress")
    there = replace(first, remote_id=calls("wordpress", "publish", first).remote_id)
    calls("wordpress", "delete", there)
    assert world.posts("wordpress")["public"] == 0
    calls("wordpress", "delete", there)


def test_wordpress_counts_comments(files):
    files.says("GET /wp-json/wp/v2/comments", Answer(json=[{}], headers={"X-WP-Total": "12"}))
    job = Job(
        Post("T", "", ""), {"url": files.url}, {"user": "u", "app_password": "p"}, remote_id="7"
    )
    assert calls("wordpress", "counts", job) == Counts(replies=12)
    assert files.asked[0].query["post"] == "7"
