"""What the desk's pages borrow from the spokes' pages: deliveries and AI suggestions.

The one declared exception to “the hub knows no spoke”: an editor wants to see on a story's page
where it went and what AI suggests, without walking through three lists.
"""

from typing import Any

from django.http import HttpRequest

from ai.admin import SuggestionInline, suggestion_acts
from articles.lifecycle import Right, State
from articles.models import Article
from config.admin_base import Act
from publishing.admin import DeliveryInline, publish
from publishing.admin.story_response import table

__all__ = [
    "DeliveryInline",
    "SuggestionInline",
    "preview_act",
    "publish_act",
    "story_response",
    "suggestion_acts",
]


def publish_act() -> Act:
    """The button that opens channels and previews: two clicks from an approved story's readers."""
    return Act(
        name="publish",
        label="Publish",
        icon="send",
        perform=publish,
        permitted=_may_publish,
        weight="primary",
    )


def preview_act() -> Act:
    """Before approval: how the story will read on every channel, and what is in its way."""
    return Act(
        name="preview", label="Preview", icon="visibility", perform=publish, permitted=_may_preview
    )


def story_response(request: HttpRequest, story: Article) -> dict[str, Any]:
    """What the story's posts draw, for its page; empty where nothing is known or allowed."""
    return table(story) if request.user.has_perm("publishing.view_delivery") else {}


def _may_publish(request: HttpRequest, story: Any) -> bool:
    out: bool = isinstance(story, Article) and story.state in (State.APPROVED, State.LIVE)
    return out and request.user.has_perm(Right.QUEUE)


def _may_preview(request: HttpRequest, story: Any) -> bool:
    before = isinstance(story, Article) and story.state in (State.DRAFT, State.IN_REVIEW)
    return before and request.user.has_perm("publishing.view_delivery")
