"""One channel's wish for a story: into its queue, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from articles import record
from articles.errors import WrongState
from articles.lifecycle import State
from articles.models import Article, Revision
from articles.record import Actor
from publishing import amend, approval, duplicates, planning, platforms, posts
from publishing.lifecycle import TERMINAL, Status
from publishing.models import Channel, Delivery, Subscriber
from publishing.post import Problem


@dataclass(frozen=True, slots=True)
class Terms:
    """How a story is to go out."""

    at: datetime  # its time; with `next_slot` not before it
    next_slot: bool = False  # at each channel's own next free slot
    confirm_duplicates: bool = False  # a person has seen that the same is out there
    when_late: str = ""  # Channel.WhenLate; "" for each channel's own
    seen: Mapping[int, str] = field(default_factory=dict)
    """By channel: the hash of the preview that was looked at, `approval.payload_hash`."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of one channel's wish."""

    channel: Channel
    delivery: Delivery | None
    problem: str = ""  # why there is no delivery
    duplicate_of: Delivery | None = None  # that one must be confirmed


def publishable(story: Article) -> Revision:
    """The revision that may go out; raises `WrongState` with what is missing."""
    if story.state == State.APPROVED and story.approved_revision:
        return story.approved_revision
    if story.state == State.LIVE and story.live_revision:
        return story.live_revision
    raise WrongState(
        f"Only an approved story can be queued; this one is {story.get_state_display().lower()}."
    )


def problems(story: Article, revision: Revision, channel: Channel) -> list[Problem]:
    """A dry run of one channel: everything its platform would refuse. Nothing is sent."""
    try:
        platform = platforms.platform(channel.platform)
    except KeyError:
        return [Problem("channel", f"The platform “{channel.platform}” is not installed here.")]
    missing = [
        Problem("channel", f"The channel's setting “{each.label}” is missing.")
        for each in platform.options
        if each.required and not channel.options.get(each.name)
    ]
    if platform.to_subscribers and not Subscriber.objects.readers(channel.pk).exists():
        missing.append(
            Problem("channel", "Nobody would get it: bring in a list under “Subscribers” first.")
        )
    return missing or platform.problems(posts.post_of(story, revision, channel), channel.options)


def place(
    story: Article, revision: Revision, channel: Channel, by: Actor, terms: Terms
) -> Enqueued:
    """Queue the story to one channel; what became of it.

    The caller holds the story's lock and the channel's (`planning.queue_up`).
    """
    if not channel.is_active:
        return Enqueued(channel, None, f"{channel} is switched off.")
    found = problems(story, revision, channel)
    if found:
        return Enqueued(channel, None, " ".join(problem.sentence for problem in found))
    delivery = _wished(story, revision, channel, by)
    if isinstance(delivery, str):
        return Enqueued(channel, None, delivery)
    at = planning.next_slot(channel, terms.at) if terms.next_slot else terms.at
    if at is None:
        return Enqueued(channel, None, f"{channel} has no weekly plan with a free slot.")
    delivery.scheduled_at, delivery.when_late = at, terms.when_late
    post = posts.of_delivery(delivery)
    approval.bind(delivery)
    if terms.seen.get(channel.pk, delivery.payload_hash) != delivery.payload_hash:
        words = f"What would go to {channel} changed since you looked; look at it once more."
        return Enqueued(channel, None, words)
    if delivery.act == Delivery.Acts.PUBLISH:
        same = duplicates.found(post, channel, at, but_article=story.pk)
        if same is not None and not terms.confirm_duplicates:
            return Enqueued(channel, None, duplicates.in_words(same, post), same)
        duplicates.note(delivery, post)
    planning.wait_for_quiet_hours(delivery)
    return _stored(delivery, by)


def next_number(article_id: int, channel_id: int) -> int:
    """The slot of a story's next delivery to a channel."""
    return Delivery.objects.filter(article_id=article_id, channel_id=channel_id).count()


def _wished(story: Article, revision: Revision, channel: Channel, by: Actor) -> Delivery | str:
    """The delivery that the wish comes to, not stored yet; or why there is none."""
    earlier = (
        Delivery.objects.filter(article=story, channel=channel)
        .exclude(status__in=TERMINAL - {Status.PUBLISHED})
        .order_by("-slot")
        .first()
    )
    number = next_number(story.pk, channel.pk)
    if earlier is None:
        return Delivery(
            article=story, channel=channel, platform=channel.platform, revision=revision,
            slot=number, created_by=by.user,
        )  # fmt: skip
    first = amend.first_of(story, channel)
    outdated = earlier.status == Status.PUBLISHED and earlier.revision_id != revision.pk
    if first is None or not outdated:
        words = earlier.get_status_display().lower()
        return f"The story is on {channel} already: {words}."
    correction = amend.amendment(first, revision, Delivery.Wishes.CORRECT, number, by)
    correction.article = story
    return correction


def _stored(delivery: Delivery, by: Actor) -> Enqueued:
    channel = delivery.channel
    try:
        with transaction.atomic():
            delivery.save(force_insert=True)
    except IntegrityError:
        return Enqueued(channel, None, f"The story is in {channel}'s queue already.")
    record.note(
        delivery.article, "queued", by,
        data={
            "delivery": delivery.pk, "channel": channel.name, "act": delivery.act,
            "at": delivery.scheduled_at.isoformat(), "payload_sha256": delivery.payload_hash,
        },
    )  # fmt: skip
    return Enqueued(channel, delivery)
