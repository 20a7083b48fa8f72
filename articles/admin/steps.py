"""The lifecycle's transitions as act buttons."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from articles import desk
from articles.lifecycle import TRANSITIONS, Kind, Right, Transition, open_to
from articles.models import Article
from config.admin_base import Act, actor

_WEIGHTS = {"submit": "primary", "approve": "primary", "pick_up": "primary", "kill": "danger"}
_HINTS = {
    "kill": "Withdraws the story. What is still queued won't go out.",
    "correct": "Opens the next version. The published one stays up until you publish again.",
    "return": "The writer reads your note on the story's page.",
}


def story_steps() -> list[Act]:
    """One act for every way a person can move a story."""
    return [_act(step) for step in TRANSITIONS if step.kind is Kind.STORY and step.right]


def rights_of(request: HttpRequest) -> set[Right]:
    """Which of the desk's rights the person at the console holds."""
    return {right for right in Right if request.user.has_perm(right)}


def is_open(request: HttpRequest, article: Article, act: str) -> bool:
    """Whether the lifecycle offers `act` to this person for this article now."""
    steps = open_to(article.kind, article.state, rights_of(request))
    if not any(step.act == act for step in steps):
        return False
    own_only = act == "submit"
    return not own_only or article.opened_by(request.user)  # type: ignore[arg-type]


def _act(step: Transition) -> Act:
    def perform(request: HttpRequest, article: Article, data: Mapping[str, Any]) -> str:
        desk.perform(
            article.pk,
            step.act,
            actor(request),
            version=data["version"],
            reason=data.get("reason", ""),
        )
        return step.done

    return Act(
        name=step.act,
        label=step.label,
        icon=step.icon,
        perform=perform,
        permitted=lambda request, article: is_open(request, article, step.act),
        asks_reason=step.needs_reason,
        weight=_WEIGHTS.get(step.act, "plain"),  # type: ignore[arg-type]
        hint=_HINTS.get(step.act, ""),
    )
