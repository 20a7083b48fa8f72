"""A channel's page in a browser: connected by a visit to its platform, tested, put right."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from config.outbound import Client
from publishing.models import Channel
from publishing.platforms.base import Authorisation, must_be_ok
from publishing.post import Field, Renewed
from tests.browser.authorisation_server import CLIENT, asking
from tests.publishing.bare import Bare


class Harbour(Bare):
    """A platform that is connected by a visit, and says as whom."""

    key, label = "harbour", "Harbour"
    credentials = (
        Field("client_id", "Application id", "secret"),
        Field("client_secret", "Application secret", "secret"),
        Field("token", "Token", "secret"),
        Field("refresh", "Refresh token", "secret"),
    )

    def authorisation(self, options, credentials) -> Authorisation:
        where = options["url"]
        return Authorisation(f"{where}/authorize", f"{where}/token", ("read", "write"))

    async def connected(self, options, tokens, http: Client) -> Renewed:
        fresh = {"token": tokens["access_token"], "refresh": tokens.get("refresh_token", "")}
        return Renewed(fresh, datetime.now(UTC) + timedelta(seconds=tokens["expires_in"]))

    async def verify(self, options, credentials, http: Client) -> str:
        secret = {"Authorization": f"Bearer {credentials.get('token', '')}"}
        answer = await http.get(f"{options['url']}/me", secret_headers=secret)
        return f"Connected as {must_be_ok(answer, 'Harbour').json()['name']}."


@pytest.fixture
def platform():
    with asking() as platform:
        yield platform


@pytest.fixture
def channel(transactional_db, settings, platform):
    settings.EXTRA_PLATFORMS = {"harbour": "tests.browser.test_channel.Harbour"}
    return Channel.objects.create(
        name="Harbour news", platform="harbour", options={"url": platform.url},
        credentials={"client_id": CLIENT[0], "client_secret": CLIENT[1]},
    )  # fmt: skip


@pytest.fixture
def person(channel, ada, at_the_browser):
    person = at_the_browser(ada)
    person.opens(page(channel))
    return person


def page(channel):
    return reverse("admin:publishing_channel_change", args=(channel.pk,))


def visit(person, answer):
    person.presses("connect", saying="Newsdesk asks for read write.")
    person.follows(answer)


def kept(channel):
    return Channel.objects.get(pk=channel.pk).credentials.reveal()


def test_a_visit_connects_the_channel_and_its_page_says_as_whom(person, channel, platform):
    person.sees("It has not been connected by a visit yet")
    visit(person, "Allow")
    person.sees("Harbour news is connected. Connected as @harbour.")
    assert "Connected as @harbour." in person.finds("#connected-as").text
    assert "not been connected" not in person.page()
    assert kept(channel)["token"] == "access-1"
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials::text FROM channels")
        assert "access-1" not in cursor.fetchone()[0]
    assert "access-1" not in person.window.page_source
    assert person.complaints() == []


def test_a_person_who_says_no_there_reads_that_here(person, channel, platform):
    visit(person, "Deny")
    person.sees("The platform did not connect us: The person said no.")
    assert "token" not in kept(channel)
    assert platform.redeemed == []


def test_an_answer_to_another_visit_is_refused(person, channel, platform):
    platform.lies_about_the_state = True
    visit(person, "Allow")
    person.sees("This answer does not belong to the visit that was begun")
    assert "token" not in kept(channel)
    assert platform.redeemed == []


def test_the_same_answer_does_not_count_twice(person, channel, platform):
    visit(person, "Allow")
    person.sees("is connected.")
    person.window.execute_script("history.back()")
    person.follows("Allow")
    person.sees("No visit was begun here")
    assert kept(channel)["token"] == "access-1"


def test_a_reconnect_without_a_refresh_token_keeps_the_old_one(person, channel, platform):
    visit(person, "Allow")
    person.sees("is connected.")
    platform.gives_refresh_tokens = False
    visit(person, "Allow")
    person.sees("is connected.")
    assert (kept(channel)["token"], kept(channel)["refresh"]) == ("access-2", "refresh-1")


def test_connection_is_tested_and_pausing_asks_for_a_reason(person, channel, platform):
    visit(person, "Allow")
    person.sees("is connected.")
    person.presses("test", saying="Connected as @harbour.")
    Channel.objects.filter(pk=channel.pk).update(credentials={"token": "wrong"})
    person.presses("test", saying="Harbour answered 404.")
    person.presses("pause", saying="Reason")
    person.types("reason", "Their editors are on strike")
    person.finds("#act-dialog-pause button[type=submit]").click()
    person.sees("Paused; its deliveries wait.")
    person.sees("Their editors are on strike")
    person.presses("resume", saying="Harbour news goes on.")
    assert Channel.objects.get().paused_reason == ""
