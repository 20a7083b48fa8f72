"""Taking deliveries from the queue, and giving them back: every statement names what it expects.

A claim is a token and a lease on the database's clock. Whoever's token is not in the row any more
has lost the delivery and must neither send nor write. Losing a race is ordinary.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Now

from publishing.errors import LostClaim
from publishing.lifecycle import Status
from publishing.models import Delivery

LEASE = timedelta(seconds=90)
"""How long a claim is good for; longer than the longest call (`begin.CALL_DEADLINE`)."""

# What is due stands twice on purpose: on `waiting` to choose the oldest of each channel, and on
# `delivery` because that is what PostgreSQL checks once more after it got the row's lock.
_DUE = """{0}.scheduled_at <= now() AND (
    ({0}.status IN ('pending', 'retry')
        AND ({0}.next_attempt_at IS NULL OR {0}.next_attempt_at <= now()))
    OR ({0}.status = 'in_doubt' AND {0}.next_attempt_at <= now())
)"""
_CLAIM = f"""
WITH due AS (
    SELECT delivery.id, delivery.status AS was
    FROM publishing_queue AS delivery
    JOIN channels AS channel ON channel.id = delivery.channel_id
    WHERE delivery.id IN (
        SELECT DISTINCT ON (waiting.channel_id) waiting.id
        FROM publishing_queue AS waiting
        WHERE {_DUE.format("waiting")}
        ORDER BY waiting.channel_id, waiting.scheduled_at, waiting.id
    )
        AND {_DUE.format("delivery")}
        AND channel.is_active
        AND channel.paused_reason = ''
        AND (channel.waits_until IS NULL OR channel.waits_until <= now())
        AND NOT EXISTS (
            SELECT FROM publishing_queue AS busy
            WHERE busy.channel_id = delivery.channel_id AND busy.status IN ('claimed', 'sending')
        )
    ORDER BY delivery.scheduled_at, delivery.id
    LIMIT %(limit)s
    FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE publishing_queue AS delivery
SET status = 'claimed',
    claim_token = gen_random_uuid(),
    lease_expires_at = now() + make_interval(secs => %(lease)s),
    updated_at = now()
FROM due
WHERE delivery.id = due.id
RETURNING delivery.id, delivery.claim_token, due.was
"""  # noqa: S608 (our own literals)
_RENEW = """
UPDATE publishing_queue AS delivery
SET lease_expires_at = now() + make_interval(secs => %(lease)s), updated_at = now()
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) AS ours (id, token)
WHERE delivery.id = ours.id AND delivery.claim_token = ours.token
    AND delivery.status IN ('claimed', 'sending')
RETURNING delivery.id, ours.token
"""
_SECONDS_TO_NEXT = """
SELECT extract(epoch FROM min(
    greatest(waiting.scheduled_at, waiting.next_attempt_at, channel.waits_until)
) - now())::float
FROM publishing_queue AS waiting
JOIN channels AS channel ON channel.id = waiting.channel_id
WHERE (waiting.status IN ('pending', 'retry')
        OR (waiting.status = 'in_doubt' AND waiting.next_attempt_at IS NOT NULL))
    AND waiting.scheduled_at <= now() + make_interval(secs => %(within)s)
    AND channel.is_active
    AND channel.paused_reason = ''
    AND NOT EXISTS (
        SELECT FROM publishing_queue AS busy
        WHERE busy.channel_id = waiting.channel_id AND busy.status IN ('claimed', 'sending')
    )
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that is ours until the lease runs out."""

    delivery_id: int
    token: uuid.UUID
    was: Status  # before it was claimed, and again if it is given back


def claim(limit: int) -> list[Claim]:
    """Take up to `limit` due deliveries, the oldest of each free channel first.

    A paused or busy channel's rows wait. Rows that another worker is taking are skipped.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"limit": limit, "lease": LEASE.total_seconds()})
            return [Claim(pk, token, Status(was)) for pk, token, was in cursor.fetchall()]
    except IntegrityError:  # another worker has just taken one of these channels
        return []


def seconds_to_next(within: timedelta) -> float | None:
    """When something can be claimed again, in seconds from now; None if not `within` this time."""
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS_TO_NEXT, {"within": within.total_seconds()})
        seconds: float | None = cursor.fetchone()[0]
    if seconds is None or seconds > within.total_seconds():
        return None
    return max(0.0, seconds)


def all_locked(claims: Sequence[Claim]) -> dict[Claim, Delivery]:
    """The rows that are still ours, locked until the transaction ends, in the order of `claims`."""
    rows = {
        (row.pk, row.claim_token): row
        for row in Delivery.objects.select_for_update(of=("self",))
        .select_related("channel", "revision", "of")
        .filter(pk__in=[each.delivery_id for each in claims], status=Status.CLAIMED)
        .order_by("pk")
    }
    keyed = ((each, rows.get((each.delivery_id, each.token))) for each in claims)
    return {each: row for each, row in keyed if row is not None}


def give_back(claimed: Claim) -> None:
    """Put it back as it was before; raises `LostClaim` if it is not ours any more."""
    settle(claimed, claimed.was)


def renew(claimed: Claim) -> None:
    """Begin a new lease; raises `LostClaim` if the delivery is not ours any more."""
    _write(claimed, {"lease_expires_at": Now() + LEASE})


def settle(claimed: Claim, status: Status, **fields: Any) -> None:
    """Write down how it ended and give the claim back; raises `LostClaim` if it is not ours."""
    _write(claimed, {"status": status, "claim_token": None, "lease_expires_at": None, **fields})


def renew_all(claims: Sequence[Claim]) -> set[Claim]:
    """Begin a new lease for those that are still ours; which these are."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW,
            {
                "ids": [each.delivery_id for each in claims],
                "tokens": [each.token for each in claims],
                "lease": LEASE.total_seconds(),
            },
        )
        ours = set(cursor.fetchall())
    return {each for each in claims if (each.delivery_id, each.token) in ours}


def mark_sending(claims: Sequence[Claim]) -> None:
    """From here on bytes may leave for these, one attempt more each: a crash means in doubt.

    The caller holds their locks, see `all_locked`.
    """
    Delivery.objects.filter(pk__in=[each.delivery_id for each in claims]).update(
        status=Status.SENDING,
        attempts=F("attempts") + 1,
        lease_expires_at=Now() + LEASE,
        updated_at=Now(),
    )


def keep_draft(claimed: Claim, draft_id: str) -> None:
    """Store the number of an invisible draft; raises `LostClaim` if it is not ours any more."""
    _write(claimed, {"remote_draft_id": draft_id[:300], "lease_expires_at": Now() + LEASE})


def keep_part(claimed: Claim, part: str) -> None:
    """Store the id of a thread's part that is out; raises `LostClaim` if it is not ours."""
    cut = Value(part[:300], CharField())
    _write(
        claimed,
        {
            "parts": Func(F("parts"), cut, function="array_append"),
            "lease_expires_at": Now() + LEASE,
        },
    )


def database_now() -> datetime:
    """The one clock that all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now


def _write(claimed: Claim, fields: Mapping[str, Any]) -> None:
    changed = Delivery.objects.filter(
        pk=claimed.delivery_id,
        claim_token=claimed.token,
        status__in=(Status.CLAIMED, Status.SENDING),
    ).update(**fields, updated_at=Now())
    if not changed:
        raise LostClaim(_taken_over(claimed))


def _taken_over(claimed: Claim) -> str:
    return f"Delivery {claimed.delivery_id} has been taken over."
