"""The last look at a handful of deliveries at once, and their attempts on record.

One transaction for all of them: a handful costs about what one does. What is wrong with one stays
its own: it is set aside, held or given back, and the others go on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models.functions import Now

from articles.models import Article, Revision
from config.limits import take_all
from config.sealed import TamperedSecret
from publishing import (
    approval,
    claim,
    distribution,
    last_look,
    outcome,
    planning,
    platforms,
    posts,
)
from publishing.claim import Claim
from publishing.errors import LostClaim
from publishing.feeds.entries import Entries
from publishing.last_look import Verdict
from publishing.lifecycle import Status
from publishing.mailing import Mailing
from publishing.models import Attempt, Channel, Delivery
from publishing.outcome import Sending
from publishing.platforms.base import LooksUp
from publishing.post import Job, Post

log = structlog.get_logger(__name__)

CALL_DEADLINE = 45.0
"""Seconds for all that one attempt asks of a platform; well below `claim.LEASE`."""
_BURST = 3  # deliveries of a channel at once after a quiet time
_MAYBE_THERE = (Attempt.Outcomes.OPEN, Attempt.Outcomes.UNKNOWN, Attempt.Outcomes.ABSENT)
_NOT_PREPARED = "The desk failed to prepare it; its log says how. Nothing was sent."


@dataclass(frozen=True, slots=True)
class _Ready:
    """A delivery that may go out, with all that its attempt needs."""

    claimed: Claim
    delivery: Delivery
    post: Post
    secrets: Mapping[str, object]
    only_look: str  # why it must not be sent any more, only searched for


def begin(claims: Sequence[Claim]) -> list[Sending]:
    """The last look before anything leaves: what may go out, each with its attempt committed.

    What must not go out now is set aside, and its row says why. From the return on, a crash can
    only mean “in doubt”. Raises `DatabaseError`; what was claimed waits for its lease to run out.
    """
    now = claim.database_now()
    rows = Delivery.objects.select_related("channel").in_bulk([each.delivery_id for each in claims])
    late = {pk for pk, row in rows.items() if last_look.is_catching_up(row, now)}
    going = _in_their_turn(claims, rows, late, now)
    if not going:
        return []
    refused: dict[int, str] = {}  # channels whose secrets can't be read
    with transaction.atomic():
        ready = _looked_at(going, now, refused)
        sendings = _on_record(ready)
    for channel_id, words in refused.items():
        outcome.pause_channel(channel_id, words)
    for sending in sendings:
        row = rows[sending.claim.delivery_id]
        if row.pk in late and row.channel.catch_up_minutes:
            until = now + timedelta(minutes=row.channel.catch_up_minutes)
            outcome.hold_channel(row.channel_id, until)
    return sendings


def _in_their_turn(
    claims: Sequence[Claim], rows: Mapping[int, Delivery], late: set[int], now: datetime
) -> list[Claim]:
    """Those whose channel neither keeps quiet hours nor has used its limit up; others go back."""
    asking = []
    for each in claims:
        row = rows[each.delivery_id]
        until = None
        if row.wish != Delivery.Wishes.WITHDRAW:
            until = planning.quiet_now(row.channel, now)
        if until is None:
            asking.append(each)
        else:
            _wait_quietly(each, row.channel, until)
    # What is late waits for the limit one by one: an outage doesn't end in a burst.
    waits = take_all(
        [
            (
                f"channel:{rows[each.delivery_id].channel_id}",
                rows[each.delivery_id].channel.rate_limit_per_minute,
                1 if each.delivery_id in late else _BURST,
            )
            for each in asking
        ]
    )
    for each, wait in zip(asking, waits, strict=True):
        if wait:
            channel_id = rows[each.delivery_id].channel_id
            outcome.hold_channel(channel_id, now + timedelta(seconds=wait))
            _given_back(each)
    return [each for each, wait in zip(asking, waits, strict=True) if not wait]


def _wait_quietly(claimed: Claim, channel: Channel, until: datetime) -> None:
    fields: dict[str, object] = {"next_attempt_at": until}
    if claimed.was is Status.PENDING:
        fields["error_message"] = planning.quiet_words(channel, until)
    try:
        claim.settle(claimed, claimed.was, **fields)
    except LostClaim:
        log.warning("delivery.lost_claim", delivery=claimed.delivery_id)


def _given_back(claimed: Claim) -> None:
    try:
        claim.give_back(claimed)
    except LostClaim:
        log.warning("delivery.lost_claim", delivery=claimed.delivery_id)


def _looked_at(claims: Sequence[Claim], now: datetime, refused: dict[int, str]) -> list[_Ready]:
    """Those that may go out, under their own and their stories' locks."""
    ours = claim.all_locked(claims)
    articles = _locked_stories({delivery.article_id for delivery in ours.values()})
    ready = []
    for claimed, delivery in ours.items():
        delivery.article = articles[delivery.article_id]
        try:
            found = _one(claimed, delivery, now)
        except DatabaseError:
            raise
        except TamperedSecret as problem:
            refused[delivery.channel_id] = str(problem)
            claim.give_back(claimed)
        except Exception:
            # Nothing has been sent. One delivery that can't be prepared must not stop the others,
            # nor come back for ever.
            log.exception("delivery.not_prepared", delivery=claimed.delivery_id)
            _set_aside(claimed, delivery, Verdict(Status.HELD, _NOT_PREPARED))
        else:
            ready += [found] if found is not None else []
    return ready


def _locked_stories(ids: Collection[int]) -> dict[int, Article]:
    """The stories, locked in one order: two drains that share some never wait in a ring.

    Their revisions are read after the lock, not joined: PostgreSQL reads a row anew that somebody
    changed while we waited for it, but not what was joined to it.
    """
    stories = Article.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    found = {story.pk: story for story in stories}
    wanted = {story.approved_revision_id for story in found.values()}
    wanted |= {story.live_revision_id for story in found.values()}
    revisions = Revision.objects.in_bulk([pk for pk in wanted if pk is not None])
    for story in found.values():
        story.approved_revision = revisions.get(story.approved_revision_id or 0)
        story.live_revision = revisions.get(story.live_revision_id or 0)
    return found


def _one(claimed: Claim, delivery: Delivery, now: datetime) -> _Ready | None:
    channel = delivery.channel
    if channel.paused_reason or not channel.is_active:
        claim.give_back(claimed)
        return None
    post = posts.of_delivery(delivery)
    found = last_look.verdict(delivery, post, now)
    only_look = ""
    if found is not None and claimed.was is Status.IN_DOUBT and _can_look(delivery):
        only_look = found.words
    elif found is not None:
        _set_aside(claimed, delivery, found)
        return None
    return _Ready(claimed, delivery, post, channel.credentials.reveal(), only_look)


def _can_look(delivery: Delivery) -> bool:
    """Whether the desk may search for it where it must not send it any more."""
    table = platforms.table()
    if delivery.act != Delivery.Acts.PUBLISH or delivery.platform not in table:
        return False
    return isinstance(platforms.platform(delivery.platform), LooksUp)


def _set_aside(claimed: Claim, delivery: Delivery, found: Verdict) -> None:
    """Not sent now; but what is in doubt stays so, and a person is asked."""
    status, words, wait = found.status, found.words, found.wait
    if claimed.was is Status.IN_DOUBT:
        status, words, wait = Status.IN_DOUBT, f"{words} {outcome.ASK}", None
    at = claim.database_now() + wait if wait is not None else None
    claim.settle(
        claimed, status, error_message=words, next_attempt_at=at, refused_hash=delivery.refused_hash
    )
    outcome.note(delivery, status.value, words)
    distribution.sum_up(delivery.article_id)


def _on_record(ready: Sequence[_Ready]) -> list[Sending]:
    """Write the attempts down; with this committed, a crash can only mean in doubt."""
    again = set(
        Attempt.objects.filter(
            delivery__in=[each.delivery.pk for each in ready], outcome__in=_MAYBE_THERE
        ).values_list("delivery_id", flat=True)
    )
    claim.mark_sending([each.claimed for each in ready])
    attempts = Attempt.objects.bulk_create(
        [
            Attempt(
                delivery=each.delivery,
                number=each.delivery.attempts + 1,
                token=each.claimed.token,
                marker=each.delivery.marker,
                payload_hash=approval.payload_hash(each.delivery, each.post),
                started_at=Now(),
                deadline=Now() + timedelta(seconds=CALL_DEADLINE),
            )
            for each in ready
        ]
    )
    return [
        _sending(each, attempt, again=each.delivery.pk in again)
        for each, attempt in zip(ready, attempts, strict=True)
    ]


def _sending(ready: _Ready, attempt: Attempt, *, again: bool) -> Sending:
    claimed, delivery = ready.claimed, ready.delivery

    async def keep_draft(draft_id: str) -> None:
        await sync_to_async(claim.keep_draft)(claimed, draft_id)

    async def keep_part(part: str) -> None:
        await sync_to_async(claim.keep_part)(claimed, part)

    first = delivery.of or delivery
    number = delivery.attempts + 1
    platform = platforms.platform(delivery.channel.platform)
    job = Job(
        post=ready.post,
        options=delivery.channel.options,
        credentials=ready.secrets,
        made_at=delivery.created_at,
        again=again,
        draft_id=delivery.remote_draft_id,
        keep_draft=keep_draft,
        parts=tuple(first.parts),
        keep_part=keep_part,
        remote_id=first.remote_id,
        remote_url=first.remote_url,
        recipients=Mailing(claimed, delivery, number) if platform.to_subscribers else None,
        pages=Entries(delivery, claimed) if platform.on_our_pages else None,
        key=str(delivery.marker),
    )
    return Sending(
        claimed, attempt.pk, number, platform, job, delivery.looked_up,
        only_look=ready.only_look, act=delivery.act, channel_id=delivery.channel_id,
    )  # fmt: skip
