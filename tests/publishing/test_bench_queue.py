"""bench_queue: what it measures really goes over the wire, and is counted there."""

import pytest
from django.conf import settings

from publishing.bench.queue import bench
from publishing.models import Attempt, Delivery

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
    from publishing import claim, deliver, outcome
    from publishing.begin import begin
    from publishing.outcome import Arrived
    from publishing.post import Receipt

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
