"""The same text or link to the same channel within some days: asked about before it goes out."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import regex
from django.db.models import Q
from django.utils import timezone

from articles.canonical import canonical_url
from publishing import platforms
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.post import Post

if TYPE_CHECKING:
    from django.db.models import QuerySet

_MOST = 500  # duplicates that are looked at for all channels together
_NOT_OUT = (Status.FAILED, Status.CANCELLED, Status.MISSED)


def note(delivery: Delivery, post: Post) -> None:
    """Note on the delivery, which its caller saves, what later ones are compared with."""
    delivery.text_hash, delivery.link = _text_hash(post, delivery.channel), _link(post)


def found(
    post: Post, channel: Channel, at: datetime, *, but_article: int | None = None
) -> Delivery | None:
    """The latest delivery to the channel with the same words or link; None if there is none.

    Looked at are those that are out or will be, `duplicate_days` of the channel before and after
    `at`. The story `but_article` itself is not its own duplicate.
    """
    if not channel.duplicate_days:
        return None
    window = timedelta(days=channel.duplicate_days)
    rows: QuerySet[Delivery] = Delivery.objects.filter(
        _same(post, channel), channel=channel, act=Delivery.Acts.PUBLISH,
        scheduled_at__range=(at - window, at + window),
    )  # fmt: skip
    rows = rows.exclude(status__in=_NOT_OUT).exclude(article=but_article)
    return rows.select_related("article", "channel").order_by("-scheduled_at", "-id").first()


def found_among(
    said: Mapping[int, Post], channels: Collection[Channel], at: datetime, *, but_article: int
) -> dict[int, Delivery]:
    """By channel what `found` finds for its post in `said`. One query for all of them."""
    same = Q(pk__in=())
    for each in channels:
        if each.duplicate_days:
            window = timedelta(days=each.duplicate_days)
            same |= _same(said[each.pk], each) & Q(
                channel=each, scheduled_at__range=(at - window, at + window)
            )
    rows = Delivery.objects.filter(same, act=Delivery.Acts.PUBLISH)
    rows = rows.exclude(status__in=_NOT_OUT).exclude(article=but_article)
    rows = rows.select_related("article", "channel").order_by("scheduled_at", "id")
    return {each.channel_id: each for each in rows[:_MOST]}


def in_words(same: Delivery, post: Post) -> str:
    """Which delivery it equals, and in what."""
    what = "text" if same.text_hash == _text_hash(post, same.channel) else "link"
    out = same.published_at
    moment = timezone.localtime(out or same.scheduled_at)
    when = f"{'went out' if out else 'is queued for'} {moment:%d %b %Y, %H:%M}"
    return (
        f"Delivery {same.pk} to {same.channel} has the same {what}: “{same.article.title}”, "
        f"{when}. Confirm to send it all the same."
    )


def _same(post: Post, channel: Channel) -> Q:
    same = Q(text_hash=_text_hash(post, channel))
    if link := _link(post):
        same |= Q(link=link)
    return same


def _text_hash(post: Post, channel: Channel) -> str:
    """Of the words alone: case, marks and spacing make no other text of it."""
    said = post.text
    if _is_short(channel):  # what readers see there is title and summary
        said = post.summary or post.text.partition("\n")[0]
    words = " ".join(regex.findall(r"[\p{L}\p{M}\p{N}]+", f"{post.title} {said}".casefold()))
    return hashlib.sha256(words.encode()).hexdigest()


def _is_short(channel: Channel) -> bool:
    try:
        return platforms.platform(channel.platform).capabilities.form.startswith("short text")
    except KeyError:
        return False


def _link(post: Post) -> str:
    address = post.canonical_url or post.url
    return canonical_url(address)[:2000] if address else ""
