"""The limit on real Valkey: exactly as many as allowed, from any number of threads."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import LazySettings, settings
from django.contrib.auth.models import AnonymousUser, User
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView
from structlog.testing import capture_logs

from config import limits
from config.limits import take
from config.throttles import PerUserThrottle


@pytest.fixture
def key() -> str:
    """A bucket nobody has taken from."""
    return uuid.uuid4().hex


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An outage ends with its test."""
    monkeypatch.setattr(limits, "outage", limits.Outage())
    yield
    limits.client.cache_clear()
    limits.registered.cache_clear()


@pytest.mark.parametrize("burst", [1, 10, 36])
def test_twenty_threads_get_exactly_the_burst(key: str, burst: int) -> None:
    # One a minute: nothing comes back while the test runs.
    with ThreadPoolExecutor(20) as threads:
        waits = list(threads.map(lambda _: take(key, 1, burst), range(200)))
    assert waits.count(0.0) == burst
    assert all(0 < wait <= 60 for wait in waits if wait)


def test_the_wait_is_when_the_next_may_pass(key: str) -> None:
    assert take(key, 600) == 0.0
    wait = take(key, 600)
    assert 0 < wait <= 0.1
    time.sleep(wait)
    assert take(key, 600) == 0.0


def test_a_refused_one_takes_nothing(key: str) -> None:
    take(key, 60)
    waits = [take(key, 60) for _ in range(20)]
    assert max(waits) <= 1.0


def test_buckets_are_apart(key: str) -> None:
    assert take(f"{key}-a", 1) == 0.0
    assert take(f"{key}-b", 1) == 0.0


def test_an_empty_bucket_leaves_redis_by_itself(key: str) -> None:
    take(key, 600, burst=5)
    left = redis.Redis.from_url(settings.REDIS_URL).pttl(f"newsdesk:limit:{key}")
    assert 0 < left <= 101


def test_a_clock_set_back_does_not_lock_anybody_out(key: str) -> None:
    ahead = int((time.time() + 86_400) * 1_000_000)
    redis.Redis.from_url(settings.REDIS_URL).set(f"newsdesk:limit:{key}", ahead, ex=60)
    assert take(key, 60, burst=2) <= 2.0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (60, 0)])
def test_a_limit_that_makes_no_sense_is_refused(key: str, rate: int, burst: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        take(key, rate, burst)


@pytest.mark.usefixtures("outage")
def test_without_redis_everything_may_happen_and_the_log_says_so_once(
    key: str, settings: LazySettings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nothing listens on port 1
    with capture_logs() as lines:
        waits = [take(key, 1) for _ in range(5)]
    assert waits == [0.0] * 5
    assert [line["event"] for line in lines] == ["limits.open"]


@pytest.mark.usefixtures("outage")
def test_limits_hold_again_when_redis_is_back(
    key: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_LEAVE_ALONE", 0.0)
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    with capture_logs() as lines:
        take(key, 1)
        settings.REDIS_URL = there
        assert take(key, 1) == 0.0
        assert take(key, 1) > 50
    assert [line["event"] for line in lines] == ["limits.open", "limits.enforced_again"]


def api_request(user: User | AnonymousUser, address: str = "192.0.2.9") -> Request:
    request = Request(APIRequestFactory().get("/api/articles/", REMOTE_ADDR=address))
    request.user = user
    return request


def test_each_user_has_an_allowance_of_their_own(settings: LazySettings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    # A number that no other test's user has.
    alice, bob = (User(pk=uuid.uuid4().int % 10**12) for _ in range(2))
    throttle = PerUserThrottle()
    allowed = [throttle.allow_request(api_request(alice), APIView()) for _ in range(5)]
    assert allowed == [True, True, True, False, False]
    wait = throttle.wait()
    assert wait is not None
    assert 0 < wait <= 20
    assert PerUserThrottle().allow_request(api_request(bob), APIView())


def test_strangers_are_told_apart_by_address(settings: LazySettings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    here, there = (f"2001:db8::{uuid.uuid4().hex[:4]}:{n}" for n in (1, 2))
    outcomes = [
        PerUserThrottle().allow_request(api_request(AnonymousUser(), address), APIView())
        for address in (here, here, there)
    ]
    assert outcomes == [True, False, True]
