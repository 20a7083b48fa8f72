"""How far a story has come over all its channels, told to the hub."""

from collections.abc import Collection, Sequence

from articles import desk
from articles.lifecycle import State
from articles.models import Article, Distribution
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
    desk.note_distribution(article_id, _summaries([article_id])[article_id])


def went_out(delivery: Delivery) -> None:
    """A delivery has been published: the story is live, unless it was a withdrawal."""
    all_went_out([delivery])


def all_went_out(deliveries: Sequence[Delivery]) -> None:
    """These have been published: their stories are live, unless it was a withdrawal.

    Their stories' locks come first, in one order: of two workers that settle deliveries of one
    story the second sees what the first has written.
    """
    ids = sorted({each.article_id for each in deliveries})
    rows = Article.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    stand = {pk: (live, state, word) for pk, live, state, word in rows.values_list(
        "pk", "live_revision_id", "state", "distribution"
    )}  # fmt: skip
    for each in sorted(deliveries, key=lambda each: each.article_id):
        if each.published_at is None or each.wish == Delivery.Wishes.WITHDRAW:
            continue
        live, state, word = stand[each.article_id]
        if live != each.revision_id or state == State.APPROVED:
            desk.went_live(each.article_id, each.revision_id, each.published_at)
            stand[each.article_id] = each.revision_id, "", word
    for article_id, summed in _summaries(ids).items():
        if stand[article_id][2] != summed:
            desk.note_distribution(article_id, summed)


def _summaries(article_ids: Collection[int]) -> dict[int, Distribution]:
    rows = Delivery.objects.filter(article__in=article_ids).order_by("slot")
    latest: dict[int, dict[int, str]] = {pk: {} for pk in article_ids}  # by channel the last slot's
    for article, channel, status, wish in rows.values_list(
        "article_id", "channel_id", "status", "wish"
    ):
        withdrawn = wish == Delivery.Wishes.WITHDRAW and status == Status.PUBLISHED
        latest[article][channel] = Status.CANCELLED if withdrawn else status
    return {pk: summary(by_channel.values()) for pk, by_channel in latest.items()}
