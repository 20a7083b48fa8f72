"""Who gets our letters, and what became of each one."""

import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone

from publishing.models.channel import Channel
from publishing.models.delivery import Delivery

MOST_REFUSALS = 3
"""After so many in a row that say "no such mailbox", nothing more is sent there."""


def new_token() -> str:
    """What nobody can guess: whoever has it may end the subscription."""
    return secrets.token_urlsafe(32)


class Subscribers(models.QuerySet["Subscriber"]):
    """Reads of subscribers."""

    def active(self) -> "Subscribers":
        """Those who get letters."""
        return self.filter(
            confirmed_at__isnull=False, unsubscribed_at__isnull=True, refusals__lt=MOST_REFUSALS
        )

    def readers(self, channel_id: int) -> "Subscribers":
        """Those who get a channel's letters."""
        return self.active().filter(channel_id=channel_id)


class Subscriber(models.Model):
    """An address on the list of one channel."""

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="subscribers",
        limit_choices_to={"platform": "email"},
    )  # fmt: skip
    address = models.EmailField(max_length=254)
    note = models.CharField(
        max_length=200, blank=True, help_text="How they came here, such as “fair, signed a list”."
    )
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was known that they agree."
    )
    unsubscribed_at = models.DateTimeField(null=True, blank=True, editable=False)
    refusals = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="In a row: there is no such mailbox."
    )
    refused_with = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = Subscribers.as_manager()

    class Meta:
        db_table = "subscribers"
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "address"], name="one_subscription_per_channel_and_address"
            )
        ]

    def __str__(self) -> str:
        return self.address


class Letter(models.Model):
    """One delivery to one subscriber, once: written before the letter leaves and after."""

    class States(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Leaving, or nobody knows"
        SENT = "sent", "Sent"
        REFUSED = "refused", "Refused"
        SKIPPED = "skipped", "Unsubscribed before it left"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="letters")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    state = models.CharField(max_length=8, choices=States, default=States.WAITING)
    attempt = models.PositiveIntegerField(default=0, help_text="The delivery's, that tried last.")
    tries = models.PositiveSmallIntegerField(default=0)
    said = models.CharField(max_length=500, blank=True, help_text="By their server.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "letters"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["delivery", "subscriber"], name="one_letter_per_delivery_and_subscriber"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["delivery", "id"],
                condition=models.Q(state="waiting"),
                name="letters_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk}"
