"""How far a story has come over all its channels, told to the hub."""

from collections.abc import Collection

from articles import desk
from articles.models import Distribution
from publishing.lifecycle import Status
from publishing.models import Delivery

_OVER = {Status.CANCELLED, Status.MISSED}


def summary(statuses: Collection[str]) -> Distribution:
    """The one word for a story whose deliveries stand so. Pure."""
    counted = [Status(status) for status in statuses if status not in _OVER]
    if not counted:
        return Distribution.NONE
    out = counted.count(Status.PUBLISHED)
    if out == len(counted):
        return Distribution.LIVE
    if out:
        return Distribution.PARTIAL
    if all(status == Status.FAILED for status in counted):
        return Distribution.FAILED
    return Distribution.SCHEDULED


def sum_up(article_id: int) -> None:
    """Tell the hub how far a story has come. A failed delivery that was retried doesn't count."""
    rows = Delivery.objects.filter(article_id=article_id).order_by("slot")
    latest: dict[int, str] = {}  # of each channel, the last slot's
    for channel, status, wish in rows.values_list("channel_id", "status", "wish"):
        withdrawn = wish == Delivery.Wishes.WITHDRAW and status == Status.PUBLISHED
        latest[channel] = Status.CANCELLED if withdrawn else status
    desk.note_distribution(article_id, summary(latest.values()))


def went_out(delivery: Delivery) -> None:
    """A delivery has been published: the story is live, unless it was a withdrawal."""
    if delivery.published_at is not None and delivery.wish != Delivery.Wishes.WITHDRAW:
        desk.went_live(delivery.article_id, delivery.revision_id, delivery.published_at)
    sum_up(delivery.article_id)
