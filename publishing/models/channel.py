"""Our account on a platform."""

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.sealed import SealedJSONField
from publishing import slots
from publishing.links import Link
from publishing.post import Limits
from publishing.slots import BadPlan, Plan


def readable_slots(text: str) -> None:
    """Raise `ValidationError` for a weekly plan that can't be read."""
    _readable(text, "", "UTC")


def readable_quiet_hours(text: str) -> None:
    """Raise `ValidationError` for quiet hours that can't be read."""
    _readable("", text, "UTC")


def known_zone(name: str) -> None:
    """Raise `ValidationError` for a time zone that there isn't."""
    _readable("", "", name)


def _readable(plan: str, quiet: str, zone: str) -> None:
    try:
        slots.read(plan, quiet, zone)
    except BadPlan as problem:
        raise ValidationError(str(problem)) from None


class Channel(models.Model):
    """Our account on a platform."""

    class WhenLate(models.TextChoices):
        MISS = "missed", "Drop it as missed"
        HOLD = "held", "Hold it for a person"
        SEND = "send", "Send it all the same"

    class Links(models.TextChoices):
        OURS = Link.OURS.value, "Our public page; the source's where we have none"
        THEIRS = Link.THEIRS.value, "The source's page"
        NONE = Link.NONE.value, "No link"

    name = models.CharField(max_length=120, unique=True)
    platform = models.CharField(max_length=40)
    options = models.JSONField(default=dict, blank=True)
    credentials = SealedJSONField()
    rate_limit_per_minute = models.PositiveIntegerField(
        "deliveries a minute",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="At most; what is more waits its turn.",
    )
    lateness_minutes = models.PositiveIntegerField(
        "minutes that are not late",
        default=24 * 60,
        help_text="Within this many minutes after its time a delivery goes out without a question.",
    )
    when_late = models.CharField(
        "when it is later",
        max_length=6,
        choices=WhenLate,
        default=WhenLate.MISS,
        help_text="What becomes of a delivery that is later than that (the desk was down).",
    )
    catch_up_minutes = models.PositiveSmallIntegerField(
        "minutes between late ones",
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text="After an outage deliveries catch up oldest first, at least this far apart. "
        "0: as fast as the limit allows.",
    )
    link = models.CharField(
        max_length=6,
        choices=Links,
        default=Links.OURS,
        help_text="Which link goes with a story.",
    )
    utm_source = models.CharField(
        "UTM source",
        max_length=100,
        blank=True,
        help_text="Put into links to our public page, for its statistics. Such as newsletter.",
    )
    utm_medium = models.CharField(
        "UTM medium", max_length=100, blank=True, help_text="Such as email or social."
    )
    utm_campaign = models.CharField("UTM campaign", max_length=100, blank=True)
    slots = models.TextField(
        "weekly plan",
        blank=True,
        max_length=2000,
        validators=[readable_slots],
        help_text="Times for “next free slot”, a line for a group of days: Mon-Fri 09:00 17:30",
    )
    quiet_hours = models.TextField(
        blank=True,
        max_length=2000,
        validators=[readable_quiet_hours],
        help_text="When nothing new goes out; what is due then waits. For example: "
        "daily 22:00-06:00",
    )
    time_zone = models.CharField(
        blank=True,
        max_length=60,
        validators=[known_zone],
        help_text="Of the weekly plan and the quiet hours, such as Europe/Berlin. Empty: the "
        "desk's.",
    )
    duplicate_days = models.PositiveSmallIntegerField(
        "days of looking for duplicates",
        default=7,
        validators=[MaxValueValidator(365)],
        help_text="The same text or link within this many days asks first. 0: never asks.",
    )
    is_active = models.BooleanField(
        "switched on", default=True, help_text="Off: nothing goes out; its deliveries wait."
    )
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
    limits = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="What its platform said last that it takes; see publishing.post.Limits.",
    )
    limits_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    connected_as = models.CharField(
        max_length=300, blank=True, editable=False,
        help_text="What its platform said when the connection was tested last.",
    )  # fmt: skip
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    renewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "credentials", "limits", "limits_read_at", "connected_as", "tested_at", "waits_until",
            "token_expires_at", "renewing_until", "renewed_at", "last_success", "last_error",
            "created_at",
        ],
        table_name="channels_history",
    )  # fmt: skip

    class Meta:
        db_table = "channels"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def known_limits(self) -> Limits | None:
        """What its server said last that it takes; None where it was not asked, or can't be."""
        return Limits.of(self.limits)

    @property
    def plan(self) -> Plan:
        """Its weekly plan and quiet hours, in its zone. Raises `BadPlan` if it can't be read."""
        return slots.read(self.slots, self.quiet_hours, self.time_zone or settings.TIME_ZONE)
