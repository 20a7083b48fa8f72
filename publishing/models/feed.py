"""Our own feeds: what stands in them, and which hubs know."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from publishing.models.channel import Channel
from publishing.models.delivery import Delivery


class Feed(models.Model):
    """The feed of one channel. Every change of an entry moves its version on, under its lock."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="feed")
    slug = models.SlugField(
        max_length=80, unique=True, help_text="In its addresses; never changed."
    )
    mark = models.UUIDField(default=uuid.uuid4, unique=True, help_text="Its id in Atom.")
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "feeds"

    def __str__(self) -> str:
        return self.slug


class FeedEntry(models.Model):
    """One story in a feed, as readers get it."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="entries")
    delivery = models.OneToOneField(
        Delivery, on_delete=models.CASCADE, related_name="feed_entry",
        help_text="The first one; changes are deliveries of it.",
    )  # fmt: skip
    marker = models.UUIDField(unique=True, help_text="Its id for readers: the delivery's.")
    title = models.TextField()
    html = models.TextField(blank=True)
    summary = models.TextField(blank=True)
    text = models.TextField(blank=True, help_text="The words of its HTML.")
    url = models.CharField(
        max_length=2000, blank=True, help_text="Where it leads; empty: to its own page."
    )
    canonical_url = models.CharField(
        max_length=2000, blank=True, help_text="Where the piece stands, if not on its own page."
    )
    authors = ArrayField(models.TextField(), default=list, blank=True)
    tags = ArrayField(models.TextField(), default=list, blank=True)
    language = models.CharField(max_length=35, blank=True)
    pictures = models.JSONField(default=list, blank=True, help_text="Address and description.")
    published_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(help_text="Of the feed, when it was changed last.")

    class Meta:
        db_table = "feed_entries"
        verbose_name_plural = "feed entries"
        indexes: ClassVar = [
            models.Index(
                fields=["feed", "-published_at", "-id"],
                condition=models.Q(withdrawn_at=None),
                name="feed_entries_newest",
            ),
            models.Index(
                fields=["feed", "-withdrawn_at"],
                condition=models.Q(withdrawn_at__isnull=False),
                name="feed_entries_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class HubPing(models.Model):
    """What one WebSub hub has been told of a feed: it is due while it knows an older version."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="pings")
    hub = models.CharField(max_length=500)
    told_version = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now, help_text="Not before this.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    said = models.CharField(max_length=300, blank=True, help_text="What went wrong last.")

    class Meta:
        db_table = "hub_pings"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["feed", "hub"], name="one_row_per_feed_and_hub")
        ]

    def __str__(self) -> str:
        return self.hub
