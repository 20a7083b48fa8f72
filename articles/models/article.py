"""What the desk holds: articles (wire items and stories), their revisions, origins and record."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Left
from django.utils import timezone

from articles.lifecycle import STATES, Kind, Right, State
from articles.querysets import ArticleQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Distribution(models.TextChoices):
    """How far a story has come over all its channels; the queue's sum, kept by `publishing`."""

    NONE = "none", "Not queued"
    SCHEDULED = "scheduled", "Scheduled"
    PARTIAL = "partial", "Partly out"
    LIVE = "live", "Out everywhere"
    FAILED = "failed", "Failed"


class Article(models.Model):
    """A wire item or a story. Text and state change only through the acts of the desk.

    `version` counts every change; a write names the version it was made from and loses
    if another came first (`articles.revise`, `articles.desk`, `articles.triage`).
    """

    class Kinds(models.TextChoices):
        WIRE = Kind.WIRE.value, "Wire item"
        STORY = Kind.STORY.value, "Story"

    class States(models.TextChoices):
        NEW = State.NEW.value, "New"
        SHORTLISTED = State.SHORTLISTED.value, "Shortlisted"
        PICKED_UP = State.PICKED_UP.value, "Picked up"
        EXPIRED = State.EXPIRED.value, "Expired"
        DRAFT = State.DRAFT.value, "Draft"
        IN_REVIEW = State.IN_REVIEW.value, "In review"
        APPROVED = State.APPROVED.value, "Approved"
        LIVE = State.LIVE.value, "Live"
        KILLED = State.KILLED.value, "Killed"
        SPIKED = State.SPIKED.value, "Spiked"

    kind = models.CharField(max_length=8, choices=Kinds, default=Kinds.STORY)
    state = models.CharField(max_length=16, choices=States, default=States.DRAFT)
    version = models.PositiveIntegerField(default=1)

    title = models.CharField(max_length=500)
    summary = models.TextField(blank=True, help_text="Two or three sentences, plain text.")
    content = models.TextField(blank=True)
    url = models.URLField(max_length=2000, blank=True, help_text="Where the source has it.")
    canonical_url = models.URLField(max_length=2000, blank=True)
    language = models.CharField(max_length=35, blank=True)
    authors = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    section = models.CharField(max_length=60, blank=True, help_text="Where the piece runs.")
    slugline = models.CharField(
        max_length=60, blank=True, help_text="The newsroom's label of the story."
    )
    urgency = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
        help_text="1 is the highest, 9 the lowest.",
    )
    metadata = models.JSONField(default=dict, blank=True)

    source = models.ForeignKey(
        "sources.Source", null=True, blank=True, on_delete=models.PROTECT, related_name="items"
    )
    external_id = models.CharField(max_length=700, blank=True)
    backfilled = models.BooleanField(
        default=False, db_default=False, help_text="It was old when the desk first read it."
    )
    clustered_at = models.DateTimeField(null=True, blank=True, editable=False)
    duplicate_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="copies",
        db_index=False,  # see articles_copies below
        help_text="Another source's item of the same address, which was here first.",
    )
    raw_hash = models.CharField(max_length=64, blank=True)
    published_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Of a wire item: as its source says. Of a story: first out.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned_articles",
    )
    planned_for = models.DateTimeField(
        null=True, blank=True, help_text="When the desk wants it; publishing times are the queue's."
    )
    embargo_until = models.DateTimeField(
        null=True, blank=True, help_text="Nothing goes out before this moment."
    )
    cluster = models.ForeignKey(
        "Cluster", null=True, blank=True, on_delete=models.SET_NULL, related_name="items"
    )
    current_revision = models.ForeignKey(
        "Revision", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_revision = models.ForeignKey(
        "Revision", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    live_revision = models.ForeignKey(
        "Revision", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    distribution = models.CharField(max_length=10, choices=Distribution, default=Distribution.NONE)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        # tsvector holds 1 MB at most; a longer text is found by its beginning
        + SearchVector(Left("content", 200_000), weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ArticleQuerySet.as_manager()

    class Meta:
        db_table = "articles"
        ordering: ClassVar = ["-created_at", "-id"]
        permissions: ClassVar = [
            (right.value.partition(".")[2], f"Can {right.name.lower().replace('_', ' ')}")
            for right in Right
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=models.Q(kind=Kind.WIRE.value),
                name="one_wire_item_per_source_and_external_id",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind=Kind.WIRE.value,
                    state__in=[state.value for state in STATES[Kind.WIRE]],
                    source__isnull=False,
                )
                | models.Q(
                    kind=Kind.STORY.value,
                    state__in=[state.value for state in STATES[Kind.STORY]],
                ),
                name="state_fits_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(urgency__range=(1, 9)), name="urgency_is_1_to_9"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "state", "-created_at", "-id"], name="articles_list_order"
            ),
            models.Index(fields=["kind", "-created_at", "-id"], name="articles_kind_order"),
            models.Index(fields=["kind", "-id"], name="articles_api_order"),
            models.Index(fields=["kind", "-updated_at", "-id"], name="articles_last_touched"),
            models.Index(fields=["canonical_url"], name="articles_canonical_url"),
            models.Index(
                fields=["source", "-published_at"],
                condition=models.Q(kind=Kind.WIRE.value),
                name="articles_of_source",
            ),
            models.Index(
                fields=["duplicate_of"],
                condition=models.Q(duplicate_of__isnull=False),
                name="articles_copies",
            ),
            GinIndex(fields=["search"], name="articles_search"),
            models.Index(
                fields=["id"],
                condition=models.Q(kind=Kind.WIRE.value, clustered_at__isnull=True),
                name="articles_to_cluster",
            ),
        ]

    def __str__(self) -> str:
        return self.title or "(no title)"

    @property
    def is_out(self) -> bool:
        """Whether the public has a revision of it, a correction under way or not."""
        return self.live_revision_id is not None and self.state != State.KILLED

    def opened_by(self, user: "User") -> bool:
        """Whether this person may change the text: every story, or only their own."""
        if user.has_perm(Right.EDIT_ALL):
            return True
        own = user.pk in (self.created_by_id, self.assignee_id)
        return own and user.has_perm(Right.WRITE)


class WireItemManager(models.Manager.from_queryset(ArticleQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> "ArticleQuerySet[Any]":
        articles: ArticleQuerySet[Any] = super().get_queryset()
        return articles.filter(kind=Kind.WIRE)


class StoryManager(models.Manager.from_queryset(ArticleQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> "ArticleQuerySet[Any]":
        articles: ArticleQuerySet[Any] = super().get_queryset()
        return articles.filter(kind=Kind.STORY)


class WireItem(Article):
    """An incoming piece as received. No person edits it; a feed update does."""

    objects = WireItemManager()  # type: ignore[misc]  # a proxy's manager, as Django means it

    class Meta:
        proxy = True
        ordering: ClassVar = ["-created_at", "-id"]


class Story(Article):
    """Our written piece."""

    objects = StoryManager()  # type: ignore[misc]  # a proxy's manager, as Django means it

    class Meta:
        proxy = True
        ordering: ClassVar = ["-updated_at", "-id"]
        verbose_name_plural = "stories"


class StoryOrigin(models.Model):
    """Which wire item a story came from, and in which wording it was read."""

    class Roles(models.TextChoices):
        LEAD = "lead", "Lead"
        BACKGROUND = "background", "Background"

    story = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="origins")
    item = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="used_in")
    role = models.CharField(max_length=10, choices=Roles, default=Roles.LEAD)
    attribution = models.CharField(max_length=300, blank=True)
    raw_hash_seen = models.CharField(
        max_length=64, help_text="Fingerprint of the text that was picked up."
    )
    revision_seen = models.ForeignKey(
        "Revision",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The text that was picked up, once the source has replaced it.",
    )

    class Meta:
        db_table = "story_origins"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["story", "item"], name="one_origin_per_story_and_item")
        ]

    def __str__(self) -> str:
        return self.attribution or str(self.item)

    @property
    def source_changed(self) -> bool:
        """Whether the source has rewritten its piece since we used it."""
        return self.item.raw_hash != self.raw_hash_seen


class Revision(models.Model):
    """One saved state of an article's text. Never changed afterwards."""

    class Vias(models.TextChoices):
        ADMIN = "admin", "Console"
        API = "api", "API"
        TASK = "task", "Desk"
        AI = "ai", "AI suggestion, accepted"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=500)
    summary = models.TextField(blank=True)
    content = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    via = models.CharField(max_length=8, choices=Vias, default=Vias.ADMIN)
    base = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "article_revisions"
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["article", "number"], name="one_revision_per_article_and_number"
            )
        ]

    def __str__(self) -> str:
        return f"Revision {self.number}"


class Event(models.Model):
    """One thing that happened, with who and why. Append-only: a trigger refuses anything else."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="events")
    what = models.CharField(max_length=40)
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(
        max_length=8, choices=Revision.Vias, help_text="Through which door it came."
    )
    reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(help_text="The article's version afterwards.")
    batch = models.UUIDField(null=True, blank=True, help_text="Shared by one bulk decision.")
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "editorial_events"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["article", "-at"], name="events_by_article"),
            models.Index(fields=["batch"], name="events_by_batch"),
            models.Index(fields=["-at"], condition=models.Q(what="ruled"), name="events_of_rules"),
        ]

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%d %b %H:%M}"

    @classmethod
    def new_batch(cls) -> uuid.UUID:
        """An identity for one bulk decision, so that it can be read as one and undone as one."""
        return uuid.uuid4()

    @property
    def who(self) -> str:
        """The actor in words, for the record's readers."""
        return self.actor.get_username() if self.actor else "the desk"
