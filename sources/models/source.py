"""Where copy comes from, and what each sync brought."""

from collections.abc import Collection
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.sealed import SealedJSONField


class Source(models.Model):
    """One place that copy comes from. Its schedule is a PeriodicTask, editable at runtime."""

    class AuthTypes(models.TextChoices):
        NONE = "none", "None"
        BASIC = "basic", "User name and password"
        BEARER = "bearer", "Bearer token"
        OAUTH2 = "oauth2", "OAuth 2 client credentials"

        @classmethod
        def of(cls, credentials: Collection[str]) -> "Source.AuthTypes":
            """How credentials of these names prove who we are."""
            if "client_secret" in credentials:
                return cls.OAUTH2
            if "token" in credentials:
                return cls.BEARER
            return cls.BASIC if "password" in credentials else cls.NONE

    class Trusts(models.TextChoices):
        HIGH = "high", "High"
        NORMAL = "normal", "Normal"
        LOW = "low", "Low: check before use"

    class FullTexts(models.TextChoices):
        AUTO = "auto", "When its pieces are short"
        ALWAYS = "always", "Always"
        NEVER = "never", "Never"

    class Stages(models.TextChoices):
        REQUESTED = "requested", "Requested"
        FETCHING = "fetching", "Fetching"
        STORING = "storing", "Storing"

    name = models.CharField(max_length=120, unique=True)
    connector = models.CharField(max_length=40, default="feed", help_text="How it is read.")
    api_endpoint = models.URLField(max_length=2000, help_text="The address that is fetched.")
    auth_type = models.CharField(max_length=10, choices=AuthTypes, default=AuthTypes.NONE)
    options = models.JSONField(default=dict, blank=True)
    credentials = SealedJSONField()
    memory = SealedJSONField()  # its connector's: an access token with its end, a cursor
    rate_limit_per_minute = models.PositiveIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="The most requests a minute that the desk sends there.",
    )
    is_active = models.BooleanField(default=True, help_text="Off: it is never synced by itself.")
    paused_reason = models.CharField(max_length=500, blank=True, editable=False)
    section = models.CharField(max_length=60, blank=True, help_text="Its items go there.")
    trust = models.CharField(max_length=10, choices=Trusts, default=Trusts.NORMAL)
    full_text = models.CharField(
        max_length=6,
        choices=FullTexts,
        default=FullTexts.AUTO,
        blank=True,
        help_text="Whether the text is fetched from the page of each new piece.",
    )
    pages_noted_to = models.BigIntegerField(
        default=0, editable=False, help_text="The last item looked at for its page."
    )
    answers_kept = models.PositiveSmallIntegerField(
        default=10,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text="So many of its last answers are archived as they came.",
    )
    schedule = models.OneToOneField(
        "django_celery_beat.PeriodicTask",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="source",
    )

    follows_rhythm = models.BooleanField(
        "asked less often while it is quiet",
        default=True,
        db_default=True,
        blank=True,
        help_text="Off for a source that is rare and urgent: it is asked by its schedule.",
    )

    # A sync that is wanted or under way; see sources.claim.
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_by = models.CharField(
        max_length=150, blank=True, db_default="", editable=False,
        help_text="Who asked for the sync that is due; empty for the schedule.",
    )  # fmt: skip
    stage = models.CharField(
        max_length=10, choices=Stages, blank=True, db_default="", editable=False,
        help_text="How far the sync that is due has come.",
    )  # fmt: skip
    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    answer_digest = models.CharField(
        max_length=64, blank=True, db_default="", editable=False,
        help_text="Of the last answer's address and body: the same one again is not read twice.",
    )  # fmt: skip
    last_whole = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it last sent a whole answer."
    )
    pace = models.JSONField(
        default=dict, blank=True, db_default={}, editable=False,
        help_text="How often it wants to be asked: fresh_for, skip_hours, skip_days.",
    )  # fmt: skip
    pieces_per_day = models.FloatField(
        null=True, blank=True, editable=False, help_text="Its rhythm as the desk has seen it."
    )
    moved_to = models.CharField(
        max_length=2000, blank=True, db_default="", editable=False,
        help_text="Where its server says that it has moved for good.",
    )  # fmt: skip
    moved_since = models.DateTimeField(null=True, blank=True, editable=False)
    moved_times = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    notice = models.CharField(
        max_length=500, blank=True, db_default="", editable=False,
        help_text="What its administrator should know.",
    )  # fmt: skip
    last_sync = models.DateTimeField(null=True, blank=True, editable=False)
    last_success = models.DateTimeField(null=True, blank=True, editable=False)
    next_sync_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Not before this moment."
    )
    next_sync_reason = models.CharField(max_length=300, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    last_error = models.TextField(blank=True, editable=False)
    health = models.PositiveSmallIntegerField(default=100, editable=False)
    health_parts = models.JSONField(
        default=list, blank=True, editable=False, help_text="What the health is made of."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "credentials", "memory", "etag", "last_modified", "last_sync", "last_success",
            "next_sync_at", "next_sync_reason", "failures", "last_error", "health",
            "health_parts", "created_at", "pages_noted_to", "due_at", "asked_by", "stage",
            "claim_token", "lease_expires_at", "answer_digest", "last_whole", "pace",
            "pieces_per_day", "moved_to", "moved_since", "moved_times", "notice",
        ],
        table_name="data_sources_history",
    )  # fmt: skip

    class Meta:
        db_table = "data_sources"
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="sources_due", condition=models.Q(due_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One sync of one source: what was asked, what came, what went wrong."""

    class Outcomes(models.TextChoices):
        OK = "ok", "New or changed items"
        UNCHANGED = "unchanged", "Nothing new"
        HELD = "held", "Held: too much at once"
        FAILED = "failed", "Failed"

    class Causes(models.TextChoices):
        POLLED = "polled", "Asked"
        PUSHED = "pushed", "Pushed by its hub"
        READ_AGAIN = "read_again", "Archived answer read again"
        BACKFILL = "backfill", "Older pieces fetched"
        RELEASED = "released", "Burst released"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcomes)
    cause = models.CharField(
        max_length=10, choices=Causes, default=Causes.POLLED, db_default=Causes.POLLED
    )
    asked_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text="Empty: the schedule."
    )
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    bytes = models.PositiveIntegerField(default=0)
    ms = models.PositiveIntegerField(default=0)
    fetched = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(
        default=list, blank=True, help_text="Sentences about what is odd in what came."
    )
    held = models.PositiveIntegerField(default=0, db_default=0, help_text="In a burst.")
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "sync_runs"
        ordering: ClassVar = ["-started_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["source", "-started_at"], name="sync_runs_by_source")
        ]

    def __str__(self) -> str:
        return f"{self.source} at {self.started_at:%d %b %H:%M}"
