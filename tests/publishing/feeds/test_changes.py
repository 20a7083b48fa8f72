"""A story in a feed is corrected, withdrawn, put again: through the real queue."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from publishing import claim, deliver, readback
from publishing.errors import LostClaim, Refusal
from publishing.feeds.entries import Entries
from publishing.lifecycle import Status
from publishing.models import Attempt, Delivery, Feed, FeedEntry, Watch
from publishing.posts import of_delivery
from tests.publishing.feeds.asking import (
    FORMS,
    NAMESPACES,
    ask,
    bozo,
    corrected,
    killed,
    parsed,
    tree,
)
from tests.publishing.processes import start
from tests.servers.test_kills import wait_for
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


# --- changing what is out ---


@pytest.mark.parametrize("form", FORMS)
def test_a_correction_changes_the_entry_and_keeps_its_id_and_date(feed, out, by, form):
    delivery = out(feed(), title="Fery returns")
    [before] = parsed(form).entries
    FeedEntry.objects.update(published_at=timezone.now() - timedelta(days=1))
    [dated] = parsed(form).entries
    edit = corrected(delivery, by, title="Ferry returns")
    deliver.drain()
    edit.refresh_from_db()
    assert edit.status == Status.PUBLISHED
    [after] = parsed(form).entries
    assert (before.title, after.title) == ("Fery returns", "Ferry returns")
    assert (after.external_id, after.published_at) == (before.external_id, dated.published_at)
    if form != "rss":
        assert after.updated_at > after.published_at


def test_a_kill_takes_the_entry_out_and_says_that_it_is_gone(feed, out, by):
    delivery = out(feed())
    page = f"/feeds/our-news/{delivery.marker}/"
    assert Browser().get(page).status_code == 200
    killed(delivery, by)
    assert [parsed(form).entries for form in FORMS] == [(), (), ()]
    [gone] = tree("atom").findall("at:deleted-entry", NAMESPACES)
    assert gone.get("ref") == delivery.marker.urn
    assert parse_datetime(gone.get("when")) <= timezone.now()
    answer = Browser().get(page)
    assert answer.status_code == 410
    assert b"sails" not in answer.content
    assert delivery.article.title.encode() not in answer.content
    assert not bozo("atom")


def test_what_was_withdrawn_does_not_come_back_by_a_late_repetition(feed, out, by):
    delivery = out(feed())
    killed(delivery, by)
    with pytest.raises(Refusal, match="withdrawn"):
        _put_again(delivery)


def test_a_withdrawal_repeated_moves_nothing(feed, out, by):
    delivery = out(feed())
    killed(delivery, by)
    version = Feed.objects.get().version
    withdrawal = Delivery.objects.get(of=delivery)
    _as_claimed(withdrawal, lambda place: place._take_down())
    assert Feed.objects.get().version == version


def test_the_entry_is_watched(feed, out):
    delivery = out(feed())
    readback.begin()
    Watch.objects.update(look_at=timezone.now(), count_at=None)
    assert readback.read_back() == 1
    watch = Watch.objects.get()
    assert (watch.missed, watch.finding) == (0, "")
    assert watch.words_hash
    FeedEntry.objects.filter(delivery=delivery).update(text="Something else")
    Watch.objects.update(look_at=timezone.now())
    readback.read_back()
    assert Watch.objects.get().finding == Watch.Findings.CHANGED


# --- once ---


def _claimed(delivery):
    """Claim the delivery by hand, as a worker does."""
    token = uuid4()
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.SENDING, claim_token=token, lease_expires_at=timezone.now() + claim.LEASE
    )
    return claim.Claim(delivery.pk, token, Status.PENDING)


def _as_claimed(delivery, act):
    """Do something to its entry as a worker that holds it."""
    with connection.cursor() as cursor:  # what is over never reopens: the trigger sees to that
        cursor.execute("ALTER TABLE publishing_queue DISABLE TRIGGER USER")
    try:
        return act(Entries(Delivery.objects.get(pk=delivery.pk), _claimed(delivery)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE publishing_queue ENABLE TRIGGER USER")


def _put_again(delivery):
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    return _as_claimed(delivery, lambda place: place._put(of_delivery(row)))


def test_the_same_words_again_change_nothing(feed, out):
    delivery = out(feed())
    before = ask("rss")["ETag"], FeedEntry.objects.values().get()
    _put_again(delivery)
    assert (ask("rss")["ETag"], FeedEntry.objects.values().get()) == before


def test_many_at_once_make_one_entry(feed, queued):
    delivery = queued(feed())
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    claimed, post = _claimed(delivery), of_delivery(row)
    at_once(*[lambda: Entries(row, claimed)._put(post)] * 6)
    assert (FeedEntry.objects.count(), Feed.objects.get().version) == (1, 1)


def test_who_has_lost_the_claim_writes_nothing(feed, queued):
    delivery = queued(feed())
    row = Delivery.objects.select_related("article", "revision", "channel").get(pk=delivery.pk)
    late = _claimed(delivery)
    _claimed(delivery)
    with pytest.raises(LostClaim):
        Entries(row, late)._put(of_delivery(row))
    assert not FeedEntry.objects.exists()


@pytest.mark.parametrize(
    "point", ["after the attempt row", "after the answer", "before the commit"]
)
def test_a_worker_killed_between_row_and_settling_leaves_one_entry(feed, queued, point, tmp_path):
    delivery = queued(feed())
    reached = tmp_path / "reached"
    worker = start("-m", "tests.servers.worker", point, str(reached))
    wait_for(reached.exists)
    worker.kill()
    worker.wait(10)
    assert FeedEntry.objects.count() == (0 if point == "after the attempt row" else 1)
    Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    call_command("sweep", "--once")
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED
    assert Attempt.objects.filter(delivery=delivery).count() == 2
    assert (FeedEntry.objects.count(), Feed.objects.get().version) == (1, 1)
    assert len(parsed("rss").entries) == 1
