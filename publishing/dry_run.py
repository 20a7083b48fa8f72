"""The dry run: a story on every channel as it will read there, with all that is in its way.

Nothing is sent and nothing is stored. It works before approval as well as after.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from articles.models import Article, Revision
from publishing import amend, platforms, posts, queue
from publishing.lifecycle import TERMINAL, Status
from publishing.models import Channel, Delivery
from publishing.platforms.base import Platform, Previews
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

    @property
    def possible(self) -> bool:
        """Whether the story can be queued there."""
        return not self.problems and self.there is None


def dry_run(story: Article, revision: Revision, channels: Iterable[Channel]) -> list[Trial]:
    """A trial for each channel, in their order. One query for all that is there already."""
    wanted = list(channels)
    post = posts.post_of(story, revision)
    there = _latest(story, wanted)
    return [_trial(story, revision, each, post, there.get(each.pk)) for each in wanted]


def sent_texts(platform: Platform, post: Post, channel: Channel) -> Texts:
    """What goes to a channel, in its parts."""
    if isinstance(platform, Previews):
        return platform.texts(post, channel.options)
    return texts(post, platform.capabilities, channel.options)


def _trial(
    story: Article, revision: Revision, channel: Channel, post: Post, there: Delivery | None
) -> Trial:
    problems = tuple(each.sentence for each in queue.problems(story, revision, channel))
    try:
        platform = platforms.platform(channel.platform)
    except KeyError:
        return Trial(channel, channel.platform, None, problems, there)
    shown = preview(
        post, sent_texts(platform, post, channel), platform.capabilities, channel.options
    )
    change = ""
    if there is not None and there.status == Status.PUBLISHED and there.revision_id != revision.pk:
        change, there = _WAYS[Delivery.Acts(amend.way(platform, Delivery.Wishes.CORRECT))], None
    return Trial(channel, platform.label, shown, problems, there, change)


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
