"""What people do with the publishing queue: put in, cancel, move, hold, retry, answer a doubt.

Every act checks its right, is conditional on the state it was meant for, and goes on the story's
record in the same transaction. Too late is answered with the state that stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from articles import record
from articles.errors import DeskError, Incomplete, WrongState
from articles.lifecycle import Right
from articles.models import Article
from articles.record import Actor
from config.bell import ring
from publishing import approval, distribution, duplicates, placing, planning, posts
from publishing.lifecycle import TERMINAL, WAITING, Status
from publishing.models import Attempt, Channel, Delivery
from publishing.placing import Enqueued, Terms, place, problems, publishable

__all__ = [
    "Enqueued", "cancel", "enqueue", "hold", "problems", "publishable", "release", "reschedule",
    "retry", "send_again", "was_not_posted", "was_posted",
]  # fmt: skip

_PAST_SLACK = timedelta(minutes=5)  # a time picked a moment ago is not a mistake
_FARTHEST = timedelta(days=5 * 366)


def enqueue(
    article_id: int,
    channel_ids: Sequence[int],
    by: Actor,
    *,
    at: datetime | None = None,
    next_slot: bool = False,
    confirm_duplicates: bool = False,
    when_late: str = "",
    seen: Mapping[int, str] | None = None,
) -> list[Enqueued]:
    """Queue an approved story to channels, at a time or now. Each channel stands alone.

    With `next_slot` it goes out at each channel's own next free slot, not before `at`. A channel
    that has the same text or link already says so, unless `confirm_duplicates`. `when_late` is a
    value of `Channel.WhenLate`, or "" for the channel's own; `seen` is by channel the hash of the
    preview that was looked at, if one was: what has changed since is not queued.

    Raises `NotAllowed`, `WrongState` for a story that is not approved, `Incomplete` for a time
    that has passed or lies under embargo, or for no channel at all; nothing is queued then.
    """
    by.must(Right.QUEUE, "queue stories")
    now = timezone.now()
    _check_time(at, now)
    if not channel_ids:
        raise Incomplete({"channels": "Choose at least one channel."})
    with transaction.atomic():
        story = Article.objects.select_for_update().get(pk=article_id)
        revision = publishable(story)
        begins = at or now
        if next_slot and story.embargo_until:
            begins = max(begins, story.embargo_until)
        _check_embargo(story, begins)
        planning.queue_up(set(channel_ids))
        channels = Channel.objects.in_bulk(channel_ids)
        missing = [str(each) for each in channel_ids if each not in channels]
        if missing:
            raise Incomplete({"channels": f"There is no channel {', '.join(missing)}."})
        terms = Terms(begins, next_slot, confirm_duplicates, when_late, seen or {})
        results = [
            place(story, revision, channels[each], by, terms) for each in dict.fromkeys(channel_ids)
        ]
        distribution.sum_up(story.pk)
        transaction.on_commit(lambda: ring("publishing.drain"))
    return results


def cancel(delivery_id: int, by: Actor, *, reason: str = "") -> Delivery:
    """Take a delivery out of the queue before anything of it has gone out."""
    return _change(
        delivery_id, by, "cancel", WAITING, {"status": Status.CANCELLED, "cancelled_by": by.user},
        reason=reason,
    )  # fmt: skip


def reschedule(
    delivery_id: int, by: Actor, at: datetime, *, seen: datetime | None = None
) -> Delivery:
    """Move a waiting delivery to another time.

    With `seen`, the time that the person had before them, `WrongState` if it is another by now.
    """
    _check_time(at, timezone.now())
    with transaction.atomic():
        found = _locked(delivery_id)
        if seen is not None and found.status in WAITING and found.scheduled_at != seen:
            stands = timezone.localtime(found.scheduled_at)
            raise WrongState(
                f"Somebody has moved it meanwhile, to {stands:%d %b %Y, %H:%M}; it stays there."
            )
        return _change(
            delivery_id, by, "reschedule", WAITING - {Status.HELD},
            {"scheduled_at": at, "next_attempt_at": None, "status": Status.PENDING,
             "error_message": ""},
            at=at, wake=True,
        )  # fmt: skip


def hold(delivery_id: int, by: Actor, *, reason: str = "") -> Delivery:
    """Keep a waiting delivery back, without a time, until somebody releases it."""
    words = f"Held: {reason}" if reason else "Held by hand."
    return _change(
        delivery_id, by, "hold", WAITING - {Status.HELD},
        {"status": Status.HELD, "next_attempt_at": None, "error_message": words}, reason=reason,
    )  # fmt: skip


def release(delivery_id: int, by: Actor, *, settings: str = "") -> Delivery:
    """Let a held delivery go on: at its time, or now if that has passed.

    One that was held because it had changed since it was approved goes out as it is now. With
    `settings`, the hash of the channel's settings that the person had before them, these are
    approved too where nothing else is different.
    """
    by.must(Right.QUEUE, "release deliveries")
    with transaction.atomic():
        delivery = _locked(delivery_id)
        if delivery.act == Delivery.Acts.BY_HAND:
            raise WrongState("This is a task for a person: do it there, then press “Done by hand”.")
        if delivery.status != Status.HELD:
            raise _too_late(delivery, "release")
        approved = approval.approve_change(delivery)
        approved = approved or approval.approve_settings(delivery, settings)
        delivery.status, delivery.next_attempt_at = Status.PENDING, None
        delivery.error_message = ""
        delivery.scheduled_at = max(delivery.scheduled_at, timezone.now())
        planning.wait_for_quiet_hours(delivery)
        words = "Approved as it has become." if approved else ""
        return _save(delivery, by, "release", reason=words, wake=True)


def retry(delivery_id: int, by: Actor) -> Delivery:
    """Try again: at once what waits to, as a new delivery what has failed, was missed or cancelled.

    A delivery that has ended never reopens; the new one stands in the next slot. The failed one's
    outcome is known (it was not posted), so it keeps the marker.
    """
    by.must(Right.QUEUE, "retry deliveries")
    with transaction.atomic():
        old = _locked(delivery_id)
        if old.status == Status.RETRY:
            old.next_attempt_at = None
            old.scheduled_at = timezone.now()
            return _save(old, by, "retry", wake=True)
        if old.status not in TERMINAL - {Status.PUBLISHED}:
            raise _too_late(old, "retry")
        withdrawal = old.wish == Delivery.Wishes.WITHDRAW
        revision = old.revision if withdrawal else publishable(old.article)
        new = Delivery(
            article=old.article, channel=old.channel, platform=old.platform, revision=revision,
            slot=placing.next_number(old.article_id, old.channel_id), scheduled_at=timezone.now(),
            variant=old.variant, marker=old.marker, remote_draft_id=old.remote_draft_id,
            act=old.act, of=old.of, wish=old.wish, parts=old.parts,
            lateness_minutes=old.lateness_minutes, when_late=old.when_late, created_by=by.user,
        )  # fmt: skip
        approval.bind(new)
        duplicates.note(new, posts.of_delivery(new))
        planning.wait_for_quiet_hours(new)
        try:
            with transaction.atomic():
                new.save(force_insert=True)
        except IntegrityError:
            raise WrongState("Another delivery to this channel is in the queue already.") from None
        return _save(new, by, "retry", wake=True)


def was_posted(delivery_id: int, by: Actor, url: str) -> Delivery:
    """Answer a doubt: it is there, at `url`."""
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise Incomplete({"url": "Give the post's address, starting with https://."})
    with transaction.atomic():
        delivery = _change(
            delivery_id, by, "was_posted", {Status.IN_DOUBT},
            {"status": Status.PUBLISHED, "published_at": timezone.now(), "remote_url": url,
             "error_message": "", "confirmed_by": "person"},
        )  # fmt: skip
        distribution.went_out(delivery)
    return delivery


def send_again(delivery_id: int, by: Actor) -> Delivery:
    """Answer a doubt: it is not there, send it again."""
    with transaction.atomic():
        delivery = _change(
            delivery_id, by, "send_again", {Status.IN_DOUBT},
            {"status": Status.RETRY, "next_attempt_at": None, "error_message": ""},
            from_now=True, wake=True,
        )  # fmt: skip
        _absent(delivery)
    return delivery


def was_not_posted(delivery_id: int, by: Actor, *, reason: str = "") -> Delivery:
    """Answer a doubt: it is not there, and is not to be sent any more."""
    with transaction.atomic():
        delivery = _change(
            delivery_id, by, "was_not_posted", {Status.IN_DOUBT},
            {"status": Status.CANCELLED, "cancelled_by": by.user, "next_attempt_at": None},
            reason=reason,
        )  # fmt: skip
        _absent(delivery)
    return delivery


def _absent(delivery: Delivery) -> None:
    delivery.tries.filter(outcome=Attempt.Outcomes.UNKNOWN).update(outcome=Attempt.Outcomes.ABSENT)


def _check_time(at: datetime | None, now: datetime) -> None:
    if at is None:
        return
    if at < now - _PAST_SLACK:
        raise Incomplete({"scheduled_at": "This time has passed; choose a later one, or now."})
    if at > now + _FARTHEST:
        raise Incomplete({"scheduled_at": "This time is more than five years away."})


def _check_embargo(story: Article, at: datetime) -> None:
    if story.embargo_until and at < story.embargo_until:
        until = timezone.localtime(story.embargo_until)
        raise Incomplete(
            {"scheduled_at": f"The story is under embargo until {until:%d %b %Y, %H:%M %Z}; "
             "choose a later time."}
        )  # fmt: skip


def _change(
    delivery_id: int,
    by: Actor,
    act: str,
    expected: Iterable[Status],
    fields: dict[str, object],
    *,
    reason: str = "",
    at: datetime | None = None,
    from_now: bool = False,
    wake: bool = False,
) -> Delivery:
    """`at` is held against the embargo; `from_now` doesn't let the time before count as late."""
    by.must(Right.QUEUE, f"{act.replace('_', ' ')} deliveries")
    with transaction.atomic():
        delivery = _locked(delivery_id)
        if delivery.status not in set(expected):
            raise _too_late(delivery, act)
        if at is not None:
            _check_embargo(delivery.article, at)
        if from_now:
            delivery.scheduled_at = max(delivery.scheduled_at, timezone.now())
        for name, value in fields.items():
            setattr(delivery, name, value)
        if at is not None:
            planning.wait_for_quiet_hours(delivery)
        return _save(delivery, by, act, reason=reason, wake=wake)


def _locked(delivery_id: int) -> Delivery:
    return (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("article", "channel", "revision")
        .get(pk=delivery_id)
    )


def _save(
    delivery: Delivery, by: Actor, act: str, *, reason: str = "", wake: bool = False
) -> Delivery:
    delivery.updated_at = timezone.now()
    delivery.save()
    record.note(
        delivery.article, act, by, reason=reason,
        data={"delivery": delivery.pk, "channel": delivery.channel.name},
    )  # fmt: skip
    distribution.sum_up(delivery.article_id)
    if wake:
        transaction.on_commit(lambda: ring("publishing.drain"))
    return delivery


def _too_late(delivery: Delivery, act: str) -> DeskError:
    return WrongState(
        f"Too late to {act.replace('_', ' ')}: the delivery to {delivery.channel} is "
        f"{delivery.get_status_display().lower()}."
    )
