"""How often something may happen: one token bucket for what comes in and what goes out.

The bucket lives in Redis and is taken from by a script, so that any number of processes and
threads let through exactly the limit. It is GCRA (ITU-T I.371): one stored moment per key, the
"theoretical arrival time" of the next request, on Redis's own clock. Requests to sources have
several buckets at once, see `config.turns`.
"""

import functools
import time
from collections.abc import Sequence

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

log = structlog.get_logger(__name__)

_GCRA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
-- A clock set back must not lock anybody out longer than a full bucket takes.
arrival = math.min(math.max(arrival, now), now + interval * burst)
local wait = arrival - interval * (burst - 1) - now
if wait > 0 then return math.ceil(wait) end
arrival = arrival + interval
-- tostring() would keep 14 digits only, a hundredth of a second.
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
return 0
"""
_MICROSECONDS = 1_000_000
_LEAVE_ALONE = 5.0  # seconds without asking Redis again after it failed


def take(key: str, rate_per_minute: float, burst: int = 1) -> float:
    """Take one from the bucket ``key``: 0.0 if it may happen now, else the seconds to wait.

    A wait takes nothing; ask again afterwards. ``burst`` is how many may happen at once after a
    quiet time. Without Redis everything may happen (publishing must go on), and the log says so
    once per outage.
    """
    if rate_per_minute <= 0 or burst < 1:
        raise ValueError("a limit needs a rate above zero and a burst of at least one")
    if outage.leave_alone():
        return 0.0
    interval = round(60 * _MICROSECONDS / rate_per_minute)
    try:
        wait = registered(settings.REDIS_URL, _GCRA)(
            keys=[f"newsdesk:limit:{key}"], args=[interval, burst]
        )
    except redis.RedisError as error:
        outage.begin(error)
        return 0.0
    outage.end()
    return int(wait) / _MICROSECONDS


def take_all(asked: Sequence[tuple[str, float, int]]) -> list[float]:
    """`take` for several at once: of each (key, rate a minute, burst) the seconds to wait.

    In one round trip to Redis; without Redis everything may happen.
    """
    if not asked or outage.leave_alone():
        return [0.0] * len(asked)
    script = registered(settings.REDIS_URL, _GCRA)
    try:
        for _ in range(2):
            pipe = client(settings.REDIS_URL).pipeline(transaction=False)
            for key, rate, burst in asked:
                interval = round(60 * _MICROSECONDS / rate)
                pipe.evalsha(script.sha, 1, f"newsdesk:limit:{key}", interval, burst)
            try:
                waits = [int(wait) / _MICROSECONDS for wait in pipe.execute()]
            except redis.exceptions.NoScriptError:
                client(settings.REDIS_URL).script_load(_GCRA)
            else:
                outage.end()
                return waits
    except redis.RedisError as error:
        outage.begin(error)
    return [0.0] * len(asked)


class Outage:
    """Keeps a dead Redis from costing each caller a timeout and each call a log line."""

    def __init__(self) -> None:
        self._down = False
        self._ask_again = 0.0

    def leave_alone(self) -> bool:
        """Whether Redis failed a moment ago."""
        return self._down and time.monotonic() < self._ask_again

    def begin(self, error: redis.RedisError) -> None:
        """Redis failed."""
        if not self._down:
            log.warning("limits.open", reason="Redis is not available", error=str(error))
        self._down = True
        self._ask_again = time.monotonic() + _LEAVE_ALONE

    def end(self) -> None:
        """Redis answered."""
        if self._down:
            log.info("limits.enforced_again")
        self._down = False


outage = Outage()


@functools.lru_cache(maxsize=4)
def client(url: str) -> "redis.Redis":
    """Connections for limits: an answer late by a second is none."""
    # redis-py's pool notices a fork and opens connections of its own in the child.
    return redis.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1)
    )


@functools.lru_cache(maxsize=16)
def registered(url: str, script: str) -> Script:
    """The script, ready to be called."""
    return client(url).register_script(script)
