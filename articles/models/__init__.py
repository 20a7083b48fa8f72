"""What the desk holds. A module for each thing; everybody imports from here."""

from articles.models.alias import ItemAlias
from articles.models.article import (
    Article,
    Cluster,
    Distribution,
    Event,
    Revision,
    Story,
    StoryManager,
    StoryOrigin,
    WireItem,
    WireItemManager,
)
from articles.models.rule import Rule, RuleCondition, RuleRun

__all__ = [
    "Article",
    "Cluster",
    "Distribution",
    "Event",
    "ItemAlias",
    "Revision",
    "Rule",
    "RuleCondition",
    "RuleRun",
    "Story",
    "StoryManager",
    "StoryOrigin",
    "WireItem",
    "WireItemManager",
]
