"""Rules over the wire: what they say, and what each run of one over stored items did."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from articles import rules


class Rule(models.Model):
    """A standing decision on wire items: what meets its conditions is spiked, tagged, sorted.

    It is applied to new items as they come in, in the order of `position`, and to stored ones on
    request (`RuleRun`).
    """

    name = models.CharField(
        max_length=100, unique=True, help_text="It stands on the record of each item."
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: it leaves new items alone."
    )
    position = models.PositiveSmallIntegerField(
        default=100, help_text="Lower ones come first and change what later ones see."
    )
    source = models.ForeignKey(
        "sources.Source",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="rules",
        help_text="Only for items of this source; empty for all.",
    )
    every = models.BooleanField(
        "holds if",
        default=True,
        choices=((True, "all conditions below are met"), (False, "any condition below is met")),
    )
    spike = models.BooleanField(default=False, help_text="Take it off the wire.")
    tags = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="Added."
    )
    section = models.CharField(max_length=60, blank=True)
    urgency = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
        help_text="1 is the highest, 9 the lowest.",
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    trouble = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "wire_rules"
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def definition(self) -> rules.Definition:
        """What it says now, as a value."""
        return rules.Definition(
            conditions=tuple(
                rules.Condition(each.field, each.operator, each.value)
                for each in self.conditions.all()
            ),
            every=self.every,
            source=self.source_id,
            actions=rules.Actions(
                spike=self.spike,
                tags=tuple(self.tags),
                section=self.section,
                urgency=self.urgency,
                assignee=self.assignee_id,
            ),
        )


class RuleCondition(models.Model):
    """One condition of a rule."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="conditions")
    field = models.CharField(
        max_length=10, choices=[(key, label) for key, (label, _) in rules.FIELDS.items()]
    )
    operator = models.CharField("how", max_length=12, choices=list(rules.OPERATORS.items()))
    value = models.CharField(max_length=rules.LONGEST_PATTERN)

    class Meta:
        db_table = "wire_rule_conditions"
        verbose_name = "condition"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_field_display()} {self.get_operator_display()} “{self.value}”"


class RuleRun(models.Model):
    """One run of a rule over stored items: tried, then perhaps applied, then perhaps undone."""

    class States(models.TextChoices):
        TRIED = "tried", "Tried: nothing is changed"
        APPLIED = "applied", "Applied"
        UNDONE = "undone", "Undone"

    rule = models.ForeignKey(Rule, null=True, on_delete=models.SET_NULL, related_name="runs")
    name = models.CharField(max_length=100, help_text="The rule's, as it was then.")
    definition = models.JSONField(help_text="What the rule said when it was tried.")
    state = models.CharField(max_length=8, choices=States, default=States.TRIED)
    days = models.PositiveSmallIntegerField(help_text="How many days it looked back.")
    looked_at = models.PositiveIntegerField(default=0, help_text="How many items it looked at.")
    matched = models.PositiveIntegerField(default=0, help_text="How many of them it would change.")
    # [{"item": id, "version": int, "what": words}], the newest first
    found = models.JSONField(default=list)
    # [{"item": id, "title": words, "why": sentence}], of applying and of undoing
    refused = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    done = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    batch = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tried_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    tried_at = models.DateTimeField(default=timezone.now)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    applied_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "wire_rule_runs"
        ordering: ClassVar = ["-tried_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.tried_at:%d %b %H:%M}"
