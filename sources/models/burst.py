"""A flood of new pieces, held as one decision instead of hundreds of rows on the wire."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from sources.models.source import Source


class Burst(models.Model):
    """Pieces of one source that came all at once, as they came, until somebody decides."""

    class States(models.TextChoices):
        HELD = "held", "Held"
        RELEASED = "released", "Released to the wire"
        DROPPED = "dropped", "Dropped"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="bursts")
    came_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=States, default=States.HELD)
    count = models.PositiveIntegerField(help_text="How many pieces are held.")
    expected = models.FloatField(help_text="How many its rhythm would have brought.")
    copies = models.JSONField(default=list, help_text="The pieces as the connector read them.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "bursts"
        ordering: ClassVar = ["-came_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"],
                condition=models.Q(state="held"),
                name="one_held_burst_of_a_source",
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} pieces of {self.source}"
