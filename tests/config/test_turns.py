"""Turns on real Valkey: no window sees more than its limit, whoever asks and however they come."""

import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import LazySettings, settings
from structlog.testing import capture_logs

from config import limits, turns
from config.turns import Bucket, Fuse, take_from

# A process of its own that asks for 100 turns and prints how many it got.
_WORKER = """
import sys
from django.conf import settings
settings.configure(REDIS_URL=sys.argv[1])
from config.turns import Bucket, take_from
granted = [take_from([(None, [Bucket(sys.argv[2], 20)])])[0].wait == 0 for _ in range(100)]
print(sum(granted))
"""


@pytest.fixture
def key() -> str:
    """A name nobody has used."""
    return uuid.uuid4().hex


def turn(*buckets: Bucket, fuse: Fuse | None = None) -> turns.Turn:
    """One request's turn."""
    return take_from([(fuse, buckets)])[0]


def test_processes_together_get_exactly_the_limit(key: str) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, settings.REDIS_URL, key],
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == 20


def test_no_stretch_of_time_sees_more_than_the_limit(key: str) -> None:
    """A bucket that fills up steadily would let twice as many through around its first edge."""
    bucket = Bucket(key, 5, 0.4)
    granted: list[tuple[float, float]] = []  # each was granted between these moments

    def ask(_: int) -> None:
        while len(granted) < 25:
            before = time.monotonic()
            if not turn(bucket).wait:
                granted.append((before, time.monotonic()))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    granted.sort()
    for (earliest, _), (_, latest) in zip(granted, granted[5:], strict=False):
        assert latest - earliest >= 0.4


def test_the_wait_is_until_the_next_one_may(key: str) -> None:
    bucket = Bucket(key, 1, 0.3)
    assert turn(bucket) == turns.Turn()
    refused = turn(bucket)
    assert 0 < refused.wait <= 0.3
    assert refused.by == key
    time.sleep(refused.wait)
    assert turn(bucket).wait == 0


def test_all_buckets_give_or_none_does(key: str) -> None:
    full, wide = Bucket(f"{key}-full", 1), Bucket(f"{key}-wide", 2)
    assert turn(full).wait == 0
    for _ in range(5):
        assert turn(wide, full).by == full.key
    assert [turn(wide).wait == 0 for _ in range(3)] == [True, True, False]


def test_many_requests_are_answered_in_their_order(key: str) -> None:
    bucket = Bucket(key, 2)
    given = take_from([(None, [bucket]), (None, [Bucket(f"{key}-b", 1)]), (None, [bucket])] * 2)
    assert [each.wait == 0 for each in given] == [True, True, True, False, False, False]


def test_a_clock_set_back_locks_nobody_out_for_long(key: str) -> None:
    ahead = int((time.time() + 86_400) * 1_000_000)
    redis.Redis.from_url(settings.REDIS_URL).lpush(f"newsdesk:taken:{key}", ahead)
    assert turn(Bucket(key, 1, 2.0)).wait <= 2.0


def test_a_bucket_leaves_redis_by_itself(key: str) -> None:
    turn(Bucket(key, 3, 0.5))
    assert 0 < redis.Redis.from_url(settings.REDIS_URL).pttl(f"newsdesk:taken:{key}") <= 500


def test_a_fuse_blows_is_tried_by_one_and_closes(key: str) -> None:
    fuse = Fuse(key, failures=3, shortest=0.2, longest=1.0)
    for _ in range(2):
        turns.report(fuse, works=False)
    assert turn(fuse=fuse) == turns.Turn(failures=2)
    turns.report(fuse, works=False)
    blown = turn(fuse=fuse)
    assert 0 < blown.wait <= 0.2
    assert (blown.by, blown.failures) == (key, 3)
    time.sleep(blown.wait + 0.01)
    assert [turn(fuse=fuse).wait == 0 for _ in range(3)] == [True, False, False]  # one trial
    turns.report(fuse, works=True)
    assert turn(fuse=fuse) == turns.Turn()


def test_a_fuse_stays_open_twice_as_long_after_each_trial_up_to_its_longest(key: str) -> None:
    fuse = Fuse(key, failures=1, shortest=10.0, longest=35.0)
    waits = []
    for _ in range(4):
        turns.report(fuse, works=False)
        waits.append(turn(fuse=fuse).wait)
    assert waits == pytest.approx([10, 20, 35, 35], abs=1.0)


def test_a_blown_fuse_takes_nothing_from_the_buckets(key: str) -> None:
    fuse, bucket = Fuse(key, failures=1), Bucket(key, 1)
    turns.report(fuse, works=False)
    assert turn(bucket, fuse=fuse).wait > 0
    assert turn(bucket).wait == 0


def test_what_is_held_is_one_s_until_given_back(key: str) -> None:
    assert turns.hold(key, "ada", 60)
    assert not turns.hold(key, "bob", 60)
    turns.let_go(key, "bob")  # not his to give
    assert not turns.hold(key, "bob", 60)
    turns.let_go(key, "ada")
    assert turns.hold(key, "bob", 0.1)
    time.sleep(0.15)
    assert turns.hold(key, "ada", 60)


def test_redis_may_forget_the_script(key: str) -> None:
    turn(Bucket(key, 1))
    redis.Redis.from_url(settings.REDIS_URL).script_flush()
    assert turn(Bucket(key, 1)).wait > 0


def test_without_redis_everything_may_happen(
    key: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "outage", limits.Outage())
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nothing listens on port 1
    with capture_logs() as lines:
        assert [turn(Bucket(key, 1)).wait for _ in range(3)] == [0.0] * 3
        turns.report(Fuse(key), works=False)
        assert turns.hold(key, "ada", 60)
        assert turns.hold(key, "bob", 60)
    assert [line["event"] for line in lines] == ["limits.open"]
    limits.client.cache_clear()
    limits.registered.cache_clear()
