"""Changing what is out: a correction or a withdrawal, channel by channel, by what each can do.

Each is a delivery of its own, in the queue like the first one and with all its promises. Where a
platform can't do what is wished, a person gets a task; nothing is left out silently.
"""

from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from articles import record
from articles.errors import WrongState
from articles.lifecycle import Right, State
from articles.models import Article, Revision
from articles.record import Actor
from publishing import distribution, platforms
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms.base import Deletes, Edits, Platform, Replies
from publishing.post import Once

Acts, Wishes = Delivery.Acts, Delivery.Wishes
_BY_HAND = {
    Wishes.CORRECT: "{platform} can't change a post. Please correct it by hand: {where}",
    Wishes.WITHDRAW: "{platform} can't take a post away. Please do it by hand: {where}",
}


class Repeat(StrEnum):
    """What may be done about an attempt of which nobody knows how it ended."""

    AGAIN = "again"  # the same once more is the same
    FIND_OUT = "find_out"  # as the platform finds out about posts
    ASK = "ask"  # a person looks


def way(platform: Platform | None, wish: str) -> str:
    """How a wish is fulfilled on a platform: the first that it can do, else by hand. Pure."""
    wanted = {
        Wishes.CORRECT: ((Edits, Acts.EDIT), (Replies, Acts.REPLY)),
        Wishes.WITHDRAW: ((Deletes, Acts.DELETE), (Edits, Acts.EDIT), (Replies, Acts.REPLY)),
    }[Wishes(wish)]
    able = (act for ability, act in wanted if isinstance(platform, ability))
    return str(next(able, Acts.BY_HAND))


def repeat(act: str, once: Once) -> Repeat:
    """What an unknown outcome of this act allows. Pure."""
    if act in (Acts.EDIT, Acts.DELETE):
        return Repeat.AGAIN
    if once is Once.NONE or (act == Acts.REPLY and once is not Once.KEY):
        return Repeat.ASK
    return Repeat.FIND_OUT


def amendment(
    first: Delivery, revision: Revision, wish: str, slot: int, by: Actor, *, by_hand: str = ""
) -> Delivery:
    """The delivery, not stored yet, that fulfils the wish for the post of `first`.

    `by_hand` says why a person has to do it, if that is clear already.
    """
    adapter = _adapter(first.channel)
    act = Acts.BY_HAND if by_hand else way(adapter, wish)
    new = Delivery(
        article=first.article, channel=first.channel, platform=first.platform, revision=revision,
        slot=slot, scheduled_at=timezone.now(), act=act, of=first, wish=wish, created_by=by.user,
    )  # fmt: skip
    if act == Acts.BY_HAND:
        where = first.remote_url or first.remote_id
        label = adapter.label if adapter else first.platform
        words = by_hand or _BY_HAND[Wishes(wish)].format(platform=label, where=where)
        new.status, new.error_message = Status.HELD, words
    return new


def withdraw(limit: int = 100) -> int:
    """Queue the withdrawal of every post of killed stories that has none yet; how many.

    The row of the story says that it was killed; nobody has to tell us. Safe to call at any time
    by any number of workers. The notes on a post go before it: a channel is summed up by its last
    delivery, and that is the first post's.
    """
    killed = Delivery.objects.filter(status=Status.PUBLISHED, article__state=State.KILLED)
    on_its_way = Delivery.objects.filter(of=OuterRef("pk"), wish=Wishes.WITHDRAW)
    with transaction.atomic():
        out = list(
            (killed.filter(act=Acts.PUBLISH) | _removable(killed))
            .filter(~Exists(on_its_way))
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("article", "channel", "revision")
            .order_by("-slot")[:limit]
        )
        for first in out:
            _queue(first, first.revision, Wishes.WITHDRAW)
    return len(out)


def _removable(out: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """The notes that corrected a post, where a platform can take them away.

    Elsewhere what is said of the first post stands beside them.
    """
    notes = out.filter(act=Acts.REPLY, wish=Wishes.CORRECT)
    able = [
        key
        for key in notes.order_by().values_list("platform", flat=True).distinct()
        if key in platforms.table() and isinstance(platforms.platform(key), Deletes)
    ]
    return notes.filter(platform__in=able)


def by_hand_instead(failed: Delivery, words: str) -> None:
    """A change that its platform refused becomes a person's task."""
    if failed.of is None:
        return
    where = failed.of.remote_url or failed.of.remote_id
    task = f"{words} Please do it by hand: {where}"
    _queue(failed.of, failed.revision, failed.wish, by_hand=task)


def done(delivery_id: int, by: Actor) -> Delivery:
    """A person has done their task; `WrongState` if there is none open."""
    by.must(Right.QUEUE, "answer tasks")
    with transaction.atomic():
        task = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("article", "channel", "of")
            .get(pk=delivery_id)
        )
        if task.act != Acts.BY_HAND or task.status != Status.HELD:
            raise WrongState(f"There is nothing to be done by hand on {task.channel}.")
        task.status, task.published_at = Status.PUBLISHED, timezone.now()
        task.confirmed_by, task.error_message, task.updated_at = "person", "", timezone.now()
        if task.of is not None:
            task.remote_id, task.remote_url = task.of.remote_id, task.of.remote_url
        task.save()
        record.note(task.article, "done_by_hand", by, data=_data(task))
        distribution.went_out(task)
    return task


def first_of(article: Article, channel: Channel) -> Delivery | None:
    """The delivery whose post stands on the channel now; None where there is none any more."""
    gone = Delivery.objects.filter(of=OuterRef("pk"), wish=Wishes.WITHDRAW, status=Status.PUBLISHED)
    return (
        Delivery.objects.filter(
            ~Exists(gone), article=article, channel=channel, act=Acts.PUBLISH,
            status=Status.PUBLISHED,
        )
        .select_related("article", "channel", "revision")
        .order_by("-slot")
        .first()
    )  # fmt: skip


def _queue(first: Delivery, revision: Revision, wish: str, *, by_hand: str = "") -> None:
    by = Actor.desk()
    slot = Delivery.objects.filter(article_id=first.article_id, channel_id=first.channel_id).count()
    new = amendment(first, revision, wish, slot, by, by_hand=by_hand)
    new.save(force_insert=True)
    record.note(first.article, f"{wish}_queued", by, reason=new.error_message, data=_data(new))
    distribution.sum_up(first.article_id)


def _adapter(channel: Channel) -> Platform | None:
    try:
        return platforms.platform(channel.platform)
    except KeyError:
        return None


def _data(delivery: Delivery) -> dict[str, object]:
    return {"delivery": delivery.pk, "channel": delivery.channel.name, "act": delivery.act}
