"""The last look before anything leaves: may this delivery go out now, as it is?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.errors import DeskError
from articles.lifecycle import State
from publishing import approval, placing, platforms, retry
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.post import Post

CATCHING_UP = timedelta(minutes=5)  # later than this after its time it is no longer on time


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a delivery must not go out now."""

    status: Status  # what it becomes
    words: str
    wait: timedelta | None = None  # until it is looked at again


def verdict(delivery: Delivery, post: Post, now: datetime) -> Verdict | None:
    """What keeps the delivery from going out as `post` at `now`; None if nothing does.

    Its story must be locked by the caller. A withdrawal is never too late, and no embargo keeps it.
    """
    story, channel = delivery.article, delivery.channel
    if channel.platform not in platforms.table():
        words = f"The platform “{channel.platform}” is not installed here."
        return Verdict(Status.HELD, words)
    if delivery.wish == Delivery.Wishes.WITHDRAW:
        return None
    if story.state in (State.KILLED, State.SPIKED):
        words = story.get_state_display().lower()
        return Verdict(Status.CANCELLED, f"The story was {words} before it went out.")
    try:
        if placing.publishable(story).pk != delivery.revision_id:
            words = "The text was changed after it was queued; queue it anew."
            return Verdict(Status.HELD, words)
    except DeskError:
        return Verdict(Status.HELD, "The approval was withdrawn; approve the story again.")
    if story.embargo_until and story.embargo_until > now:
        return Verdict(Status.RETRY, "The story is under embargo.", story.embargo_until - now)
    return _too_late(delivery, now) or _not_as_approved(delivery, post)


def is_catching_up(delivery: Delivery, now: datetime) -> bool:
    """Whether it goes out late for want of a desk, not for the platform's sake."""
    return not delivery.attempts and now - _due(delivery) > CATCHING_UP


def _too_late(delivery: Delivery, now: datetime) -> Verdict | None:
    policy, minutes = delivery.late_policy, delivery.lateness_allowed
    if policy == Channel.WhenLate.SEND or not retry.is_late(_due(delivery), now, minutes):
        return None
    words = f"It is more than {minutes} minute{'s' * (minutes != 1)} late and was not sent."
    if policy == Channel.WhenLate.HOLD:
        words = f"{words} Release it to send it all the same."
    return Verdict(Status(policy), words)


def _not_as_approved(delivery: Delivery, post: Post) -> Verdict | None:
    different = approval.changed(delivery, post)
    if not different:
        return None
    words = (
        f"Not sent: {different} changed since it was approved. Look at it; release it to send it "
        "as it is now, or cancel it."
    )
    return Verdict(Status.HELD, words)


def _due(delivery: Delivery) -> datetime:
    """Its time, or the end of the quiet hours that this lies in: waiting for them is not late."""
    return delivery.channel.plan.opens(delivery.scheduled_at)
