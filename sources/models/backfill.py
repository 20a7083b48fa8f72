"""Fetching a source's older pieces: a job that goes page by page."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from sources.models.source import Source


class Backfill(models.Model):
    """One job. Its row holds the place where it goes on, so that a restart loses nothing."""

    class States(models.TextChoices):
        RUNNING = "running", "Under way"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Given up"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="backfills")
    state = models.CharField(max_length=10, choices=States, default=States.RUNNING)
    until = models.DateTimeField(null=True, help_text="Nothing older than this.")
    most = models.PositiveIntegerField(help_text="Pieces to look at, at most.")

    cursor = models.TextField(blank=True, help_text="Where the next page is, for the connector.")
    cursors = models.JSONField(default=list, help_text="Digests of those it has been at.")
    pages = models.PositiveIntegerField(default=0)
    pieces = models.PositiveIntegerField(default=0, help_text="Looked at.")
    new = models.PositiveIntegerField(default=0)
    oldest = models.DateTimeField(null=True, help_text="How far back it has come.")
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failures in a row.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it waits or ended.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "backfills"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(state="running"), name="one_backfill_at_a_time"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="running"), name="backfills_due")
        ]

    def __str__(self) -> str:
        return f"Older pieces of {self.source}"
