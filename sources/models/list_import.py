"""A list of feeds that somebody brought along, and what became of each of its lines."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from sources.models.source import Source


class ListImport(models.Model):
    """One uploaded list. Nothing of it is a source before a person says so."""

    name = models.CharField("file", max_length=200)
    warnings = models.JSONField(default=list, help_text="What was wrong with the document.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "list_imports"
        ordering: ClassVar = ["-id"]
        verbose_name = "import"

    def __str__(self) -> str:
        return self.name


class ImportLine(models.Model):
    """One feed of a list: as written, how it answered, the source that it became."""

    class States(models.TextChoices):
        WAITING = "waiting", "Not tried yet"
        ANSWERS = "answers", "Answers"
        FAILS = "fails", "Fails"
        HERE = "here", "Here already"
        TWICE = "twice", "Twice in the list"
        BAD = "bad", "No address to fetch"
        ADDED = "added", "Added"

    OPEN = (States.WAITING, States.ANSWERS, States.FAILS)
    """May still become a source."""

    of = models.ForeignKey(ListImport, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True)
    section = models.CharField(max_length=60, blank=True)
    connector = models.CharField(max_length=40)
    url = models.CharField(max_length=2000)
    options = models.JSONField(default=dict)

    state = models.CharField(max_length=10, choices=States, default=States.WAITING)
    words = models.CharField(max_length=500, blank=True, help_text="Its health, or its trouble.")
    title = models.CharField(max_length=120, blank=True, help_text="What it calls itself.")
    pieces = models.PositiveIntegerField(null=True)
    newest = models.DateTimeField(null=True)
    minutes = models.PositiveIntegerField(null=True, help_text="The suggested interval.")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, help_text="Tried then; a lease besides.")
    source = models.ForeignKey(Source, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "import_lines"
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["of", "position"], name="a_line_a_position")
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="import_lines_due")
        ]

    def __str__(self) -> str:
        return self.name or self.url
