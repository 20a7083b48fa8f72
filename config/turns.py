"""Taking turns outside: several limits for one request, hosts that fail, hosts for one at a time.

All of it lives in Redis, on Redis's own clock, so that any number of workers keep to it together.
A `Bucket` remembers the last tokens taken, so that no minute ever sees more than a limit a minute,
however they come: services count like that, and a GCRA with a burst (`config.limits`) lets up to
twice as much through in its first minute. Without Redis everything may happen: the news goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from django.conf import settings

from config import limits
from config.limits import client, registered

_MICROSECONDS = 1_000_000
# KEYS: the fuse's failures and the time it stays open, then a list of moments for each bucket,
# the newest first. ARGV: failures until it opens, milliseconds of a trial, then size and period.
_TURN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local failures, limit = 0, tonumber(ARGV[1])
if limit > 0 then
  failures = tonumber(redis.call('GET', KEYS[1]) or 0)
  if failures >= limit then
    local open = redis.call('PTTL', KEYS[2])
    if open > 0 then return {open * 1000, 0, failures} end
  end
end
local longest, which = 0, 0
for i = 3, #KEYS do
  local most, period = tonumber(ARGV[2 * i - 3]), tonumber(ARGV[2 * i - 2])
  local oldest = redis.call('LINDEX', KEYS[i], most - 1)
  if oldest then
    -- A clock set back must not lock anybody out longer than a full bucket takes.
    local wait = math.min(tonumber(oldest), now) + period - now
    if wait > longest then longest, which = wait, i - 2 end
  end
end
if longest > 0 then return {math.ceil(longest), which, failures} end
for i = 3, #KEYS do
  local most, period = tonumber(ARGV[2 * i - 3]), tonumber(ARGV[2 * i - 2])
  redis.call('LPUSH', KEYS[i], string.format('%.0f', now))
  redis.call('LTRIM', KEYS[i], 0, most - 1)
  redis.call('PEXPIRE', KEYS[i], math.ceil(period / 1000))
end
if limit > 0 and failures >= limit then redis.call('SET', KEYS[2], 1, 'PX', ARGV[2]) end
return {0, 0, failures}
"""
_FAILED = """
local failures = redis.call('INCR', KEYS[1])
local limit, shortest, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('PEXPIRE', KEYS[1], 2 * longest)
if failures >= limit then
  local open = math.min(longest, shortest * 2 ^ math.min(failures - limit, 20))
  redis.call('SET', KEYS[2], 1, 'PX', string.format('%.0f', open))
end
return failures
"""
_LET_GO = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `most` in any `seconds`."""

    key: str
    most: int
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Fuse:
    """Something that is not asked for a while after it has failed too often; see `report`."""

    key: str
    failures: int = 5  # in a row, until it opens
    shortest: float = 60.0  # seconds that it stays open; twice as long after each failed trial
    longest: float = 3600.0
    trial: float = 30.0  # seconds that one request is given to find out; the others wait


@dataclass(frozen=True, slots=True)
class Turn:
    """What may be done now, or what is to be waited for."""

    wait: float = 0.0  # seconds; 0.0 means go on, and one was taken from every bucket
    by: str = ""  # the key that makes it wait
    failures: int = 0  # of the fuse until now, in a row


_GO_ON = Turn()


def take_from(asked: Sequence[tuple[Fuse | None, Sequence[Bucket]]]) -> list[Turn]:
    """For each request: take one from all of its buckets, or from none and say how long to wait.

    A request whose fuse has blown waits, but for one at a time that tries whether it works again.
    All in one round trip. Without Redis everything may happen.
    """
    if limits.outage.leave_alone():
        return [_GO_ON] * len(asked)
    try:
        answers = _answers(asked)
    except redis.RedisError as error:
        limits.outage.begin(error)
        return [_GO_ON] * len(asked)
    limits.outage.end()
    return [
        _turn(fuse, buckets, answer) for (fuse, buckets), answer in zip(asked, answers, strict=True)
    ]


def report(fuse: Fuse, *, works: bool) -> None:
    """Tell how a request behind `fuse` went; one that works closes it. No-op without Redis."""
    if limits.outage.leave_alone():
        return
    count, until = (f"newsdesk:fuse:{fuse.key}{end}" for end in (":failures", ":open"))
    try:
        if works:
            client(settings.REDIS_URL).delete(count, until)
        else:
            times = [fuse.failures, *(round(each * 1000) for each in (fuse.shortest, fuse.longest))]
            registered(settings.REDIS_URL, _FAILED)(keys=[count, until], args=times)
    except redis.RedisError as error:
        limits.outage.begin(error)
        return
    limits.outage.end()


def hold(key: str, owner: str, seconds: float) -> bool:
    """Be the only one who does `key`, for at most so long; True without Redis."""
    if limits.outage.leave_alone():
        return True
    try:
        held = client(settings.REDIS_URL).set(
            f"newsdesk:held:{key}", owner, nx=True, px=round(seconds * 1000)
        )
    except redis.RedisError as error:
        limits.outage.begin(error)
        return True
    limits.outage.end()
    return bool(held)


def let_go(key: str, owner: str) -> None:
    """End a `hold`, if it is still the owner's."""
    if limits.outage.leave_alone():
        return
    try:
        registered(settings.REDIS_URL, _LET_GO)(keys=[f"newsdesk:held:{key}"], args=[owner])
    except redis.RedisError as error:
        limits.outage.begin(error)


def _answers(asked: Sequence[tuple[Fuse | None, Sequence[Bucket]]]) -> list[Sequence[int]]:
    script = registered(settings.REDIS_URL, _TURN)
    for _ in range(2):
        # redis-py's own way asks first whether Redis knows the script: a round trip each time.
        pipe = client(settings.REDIS_URL).pipeline(transaction=False)
        for fuse, buckets in asked:
            keys = _keys(fuse, buckets)
            pipe.evalsha(script.sha, len(keys), *keys, *_arguments(fuse, buckets))
        answers: list[Sequence[int]]
        try:
            answers = pipe.execute()
        except redis.exceptions.NoScriptError:
            client(settings.REDIS_URL).script_load(_TURN)
        else:
            return answers
    raise redis.RedisError("Redis forgets its scripts")


def _keys(fuse: Fuse | None, buckets: Sequence[Bucket]) -> list[str]:
    name = f"newsdesk:fuse:{fuse.key}" if fuse else "newsdesk:fuse:"
    taken = (f"newsdesk:taken:{bucket.key}" for bucket in buckets)
    return [f"{name}:failures", f"{name}:open", *taken]


def _arguments(fuse: Fuse | None, buckets: Sequence[Bucket]) -> list[int]:
    guard = [fuse.failures, round(fuse.trial * 1000)] if fuse else [0, 0]
    sizes = ((bucket.most, round(bucket.seconds * _MICROSECONDS)) for bucket in buckets)
    return [*guard, *(number for size in sizes for number in size)]


def _turn(fuse: Fuse | None, buckets: Sequence[Bucket], answer: Sequence[int]) -> Turn:
    wait, which, failures = (int(number) for number in answer)
    if not wait:
        return Turn(failures=failures)
    key = fuse.key if which == 0 and fuse else buckets[which - 1].key
    return Turn(wait / _MICROSECONDS, key, failures)
