"""The rows of a feed: opening it, and putting, changing and withdrawing entries.

Each change is one transaction under the delivery's claim and the feed's lock; it moves the feed's
version on, which is what readers' caches and hubs go by. What changes nothing moves nothing.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import IntegrityError, transaction
from slugify import slugify

from publishing import claim
from publishing.claim import Claim
from publishing.errors import Refusal
from publishing.feeds import addresses
from publishing.feeds.edition import clean, hubs_of
from publishing.models import Channel, Delivery, Feed, FeedEntry, HubPing
from publishing.our_pages import Shown
from publishing.post import Post

_LONGEST_SLUG = 60


def opened(channel: Channel) -> Feed:
    """The channel's feed; its addresses are made from the channel's name the first time."""
    while True:
        feed = Feed.objects.filter(channel=channel).first()
        if feed is not None:
            return feed
        try:
            with transaction.atomic():
                return Feed.objects.create(channel=channel, slug=_free_slug(channel.name))
        except IntegrityError:  # somebody took the name, or has opened it, in this moment
            continue


class Entries:
    """The place of one delivery in its channel's feed (`publishing.our_pages.OurPages`)."""

    def __init__(self, delivery: Delivery, claimed: Claim | None = None) -> None:
        self._channel = delivery.channel
        self._first = delivery.of or delivery
        self._claim = claimed  # without one nothing is changed

    async def put(self, post: Post) -> Shown:
        """Make the entry say what `post` says."""
        return await sync_to_async(self._put)(post)

    async def take_down(self) -> None:
        """Out of the feed, for good."""
        await sync_to_async(self._take_down)()

    async def shown(self) -> Shown | None:
        """How it stands."""
        return await sync_to_async(self._shown)()

    def _put(self, post: Post) -> Shown:
        wanted = {**_columns(post), "url": self._link(post)}
        with transaction.atomic():
            feed, entry = self._locked()
            if entry is None:
                entry = FeedEntry(feed=feed, delivery=self._first, marker=self._first.marker)
            elif entry.withdrawn_at is not None:
                raise Refusal("It was withdrawn from the feed; publish it anew.")
            elif all(getattr(entry, name) == value for name, value in wanted.items()):
                return _as_shown(entry)
            for name, value in wanted.items():
                setattr(entry, name, value)
            self._move_on(feed)
            entry.version, entry.updated_at = feed.version, feed.changed_at
            entry.published_at = entry.published_at or feed.changed_at
            entry.save()
        return _as_shown(entry)

    def _take_down(self) -> None:
        with transaction.atomic():
            feed, entry = self._locked()
            if entry is None or entry.withdrawn_at is not None:
                return
            self._move_on(feed)
            entry.version, entry.withdrawn_at = feed.version, feed.changed_at
            entry.save(update_fields=["version", "withdrawn_at"])

    def _shown(self) -> Shown | None:
        entry = (
            FeedEntry.objects.select_related("feed")
            .filter(marker=self._first.marker, withdrawn_at=None)
            .first()
        )
        return _as_shown(entry) if entry is not None else None

    def _link(self, post: Post) -> str:
        """Where the entry leads: "" is its own page, which is ours more than the source's is."""
        if self._channel.link == Channel.Links.OURS and not settings.STORY_URL:
            return ""
        return clean(post.url)[:2000]

    def _locked(self) -> tuple[Feed, FeedEntry | None]:
        """The feed, locked, and the entry if there is one; raises `LostClaim`."""
        if self._claim is None:
            raise TypeError("Entries are changed under a claim only.")
        claim.renew(self._claim)
        feed = Feed.objects.select_for_update().get(pk=opened(self._channel).pk)
        entry = FeedEntry.objects.filter(marker=self._first.marker).first()
        if entry is not None:
            entry.feed = feed
        return feed, entry

    def _move_on(self, feed: Feed) -> None:
        """A new version, later than the one before; its hubs are due."""
        feed.version += 1
        feed.changed_at = max(feed.changed_at, claim.database_now())
        feed.save(update_fields=["version", "changed_at"])
        HubPing.objects.bulk_create(
            [HubPing(feed=feed, hub=hub) for hub in hubs_of(self._channel.options)],
            ignore_conflicts=True,
        )


def _columns(post: Post) -> dict[str, Any]:
    """What a post says, as an entry's columns; only what every form of a feed can hold."""
    return {
        "title": clean(post.title).strip(),
        "html": clean(post.html),
        "summary": clean(post.summary),
        "text": clean(post.text),
        "canonical_url": clean(post.canonical_url)[:2000],
        "authors": [clean(name) for name in post.authors if clean(name).strip()],
        "tags": [clean(tag) for tag in post.tags if clean(tag).strip()],
        "language": clean(post.language)[:35],
        "pictures": [{"src": clean(each.src), "alt": clean(each.alt)} for each in post.pictures],
    }


def _as_shown(entry: FeedEntry) -> Shown:
    address = addresses.of_entry(entry.feed, entry.marker)
    return Shown(entry.marker.urn, address, f"{entry.title}\n{entry.text}")


def _free_slug(name: str) -> str:
    wanted = slugify(name, max_length=_LONGEST_SLUG, word_boundary=True) or "feed"
    taken = set(Feed.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
