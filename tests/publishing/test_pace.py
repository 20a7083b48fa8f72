"""A channel's limit and order, and one delivery's trouble staying its own."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from config.sealed import Sealed
from publishing import claim, deliver, posts, queue
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms.dryrun import DryRun
from publishing.post import Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def statuses():
    return list(Delivery.objects.order_by("id").values_list("status", flat=True))


@pytest.fixture
def sent(monkeypatch):
    """The titles that went out, in their order; `Poison` makes the adapter fail."""
    titles: list[str] = []

    async def publish(_self, job, http):
        titles.append(job.post.title)
        return Receipt(job.post.marker)

    monkeypatch.setattr(DryRun, "publish", publish)
    return titles


def test_a_limit_is_kept_without_leaving_the_rest_to_the_next_tick(queued, channel, sent):
    to = channel("dryrun", rate_limit_per_minute=120)
    for number in range(6):
        queued(to, title=f"Story {number}")
    began = time.monotonic()
    deliver.drain()
    took = time.monotonic() - began
    assert statuses() == [Status.PUBLISHED] * 6
    assert 1.2 < took < 6  # three at once, then one each half second


def test_order_is_kept_while_a_limit_holds_a_channel_up(queued, channel, sent):
    to = channel("dryrun", rate_limit_per_minute=240)
    for number in range(7):
        queued(to, title=f"Story {number}")
    deliver.drain()
    assert sent == [f"Story {number}" for number in range(7)]


def test_what_waits_for_its_limit_stays_as_it_was(queued, channel, sent):
    to = channel("dryrun", rate_limit_per_minute=6)
    for _ in range(4):
        queued(to)
    deliver.drain()
    assert statuses() == [Status.PUBLISHED] * 3 + [Status.PENDING]
    to.refresh_from_db()
    assert timedelta(seconds=5) < to.waits_until - timezone.now() < timedelta(seconds=11)


def test_a_platform_that_asks_for_patience_gets_it_from_the_whole_channel(queued, channel, world):
    world.faults({"match": "/mastodon", "mode": "429", "times": 1, "retry_after": 120})
    to = channel("mastodon")
    first, second = queued(to), queued(to)
    other = queued(channel("mastodon"))
    deliver.drain()
    assert fresh(first).status == Status.RETRY
    assert (fresh(second).status, fresh(second).attempts) == (Status.PENDING, 0)
    assert fresh(other).status == Status.PUBLISHED


def test_what_is_due_in_a_moment_is_waited_for(queued, channel, sent):
    queued(channel("dryrun"), at=timezone.now() + timedelta(seconds=1))
    assert deliver.drain() == 1


def test_a_slow_platform_keeps_nothing_else_waiting(queued, channel, world):
    world.faults({"match": "/bare", "mode": "latency", "delay": 4, "times": 1})
    slow = queued(channel("bare"))
    quick = queued(channel("dryrun"), at=timezone.now() + timedelta(seconds=1))
    assert deliver.drain() == 2
    slow, quick = fresh(slow), fresh(quick)
    assert quick.published_at - quick.scheduled_at < timedelta(seconds=2)
    assert slow.published_at > quick.published_at


def test_only_one_drain_waits(queued, channel, sent):
    from django.db import connections

    queued(channel("dryrun"), at=timezone.now() + timedelta(seconds=2))
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [0x6E657773, 1])
    try:
        assert deliver.drain() == 0
    finally:
        other.close()


def test_a_drain_that_is_told_to_stop_ends_what_it_has_begun_and_begins_nothing(
    queued, channel, monkeypatch
):
    rung: list[str] = []
    monkeypatch.setattr("publishing.deliver.ring", rung.append)
    for _ in range(3):
        queued(channel("dryrun"))
    asked: list[bool] = []

    def stopping():
        asked.append(True)
        return len(asked) > 1

    assert deliver.drain(at_once=1, stopping=stopping) == 1
    assert sorted(statuses()) == [Status.PENDING, Status.PENDING, Status.PUBLISHED]
    assert rung == ["publishing.drain"]  # somebody else goes on


# --- one row's trouble ---


def test_unreadable_credentials_pause_their_channel_and_stop_nobody_else(queued, channel, sent):
    broken, good = channel("dryrun"), channel("dryrun")
    Channel.objects.filter(pk=broken.pk).update(credentials=Sealed({"token": "x"}))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE channels SET credentials = 'forged' WHERE id = %s", [broken.pk])
    first, second = queued(broken), queued(good)
    deliver.drain()
    assert (fresh(first).status, fresh(first).attempts) == (Status.PENDING, 0)
    assert fresh(second).status == Status.PUBLISHED
    broken.refresh_from_db()
    assert "can't be read" in broken.paused_reason


def test_a_delivery_that_cannot_be_prepared_is_held_and_stops_nobody_else(
    queued, channel, sent, monkeypatch
):
    post_of = posts.post_of

    def compose(story, revision, to, marker=""):
        if marker and story.title == "Poison":
            raise ValueError("a bug of ours")
        return post_of(story, revision, to, marker)

    to = channel("dryrun")
    poison, after = queued(to, title="Poison"), queued(to)
    monkeypatch.setattr(posts, "post_of", compose)
    deliver.drain()
    assert (fresh(poison).status, fresh(poison).attempts) == (Status.HELD, 0)
    assert fresh(after).status == Status.PUBLISHED


def test_a_database_that_goes_away_cuts_no_call_off(queued, channel, sent, monkeypatch):
    real = claim.claim
    calls: list[int] = []

    def claim_once(limit):
        calls.append(limit)
        if len(calls) > 1:
            raise OperationalError("gone")
        return real(limit)

    monkeypatch.setattr("publishing.deliver.claim.claim", claim_once)
    delivery = queued(channel("dryrun"))
    with pytest.raises(OperationalError):
        deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED


def test_what_a_platform_says_is_stored_whatever_it_is(queued, channel, monkeypatch):
    async def publish(_self, job, http):
        return Receipt("a\x00b", "javascript:alert(1)", excerpt="nul \x00 and half \ud83d")

    monkeypatch.setattr(DryRun, "publish", publish)
    delivery = queued(channel("dryrun"))
    deliver.drain()
    delivery = fresh(delivery)
    assert (delivery.status, delivery.remote_id) == (Status.PUBLISHED, "ab")
    assert delivery.remote_url == ""  # people click on it


# --- held, late, under embargo ---


def test_a_waiting_delivery_is_held_until_it_is_released(queued, channel, by, sent):
    delivery = queued(channel("dryrun"))
    queue.hold(delivery.pk, by, reason="Waiting for the lawyer")
    assert deliver.drain() == 0
    assert "lawyer" in fresh(delivery).error_message
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(days=3))
    queue.release(delivery.pk, by)
    assert deliver.drain() == 1  # a person's word is not late
    assert fresh(delivery).error_message == ""


def test_a_channel_may_hold_what_is_late_instead_of_dropping_it(queued, channel, sent):
    to = channel("dryrun", lateness_minutes=30, when_late=Channel.WhenLate.HOLD)
    delivery = queued(to)
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(minutes=31))
    deliver.drain()
    assert fresh(delivery).status == Status.HELD


def test_a_delivery_may_be_allowed_to_be_later_than_its_channel(queued, channel, sent):
    delivery = queued(channel("dryrun", lateness_minutes=30))
    Delivery.objects.update(
        scheduled_at=timezone.now() - timedelta(minutes=31), lateness_minutes=60
    )
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
