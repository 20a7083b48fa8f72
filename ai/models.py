"""Every call to a model with what went in and out, and the prompts with their versions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from articles.models import Article


class Task(models.TextChoices):
    """What the desk asks for."""

    SUMMARY = "summary", "Summary"
    ARTICLE = "article", "Article"
    ANALYSIS = "analysis", "Analysis"


class Prompt(models.Model):
    """What a model is told for one task. Its wording lives in versions, one of them current."""

    task = models.CharField(max_length=10, choices=Task, unique=True)
    current = models.ForeignKey(
        "PromptVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "ai_prompts"
        ordering: ClassVar = ["task"]

    def __str__(self) -> str:
        return f"Prompt for {self.get_task_display().lower()}"


class PromptVersion(models.Model):
    """One wording of a prompt. Never changed afterwards: generations point to it."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    instructions = models.TextField(
        help_text="What the model is told. The desk adds by itself that articles are material "
        "and never instructions."
    )
    max_tokens = models.PositiveIntegerField(help_text="The longest answer, in tokens.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "ai_prompt_versions"
        ordering: ClassVar = ["prompt", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["prompt", "number"], name="one_version_per_prompt_and_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.prompt}, version {self.number}"


class Generation(models.Model):
    """One call to a model, from the question to what a person made of the answer.

    The row is the truth and is written before the call: queued → running → suggested or failed,
    then accepted or rejected by a person. A Celery message only rings.
    """

    class States(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        SUGGESTED = "suggested", "Suggested"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        FAILED = "failed", "Failed"

    UNDER_WAY = (States.QUEUED, States.RUNNING)

    task = models.CharField(max_length=10, choices=Task)
    state = models.CharField(max_length=10, choices=States, default=States.QUEUED)
    article = models.ForeignKey(
        Article,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="generations",
        help_text="On whose page it is offered.",
    )
    article_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="The article's version when the model read it."
    )
    topic = models.CharField(max_length=500, blank=True)
    input_hashes = models.JSONField(
        default=dict, blank=True, help_text="SHA-256 of each text that went in, by article."
    )

    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True, help_text="As the provider named it.")
    prompt_version = models.ForeignKey(
        PromptVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="generations"
    )

    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True, help_text="A summary is plain text, the rest clean HTML.")
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    cost = models.DecimalField(
        max_digits=14,
        decimal_places=8,  # a token costs a hundredth of a millionth and up
        null=True,
        blank=True,
        help_text="In US dollars; empty when the price is unknown.",
    )
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    error = models.TextField(blank=True, help_text="Why there is no suggestion, for the editor.")

    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "ai_generations"
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["article", "task"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_generation_under_way_per_article_and_task",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["article", "-created_at"], name="generations_by_article"),
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state__in=["queued", "running"]),
                name="generations_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_task_display()} by {self.provider}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person's decision."""
        return self.state == self.States.SUGGESTED

    @property
    def cost_in_words(self) -> str:
        """What it cost; an unknown price is said, never shown as nothing."""
        return "unknown" if self.cost is None else f"${self.cost.normalize():f}"
