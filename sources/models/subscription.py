"""Sources whose hub pushes what is new (WebSub), and what was pushed and not yet read."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from config.sealed import SealedJSONField
from sources.models.source import Source


class Subscription(models.Model):
    """One subscription at one hub. `docs/keeping-up.md` draws its states."""

    class States(models.TextChoices):
        WANTED = "wanted", "To be asked for"
        LIVE = "live", "Verified"
        DENIED = "denied", "Denied by the hub"
        LEAVING = "leaving", "To be given up"

    class Pending(models.TextChoices):
        NOTHING = "", "Nothing"
        SUBSCRIBE = "subscribe", "Subscribing"
        UNSUBSCRIBE = "unsubscribe", "Unsubscribing"

    source = models.ForeignKey(
        Source, null=True, on_delete=models.SET_NULL, related_name="subscriptions"
    )
    hub = models.CharField(max_length=2000)
    topic = models.CharField(max_length=2000)
    token = models.CharField(max_length=64, unique=True, help_text="In the callback's address.")
    secret = SealedJSONField()  # {"secret": …}, which the hub signs with
    state = models.CharField(max_length=8, choices=States, default=States.WANTED)
    pending = models.CharField(
        max_length=12, choices=Pending, default=Pending.NOTHING, blank=True,
        help_text="What the hub may ask us to confirm.",
    )  # fmt: skip
    due_at = models.DateTimeField(
        null=True, default=timezone.now, help_text="When the hub is asked next."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="In a row, without success.")
    lease_ends = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True, help_text="What the hub said, in words.")
    pushes = models.PositiveIntegerField(default=0)
    last_push = models.DateTimeField(null=True)
    forged = models.PositiveIntegerField(default=0, help_text="Pushes without a good signature.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "websub_subscriptions"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"],
                condition=~Q(state="leaving"),
                name="one_subscription_per_source",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="subscriptions_due")]

    def __str__(self) -> str:
        return f"{self.topic} at {self.hub}"


class PushedAnswer(models.Model):
    """What a hub pushed. The row goes when it has been read, together with what it brought."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="waiting")
    headers = models.JSONField(default=list)
    body = models.BinaryField()
    digest = models.CharField(max_length=64)
    came_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, help_text="A worker is at it until then.")
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "websub_pushes"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "digest"], name="a_push_waits_once")
        ]

    def __str__(self) -> str:
        return f"A push of {self.came_at:%d %b %H:%M}"
