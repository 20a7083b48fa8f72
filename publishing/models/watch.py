"""What is known of a post after it went out: how it does, and whether it still stands there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from publishing.models.delivery import Delivery


class Watch(models.Model):
    """One post that is out, when the desk asks about it next, and what it found."""

    class Findings(models.TextChoices):
        NONE = "", "As it was sent"
        GONE = "gone", "Gone"
        CHANGED = "changed", "Changed"

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="watch")
    count_at = models.DateTimeField(null=True, blank=True, help_text="Its counts are read then.")
    look_at = models.DateTimeField(null=True, blank=True, help_text="It is looked at then.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    views = models.PositiveBigIntegerField(null=True, blank=True)
    reactions = models.PositiveBigIntegerField(null=True, blank=True)
    replies = models.PositiveBigIntegerField(null=True, blank=True)
    shares = models.PositiveBigIntegerField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)
    times = models.FloatField(
        null=True, blank=True, help_text="Of what is usual on its channel at that age."
    )
    words_hash = models.CharField(max_length=64, blank=True, help_text="Of what stood there last.")
    said = models.ForeignKey(
        Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Whose text it has to be: the post's own, or that of its last correction.",
    )  # fmt: skip
    said_hash = models.CharField(
        max_length=64, blank=True, help_text="Of that text's words as the platform shows them."
    )
    looked_at = models.DateTimeField(null=True, blank=True)
    missed = models.PositiveSmallIntegerField(default=0, help_text="Looks in a row without it.")
    finding = models.CharField(max_length=8, choices=Findings, blank=True)
    found_at = models.DateTimeField(null=True, blank=True)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="Who has seen what was found.",
    )  # fmt: skip

    class Meta:
        db_table = "delivery_watches"
        verbose_name_plural = "watches"
        indexes: ClassVar = [
            models.Index(fields=["count_at"], name="watches_to_count"),
            models.Index(fields=["look_at"], name="watches_to_look_at"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery}: {self.get_finding_display().lower()}"


class Reading(models.Model):
    """What a platform said of a post at one time."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="readings")
    at = models.DateTimeField(default=timezone.now)
    views = models.PositiveBigIntegerField(null=True, blank=True)
    reactions = models.PositiveBigIntegerField(null=True, blank=True)
    replies = models.PositiveBigIntegerField(null=True, blank=True)
    shares = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "delivery_readings"
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.watch.delivery}, {self.at:%d %b %Y, %H:%M}"
