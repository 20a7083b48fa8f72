"""The publishing queue: one row per story and channel, and per change of what is out."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from articles.models import Article, Revision
from publishing.models.channel import Channel


class Delivery(models.Model):
    """One story to one channel once. The row is the truth; see docs/queue.md for its states."""

    class Statuses(models.TextChoices):
        PENDING = "pending", "Pending"
        CLAIMED = "claimed", "Claimed"
        SENDING = "sending", "Sending"
        RETRY = "retry", "Waiting to retry"
        PUBLISHED = "published", "Published"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        HELD = "held", "Held"
        MISSED = "missed", "Missed"
        IN_DOUBT = "in_doubt", "In doubt"

    class Acts(models.TextChoices):
        PUBLISH = "publish", "Publish"
        EDIT = "edit", "Change the post"
        REPLY = "reply", "Answer the post with a note"
        DELETE = "delete", "Take the post away"
        BY_HAND = "by_hand", "A person's task"

    class Wishes(models.TextChoices):
        NONE = "", "None: it is the first post"
        CORRECT = "correct", "Correct it"
        WITHDRAW = "withdraw", "Withdraw it"

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="deliveries")
    platform = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Statuses, default=Statuses.PENDING)
    scheduled_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True)

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    revision = models.ForeignKey(
        Revision, on_delete=models.PROTECT, related_name="+", help_text="What was approved."
    )
    slot = models.PositiveSmallIntegerField(
        default=0, help_text="0 for the first time the story goes there."
    )
    act = models.CharField(
        max_length=8, choices=Acts, default=Acts.PUBLISH, help_text="What is to be done there."
    )
    of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="amendments",
        help_text="The delivery whose post is changed or taken away.",
    )  # fmt: skip
    wish = models.CharField(max_length=8, choices=Wishes, default=Wishes.NONE, blank=True)
    variant = models.JSONField(default=dict, blank=True, help_text="Text of its own, if any.")
    marker = models.UUIDField(
        default=uuid.uuid4, editable=False, help_text="Our key, the same over every attempt."
    )
    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    looked_up = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How often it was searched for and not found."
    )
    remote_id = models.CharField("the platform's number", max_length=300, blank=True)
    parts = ArrayField(
        models.CharField(max_length=300), default=list, blank=True, editable=False,
        help_text="Of a thread: the ids of the parts that are out.",
    )  # fmt: skip
    confirmed_by = models.CharField(
        max_length=10, blank=True, editable=False, help_text="answer, look_up or person"
    )
    remote_draft_id = models.CharField(
        "the draft's number", max_length=300, blank=True, editable=False
    )
    remote_url = models.URLField(max_length=2000, blank=True)
    lateness_minutes = models.PositiveIntegerField(null=True, blank=True)
    when_late = models.CharField(
        max_length=6, choices=Channel.WhenLate, blank=True, help_text="Empty: as its channel says."
    )
    payload_parts = models.JSONField(
        default=dict, blank=True, editable=False,
        help_text="The hashes of what was approved, part by part; see publishing.fingerprint.",
    )  # fmt: skip
    payload_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="The hash of what was approved."
    )
    refused_hash = models.CharField(
        max_length=64, blank=True, editable=False,
        help_text="Of what it had become when it was held for that; a release approves this.",
    )  # fmt: skip
    text_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of its words, to find duplicates."
    )
    link = models.CharField(
        max_length=2000, blank=True, editable=False, help_text="In one spelling, for the same."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "publishing_queue"
        ordering: ClassVar = ["-scheduled_at", "-id"]
        verbose_name_plural = "publishing queue"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["article", "channel", "slot"],
                condition=~models.Q(status__in=["failed", "cancelled", "missed"]),
                name="one_live_delivery_per_article_channel_and_slot",
            ),
            # Order and rate of a channel hold only while one delivery at a time is under way.
            models.UniqueConstraint(
                fields=["channel"],
                condition=models.Q(status__in=["claimed", "sending"]),
                name="one_lease_per_channel",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["scheduled_at", "id"],
                condition=models.Q(status__in=["pending", "retry", "in_doubt"]),
                name="deliveries_due",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(status__in=["claimed", "sending"]),
                name="deliveries_leased",
            ),
            models.Index(fields=["status", "-scheduled_at"], name="deliveries_by_status"),
            models.Index(fields=["channel", "scheduled_at"], name="deliveries_by_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.article} → {self.channel}"

    @property
    def lateness_allowed(self) -> int:
        """Minutes after its time within which it may still go out."""
        if self.lateness_minutes is None:
            return self.channel.lateness_minutes
        return self.lateness_minutes

    @property
    def late_policy(self) -> Channel.WhenLate:
        """What becomes of it when it is later than that."""
        return Channel.WhenLate(self.when_late or self.channel.when_late)


class Attempt(models.Model):
    """One try, written before the call: a crash with an open attempt is an unknown outcome."""

    class Outcomes(models.TextChoices):
        OPEN = "", "Open"
        PUBLISHED = "published", "Published"
        REFUSED = "refused", "Refused"
        WAIT = "wait", "Told to wait"
        UNFINISHED = "unfinished", "Part of it is out"
        REAUTHORISE = "reauthorise", "Credentials refused"
        NOT_SENT = "not_sent", "Never sent"
        UNKNOWN = "unknown", "Unknown"
        ABSENT = "absent", "A person looked: not there"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    token = models.UUIDField(help_text="The claim it was made under.")
    marker = models.UUIDField()
    payload_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=timezone.now)
    deadline = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcomes, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    excerpt = models.TextField(blank=True, help_text="What the platform said, cut.")
    request_id = models.CharField(
        max_length=200, blank=True, help_text="The platform's own number of our request."
    )

    class Meta:
        db_table = "delivery_attempts"
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="one_attempt_per_delivery_and_number"
            )
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number}"
