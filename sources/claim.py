"""Which source is synced now, and by whom: every statement names what it expects.

A message of the schedule, or a person, only marks a source as due. A claim is a token and a lease
on the database's clock; a worker that dies leaves a lease that runs out. Whoever's token is not
in the row any more has lost the source and writes nothing. Losing a race is ordinary.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from sources.models import Source

LEASE = timedelta(seconds=180)
"""How long a claim is good for; longer than a fetch (`fetching.LONGEST`) and its storing."""
PER_HOST = 4  # sources of one host in one claim; up to twice as many are asked at once

# The host of an address, as far as fairness goes; what is sent there is judged elsewhere.
_HOST = "split_part({0}api_endpoint, '/', 3)"
_FREE = "({0}claim_token IS NULL OR {0}lease_expires_at <= now())"
_WANTED = f"""due_at <= now() AND {_FREE.format("")}
    AND (asked_by <> '' OR (is_active AND paused_reason = ''))"""

_MARK = f"""
UPDATE data_sources SET
    due_at = least(due_at, greatest(now(), coalesce(next_sync_at, now()))),
    stage = CASE WHEN coalesce(next_sync_at, now()) <= now() THEN 'requested' ELSE stage END
WHERE id = %(source)s AND is_active AND paused_reason = '' AND {_FREE.format("")}
"""  # noqa: S608 (our own literals)
_REQUEST = f"""
UPDATE data_sources SET due_at = now(), asked_by = %(by)s, stage = 'requested'
WHERE id = %(source)s AND {_FREE.format("")}
"""  # noqa: S608 (our own literals)
# Who is served first: what a person asked for, then the hosts in turn, then who waits longest.
_CLAIM = f"""
WITH due AS (
    SELECT id FROM data_sources
    WHERE id IN (
        SELECT id FROM (
            SELECT id, asked_by, due_at,
                row_number() OVER (PARTITION BY {_HOST.format("")} ORDER BY due_at, id) AS nth
            FROM data_sources
            WHERE {_WANTED} AND {_HOST.format("")} <> ALL(%(busy)s)
        ) AS waiting
        WHERE nth <= %(per_host)s OR asked_by <> ''
        ORDER BY asked_by = '', nth, due_at, id
        LIMIT %(limit)s
    ) AND {_WANTED}
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE data_sources AS source
SET claim_token = gen_random_uuid(), stage = 'fetching',
    lease_expires_at = now() + make_interval(secs => %(lease)s)
FROM due WHERE source.id = due.id
RETURNING source.*,
    EXISTS (SELECT FROM websub_subscriptions WHERE source_id = source.id) AS has_hub,
    EXISTS (SELECT FROM bursts WHERE source_id = source.id) AS has_bursts
"""  # noqa: S608 (our own literals)
_CLAIM_ONE = f"""
UPDATE data_sources AS source
SET claim_token = gen_random_uuid(), stage = %(stage)s,
    asked_by = CASE WHEN %(by)s <> '' THEN %(by)s ELSE asked_by END,
    lease_expires_at = now() + make_interval(secs => %(lease)s)
WHERE id = %(source)s AND {_FREE.format("")}
RETURNING source.*,
    EXISTS (SELECT FROM websub_subscriptions WHERE source_id = source.id) AS has_hub,
    EXISTS (SELECT FROM bursts WHERE source_id = source.id) AS has_bursts
"""  # noqa: S608 (our own literals)
_STAGE = """
UPDATE data_sources SET stage = %(stage)s
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) AS mine (id, token)
WHERE data_sources.id = mine.id AND claim_token = mine.token
"""
_MINE = """
SELECT source.id FROM data_sources AS source
JOIN unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) AS mine (id, token)
    ON source.id = mine.id AND source.claim_token = mine.token
ORDER BY source.id FOR NO KEY UPDATE OF source
"""
_PUT_OFF = """
UPDATE data_sources AS source SET
    due_at = now() + make_interval(secs => mine.seconds),
    stage = '', claim_token = NULL, lease_expires_at = NULL,
    next_sync_at = CASE WHEN mine.reason = '' THEN next_sync_at
        ELSE now() + make_interval(secs => mine.seconds) END,
    next_sync_reason = CASE WHEN mine.reason = '' THEN next_sync_reason ELSE mine.reason END
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[], %(seconds)s::float[], %(reasons)s::text[])
    AS mine (id, token, seconds, reason)
WHERE source.id = mine.id AND source.claim_token = mine.token
"""
_LET_GO = """
UPDATE data_sources SET claim_token = NULL, lease_expires_at = NULL,
    stage = CASE WHEN due_at IS NULL THEN '' ELSE 'requested' END
WHERE id = %(source)s AND claim_token = %(token)s
"""
_SECONDS_TO_NEXT = f"""
SELECT extract(epoch FROM min(due_at) - now())::float FROM data_sources
WHERE due_at <= now() + make_interval(secs => %(within)s) AND {_FREE.format("")}
    AND (asked_by <> '' OR (is_active AND paused_reason = ''))
    AND {_HOST.format("")} <> ALL(%(busy)s)
"""  # noqa: S608 (our own literals)


@dataclass(frozen=True, slots=True)
class PutOff:
    """A claimed source that was not asked: when it is due again, and why."""

    source: Source
    seconds: float
    reason: str = ""  # "" leaves what its page says of the next sync


def mark(source_id: int) -> bool:
    """Say that the schedule wants a sync. Idempotent; False when it is off, or at it already.

    It is due now, or at the source's `next_sync_at` if that is later.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"source": source_id})
        return bool(cursor.rowcount)


def request(source_id: int, by: str) -> bool:
    """Say that a person wants a sync now, whatever schedule and pace say; False if one is going on.

    Raises ValueError without a name.
    """
    if not by:
        raise ValueError("a requested sync needs the name of whoever asked")
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST, {"source": source_id, "by": by[:150]})
        return bool(cursor.rowcount)


def claim(limit: int, busy: Collection[str] = (), per_host: int = PER_HOST) -> list[Source]:
    """Take up to `limit` due sources, the hosts in turn, none of the `busy` hosts.

    Rows that another worker is taking are skipped. A source whose worker died is among them as
    soon as its lease has run out. Each has `claim_token`, `has_hub` and `has_bursts`.
    """
    if limit < 1:
        return []
    asked = {
        "limit": limit, "busy": list(busy), "per_host": per_host, "lease": LEASE.total_seconds(),
    }  # fmt: skip
    return list(Source.objects.raw(_CLAIM, asked))


def claim_one(source_id: int, by: str = "", stage: str = Source.Stages.FETCHING) -> Source | None:
    """Take this source, due or not; None if a worker has it."""
    asked = {
        "source": source_id, "by": by[:150], "stage": stage, "lease": LEASE.total_seconds(),
    }  # fmt: skip
    return next(iter(Source.objects.raw(_CLAIM_ONE, asked)), None)


def mark_stage(sources: Iterable[Source], stage: Source.Stages) -> None:
    """Let pages tell how far these syncs have come."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE, {**_claims(list(sources)), "stage": stage.value})


def still_ours(sources: Sequence[Source]) -> set[int]:
    """Lock the sources' rows until the transaction ends; those whose claim still holds."""
    with connection.cursor() as cursor:
        cursor.execute(_MINE, _claims(sources))
        return {pk for (pk,) in cursor.fetchall()}


def put_off(these: Sequence[PutOff]) -> None:
    """Give sources back that were not asked, to be due again later."""
    if not these:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT_OFF,
            {
                **_claims([each.source for each in these]),
                "seconds": [each.seconds for each in these],
                "reasons": [each.reason[:300] for each in these],
            },
        )


def let_go(source_id: int, token: uuid.UUID | None) -> None:
    """Give a source back as it was; nothing happens if the claim is lost already."""
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, {"source": source_id, "token": token})


def seconds_to_next(within: timedelta, busy: Collection[str] = ()) -> float | None:
    """When a source can be claimed again, in seconds from now; None if not `within` this time."""
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS_TO_NEXT, {"within": within.total_seconds(), "busy": list(busy)})
        seconds: float | None = cursor.fetchone()[0]
    return None if seconds is None else max(0.0, seconds)


def host_of(source: Source) -> str:
    """The host as `claim` counts it."""
    return source.api_endpoint.split("/")[2] if source.api_endpoint.count("/") > 1 else ""


def _claims(sources: Sequence[Source]) -> dict[str, list[object]]:
    return {
        "ids": [source.pk for source in sources],
        "tokens": [source.claim_token for source in sources],
    }
