"""A delivery's standing on the console's pages: badge, sentence, and what a person may do."""

from datetime import datetime

from django.utils import timezone

from publishing import platforms, telling
from publishing.lifecycle import Status
from publishing.models import Attempt, Channel, Delivery
from publishing.platforms.base import Connects

LABELS: dict[str, str] = {
    Status.PENDING: "info", Status.CLAIMED: "info", Status.SENDING: "info",
    Status.RETRY: "warning", Status.HELD: "warning", Status.IN_DOUBT: "danger",
    Status.PUBLISHED: "success", Status.FAILED: "danger", Status.CANCELLED: "",
    Status.MISSED: "danger",
}  # fmt: skip
ICONS: dict[str, str] = {
    Status.PENDING: "schedule", Status.CLAIMED: "sync", Status.SENDING: "sync",
    Status.RETRY: "replay", Status.HELD: "pause_circle", Status.IN_DOUBT: "help",
    Status.PUBLISHED: "check_circle", Status.FAILED: "error", Status.CANCELLED: "cancel",
    Status.MISSED: "event_busy",
}  # fmt: skip


def kept_back(channel: Channel, now: datetime) -> str:
    """Why a channel sends nothing at this moment; "" if it does."""
    if not channel.is_active:
        return f"{channel} is switched off."
    if channel.paused_reason:
        return f"{channel} is paused. {channel.paused_reason}"
    if channel.waits_until and channel.waits_until > now:
        until = timezone.localtime(channel.waits_until)
        return f"{channel} may send again at {until:%H:%M}."
    return f"{channel} is not connected yet." if never_connected(channel) else ""


def never_connected(channel: Channel) -> bool:
    """Whether a visit to the platform is still to come, and no token was entered by hand either."""
    table = platforms.table()
    if channel.platform not in table or channel.renewed_at is not None:
        return False
    if not isinstance(platforms.platform(channel.platform), Connects):
        return False
    there = {name for name, hint in channel.credentials.describe().items() if hint != "not set"}
    return there <= {"client_id", "client_secret"}


def sentence(delivery: Delivery, now: datetime | None = None) -> str:
    """Where it stands and what comes next, in words; its channel is fetched already."""
    now = now or timezone.now()
    canceller = delivery.cancelled_by if delivery.cancelled_by_id else None
    return telling.in_words(
        telling.Standing(
            status=delivery.status,
            channel=str(delivery.channel),
            scheduled=timezone.localtime(delivery.scheduled_at),
            now=timezone.localtime(now),
            by_hand=delivery.act == Delivery.Acts.BY_HAND,
            published=_local(delivery.published_at),
            next_attempt=_local(delivery.next_attempt_at),
            attempts=delivery.attempts,
            confirmed_by=delivery.confirmed_by,
            cancelled_by=canceller.get_username() if canceller else "",
            kept_back=kept_back(delivery.channel, now),
        )
    )


def told(attempt: Attempt, platform: str) -> dict[str, object]:
    """An attempt for a template: the sentence, how long it took, what the platform said."""
    what = telling.Tried(
        attempt.outcome, platform, attempt.started_at, attempt.finished_at, attempt.http_status
    )
    words = telling.attempt_in_words(what)
    excerpt = attempt.excerpt
    said = "" if excerpt in words or excerpt == "Confirmed by answer." else excerpt
    return {
        "attempt": attempt,
        "words": words,
        "took": telling.took(what),
        "said": said,
        "kind": _KINDS.get(attempt.outcome, "danger"),
    }


def platform_label(key: str) -> str:
    """A platform's name, also of one that is not installed any more."""
    try:
        return platforms.platform(key).label
    except KeyError:
        return f"{key} (not installed)"


_KINDS = {"published": "success", "": "info", "wait": "warning", "not_sent": "warning"}


def _local(moment: datetime | None) -> datetime | None:
    return timezone.localtime(moment) if moment is not None else None
