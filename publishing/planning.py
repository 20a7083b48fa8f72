"""A channel's week, as the rows stand: its free slots, and what waits for its quiet hours."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from publishing.lifecycle import TERMINAL, Status
from publishing.models import Channel, Delivery

_PLACES = 0x736C6F74  # "slot": keeps these locks apart from the desk's others
_GIVEN_UP = tuple(TERMINAL - {Status.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Place:
    """One slot to come, and who has it."""

    at: datetime
    delivery: Delivery | None


def queue_up(channel_ids: Collection[int]) -> None:
    """Be the only one who queues to these channels, until the transaction ends.

    So no slot is given twice, and of two duplicates that come at once one sees the other. These
    locks are of their own: workers never wait for them.
    """
    with connection.cursor() as cursor:
        for channel_id in sorted(channel_ids):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_PLACES, channel_id])


def next_slot(channel: Channel, after: datetime) -> datetime | None:
    """The channel's next slot later than `after` that no delivery has; None without a plan."""
    taken = Delivery.objects.filter(channel=channel, scheduled_at__gt=after)
    moments = set(taken.exclude(status__in=_GIVEN_UP).values_list("scheduled_at", flat=True))
    return channel.plan.next_free(after, moments)


def next_slots(channels: Collection[Channel], after: datetime) -> dict[int, datetime]:
    """By channel the next free slot, for those that have one. One query for all of them."""
    planned = [each for each in channels if each.slots]
    taken: dict[int, set[datetime]] = {each.pk: set() for each in planned}
    if not planned:
        return {}
    rows = Delivery.objects.filter(channel__in=planned, scheduled_at__gt=after)
    rows = rows.exclude(status__in=_GIVEN_UP)
    for channel_id, moment in rows.values_list("channel_id", "scheduled_at"):
        taken[channel_id].add(moment)
    free = {each.pk: each.plan.next_free(after, taken[each.pk]) for each in planned}
    return {pk: moment for pk, moment in free.items() if moment is not None}


def places(channel: Channel, count: int, after: datetime | None = None) -> list[Place]:
    """The channel's next slots, at most `count`, with the deliveries that have them."""
    moments = list(islice(channel.plan.coming(after or timezone.now()), count))
    rows = Delivery.objects.filter(channel=channel, scheduled_at__in=moments)
    rows = rows.exclude(status__in=_GIVEN_UP).select_related("article").order_by("-id")
    holders = {row.scheduled_at: row for row in rows}
    return [Place(at, holders.get(at)) for at in moments]


def wait_for_quiet_hours(delivery: Delivery) -> None:
    """If its time lies in its channel's quiet hours: note on it, unsaved, until when it waits.

    A withdrawal waits for nothing.
    """
    if delivery.status != Status.PENDING:
        return
    until = delivery.channel.plan.quiet_until(delivery.scheduled_at)
    if until is not None and delivery.wish != Delivery.Wishes.WITHDRAW:
        delivery.next_attempt_at = until
        delivery.error_message = quiet_words(delivery.channel, until)


def quiet_now(channel: Channel, now: datetime) -> datetime | None:
    """When the quiet hours end that the channel is in, after all that is due there waits for it.

    Else None. What waits to be retried keeps saying why.
    """
    until = channel.plan.quiet_until(now)
    if until is None:
        return None
    early = Q(next_attempt_at=None) | Q(next_attempt_at__lt=until)
    due = Delivery.objects.filter(early, channel=channel, scheduled_at__lt=until)
    due = due.exclude(wish=Delivery.Wishes.WITHDRAW)
    words = quiet_words(channel, until)
    due.filter(status=Status.PENDING).update(
        next_attempt_at=until, error_message=words, updated_at=Now()
    )
    due.filter(status=Status.RETRY).update(next_attempt_at=until, updated_at=Now())
    return until


def replan(channel: Channel) -> None:
    """The channel's week has changed: what waited for the old quiet hours is looked at anew."""
    waiting = Delivery.objects.filter(channel=channel, status=Status.PENDING, attempts=0)
    waiting.exclude(next_attempt_at=None).update(
        next_attempt_at=None, error_message="", updated_at=Now()
    )


def quiet_words(channel: Channel, until: datetime) -> str:
    """Why it waits, and until when on the channel's own clock."""
    moment = until.astimezone(channel.plan.zone)
    return f"{channel} keeps quiet hours; it waits until {moment:%a %d %b, %H:%M %Z}."
