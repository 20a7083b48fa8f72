"""Requests that may be repeated: the same key and body are answered once more, and done once.

As draft-ietf-httpapi-idempotency-key-header-07 asks. What the request does and what it was
answered are stored in one transaction: a request that failed, or died half-way, has done nothing
and kept no answer, so its key is free again.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models.functions import Now
from rest_framework import exceptions, status

from publishing.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
_LONGEST = 255
_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')  # RFC 9651, §3.3.3
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+")


class BadKey(exceptions.ParseError):
    """The header can't be read."""

    default_code = "bad_idempotency_key"


class OtherBody(exceptions.APIException):
    """The key has been used for something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = (
        "This Idempotency-Key was used with another body. Take a new key for a new request."
    )


class StillAtIt(exceptions.APIException):
    """The first request with this key is under way."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_in_use"
    default_detail = (
        "A request with this Idempotency-Key is under way. Ask again in a moment for its answer."
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer."""

    status: int
    body: Any
    repeated: bool = False  # the request was answered before, and nothing was done now


def key_of(header: str | None) -> str:
    """The key in the header's value, quoted as the draft wants or bare; "" if there is none.

    Raises `BadKey`.
    """
    if header is None:
        return ""
    text = header.strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        key = re.sub(r"\\(.)", r"\1", quoted.group(1))
    else:
        key = text if _BARE.fullmatch(text) else ""
    if not key or len(key) > _LONGEST:
        raise BadKey(f"{HEADER} must be a text of 1 to {_LONGEST} characters in quotes.")
    return key


def once(user_id: int, key: str, body: Any, act: Callable[[], Answer]) -> Answer:
    """Do `act` in a transaction, unless this user's request with this key is answered already.

    Raises `OtherBody` or `StillAtIt`, and whatever `act` does; nothing is kept then.
    """
    body_hash = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    with transaction.atomic():
        if not _mine(f"{user_id}:{key}"):
            raise StillAtIt
        kept = KeptAnswer.objects.filter(user_id=user_id, key=key)
        earlier = kept.filter(created_at__gt=Now() - KEPT_FOR).first()
        if earlier is not None and earlier.body_hash != body_hash:
            raise OtherBody
        if earlier is not None:
            return Answer(earlier.status, earlier.answer, repeated=True)
        kept.delete()
        answer = act()
        KeptAnswer.objects.create(
            user_id=user_id, key=key, body_hash=body_hash, status=answer.status, answer=answer.body
        )
    return answer


def forget() -> int:
    """Drop answers that nobody may ask for any more; how many."""
    dropped, _ = KeptAnswer.objects.filter(created_at__lte=Now() - KEPT_FOR).delete()
    return dropped


def _mine(name: str) -> bool:
    """Whether nobody else is at this key; ours until the transaction ends."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])
