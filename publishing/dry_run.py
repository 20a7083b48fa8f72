"""The dry run: a story on every channel as it will read there, with all that is in its way.

Nothing is sent and nothing is stored. It works before approval as well as after.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from articles.models import Article, Revision
from publishing import amend, duplicates, fingerprint, planning, platforms, posts, queue
from publishing.lifecycle import TERMINAL, Status
from publishing.models import Channel, Delivery, Subscriber
from publishing.platforms.base import Platform, Previews, guessed
from publishing.post import Post, Texts
from publishing.preview import Preview, preview, texts

_WAYS = {
    Delivery.Acts.EDIT: "It is there in an earlier version: the post is changed.",
    Delivery.Acts.REPLY: "It is there in an earlier version: the post is answered with a note.",
    Delivery.Acts.BY_HAND: "It is there in an earlier version: a person has to change it.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One channel's part of a dry run."""

    channel: Channel
    platform: str  # its label
    preview: Preview | None  # None where the platform is not installed
    problems: tuple[str, ...]  # sentences: what it would refuse
    there: Delivery | None = None  # the delivery that stands in the way of another one
    change: str = ""  # what happens to an earlier version that is out
    duplicate: str = ""  # the same is out or queued there already, in words
    next_slot: datetime | None = None  # of the channel's weekly plan
    seen: str = ""  # the hash of what is shown; `queue.enqueue` compares it

    @property
    def possible(self) -> bool:
        """Whether the story can be queued there."""
        return not self.problems and self.there is None


def dry_run(
    story: Article, revision: Revision, channels: Iterable[Channel], now: datetime
) -> list[Trial]:
    """A trial for each channel, in their order.

    Three queries, however many there are, and two more for each mailing list.
    """
    wanted = list(channels)
    said = {each.pk: posts.post_of(story, revision, each) for each in wanted}
    known = _Known(
        _latest(story, wanted),
        duplicates.found_among(said, wanted, now, but_article=story.pk),
        planning.next_slots(wanted, max(now, story.embargo_until or now)),
    )
    return [_trial(story, revision, each, said[each.pk], known) for each in wanted]


def sent_texts(platform: Platform, post: Post, channel: Channel) -> Texts:
    """What goes to a channel, in its parts."""
    if isinstance(platform, Previews):
        return platform.texts(post, channel.options)
    return texts(post, platform.capabilities.within(channel.known_limits), channel.options)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the queue knows, by channel."""

    there: Mapping[int, Delivery]
    duplicates: Mapping[int, Delivery]
    slots: Mapping[int, datetime]


def _trial(
    story: Article, revision: Revision, channel: Channel, post: Post, known: _Known
) -> Trial:
    problems = tuple(each.sentence for each in queue.problems(story, revision, channel))
    there = known.there.get(channel.pk)
    try:
        platform = platforms.platform(channel.platform)
    except KeyError:
        return Trial(channel, channel.platform, None, problems, there)
    shown = preview(
        post,
        sent_texts(platform, post, channel),
        platform.capabilities.within(channel.known_limits),
        channel.options,
        guessed=guessed(platform, channel.limits),
    )
    if platform.to_subscribers:
        shown = replace(shown, remarks=(_to_whom(channel), *shown.remarks))
    act, change, duplicate = Delivery.Acts.PUBLISH, "", ""
    if there is not None and there.status == Status.PUBLISHED and there.revision_id != revision.pk:
        act, there = Delivery.Acts(amend.way(platform, Delivery.Wishes.CORRECT)), None
        change = _WAYS[act]
    elif there is None and (same := known.duplicates.get(channel.pk)):
        duplicate = duplicates.in_words(same, post)
    return Trial(
        channel, platform.label, shown, problems, there, change, duplicate,
        known.slots.get(channel.pk), _seen(post, channel, act),
    )  # fmt: skip


def _to_whom(channel: Channel) -> str:
    readers = Subscriber.objects.readers(channel.pk).count()
    return "Goes to 1 subscriber." if readers == 1 else f"Goes to {readers:,} subscribers."


def _seen(post: Post, channel: Channel, act: str) -> str:
    if act not in (Delivery.Acts.PUBLISH, Delivery.Acts.EDIT):
        return ""  # a note or a task says something else than the story
    return fingerprint.whole(
        fingerprint.parts(post, platform=channel.platform, options=channel.options, act=act)
    )


def _latest(story: Article, channels: Iterable[Channel]) -> dict[int, Delivery]:
    """The newest delivery of the story by channel, of those that went out or may."""
    rows = (
        Delivery.objects.filter(article=story, channel__in=list(channels))
        .exclude(status__in=TERMINAL - {Status.PUBLISHED})
        .order_by("channel_id", "-slot")
        .distinct("channel_id")
        .select_related("channel", "cancelled_by")
        .defer("channel__credentials")
    )
    return {each.channel_id: each for each in rows}
