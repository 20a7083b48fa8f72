"""What sources answered, as it came: for reading it again, and for a bug report."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from sources.models.source import Source, SyncRun


class ArchivedAnswer(models.Model):
    """All that one fetch brought, as it came. The same bytes again are not stored twice."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="answers")
    run = models.ForeignKey(
        SyncRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="answers",
        help_text="The first one in which it came.",
    )  # fmt: skip
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    times = models.PositiveIntegerField(default=1, help_text="How often it came.")
    failed = models.BooleanField(default=False, help_text="The connector could not read it.")
    parts = models.JSONField(
        default=list, help_text="Of each response: url, status, headers, length of its body."
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bodies, one after another.")
    bodies = models.BinaryField(
        null=True, help_text="The bodies one after another, zlib; null when they were too long."
    )
    length = models.PositiveBigIntegerField(default=0, help_text="Of the bodies, in bytes.")
    stored = models.PositiveIntegerField(default=0, help_text="Bytes that it takes here.")

    class Meta:
        db_table = "archived_answers"
        ordering: ClassVar = ["-last_seen", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "digest"], name="an_answer_is_archived_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "-last_seen"], name="answers_by_source")
        ]

    def __str__(self) -> str:
        return f"{self.source} at {self.last_seen:%d %b %H:%M}"

    @property
    def bodies_kept(self) -> bool:
        """Whether there is anything to read again; known without loading it."""
        return self.stored > 0
