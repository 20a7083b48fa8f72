"""Pages of wire items whose text is to be fetched."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class PageFetch(models.Model):
    """The page of one wire item: wanted, then fetched or not."""

    class States(models.TextChoices):
        WANTED = "wanted", "To be fetched"
        DONE = "done", "The page's text was taken"
        FAILED = "failed", "The source's own text stays"

    item = models.OneToOneField(
        "articles.Article", on_delete=models.CASCADE, related_name="page_fetch"
    )
    raw_hash = models.CharField(max_length=64, help_text="Of the wire copy that it is for.")
    own_characters = models.PositiveIntegerField(help_text="Of the text that the source sent.")
    url = models.CharField(max_length=2000)
    host = models.CharField(max_length=255)
    state = models.CharField(max_length=6, choices=States, default=States.WANTED)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "page_fetches"
        indexes: ClassVar = [
            models.Index(
                fields=["host", "due_at"],
                condition=models.Q(state="wanted"),
                name="pages_to_fetch",
            )
        ]

    def __str__(self) -> str:
        return self.url
