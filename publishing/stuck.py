"""What got stuck on a channel and can go on together, once somebody has put the channel right."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from publishing.lifecycle import Status
from publishing.models import Channel, Delivery

FAILED_LATELY = timedelta(days=7)  # what failed earlier is history, not work left over
_BY_A_PERSON = ("Held: ", "Held by hand.")  # as `queue.hold` notes it


class Kind(StrEnum):
    """Why it is stuck; each is asked for by itself."""

    HELD = "held"  # by the desk: settings or text had changed, it was late, the platform gone
    FAILED = "failed"  # refused for good, and not tried again since
    BY_A_PERSON = "by_a_person"  # kept back on purpose


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many of a channel's deliveries are stuck."""

    channel: Channel
    held: int = 0
    failed: int = 0
    by_a_person: int = 0

    @property
    def words(self) -> str:
        """Such as “2 held, 1 failed”."""
        named = ((self.held, "held"), (self.failed, "failed"), (self.by_a_person, "held by people"))
        return ", ".join(f"{count} {what}" for count, what in named if count)

    @property
    def urgent(self) -> bool:
        """Whether anything is stuck that nobody wanted to keep back."""
        return bool(self.held or self.failed)


def rows(kind: Kind, channels: Iterable[Channel | int], now: datetime) -> QuerySet[Delivery]:
    """The deliveries that are stuck for this reason, oldest first."""
    found = Delivery.objects.filter(channel__in=list(channels)).order_by("scheduled_at", "pk")
    held_by_person = Q()
    for words in _BY_A_PERSON:
        held_by_person |= Q(error_message__startswith=words)
    held = found.filter(status=Status.HELD).exclude(act=Delivery.Acts.BY_HAND)
    match kind:
        case Kind.HELD:
            return held.exclude(held_by_person)
        case Kind.BY_A_PERSON:
            return held.filter(held_by_person)
    since = Delivery.objects.filter(
        article_id=OuterRef("article_id"), channel_id=OuterRef("channel_id"),
        slot__gt=OuterRef("slot"),
    )  # fmt: skip
    failed = found.filter(status=Status.FAILED, updated_at__gte=now - FAILED_LATELY)
    return failed.filter(~Exists(since))


def on(channel: Channel, now: datetime) -> Stuck:
    """How many are stuck on one channel. Three queries."""
    counts = {kind.value: rows(kind, [channel], now).count() for kind in Kind}
    return Stuck(channel, **counts)


def everywhere(channels: Collection[Channel], now: datetime) -> list[Stuck]:
    """The channels on which anything is stuck that nobody wanted to keep back. Two queries."""
    counts: dict[int, dict[str, int]] = {}
    for kind in (Kind.HELD, Kind.FAILED):
        for channel_id in rows(kind, channels, now).values_list("channel_id", flat=True):
            per_kind = counts.setdefault(channel_id, {})
            per_kind[kind.value] = per_kind.get(kind.value, 0) + 1
    return [Stuck(each, **counts[each.pk]) for each in channels if each.pk in counts]
