"""Subscribing at hubs, so that what is new comes by itself; polling stays as the safety net.

A `Subscription` row is the truth. A sync only notes which hub a source declares (`noticed`); a
tick asks hubs (`tend`); the callback confirms what was asked for (`confirm`) and stores what is
pushed (`receive`); a worker reads it (`read_pushes`).
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from articles.clean import one_line
from config import bell
from config.outbound import Client, OutboundError, from_settings
from config.sealed import Sealed, TamperedSecret
from sources import archive, filing
from sources import websub_rules as rules
from sources.alone import alone
from sources.connectors.base import Payload
from sources.errors import SourceError
from sources.models import PushedAnswer, Source, Subscription, SyncRun

log = structlog.get_logger(__name__)

LARGEST_PUSH = 5 * 1024 * 1024  # bytes
_WAITING = 50  # pushes of one subscription that nobody has read yet
_LEAVING = 3  # former hubs of one source that still have to be told
_HUBS_AT_ONCE = 20
_BATCHES = 25  # of them in one go
_HUB_DEADLINE = 15.0  # seconds
_LEASE = timedelta(minutes=5)  # of a worker on one row
_CONFIRM_WITHIN = timedelta(hours=1)  # a hub that accepted is asked again after that
_MOST_TRIES = 5
_MISSED = 3  # syncs with new pieces that the hub did not push

States, Pending = Subscription.States, Subscription.Pending


class Received(Enum):
    """What became of a push."""

    STORED = "stored"
    IGNORED = "ignored"  # no good signature: counted, without effect (§8)
    GONE = "gone"  # nobody wants it any more
    LATER = "later"  # too many wait already


# --- what a sync says ---


def is_live(source: Source) -> bool:
    """Whether a hub has promised to push what is new of this source, and keeps its promise.

    It doesn't, when asking the source brings new pieces time and again that nobody pushed.
    """
    live = Subscription.objects.filter(source=source, state=States.LIVE)
    row = live.filter(lease_ends__gt=timezone.now()).first()
    return row is not None and not is_silent(row)


def is_silent(row: Subscription) -> bool:
    """Whether the hub has missed new pieces several times in a row."""
    if row.source_id is None:
        return False
    asked = SyncRun.objects.filter(source_id=row.source_id, cause=SyncRun.Causes.POLLED)
    since = row.last_push or row.created_at
    return asked.filter(new__gt=0, started_at__gt=since)[:_MISSED].count() == _MISSED


def noticed(source: Source, hub: str, topic: str) -> None:
    """Note which hub a source's whole answer declared ("" for none), in the caller's transaction.

    A hub or topic that changed means leaving the old one. The network is left to `tend`.
    """
    topic = topic or source.api_endpoint
    current = Subscription.objects.filter(source=source).exclude(state=States.LEAVING).first()
    if current is not None and (current.hub, current.topic) == (hub, topic):
        return
    if current is not None:
        _leave(Subscription.objects.filter(pk=current.pk), timezone.now())
    if not (rules.usable(hub, topic) and callback_base()):
        return
    if Subscription.objects.filter(source=source).count() >= _LEAVING:
        return  # it names another hub each time
    Subscription.objects.create(
        source=source,
        hub=hub,
        topic=topic,
        token=secrets.token_urlsafe(32),
        secret={"secret": secrets.token_urlsafe(48)},
    )


def callback_base() -> str:
    """Where hubs reach this desk; "" when they can't, and nothing is subscribed then."""
    return rules.callback_base(settings.PUBLIC_URL, settings.WEBSUB_CALLBACK_URL)


# --- asking hubs ---


@dataclass(frozen=True, slots=True)
class _Question:
    """One request to a hub."""

    pk: int
    hub: str
    form: dict[str, str]


def tend(now: datetime | None = None) -> int:
    """Ask the hubs that are due: subscribe, renew, give up; how many were asked.

    Any number of workers at once do no harm. A hub that fails is asked again later and later.
    """
    now = now or timezone.now()
    _leave_what_nobody_wants(now)
    base = callback_base()
    asked: list[int] = []
    for _ in range(_BATCHES if base else 0):
        questions = _claim(now, base, asked)
        if not questions:
            break
        answers = async_to_sync(_ask_all)(questions)
        for question, problem in zip(questions, answers, strict=True):
            _settle(question, problem, timezone.now())
        asked += [question.pk for question in questions]
    return len(asked)


def _leave_what_nobody_wants(now: datetime) -> None:
    unwanted = Q(source=None) | Q(source__is_active=False) | ~Q(source__paused_reason="")
    _leave(Subscription.objects.filter(unwanted).exclude(state=States.LEAVING), now)
    Subscription.objects.filter(state=States.LIVE, lease_ends__lte=now).update(
        state=States.WANTED, reason="The hub's promise ended before it was renewed."
    )
    # A hub that doesn't answer forgets us by itself when the lease ends.
    Subscription.objects.filter(state=States.LEAVING, attempts__gte=_MOST_TRIES).delete()


def _leave(unwanted: QuerySet[Subscription], now: datetime) -> None:
    """Give up these; what no hub was ever asked for simply goes."""
    rows = Subscription.objects.filter(pk__in=list(unwanted.values_list("pk", flat=True)))
    rows.filter(pending=Pending.NOTHING, state__in=(States.WANTED, States.DENIED)).delete()
    rows.update(state=States.LEAVING, pending=Pending.NOTHING, due_at=now, attempts=0)


def _claim(now: datetime, base: str, asked: Sequence[int]) -> list[_Question]:
    """Take what is due and not among those asked already; at most a batch.

    Each row says what it is about before the hub may come back to us.
    """
    with transaction.atomic():
        due = Subscription.objects.select_for_update(skip_locked=True, of=("self",))
        due = due.filter(due_at__lte=now).exclude(pk__in=asked)
        rows = list(due.order_by("due_at")[:_HUBS_AT_ONCE])
        questions = []
        for row in rows:
            leaving = row.state == States.LEAVING
            row.pending = Pending.UNSUBSCRIBE if leaving else Pending.SUBSCRIBE
            row.due_at = now + _LEASE
            question = _question(row, base)
            if question is not None:
                questions.append(question)
            else:  # its secret was sealed with keys that are gone: with a new one
                row.secret = Sealed({"secret": secrets.token_urlsafe(48)})
                row.due_at = now
            row.save(update_fields=["pending", "due_at", "secret"])
    return questions


def _question(row: Subscription, base: str) -> _Question | None:
    form = {
        "hub.callback": f"{base}/websub/{row.token}/",
        "hub.mode": row.pending,
        "hub.topic": row.topic,
    }
    if row.pending == Pending.SUBSCRIBE:
        try:
            form["hub.secret"] = row.secret.reveal()["secret"]
        except (TamperedSecret, KeyError):
            return None
        form["hub.lease_seconds"] = str(int(rules.LEASE.total_seconds()))
    return _Question(row.pk, row.hub, form)


async def _ask_all(questions: Sequence[_Question]) -> list[str]:
    async with Client(from_settings()) as http:
        return await asyncio.gather(*(_ask(http, question) for question in questions))


async def _ask(http: Client, question: _Question) -> str:
    """What is wrong, in words; "" when the hub accepted (§5.1 and §5.2)."""
    try:
        answer = await http.post(
            question.hub,
            form=question.form,
            deadline=_HUB_DEADLINE,
            max_bytes=64 * 1024,
            follow_redirects=True,
        )
    except OutboundError as problem:
        return str(problem)
    if answer.ok:
        return ""
    said = one_line(answer.text()[:2000], 150)
    return f"The hub answered {answer.status}{': ' + said if said else ''}."


def _settle(question: _Question, problem: str, now: datetime) -> None:
    """Only while the hub has not come back to us meanwhile: what it confirmed stands."""
    asked = Subscription.objects.filter(pk=question.pk, pending=question.form["hub.mode"])
    row = asked.first()
    if row is None:
        return
    attempts = min(row.attempts + 1, 1000)
    due = rules.next_try(now, attempts)
    if not problem:
        waits = "The hub accepted and has not confirmed yet."
        asked.update(attempts=attempts, due_at=max(due, now + _CONFIRM_WITHIN), reason=waits)
        return
    asked.update(attempts=attempts, due_at=due, reason=one_line(problem, 300))
    log.info("websub.failed", subscription=question.pk, attempts=attempts, problem=problem)


# --- what hubs say ---


def confirm(token: str, mode: str, topic: str, lease_seconds: str) -> bool:
    """Whether we asked the hub for this (§5.3); from then on it holds."""
    now = timezone.now()
    with transaction.atomic():
        row = Subscription.objects.select_for_update().filter(token=token).first()
        if row is None or not rules.same(row.topic, topic) or row.pending != mode:
            return False
        if mode == Pending.UNSUBSCRIBE:
            row.delete()
            return True
        if mode != Pending.SUBSCRIBE:
            return False
        lease = rules.lease(now, lease_seconds)
        row.state, row.pending, row.attempts, row.reason = States.LIVE, Pending.NOTHING, 0, ""
        row.lease_ends, row.due_at = lease.ends, lease.renew
        row.save(update_fields=["state", "pending", "attempts", "reason", "lease_ends", "due_at"])
    return True


def deny(token: str, topic: str, reason: str) -> bool:
    """The hub refuses, at once or later (§5.2); False when the topic is not ours."""
    row = Subscription.objects.filter(token=token).exclude(state=States.LEAVING).first()
    if row is None or not rules.same(row.topic, topic):
        return False
    why = one_line(reason, 200) or "it gave no reason"
    Subscription.objects.filter(pk=row.pk).exclude(state=States.LEAVING).update(
        state=States.DENIED,
        pending=Pending.NOTHING,
        lease_ends=None,
        due_at=timezone.now() + timedelta(days=7),
        reason=f"The hub refuses to push: {why}",
    )
    return True


def known(token: str) -> bool:
    """Whether this is the address of a subscription of ours."""
    return Subscription.objects.filter(token=token).exists()


def receive(token: str, signature: str, headers: dict[str, str], body: bytes) -> Received:
    """Store what a hub pushed and wake a worker; nothing is read here."""
    row = Subscription.objects.filter(token=token).first()
    if row is None or row.state in (States.LEAVING, States.DENIED):
        return Received.GONE
    this = Subscription.objects.filter(pk=row.pk)
    try:
        good = rules.signed_by(row.secret.reveal()["secret"], signature, body)
    except (TamperedSecret, KeyError):
        good = False
    if not good:
        this.update(forged=F("forged") + 1)
        log.warning("websub.forged", subscription=row.pk)
        return Received.IGNORED
    if row.waiting.count() >= _WAITING:
        return Received.LATER
    kept = [[name, headers[name]] for name in ("content-type", "link") if headers.get(name)]
    push = PushedAnswer(
        subscription=row, headers=kept, body=body, digest=hashlib.sha256(body).hexdigest()
    )
    PushedAnswer.objects.bulk_create([push], ignore_conflicts=True)  # hubs do repeat themselves
    this.update(pushes=F("pushes") + 1, last_push=timezone.now())
    bell.ring("sources.read_pushes")
    return Received.STORED


# --- reading what was pushed ---


def read_pushes() -> int:
    """File what was pushed, oldest first; how many pushes were read."""
    done = 0
    while (push := _next_push()) is not None:
        done += _read(push)
    return done


def _next_push() -> PushedAnswer | None:
    now = timezone.now()
    with transaction.atomic():
        free = PushedAnswer.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            Q(leased_until=None) | Q(leased_until__lte=now)
        )
        push = free.select_related("subscription__source").first()
        if push is not None:
            push.leased_until = now + _LEASE
            push.attempts += 1
            push.save(update_fields=["leased_until", "attempts"])
    return push


def _read(push: PushedAnswer) -> bool:
    source = push.subscription.source
    if source is None or not source.is_active or source.paused_reason:
        push.delete()
        return False
    if push.attempts > _MOST_TRIES:
        log.error("websub.given_up", push=push.pk, source=source.pk)
        push.delete()
        return False
    with alone(source.pk) as held:
        if not held:  # a sync is under way; the tick comes back
            soon = timezone.now() + timedelta(seconds=20)
            PushedAnswer.objects.filter(pk=push.pk).update(
                leased_until=soon, attempts=F("attempts") - 1
            )
            return False
        _file(source, push)
    return True


def _file(source: Source, push: PushedAnswer) -> None:
    """Copy, run, archive and the end of the row in one transaction."""
    headers = tuple((name, value) for name, value in push.headers)
    payload = Payload(push.subscription.topic, 200, headers, bytes(push.body))
    cause = SyncRun.Causes.PUSHED
    try:
        fetched = archive.read_again(source, [payload])
    except SourceError as problem:
        with transaction.atomic():
            run = filing.failed(source, problem, cause)
            archive.keep(run, [payload], failed=True)
            push.delete()
        return
    with transaction.atomic():
        run = filing.file(source, fetched, cause)
        archive.keep(run, [payload])
        push.delete()
