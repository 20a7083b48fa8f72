"""bench_queue counts at the receiver; and what it has found in the queue's groups."""

import threading
import time

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from articles import desk
from publishing import claim, deliver, outcome
from publishing.begin import begin
from publishing.bench.queue import bench
from publishing.models import Attempt, Delivery
from publishing.outcome import Arrived
from publishing.post import Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_post_is_counted_once_at_the_receiver(no_limits_used):
    with bench(2, settings.REDIS_URL) as running:
        found = running.measure(posts=60, channels=20, latency=0.02)
    assert found.is_right
    assert (found.arrived, found.twice, found.unsettled) == (60, 0, 0)
    assert found.most_open > 1
    assert Delivery.objects.filter(status="published").count() == 60
    assert Attempt.objects.filter(outcome="published").count() == 60


def test_of_two_in_one_group_that_lost_its_claim_the_other_is_written_down(
    queued, channel, monkeypatch
):
    lost, kept = queued(channel("dryrun")), queued(channel("dryrun"))
    begun = begin(claim.claim(10))
    Delivery.objects.filter(pk=lost.pk).update(claim_token="9f0c5d2e-5f3b-4c1c-8b7e-0a4f6a0d1c11")
    written = outcome.published([Arrived(each, Receipt("7")) for each in begun])
    assert written == 1
    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.status, kept.status) == ("sending", "published")
    assert lost.tries.get().outcome == ""
    assert deliver.drain() == 0


def test_a_story_that_goes_live_while_its_next_delivery_is_looked_at_is_approved_all_the_same(
    queued, channel
):
    delivery = queued(channel("dryrun"))
    locked = threading.Event()

    def the_other_worker():
        with transaction.atomic():
            desk.went_live(delivery.article_id, delivery.revision_id, timezone.now())
            locked.set()
            time.sleep(0.5)  # ours waits for the story's row meanwhile
        connections.close_all()

    thread = threading.Thread(target=the_other_worker)
    thread.start()
    assert locked.wait(10)
    begun = begin(claim.claim(10))
    thread.join()
    assert len(begun) == 1
