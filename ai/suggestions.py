"""AI on the pages of wire items and stories: what can be asked, and what waits for a decision.

`articles.admin` borrows this through `ai.admin`. Each suggestion is a pair of act buttons; the
dialog of “accept” shows the text, so nobody takes over what they haven't had before them.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ai import assist, decide, providers
from ai.material import OFFERED
from ai.models import Generation, Task
from articles.lifecycle import EDITABLE, Kind, Right
from articles.models import Article
from config.admin_base import Act, DeskTabularInline, Select, Textarea, actor, badge, display

States = Generation.States

_ASK = {
    Task.SUMMARY: "Summarise with AI",
    Task.ARTICLE: "Suggest an article",
    Task.ANALYSIS: "Analyse with AI",
}
_TAKEN_OVER = {
    Task.SUMMARY: "The summary was taken over.",
    Task.ARTICLE: "The suggested text was taken over.",
}
STATE_LABELS: dict[str, str] = {
    States.QUEUED: "info", States.RUNNING: "info", States.SUGGESTED: "warning",
    States.ACCEPTED: "success", States.REJECTED: "", States.FAILED: "danger",
}  # fmt: skip


def suggestion_acts(article: Article) -> list[Act]:
    """The act buttons that AI adds to this article's page: decide first, then ask."""
    if "content" in article.get_deferred_fields():
        return []  # a row of a list, not a page: nothing is asked there, and nothing looked up
    under_way, waiting = set(), []
    for generation in article.generations.filter(
        state__in=[*Generation.UNDER_WAY, States.SUGGESTED]
    ):
        under_way.add(generation.task)
        if generation.is_open:
            waiting.append(generation)
    asks = [
        _ask(task) for task in OFFERED[Kind(article.kind)]
        if task not in under_way and _has_material(task, article)
    ]  # fmt: skip
    return [
        *(act for generation in waiting for act in (_accept(generation), _reject(generation))),
        *asks,
    ]


class SuggestionInline(DeskTabularInline):
    """What AI was asked about an article, and what became of it."""

    model = Generation
    fk_name = "article"
    tab = True
    hide_title = True
    per_page = 10
    verbose_name_plural = "AI"
    fields = ("asked", "suggestion", "state_badge", "made_by", "cost_in_words")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the people."""
        return super().get_queryset(request).select_related("requested_by", "decided_by")

    @display(description="Asked for")
    def asked(self, generation: Generation) -> str:
        """What, and by whom."""
        who = generation.requested_by
        return f"{generation.get_task_display()}, by {who.get_username() if who else 'the desk'}"

    @display(description="Suggestion")
    def suggestion(self, generation: Generation) -> SafeString:
        """The text, or why there is none yet."""
        return shown(generation)

    @display(description="State")
    def state_badge(self, generation: Generation) -> SafeString:
        """Where it stands, and who decided."""
        who = generation.decided_by
        words = generation.get_state_display()
        return badge(
            f"{words} by {who.get_username()}" if who else words, STATE_LABELS[generation.state]
        )

    @display(description="By")
    def made_by(self, generation: Generation) -> str:
        """Which model."""
        return generation.model or generation.provider

    @display(description="Cost")
    def cost_in_words(self, generation: Generation) -> str:
        """What it cost, as far as known."""
        return generation.cost_in_words if generation.finished_at else "–"


def shown(generation: Generation) -> SafeString:
    """A suggestion as its readers see it, or a sentence about why there is none."""
    if not generation.text:
        waits = "It waits for a worker." if generation.state == States.QUEUED else ""
        return format_html("{} {}", generation.error, waits)
    if generation.task == Task.SUMMARY:
        return format_html("<p>{}</p>", generation.text)
    title = format_html("<p><strong>{}</strong></p>", generation.title) if generation.title else ""
    # Stored by `ai.answer`, whose only markup is its own paragraphs.
    text = mark_safe(generation.text)  # noqa: S308
    return format_html('<div class="desk-prose">{}{}</div>', title, text)


class _Reading(forms.Widget):
    """Shows a text in a form; nothing can be typed."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The text."""
        return format_html('<div class="desk-prose">{}</div>', value or "")


class _AskForm(forms.Form):
    """Whom to ask."""

    provider = forms.ChoiceField(
        label="Ask", choices=lambda: list(providers.available().items()), widget=Select
    )


class _RejectForm(forms.Form):
    """Why not, if somebody wants to say."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=2000,
        widget=Textarea(attrs={"rows": 2}),
        help_text="Optional; it goes on the record.",
    )


def _ask(task: Task) -> Act:
    return Act(
        name=f"ask-{task.value}",
        label=_ASK[task],
        icon="auto_awesome",
        perform=partial(_perform_ask, task),
        permitted=_may_ask,
        form=_AskForm if len(providers.available()) > 1 else None,
        hint="You get a suggestion to accept or reject; the text stays as it is.",
    )


def _accept(generation: Generation) -> Act:
    reading = forms.CharField(
        label="Suggestion",
        required=False,
        disabled=True,
        widget=_Reading(),
        initial=shown(generation),
    )
    name = generation.get_task_display().lower()
    return Act(
        name=f"accept-suggestion-{generation.pk}",
        label=f"Accept AI {name}",
        icon="check",
        perform=partial(_perform_accept, generation.pk),
        permitted=_may_decide,
        form=type("AcceptForm", (forms.Form,), {"suggestion": reading}),
        hint=f"By {generation.model or generation.provider}. {_effect(generation)}",
    )


def _reject(generation: Generation) -> Act:
    return Act(
        name=f"reject-suggestion-{generation.pk}",
        label=f"Reject AI {generation.get_task_display().lower()}",
        icon="close",
        perform=partial(_perform_reject, generation.pk),
        permitted=_may_decide,
        form=_RejectForm,
    )


def _effect(generation: Generation) -> str:
    article = generation.article
    if article is None or article.kind != Kind.STORY or generation.task == Task.ANALYSIS:
        return "It is kept beside the piece, whose text stays as it is."
    part = "summary" if generation.task == Task.SUMMARY else "text"
    changed = generation.article_version not in (None, article.version)
    since = " The story was changed since the model read it." if changed else ""
    return f"It replaces the story's {part}, as your edit.{since}"


def _perform_ask(task: Task, request: HttpRequest, article: Any, data: Mapping[str, Any]) -> str:
    asked = assist.ask(article.pk, task, actor(request), provider=data.get("provider", ""))
    if not asked.rung:
        return (
            "Asked. It waits: Redis is not answering, so no worker could be woken. It runs by "
            "itself as soon as Redis is back."
        )
    return "Asked. The suggestion appears here in a moment."


def _perform_accept(pk: int, request: HttpRequest, article: Any, data: Mapping[str, Any]) -> str:
    generation = decide.accept(pk, actor(request), data["version"])
    if article.kind != Kind.STORY:
        return "The suggestion is kept."
    return _TAKEN_OVER.get(Task(generation.task), "The analysis is kept.")


def _perform_reject(pk: int, request: HttpRequest, article: Any, data: Mapping[str, Any]) -> str:
    decide.reject(pk, actor(request), reason=data.get("reason", ""))
    return "The suggestion was rejected."


def _may_ask(request: HttpRequest, article: Any) -> bool:
    closed = article.kind == Kind.STORY and article.state not in EDITABLE
    return not closed and request.user.has_perm(Right.ASK_AI)


def _may_decide(request: HttpRequest, article: Any) -> bool:
    if not request.user.has_perm(Right.ASK_AI):
        return False
    return article.kind != Kind.STORY or bool(article.opened_by(request.user))


def _has_material(task: Task, article: Article) -> bool:
    return task != Task.ARTICLE or article.origins.exists()
