"""Our account on a platform."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.sealed import SealedJSONField


class Channel(models.Model):
    """Our account on a platform."""

    class WhenLate(models.TextChoices):
        MISS = "missed", "Drop it as missed"
        HOLD = "held", "Hold it for a person"

    name = models.CharField(max_length=120, unique=True)
    platform = models.CharField(max_length=40)
    options = models.JSONField(default=dict, blank=True)
    credentials = SealedJSONField()
    rate_limit_per_minute = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="The most deliveries a minute.",
    )
    lateness_minutes = models.PositiveIntegerField(
        default=24 * 60,
        help_text="A delivery that is later than this (the desk was down) is not sent any more.",
    )
    when_late = models.CharField(
        "when it is later",
        max_length=6,
        choices=WhenLate,
        default=WhenLate.MISS,
        help_text="What becomes of such a delivery.",
    )
    is_active = models.BooleanField(default=True, help_text="Off: nothing goes out; rows wait.")
    paused_reason = models.CharField(max_length=500, blank=True, editable=False)
    waits_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Its limit is used up, or its platform asked for patience: nothing before this.",
    )
    token_expires_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Its token is renewed ahead of this."
    )
    renewing_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Somebody is renewing it until then."
    )
    renewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "credentials", "waits_until", "token_expires_at", "renewing_until", "renewed_at",
            "last_success", "last_error", "created_at",
        ],
        table_name="channels_history",
    )  # fmt: skip

    class Meta:
        db_table = "channels"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
