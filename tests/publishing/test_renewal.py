"""Tokens are renewed ahead of their end, by one worker at a time, and never lose what they hold."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from config.outbound import Client, from_settings
from publishing import deliver, platforms, renewal
from publishing.errors import Expired, Reauthorise, Wait
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery
from publishing.post import Job, Receipt, Renewed
from tests.publishing import conftest
from tests.publishing.bare import Bare
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


class Lapsing(Bare):
    """A platform whose tokens are numbers, of which only the newest holds."""

    key, label = "lapsing", "Lapsing"
    holds = 0
    renewals = 0
    fails: type[Exception] | None = None
    pause = 0.0

    async def publish(self, job: Job, http: Client) -> Receipt:
        if job.credentials.get("token") != Lapsing.holds:
            raise Expired("The token has run out.", status=401)
        return Receipt("r1", "https://lapsing.example/r1")

    async def renew(self, options, credentials, http: Client) -> Renewed:
        await asyncio.sleep(Lapsing.pause)
        if Lapsing.fails is not None:
            raise Lapsing.fails("It says no.")
        assert credentials["refresh"] == Lapsing.holds, "a refresh token was spent twice"
        Lapsing.renewals += 1
        Lapsing.holds += 1
        fresh = {"token": Lapsing.holds, "refresh": Lapsing.holds, "empty": ""}
        return Renewed(fresh, datetime.now(UTC) + timedelta(hours=2))


@pytest.fixture
def lapsing(world, settings, channel, monkeypatch):
    """Connects a channel whose token is `age` old and ends `within`."""
    settings.EXTRA_PLATFORMS = {"lapsing": "tests.publishing.test_renewal.Lapsing"}
    monkeypatch.setitem(conftest.CHANNELS, "lapsing", ("", {}))
    for name, value in (("holds", 1), ("renewals", 0), ("fails", None), ("pause", 0.0)):
        monkeypatch.setattr(Lapsing, name, value)

    def connect(age=timedelta(hours=1), within=timedelta(hours=1), token=1):
        now = timezone.now()
        return channel(
            "lapsing", credentials={"token": token, "refresh": 1, "secret": "kept"},
            renewed_at=now - age, token_expires_at=now + within,
        )  # fmt: skip

    return connect


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_a_token_that_holds_is_left_alone(lapsing, queued):
    delivery = queued(lapsing())
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    assert Lapsing.renewals == 0


def test_a_token_that_ends_soon_is_renewed_before_it_is_used(lapsing, queued):
    to = lapsing(age=timedelta(hours=2), within=timedelta(minutes=3))
    delivery = queued(to)
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    assert Lapsing.renewals == 1
    secrets = fresh(to).credentials.reveal()
    assert secrets == {"token": 2, "refresh": 2, "secret": "kept"}
    assert fresh(to).token_expires_at > timezone.now() + timedelta(hours=1)
    assert fresh(to).renewing_until is None


def test_a_token_that_is_refused_is_renewed_once_and_the_post_goes_out(lapsing, queued):
    delivery = queued(lapsing(token=0))
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    assert (Lapsing.renewals, fresh(delivery).attempts) == (1, 1)


def test_a_renewal_that_is_refused_pauses_the_channel_and_the_rows_wait(
    lapsing, queued, monkeypatch
):
    monkeypatch.setattr(Lapsing, "fails", Reauthorise)
    to = lapsing(token=0)
    first, second = queued(to), queued(to)
    deliver.drain()
    assert "It says no" in fresh(to).paused_reason
    assert {fresh(first).status, fresh(second).status} == {Status.RETRY, Status.PENDING}
    assert Attempt.objects.filter(outcome="unknown").count() == 0


def test_a_token_that_holds_for_a_while_is_used_if_it_cannot_be_renewed_now(
    lapsing, queued, monkeypatch
):
    monkeypatch.setattr(Lapsing, "fails", Wait)
    delivery = queued(lapsing(age=timedelta(hours=2), within=timedelta(minutes=3)))
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED


def test_long_lived_tokens_are_renewed_days_ahead_though_nothing_is_sent(lapsing):
    weeks = lapsing(age=timedelta(days=55), within=timedelta(days=5))
    assert renewal.ahead() == 1
    assert fresh(weeks).credentials.reveal()["token"] == 2
    assert renewal.ahead() == 0


def test_two_workers_spend_a_refresh_token_once(lapsing, monkeypatch):
    monkeypatch.setattr(Lapsing, "pause", 0.4)
    to = lapsing(token=0)

    async def renewed():
        async with Client(from_settings()) as http:
            used = {"token": 0, "refresh": 1, "secret": "kept"}
            return await renewal.fresh(
                to.pk, platforms.platform("lapsing"), used, http, refused=True
            )

    found = at_once(*[async_to_sync(renewed)] * 4)
    assert [each["token"] for each in found] == [2, 2, 2, 2]
    assert Lapsing.renewals == 1


def test_a_renewal_whose_worker_died_is_taken_over(lapsing, queued):
    to = lapsing(token=0)
    Channel.objects.filter(pk=to.pk).update(renewing_until=timezone.now() - timedelta(seconds=1))
    delivery = queued(to)
    deliver.drain()
    assert Delivery.objects.get(pk=delivery.pk).status == Status.PUBLISHED


def test_nothing_empty_replaces_what_is_there():
    assert renewal.merged({"refresh": "R", "token": "A"}, {"refresh": "", "token": "B"}) == {
        "refresh": "R", "token": "B",
    }  # fmt: skip
