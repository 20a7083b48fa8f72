"""The sweeper: publishing goes on without Redis, without workers, and over a lost database."""

import socket
import time

import pytest
from celery import Celery
from django.core.management import call_command
from django.db import connection

from config import limits
from publishing import queue
from publishing.lifecycle import Status
from publishing.models import Delivery
from tests.publishing.processes import start

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def soon(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(params=["nobody listens", "it accepts and never answers"])
def dead_redis(request, monkeypatch, settings):
    """Redis is down, in one of the two ways in which it can be."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if request.param == "nobody listens":
            silent.close()
        where = f"redis://127.0.0.1:{port}/0"
        # Another Celery: the real one remembers an address in more places than can be put back.
        there = Celery(broker=where, set_as_current=False)
        monkeypatch.setattr("config.bell.current_app", there)
        settings.REDIS_URL = where
        monkeypatch.setattr("config.limits.outage", limits.Outage())  # others' Redis is up
        yield


def test_with_redis_down_queueing_is_quick_and_the_sweeper_publishes(
    dead_redis, approved, by, channel
):
    story, to = approved(), channel("wordpress")
    began = time.monotonic()
    result = queue.enqueue(story.pk, [to.pk], by)[0]
    assert time.monotonic() - began < 10
    call_command("sweep", "--once")
    assert fresh(result.delivery).status == Status.PUBLISHED


def test_a_sweeper_that_is_told_to_end_ends_its_call_first(queued, channel, world):
    world.faults({"match": "/bare", "mode": "latency", "delay": 2, "times": 1})
    to = channel("bare")
    first, second = queued(to), queued(to)
    sweeper = start("manage.py", "sweep")
    try:
        assert soon(lambda: fresh(first).status == Status.SENDING)
        sweeper.terminate()
        assert sweeper.wait(10) == 0
    finally:
        sweeper.kill()
    assert (fresh(first).status, fresh(second).status) == (Status.PUBLISHED, Status.PENDING)


def test_two_sweepers_send_everything_once(queued, channel, world):
    for _ in range(4):
        to = channel("bare")
        for _ in range(4):
            queued(to)
    sweepers = [start("manage.py", "sweep", "--every", "0.2") for _ in range(2)]
    try:
        assert soon(lambda: not Delivery.objects.exclude(status=Status.PUBLISHED).exists())
    finally:
        for each in sweepers:
            each.terminate()
        assert [each.wait(10) for each in sweepers] == [0, 0]
    assert list(world.posts("bare")["by_marker"].values()) == [1] * 16


def test_a_sweeper_whose_connection_was_cut_goes_on(queued, channel, world):
    sweeper = start("manage.py", "sweep", "--every", "0.2")
    try:
        first = queued(channel("bare"))
        assert soon(lambda: fresh(first).status == Status.PUBLISHED)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 1
        second = queued(channel("bare"))
        assert soon(lambda: fresh(second).status == Status.PUBLISHED)
    finally:
        sweeper.terminate()
        assert sweeper.wait(10) == 0
