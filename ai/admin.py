"""The console's pages of AI: every call with what it took, and the prompts with their versions."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ai.models import Generation, Prompt, PromptVersion
from ai.reword import reword
from ai.suggestions import STATE_LABELS, SuggestionInline, shown, suggestion_acts
from articles.lifecycle import Kind
from config.admin_base import (
    DeskAdmin,
    DeskTabularInline,
    NumberInput,
    ReadOnlyAdmin,
    TabFilter,
    Textarea,
    TextInput,
    age,
    badge,
    display,
)

if TYPE_CHECKING:
    _PromptModelForm = forms.ModelForm[Prompt]
else:
    _PromptModelForm = forms.ModelForm

__all__ = ["SuggestionInline", "suggestion_acts"]


class GenerationStateFilter(TabFilter):
    """Where the calls stand."""

    title = "state"
    parameter_name = "state"
    tabs = (("all", "All"), *((state.value, str(state.label)) for state in Generation.States))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab."""
        return queryset if self.tab() == "all" else queryset.filter(state=self.tab())


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Every call to a model. Suggestions are decided on at their article's page."""

    list_display = (
        "asked_at", "task", "about", "model_name", "tokens", "cost_in_words", "seconds",
        "state_badge", "who",
    )  # fmt: skip
    list_filter = (GenerationStateFilter, "task", "provider")
    sortable_by = ()
    empty_hint = "Nothing was asked yet. Open a wire item or a story and press “Summarise with AI”."
    fields = (
        "task", "about", "topic", "suggestion", "state_badge", "model_name", "prompt_version",
        "tokens", "cost_in_words", "seconds", "attempts", "request_id", "input_hashes", "who",
        "decided", "asked_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what a row names."""
        calls = super().get_queryset(request)
        return calls.select_related("article", "requested_by", "decided_by").defer(
            "article__content", "article__search"
        )

    @display(description="Asked")
    def asked_at(self, call: Generation) -> SafeString:
        """How long ago."""
        return age(call.created_at)

    @display(description="About")
    def about(self, call: Generation) -> SafeString | str:
        """The article on whose page it is offered."""
        if call.article is None:
            return call.topic or "–"
        page = "story" if call.article.kind == Kind.STORY else "wireitem"
        return format_html(
            '<a href="{}" class="text-primary-600">{}</a>',
            reverse(f"admin:articles_{page}_change", args=(call.article_id,)),
            str(call.article),
        )

    @display(description="Suggestion")
    def suggestion(self, call: Generation) -> SafeString:
        """The text, or why there is none."""
        return shown(call)

    @display(description="Model")
    def model_name(self, call: Generation) -> str:
        """Provider and model."""
        return f"{call.provider} · {call.model}" if call.model else call.provider

    @display(description="Tokens in / out")
    def tokens(self, call: Generation) -> str:
        """What was read and written."""
        counts = (call.input_tokens, call.output_tokens)
        return " / ".join("?" if count is None else f"{count:,}" for count in counts)

    @display(description="Cost")
    def cost_in_words(self, call: Generation) -> str:
        """In US dollars; an unknown price is said."""
        return call.cost_in_words if call.finished_at else "–"

    @display(description="Took")
    def seconds(self, call: Generation) -> str:
        """The provider's time."""
        return "–" if call.latency_ms is None else f"{call.latency_ms / 1000:.1f} s"

    @display(description="State")
    def state_badge(self, call: Generation) -> SafeString:
        """Where it stands."""
        return badge(call.get_state_display(), STATE_LABELS[call.state])

    @display(description="Asked by")
    def who(self, call: Generation) -> str:
        """The person."""
        return call.requested_by.get_username() if call.requested_by else "the desk"

    @display(description="Decided")
    def decided(self, call: Generation) -> str:
        """By whom and when."""
        if call.decided_by is None or call.decided_at is None:
            return "–"
        return f"by {call.decided_by.get_username()}, {call.decided_at:%d %b %Y, %H:%M} UTC"


class PromptForm(_PromptModelForm):
    """The current wording, to change."""

    instructions = forms.CharField(
        widget=Textarea(attrs={"rows": 10}),
        max_length=20_000,
        help_text="What the model is told. That articles are material and never instructions is "
        "added by the desk.",
    )
    max_tokens = forms.IntegerField(
        label="Longest answer",
        min_value=50,
        max_value=16_000,
        widget=NumberInput,
        help_text="In tokens; a token is about four letters. A longer answer is refused, not cut.",
    )
    note = forms.CharField(
        required=False, max_length=300, widget=TextInput, help_text="What you changed, and why."
    )

    class Meta:
        model = Prompt
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current if self.instance.pk else None
        if current is not None:
            self.initial.update(instructions=current.instructions, max_tokens=current.max_tokens)


class VersionInline(DeskTabularInline):
    """Every wording there was."""

    model = PromptVersion
    fk_name = "prompt"
    verbose_name_plural = "versions"
    fields = ("number", "instructions", "max_tokens", "note", "author_name", "saved")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the people."""
        return super().get_queryset(request).select_related("author")

    @display(description="By")
    def author_name(self, version: PromptVersion) -> str:
        """Who wrote it."""
        return version.author.get_username() if version.author else "as delivered"

    @display(description="Saved")
    def saved(self, version: PromptVersion) -> SafeString:
        """When."""
        return age(version.created_at)


@admin.register(Prompt)
class PromptAdmin(DeskAdmin):
    """What models are told. Saving makes a new version; old calls keep theirs."""

    form = PromptForm
    list_display = ("task", "current_number", "changed")
    sortable_by = ()
    fields = ("instructions", "max_tokens", "note")
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the current wording."""
        return super().get_queryset(request).select_related("current")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The new wording as a version."""
        wording = form.cleaned_data
        reword(
            obj.pk,
            wording["instructions"],
            wording["max_tokens"],
            author=request.user,  # type: ignore[arg-type]  # the house's user is auth.User
            note=wording["note"],
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one prompt for each task, and the tasks are the desk's."""
        return False

    @display(description="Version")
    def current_number(self, prompt: Prompt) -> int | None:
        """Which wording is current."""
        return prompt.current.number if prompt.current else None

    @display(description="Changed")
    def changed(self, prompt: Prompt) -> SafeString:
        """When it was last reworded."""
        return age(prompt.current.created_at if prompt.current else None)
