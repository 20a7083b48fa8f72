"""Connecting by a visit, against a small authorisation server that checks what it must."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.urls import reverse

from config.outbound import Client
from publishing import visiting
from publishing.errors import Refusal
from publishing.models import Channel
from publishing.platforms.base import Authorisation
from publishing.post import Renewed
from tests.publishing.bare import Bare
from tests.publishing.wire import Answer, speaking

pytestmark = pytest.mark.django_db


class Visited(Bare):
    """A platform that is connected by a visit."""

    key, label = "visited", "Visited"

    def authorisation(self, options, credentials) -> Authorisation:
        where = options["url"]
        return Authorisation(f"{where}/authorize", f"{where}/token", ("read", "write"))

    async def connected(self, options, tokens, http: Client) -> Renewed:
        fresh = {"token": tokens["access_token"], "refresh": tokens.get("refresh_token", "")}
        ends = datetime.now(UTC) + timedelta(seconds=tokens["expires_in"])
        return Renewed(fresh, ends)


@pytest.fixture
def wire():
    with speaking() as wire:
        wire.says(
            "POST /token",
            Answer(json={"access_token": "A", "refresh_token": "R", "expires_in": 3600}),
        )
        yield wire


@pytest.fixture
def channel(settings, wire):
    settings.EXTRA_PLATFORMS = {
        "visited": "tests.publishing.test_visiting.Visited",
        "bare": "tests.publishing.bare.Bare",
    }
    return Channel.objects.create(
        name="Visited", platform="visited", options={"url": wire.url}, paused_reason="Dead.",
        credentials={"client_id": "desk", "client_secret": "s3cret", "refresh": "old"},
    )  # fmt: skip


@pytest.fixture
def browser(ada):
    browser = Browser()
    browser.force_login(ada)
    return browser


def begun(browser, channel):
    """Press Connect; the parameters with which the platform is visited."""
    url = reverse("admin:publishing_channel_act", args=(channel.pk, "connect"))
    answer = browser.post(url)
    assert answer.status_code == 302
    return {name: value[0] for name, value in parse_qs(urlsplit(answer["Location"]).query).items()}


def back(browser, **answer):
    """Come back from the platform; what the person reads."""
    page = browser.get(reverse("admin:publishing_channel_connected"), answer, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_a_visit_connects_the_channel_and_ends_its_pause(browser, channel, wire):
    asked = begun(browser, channel)
    assert asked["client_id"] == "desk"
    assert asked["scope"] == "read write"
    assert asked["redirect_uri"].endswith("/admin/publishing/channel/connected/")
    assert back(browser, code="c0de", state=asked["state"]) == "Visited is connected."
    redeemed = {k: v[0] for k, v in parse_qs(wire.asked[0].body.decode()).items()}
    digest = hashlib.sha256(redeemed["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert (redeemed["code"], redeemed["client_secret"]) == ("c0de", "s3cret")
    channel.refresh_from_db()
    assert channel.credentials.reveal() == {
        "client_id": "desk", "client_secret": "s3cret", "token": "A", "refresh": "R",
    }  # fmt: skip
    assert channel.paused_reason == ""
    assert channel.token_expires_at > datetime.now(UTC) + timedelta(minutes=50)


def test_a_reconnect_that_brings_no_refresh_token_keeps_the_old_one(browser, channel, wire):
    wire.says("POST /token", Answer(json={"access_token": "A", "expires_in": 60}))
    back(browser, code="c", state=begun(browser, channel)["state"])
    channel.refresh_from_db()
    assert channel.credentials.reveal()["refresh"] == "old"


def test_an_answer_to_somebody_elses_visit_is_refused(browser, channel, wire):
    begun(browser, channel)
    assert "does not belong" in back(browser, code="c", state="forged")
    assert not wire.asked


def test_an_answer_counts_once(browser, channel, wire):
    state = begun(browser, channel)["state"]
    back(browser, code="c", state=state)
    assert "No visit was begun" in back(browser, code="c", state=state)
    assert len(wire.asked) == 1


def test_a_visit_that_took_too_long_is_begun_anew(channel):
    _url, visit = visiting.begin(channel, "https://desk.example/back")
    late = visiting.Visit.of(visit.kept() | {"began": visit.began - visiting.LASTS - 1})
    with pytest.raises(Refusal, match="quarter of an hour"):
        visiting.finish(late, {"code": "c", "state": visit.state})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "access_denied", "error_description": "The user said no"}, "The user said no"),
        ({}, "no code"),
    ],
)
def test_a_platform_that_says_no_is_quoted(browser, channel, wire, answer, words):
    assert words in back(browser, state=begun(browser, channel)["state"], **answer)
    assert not wire.asked


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, {"error": "invalid_grant", "error_description": "Code expired"}),
        Answer(200, {"token_type": "bearer"}),
        Answer(200, text="<html>"),
        Answer(500),
    ],
)
def test_a_token_that_is_none_leaves_everything_as_it_was(browser, channel, wire, answer):
    wire.says("POST /token", answer)
    said = back(browser, code="c", state=begun(browser, channel)["state"])
    assert "gave no token" in said
    channel.refresh_from_db()
    assert channel.credentials.reveal()["refresh"] == "old"
    assert channel.paused_reason == "Dead."


def test_a_channel_without_the_applications_id_says_what_is_missing(browser, channel):
    Channel.objects.filter(pk=channel.pk).update(credentials={})
    url = reverse("admin:publishing_channel_act", args=(channel.pk, "connect"))
    page = browser.post(url, follow=True)
    assert "id and secret first" in " ".join(map(str, page.context["messages"]))


def test_only_platforms_that_are_visited_offer_it(browser, channel):
    plain = Channel.objects.create(name="Plain", platform="bare")
    page = browser.get(reverse("admin:publishing_channel_change", args=(plain.pk,)))
    assert b'id="act-connect"' not in page.content
    page = browser.get(reverse("admin:publishing_channel_change", args=(channel.pk,)))
    assert b'id="act-connect"' in page.content


def test_whoever_may_not_change_channels_can_not_finish_a_visit(channel, paula):
    visitor = Browser()
    visitor.force_login(paula)
    assert visitor.get(reverse("admin:publishing_channel_connected")).status_code == 403
