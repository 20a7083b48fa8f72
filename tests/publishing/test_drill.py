"""The drill: workers killed, answers lost, Valkey flushed, and every post counted where it arrived.

300 deliveries on three platforms. A fifth of all posts is accepted and its answer lost. Real
Celery workers are killed with SIGKILL five times in the middle of it. On the platforms with a key
or a look-up the simulator must count exactly one post per delivery; on the one that offers
neither, none twice, and every doubtful one waits for a person.
"""

import os
import signal
import time
from collections import Counter

import pytest
import redis
from django.conf import settings as desk_settings
from django.db.models.functions import Now

from articles.models import Article
from articles.record import Actor, Door
from config.bell import ring
from publishing import queue
from publishing.lifecycle import Status
from publishing.models import Delivery
from tests.publishing.processes import start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

STORIES, CHANNELS_EACH, KILLS = 100, 5, 5
PLATFORMS = ("wordpress", "mastodon", "bare")
POSTING = ("/wordpress/wp-json/wp/v2/posts", "/mastodon/api/v1/statuses", "/bare/post")


class Worker:
    """A real Celery worker on the test's database; it is killed when the block ends, always."""

    def __enter__(self) -> None:
        self.process = start(
            "-m", "celery", "-q", "-A", "config.celery", "worker", "--queues", "publish",
            "--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle",
        )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        """End it and its children as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def drill(world, channel, approved, paula):
    """Every story queued to one channel of each platform; a fifth of the answers will be lost."""
    lost = {"method": "POST", "mode": "accept_then_drop", "share": 0.2}
    world.faults(*({"match": path, **lost} for path in POSTING))
    channels = {key: [channel(key) for _ in range(CHANNELS_EACH)] for key in PLATFORMS}
    for number in range(STORIES):
        story = approved(title=f"Drill story {number}", content=f"<p>Body of story {number}.</p>")
        to = [channels[key][number % CHANNELS_EACH].pk for key in PLATFORMS]
        results = queue.enqueue(story.pk, to, Actor(paula, Door.ADMIN))
        assert all(result.delivery for result in results)
    return world


def open_rows():
    """Deliveries that the desk still has to bring to an end by itself."""
    ended = (Status.PUBLISHED, Status.FAILED, Status.CANCELLED, Status.MISSED)
    parked = Delivery.objects.filter(status=Status.IN_DOUBT, next_attempt_at=None)
    return Delivery.objects.exclude(status__in=ended).exclude(pk__in=parked)


def hurry() -> None:
    """Waits are minutes; the drill has none. Only times move, never a state."""
    Delivery.objects.filter(
        status__in=(Status.RETRY, Status.IN_DOUBT), next_attempt_at__gt=Now()
    ).update(next_attempt_at=Now())
    ring("publishing.drain")


def leases_run_out() -> None:
    """The lease of a dead worker runs out in 90 seconds; all are dead when this is called."""
    Delivery.objects.exclude(lease_expires_at=None).update(lease_expires_at=Now())
    ring("publishing.tick")


def wait_for(condition, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        hurry()
        time.sleep(0.1)
    return False


def test_nothing_is_lost_and_nothing_is_posted_twice(drill):
    killed_while_sending = 0
    for kill in range(KILLS):
        before = open_rows().count()
        with Worker():
            ring("publishing.tick")
            assert wait_for(lambda before=before: open_rows().count() <= before - 20, 120)
            wait_for(lambda: Delivery.objects.filter(status=Status.SENDING).exists(), 5)
        killed_while_sending += Delivery.objects.filter(status=Status.SENDING).count()
        if kill == 1:
            redis.Redis.from_url(desk_settings.REDIS_URL).flushdb()
        leases_run_out()
    with Worker():
        leases_run_out()
        assert wait_for(lambda: not open_rows().exists(), 120), Counter(
            open_rows().values_list("platform", "status")
        )

    assert killed_while_sending, "no worker was killed while sending: the drill proved little"
    for platform in ("wordpress", "mastodon"):
        arrived = drill.posts(platform)["by_marker"]
        assert Counter(arrived.values()) == {1: STORIES}, platform
        rows = Delivery.objects.filter(platform=platform)
        assert set(rows.values_list("status", flat=True)) == {Status.PUBLISHED}
    bare = Delivery.objects.filter(platform="bare")
    statuses = Counter(bare.values_list("status", flat=True))
    assert statuses[Status.PUBLISHED] + statuses[Status.IN_DOUBT] == STORIES
    assert statuses[Status.IN_DOUBT] >= 5
    assert set(drill.posts("bare")["by_marker"].values()) == {1}
    proven = set(drill.posts("bare")["by_marker"])
    published = bare.filter(status=Status.PUBLISHED).values_list("marker", flat=True)
    assert {str(marker) for marker in published} <= proven
    assert Article.objects.filter(state="live").count() == STORIES
