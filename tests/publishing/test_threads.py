"""Threads: a container first, then a post. Not tried against the real service.

Shapes: https://developers.facebook.com/documentation/threads/reference/publishing (containers),
https://developers.facebook.com/documentation/threads/troubleshooting (what a container says),
https://developers.facebook.com/documentation/threads/overview (limits),
https://developers.facebook.com/documentation/threads/get-started/long-lived-tokens. As reported:
fbsamples/threads_api#70 (24 and 4279009), exileum/meta-mcp#143 (a published one has no status).
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.outbound import Client, from_settings
from publishing import connecting, platforms, renewal, visiting
from publishing.compose import whole_thread
from publishing.counting import Ruler, Unit
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.models import Channel
from publishing.platforms import threads_containers
from publishing.platforms.threads import Threads
from publishing.post import Job, Post
from tests.publishing.wire import Answer, speaking

MAKE, PUBLISH = "POST /v1.0/me/threads", "POST /v1.0/me/threads_publish"
STATUS, POST = "GET /v1.0/500", "GET /v1.0/900"
MINE, ANSWERS = "GET /v1.0/me/threads", "GET /v1.0/me/replies"
LIMIT = "GET /v1.0/me/threads_publishing_limit"
MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
WORDS = "Ferry returns\n\nIt sails again.\n\nhttps://example.org/ferry\n\n#ferry"
STORY = Post(
    "Ferry returns", "<p>It sails.</p>", "It sails. " * 120, summary="It sails again.",
    url="https://example.org/ferry", tags=("ferry", "harbour"), marker="0f7be9a2",
)  # fmt: skip
OUT = {"id": "900", "text": WORDS, "permalink": "https://www.threads.net/@desk/post/abc"}


def error(code, message="No.", **more):
    return {"error": {"message": message, "type": "OAuthException", "code": code, **more}}


def room(posts=4, answers=0):
    row = {
        "quota_usage": posts, "config": {"quota_total": 250, "quota_duration": 86400},
        "reply_quota_usage": answers, "reply_config": {"quota_total": 1000},
    }  # fmt: skip
    return Answer(json={"data": [row]})


NOT_FOUND = error(24, "The requested resource does not exist", error_subcode=4279009)
NO_STATUS = error(100, "Tried accessing nonexisting field (status)")


@pytest.fixture
def wire(monkeypatch):
    monkeypatch.setattr(threads_containers, "_BETWEEN_LOOKS", 0.01)
    with speaking() as wire:
        wire.says(LIMIT, room())
        wire.says(MAKE, Answer(json={"id": "500"}))
        wire.says(STATUS, Answer(json={"status": "FINISHED", "id": "500"}))
        wire.says(PUBLISH, Answer(json={"id": "900"}))
        wire.says(POST, Answer(json=OUT))
        wire.says(MINE, Answer(json={"data": [OUT]}))
        yield wire


@pytest.fixture
def kept():
    return {"drafts": [], "parts": []}


@pytest.fixture
def job(wire, kept):
    async def keep_draft(number: str) -> None:
        kept["drafts"].append(number)

    async def keep_part(number: str) -> None:
        kept["parts"].append(number)

    return Job(
        STORY, {"url": wire.url, "login_url": wire.url}, {"token": "long"}, made_at=MADE,
        keep_draft=keep_draft, keep_part=keep_part,
    )  # fmt: skip


def calls(act, *arguments):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("threads"), act)(*arguments, http)

    return asyncio.run(go())


def test_a_container_is_made_kept_and_published(wire, job, kept):
    receipt = calls("publish", job)
    made = wire.to(MAKE)[0]
    assert made.form == {"media_type": "TEXT", "text": WORDS}
    assert made.headers["Authorization"] == "Bearer long"
    assert wire.to(PUBLISH)[0].form == {"creation_id": "500"}
    assert kept == {"drafts": ["0/500"], "parts": []}
    assert (receipt.remote_id, receipt.remote_url) == ("900", OUT["permalink"])


def test_a_picture_goes_along_by_its_address_with_its_description(wire, job):
    pictures = (Picture("https://example.org/p.jpg", "A ferry"),)
    calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    form = wire.to(MAKE)[0].form
    assert form["media_type"] == "IMAGE"
    assert form["image_url"] == "https://example.org/p.jpg"
    assert form["alt_text"] == "A ferry"


def test_several_pictures_are_a_carousel_of_finished_containers(wire, job, kept):
    pictures = tuple(Picture(f"https://example.org/{n}.jpg", f"Ferry {n}") for n in range(12))
    numbers = [Answer(json={"id": str(n)}) for n in range(600, 611)]
    wire.says(MAKE, *numbers)
    for n in range(600, 611):
        wire.says(f"GET /v1.0/{n}", Answer(json={"status": "FINISHED"}))
    working = Answer(json={"status": "IN_PROGRESS"})
    wire.says("GET /v1.0/604", working, Answer(json={"status": "FINISHED"}))
    calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    *items, whole = (each.form for each in wire.to(MAKE))
    assert [each["alt_text"] for each in items] == [f"Ferry {n}" for n in range(10)]
    assert {each["is_carousel_item"] for each in items} == {"true"}
    assert not any("text" in each for each in items)
    assert whole == {
        "media_type": "CAROUSEL", "text": WORDS,
        "children": ",".join(str(n) for n in range(600, 610)),
    }  # fmt: skip
    assert len(wire.to("GET /v1.0/604")) == 2
    assert kept["drafts"] == ["0/610"]
    assert wire.to(PUBLISH)[0].form == {"creation_id": "610"}


def test_a_picture_that_threads_can_not_load_stops_the_post_before_it_is_made(wire, job):
    pictures = tuple(Picture(f"https://example.org/{n}.jpg", "") for n in range(2))
    broken = {"status": "ERROR", "error_message": "FAILED_DOWNLOADING_IMAGE"}
    wire.says(STATUS, Answer(json=broken))
    with pytest.raises(Refusal, match="FAILED_DOWNLOADING_IMAGE"):
        calls("publish", replace(job, post=replace(STORY, pictures=pictures)))
    assert len(wire.to(MAKE)) == 2
    assert not wire.to(PUBLISH)


def test_a_picture_is_waited_for(wire, job):
    working = Answer(json={"status": "IN_PROGRESS", "id": "500"})
    wire.says(STATUS, working, working, Answer(json={"status": "FINISHED"}))
    calls("publish", job)
    assert len(wire.to(STATUS)) == 3
    wire.says(STATUS, working)
    with pytest.raises(Wait, match="still preparing"):
        calls("publish", job)
    assert len(wire.to(PUBLISH)) == 1


def test_a_publication_whose_answer_was_lost_is_found_and_not_repeated(wire, job):
    wire.says(STATUS, Answer(json={"status": "PUBLISHED", "id": "500"}))
    receipt = calls("publish", replace(job, draft_id="0/500", again=True))
    assert (receipt.remote_id, receipt.confirmed_by) == ("900", "look_up")
    assert not wire.to(MAKE)
    assert not wire.to(PUBLISH)
    assert wire.to(MINE)[0].query["since"] == str(int((MADE - timedelta(minutes=5)).timestamp()))


def test_one_that_is_published_and_not_listed_yet_stays_in_doubt(wire, job):
    wire.says(STATUS, Answer(json={"status": "PUBLISHED", "id": "500"}))
    wire.says(MINE, Answer(json={"data": []}))
    with pytest.raises(Unknown):
        calls("publish", replace(job, draft_id="0/500", again=True))
    assert not wire.to(PUBLISH)


def test_a_publication_that_never_arrived_is_made_from_the_same_container(wire, job):
    calls("publish", replace(job, draft_id="0/500", again=True))
    assert not wire.to(MAKE)
    assert len(wire.to(PUBLISH)) == 1


def test_a_container_that_can_t_be_read_is_made_anew_only_if_nothing_is_in_doubt(wire, job):
    missing = Answer(400, NO_STATUS)
    wire.says(STATUS, missing)
    wire.says(MINE, Answer(json={"data": []}))
    with pytest.raises(Unknown):
        calls("publish", replace(job, draft_id="0/500", again=True))
    assert not wire.to(MAKE)
    wire.says(STATUS, missing, Answer(json={"status": "FINISHED"}))
    calls("publish", replace(job, draft_id="0/500"))
    assert len(wire.to(MAKE)) == 1


def test_a_container_of_yesterday_was_never_published_and_is_made_anew(wire, job, kept):
    wire.says(STATUS, Answer(json={"status": "EXPIRED"}), Answer(json={"status": "FINISHED"}))
    calls("publish", replace(job, draft_id="0/500", again=True))
    assert (len(wire.to(MAKE)), len(wire.to(PUBLISH))) == (1, 1)
    assert kept["drafts"] == ["0/500"]


def test_what_threads_could_not_prepare_is_refused_in_its_words(wire, job):
    broken = {"status": "ERROR", "error_message": "FAILED_DOWNLOADING_IMAGE"}
    wire.says(STATUS, Answer(json=broken))
    with pytest.raises(Refusal, match="FAILED_DOWNLOADING_IMAGE"):
        calls("publish", job)


def test_a_thread_is_chained_and_goes_on_where_it_broke(wire, job, kept):
    long = replace(job, options=job.options | {"form": "thread"})
    texts = whole_thread(STORY, Ruler(500, Unit.EMOJI_BYTES))
    assert len(texts) == 3
    wire.says(MAKE, *(Answer(json={"id": f"50{n}"}) for n in range(3)))
    for number in range(3):
        wire.says(f"GET /v1.0/50{number}", Answer(json={"status": "FINISHED"}))
    wire.says(PUBLISH, *(Answer(json={"id": f"90{n}"}) for n in range(3)))
    assert calls("publish", long).remote_id == "900"
    assert [each.form.get("reply_to_id") for each in wire.to(MAKE)] == [None, "900", "901"]
    assert kept == {"drafts": ["0/500", "1/501", "2/502"], "parts": ["900", "901", "902"]}

    # The answer to the second one's publication is lost: it is found among our answers.
    wire.says("GET /v1.0/501", Answer(json={"status": "PUBLISHED"}))
    other = {"id": "7", "text": texts[1], "replied_to": {"id": "1"}}
    ours = {"id": "901", "text": texts[1], "permalink": "", "replied_to": {"id": "900"}}
    wire.says(ANSWERS, Answer(json={"data": [other, ours]}))
    wire.says(MAKE, Answer(json={"id": "502"}))
    wire.says(PUBLISH, Answer(json={"id": "902"}))
    before = len(wire.to(PUBLISH))
    again = replace(long, again=True, draft_id="1/501", parts=("900",))
    assert calls("publish", again).remote_id == "900"
    assert len(wire.to(PUBLISH)) == before + 1
    assert wire.to(MAKE)[-1].form["reply_to_id"] == "901"
    assert kept["parts"][3:] == ["901", "902"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, error(190, "Session has expired", error_subcode=463)), Reauthorise),
        (Answer(401, error(190, "Error validating access token")), Reauthorise),
        (Answer(403, error(10, "Application does not have permission")), Reauthorise),
        (Answer(403, error(4, "Application request limit reached")), Wait),
        (Answer(400, NOT_FOUND), Wait),
        (Answer(429, text="", headers={"Retry-After": "7"}), Wait),
        (Answer(400, error(100, "Param text must be at most 500 characters long.")), Refusal),
        (Answer(200, error(100, "Invalid parameter")), Refusal),
        (Answer(500, error(2, "Please retry your request later")), Unknown),
        (Answer(502, text="<html>"), Unknown),
        (Answer(200, text="<html>"), Unknown),
        (Answer(200, {"id": None}), Unknown),
    ],
)
def test_every_answer_to_the_publication_is_read_for_what_it_means(wire, job, answer, kind):
    wire.says(PUBLISH, answer)
    with pytest.raises(kind) as problem:
        calls("publish", job)
    assert type(problem.value) is kind


@pytest.mark.parametrize("answer", [Answer(500, error(2)), Answer(502, text="<"), Answer(200, {})])
def test_trouble_with_a_container_is_no_doubt_for_nobody_sees_one(wire, job, answer):
    wire.says(MAKE, answer)
    with pytest.raises(Wait):
        calls("publish", job)
    assert not wire.to(PUBLISH)


def test_a_day_that_is_used_up_makes_the_channel_wait(wire, job):
    wire.says(LIMIT, room(posts=250))
    with pytest.raises(Wait, match="250 a day") as wait:
        calls("publish", job)
    assert wait.value.seconds == 3600
    wire.says(LIMIT, room(answers=999))
    with pytest.raises(Wait, match="1000 a day"):
        calls("publish", replace(job, options=job.options | {"form": "thread"}))
    assert not wire.to(MAKE)


def test_emoji_count_their_bytes_and_links_all_their_letters():
    ruler = Threads().capabilities.ruler
    assert ruler.length("Größe") == 5
    assert ruler.length("🎉") == 4
    assert ruler.length("👩‍👩‍👧") == 18
    link = "https://example.org/a-long-way-to-the-harbour-and-back-again"
    assert ruler.length(link) == len(link)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://example.org/p.jpg", True), ("http://93.184.215.14/p.jpg", True),
        ("http://localhost:8300/p.jpg", False), ("https://desk.internal/p.jpg", False),
        ("http://192.168.1.4/p.jpg", False), ("http://[::1]/p.jpg", False),
        ("data:image/png;base64,AA", False), ("/media/p.jpg", False), ("http://[x/", False),
    ],
)  # fmt: skip
def test_a_picture_that_threads_cannot_fetch_is_found_before(address, good):
    adapter = Threads()
    post = replace(STORY, pictures=(Picture(address, ""),))
    assert (adapter.problems(post, {}) == []) is good
    assert adapter.problems(post, {"pictures": False}) == []


def test_what_is_sent_is_what_the_preview_shows_with_one_tag_only():
    adapter = Threads()
    assert adapter.texts(STORY, {}).parts == (WORDS,)
    assert len(adapter.texts(STORY, {"form": "thread"}).parts) == 3
    long = replace(STORY, url="https://example.org/" + "a" * 500)
    assert "longer than" in adapter.problems(long, {})[0].sentence
    assert adapter.problems(Post("", "", ""), {})


def test_a_correction_is_an_answer_below_the_post(wire, job):
    note = Post("Correction: Ferry", "", "It sails at ten.", summary="It sails at ten.")
    calls("reply", replace(job, post=note, remote_id="900"))
    form = wire.to(MAKE)[0].form
    assert form["reply_to_id"] == "900"
    assert form["text"] == "Correction: Ferry\n\nIt sails at ten."


def test_a_withdrawal_takes_every_part_away_and_may_be_repeated(wire, job):
    wire.says("DELETE /v1.0/900", Answer(json={"success": True}))
    wire.says("DELETE /v1.0/901", Answer(400, NOT_FOUND))
    calls("delete", replace(job, remote_id="900", parts=("900", "901")))
    gone = [each.path for each in wire.asked if each.method == "DELETE"]
    assert gone == ["/v1.0/901", "/v1.0/900"]


def test_a_post_is_read_back_with_its_counts(wire, job):
    names = ("views", "likes", "replies", "reposts", "quotes")
    rows = [
        {"name": name, "period": "lifetime", "values": [{"value": number}], "id": "x"}
        for number, name in enumerate(names, 10)
    ]
    shares = {"name": "shares", "period": "lifetime", "total_value": {"value": 1}}
    wire.says("GET /v1.0/900/insights", Answer(json={"data": [*rows, shares]}))
    there = replace(job, remote_id="900")
    counts = calls("counts", there)
    assert (counts.views, counts.reactions, counts.replies, counts.shares) == (10, 11, 12, 28)
    assert calls("seen", there).text == WORDS
    wire.says(POST, Answer(400, NOT_FOUND))
    assert not calls("seen", there).there


def test_the_connection_says_who_we_are(wire, job):
    wire.says("GET /v1.0/me", Answer(json={"id": "17", "username": "harbour"}))
    assert connecting.test("threads", job.options, job.credentials) == "Connected as @harbour."
    with pytest.raises(Reauthorise, match="press Connect"):
        connecting.test("threads", job.options, {})


def test_a_token_is_renewed_and_one_of_today_is_kept(wire, job):
    renew = "GET /refresh_access_token"
    wire.says(renew, Answer(json={"access_token": "next", "expires_in": 5183944}))
    renewed = calls("renew", job.options, {"token": "long"})
    assert wire.to(renew)[0].query == {"grant_type": "th_refresh_token", "access_token": "long"}
    assert renewed.credentials == {"token": "next"}
    assert renewed.expires_at > datetime.now(UTC) + timedelta(days=59)
    wire.says(renew, Answer(400, error(100, "Token is too young")))
    renewed = calls("renew", job.options, {"token": "long"})
    assert renewed.credentials == {"token": "long"}
    assert renewed.expires_at < datetime.now(UTC) + timedelta(days=3)
    wire.says(renew, Answer(400, error(190, "Session has expired")))
    with pytest.raises(Reauthorise):
        calls("renew", job.options, {"token": "long"})
    wire.says(renew, Answer(502, text="<html>"))
    with pytest.raises(Wait):
        calls("renew", job.options, {"token": "long"})


@pytest.fixture
def channel(db, wire):
    wire.says("POST /oauth/access_token", Answer(json={"access_token": "short", "user_id": 17}))
    wire.says(
        "GET /access_token",
        Answer(json={"access_token": "long", "token_type": "bearer", "expires_in": 5183944}),
    )
    return Channel.objects.create(
        name="Threads", platform="threads", options={"url": wire.url, "login_url": wire.url},
        credentials={"client_id": "app", "client_secret": "s3cret"},
    )  # fmt: skip


def test_a_visit_ends_with_a_token_for_sixty_days_that_is_renewed_a_week_ahead(wire, channel):
    address, visit = visiting.begin(channel, "https://desk.example/back")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert asked["scope"].startswith("threads_basic,threads_content_publish,")
    assert "code_challenge" not in asked
    visiting.finish(visit, {"code": "c", "state": visit.state})
    exchange = wire.to("GET /access_token")[0].query
    assert exchange == {
        "grant_type": "th_exchange_token", "client_secret": "s3cret", "access_token": "short",
    }  # fmt: skip
    channel.refresh_from_db()
    assert channel.credentials.reveal()["token"] == "long"
    assert renewal.ahead() == 0
    wire.says(
        "GET /refresh_access_token", Answer(json={"access_token": "next", "expires_in": 5183944})
    )
    now = datetime.now(UTC)
    Channel.objects.update(
        renewed_at=now - timedelta(days=54), token_expires_at=now + timedelta(days=6)
    )
    assert renewal.ahead() == 1
    channel.refresh_from_db()
    assert channel.credentials.reveal()["token"] == "next"
    assert channel.token_expires_at > now + timedelta(days=59)
