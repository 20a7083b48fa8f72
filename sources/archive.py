"""What sources answered, kept as it came: to be read again after a fix, and for bug reports."""

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.db.models import F
from django.utils import timezone

from articles.clean import strip_invisible
from config.sealed import TamperedSecret
from sources import connectors, fetching, filing
from sources.alone import alone
from sources.connectors.base import Fetch, Fetched, Payload, ReadsAgain, checked
from sources.errors import Misconfigured, SourceError
from sources.models import ArchivedAnswer, Source, SyncRun

LONGEST = 10 * 1024 * 1024  # bytes of one fetch's bodies; longer ones leave their headers only
MOST = 20 * 1024 * 1024  # bytes that a source's archive takes; its last answer stays anyway
FAILED_KEPT = 3  # unreadable answers beside the readable ones

_SECRET_HEADER = re.compile(
    r"cookie|auth|token|secret|session|csrf|xsrf|key|signature|credential|passw", re.I
)
_REMOVED = "[removed]"
_MOST_HEADERS = 100
_LONGEST_HEADER = 2000
_LEVEL = 4  # zlib: nine tenths of what the best level saves, at a third of its time

_PRUNE = """
DELETE FROM archived_answers WHERE id IN (
    SELECT id FROM (
        SELECT id, failed,
            row_number() OVER (PARTITION BY failed ORDER BY last_seen DESC, id DESC) AS nth,
            sum(stored) OVER (ORDER BY last_seen DESC, id DESC) AS bytes
        FROM archived_answers WHERE source_id = %(source)s
    ) AS answer
    WHERE nth > CASE WHEN failed THEN %(failed)s ELSE %(kept)s END
        OR (nth > 1 AND bytes > %(most)s)
)
"""


def keep(run: SyncRun, payloads: Sequence[Payload], *, failed: bool = False) -> None:
    """Archive what came in `run` (stored already), within the caller's transaction.

    The same bodies again only move the former row up. Cookies, tokens and the source's own
    credentials are taken out of headers, addresses and bodies first.
    """
    source = run.source
    if not payloads or not source.answers_kept:
        return
    hidden = _without(payloads, _secrets(source))
    digest = hashlib.sha256(b"\0".join(each.body for each in hidden)).hexdigest()
    now = timezone.now()
    same = ArchivedAnswer.objects.filter(source=source, digest=digest)
    if same.update(last_seen=now, times=F("times") + 1, failed=failed):
        return
    together = b"".join(each.body for each in hidden)
    bodies = zlib.compress(together, _LEVEL) if len(together) <= LONGEST else None
    answer = ArchivedAnswer(
        source=source,
        run=run,
        first_seen=now,
        last_seen=now,
        failed=failed,
        parts=[_described(each) for each in hidden],
        digest=digest,
        bodies=bodies,
        length=len(together),
        stored=len(bodies or b""),
    )
    # A push and a poll may bring the same at the same moment; one of them is enough.
    ArchivedAnswer.objects.bulk_create([answer], ignore_conflicts=True)
    _prune(source)


def payloads(answer: ArchivedAnswer) -> tuple[Payload, ...]:
    """What was archived, as a connector reads it. Raises `Misconfigured` if it was too long."""
    if answer.bodies is None:
        raise Misconfigured(
            f"This answer was too long to be kept ({answer.length} bytes); there is nothing to "
            "read again."
        )
    rest = zlib.decompress(bytes(answer.bodies))
    found = []
    for part in answer.parts:
        body, rest = rest[: part["length"]], rest[part["length"] :]
        headers = tuple((name, value) for name, value in part["headers"])
        found.append(Payload(part["url"], part["status"], headers, body))
    return tuple(found)


def can_read_again(source: Source) -> bool:
    """Whether the source's connector reads archived answers."""
    try:
        return isinstance(connectors.connector(source.connector), ReadsAgain)
    except KeyError:
        return False


def read_again(source: Source, given: Sequence[Payload]) -> Fetched:
    """What the source's connector reads in these answers today; nobody is asked.

    Raises `SourceError`: what is there can't be read, or the connector doesn't offer it.
    """
    connector = fetching.connector_of(source)
    if not isinstance(connector, ReadsAgain):
        raise Misconfigured(f"The connector “{connector.label}” can't read archived answers.")
    options = checked(source.options, connector.options)
    request = Fetch(endpoint=source.api_endpoint, options=options, now=timezone.now())
    return connector.read_again(request, given)


def store(answer: ArchivedAnswer) -> SyncRun:
    """File what the connector reads in an archived answer today; the run that says what came.

    Raises `SourceError` when it can't be read or a sync is under way; nothing is stored then.
    """
    fetched = read_again(answer.source, payloads(answer))
    with alone(answer.source_id) as held:
        if not held:
            raise SourceError("The source is being synced at this moment. Try again in a minute.")
        return filing.file(answer.source, fetched, SyncRun.Causes.READ_AGAIN)


def _prune(source: Source) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _PRUNE,
            {
                "source": source.pk,
                "kept": source.answers_kept,
                "failed": FAILED_KEPT,
                "most": MOST,
            },
        )


def _described(payload: Payload) -> dict[str, Any]:
    return {
        "url": strip_invisible(payload.url[:2000]),
        "status": payload.status,
        "headers": [
            [strip_invisible(name[:100]), strip_invisible(value[:_LONGEST_HEADER])]
            for name, value in payload.headers[:_MOST_HEADERS]
            if not _SECRET_HEADER.search(name)
        ],
        "length": len(payload.body),
    }


def _without(given: Sequence[Payload], secrets: Sequence[str]) -> list[Payload]:
    """The payloads without these texts. Services do repeat keys: in links to the next page."""
    if not secrets:
        return list(given)
    in_text = re.compile("|".join(map(re.escape, secrets)))
    in_bytes = re.compile(b"|".join(re.escape(each.encode()) for each in secrets))
    return [
        replace(
            each,
            url=in_text.sub(_REMOVED, each.url),
            headers=tuple((name, in_text.sub(_REMOVED, value)) for name, value in each.headers),
            body=in_bytes.sub(_REMOVED.encode(), each.body),
        )
        for each in given
    ]


def _secrets(source: Source) -> list[str]:
    """The source's secret credentials, as they are and as an address spells them; longest first."""
    if not source.credentials:
        return []
    try:
        values = source.credentials.reveal()
        declared = fetching.connector_of(source).credentials
    except (TamperedSecret, Misconfigured):
        return []
    found = [
        str(values[option.name])
        for option in declared
        if option.kind == "secret" and len(str(values.get(option.name) or "")) >= 6
    ]
    spelled = {*found, *(quote(each, safe="") for each in found)}
    return sorted(spelled, key=len, reverse=True)
