"""Wire items about one event, what they are recognised by, and what people decided about them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Cluster(models.Model):
    """Wire items about one event: two at least, fewer only after people took some away."""

    lead = models.ForeignKey(
        "Article", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lead_chosen = models.BooleanField(default=False, help_text="A person chose the lead.")
    size = models.PositiveIntegerField(default=0)
    first_seen = models.DateTimeField(
        default=timezone.now, help_text="When the first source published it."
    )
    last_seen = models.DateTimeField(default=timezone.now)
    sources = models.PositiveIntegerField(default=0, help_text="How many different sources.")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        db_table = "article_clusters"
        ordering: ClassVar = ["-first_seen", "-id"]
        indexes: ClassVar = [models.Index(fields=["-first_seen"], name="clusters_first_seen")]

    def __str__(self) -> str:
        return str(self.lead) if self.lead else "An event without items"


class ClusterDecision(models.Model):
    """What a person said about an item and an event. The machine keeps to it, whatever comes."""

    class Verdicts(models.TextChoices):
        BELONGS = "belongs", "Belongs to it"
        APART = "apart", "Is another event"

    item = models.ForeignKey("Article", on_delete=models.CASCADE, related_name="+")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdicts)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "cluster_decisions"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["item", "cluster"], name="one_decision_per_item_and_cluster"
            )
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.get_verdict_display()}"


class ItemTerms(models.Model):
    """What a wire item is recognised by, packed (`articles.terms`). Made again at any time."""

    item = models.OneToOneField(
        "Article", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    moment = models.DateTimeField(help_text="The item's date.")
    packed = models.BinaryField()

    class Meta:
        db_table = "item_terms"
        verbose_name_plural = "item terms"
        indexes: ClassVar = [models.Index(fields=["moment"], name="item_terms_moment")]

    def __str__(self) -> str:
        return f"Terms of {self.item_id}"
