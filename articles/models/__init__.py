"""What the desk holds. A module for each thing; everybody imports from here."""

from articles.models.alias import ItemAlias
from articles.models.article import (
    Article,
    Distribution,
    Event,
    Revision,
    Story,
    StoryManager,
    StoryOrigin,
    WireItem,
    WireItemManager,
)
from articles.models.cluster import Cluster, ClusterDecision, ItemTerms
from articles.models.response import StoryResponse
from articles.models.rule import Rule, RuleCondition, RuleRun

__all__ = [
    "Article",
    "Cluster",
    "ClusterDecision",
    "Distribution",
    "Event",
    "ItemAlias",
    "ItemTerms",
    "Revision",
    "Rule",
    "RuleCondition",
    "RuleRun",
    "Story",
    "StoryManager",
    "StoryOrigin",
    "StoryResponse",
    "WireItem",
    "WireItemManager",
]
