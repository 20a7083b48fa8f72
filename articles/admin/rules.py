"""The rules' pages: conditions as rows, trying before applying, undoing after."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.postgres.forms import SimpleArrayField
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles import rulebook, rules
from articles.admin.rule_runs import may_triage
from articles.models import Rule, RuleCondition, RuleRun
from config.admin_base import (
    Act,
    DeskAdmin,
    DeskTabularInline,
    Done,
    NumberInput,
    TextInput,
    actor,
    age,
    display,
    headline,
)

if TYPE_CHECKING:
    _RuleModelForm = forms.ModelForm[Rule]
    _ConditionModelForm = forms.ModelForm[RuleCondition]
    _Conditions = BaseInlineFormSet[RuleCondition, Rule, _ConditionModelForm]
else:
    _RuleModelForm = _ConditionModelForm = forms.ModelForm
    _Conditions = BaseInlineFormSet


class TryForm(forms.Form):
    """How far to look back."""

    days = forms.IntegerField(
        label="Items of the last … days", min_value=1, max_value=90, initial=7, widget=NumberInput
    )


class UndoForm(forms.Form):
    """How far back to take away what the rule did by itself."""

    hours = forms.IntegerField(
        label="In the last … hours", min_value=1, max_value=720, initial=24, widget=NumberInput
    )


class RuleForm(_RuleModelForm):
    """A rule has to do something."""

    tags = SimpleArrayField(
        forms.CharField(max_length=100),
        required=False,
        widget=TextInput,
        help_text="Added to the source's own; separated by commas.",
    )

    class Meta:
        model = Rule
        fields = (
            "name", "is_active", "position", "source", "every", "spike", "tags", "section",
            "urgency", "assignee",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("source", "assignee"):
            chosen = self.fields.get(name)
            if isinstance(chosen, forms.ModelChoiceField):
                for extra in ("can_add_related", "can_change_related", "can_view_related"):
                    setattr(chosen.widget, extra, False)  # no window with the other's own page
        if isinstance(people := self.fields.get("assignee"), forms.ModelChoiceField):
            people.queryset = User.objects.filter(is_active=True, is_staff=True).order_by(
                "username"
            )

    def clean(self) -> dict[str, Any]:
        """At least one act."""
        cleaned = super().clean() or {}
        acts = ("spike", "tags", "section", "urgency", "assignee")
        if not self.errors and not any(cleaned.get(name) for name in acts):
            self.add_error("spike", "Choose at least one thing that the rule does.")
        return cleaned


class ConditionForm(_ConditionModelForm):
    """One row; what is wrong with it is said beside it."""

    class Meta:
        model = RuleCondition
        fields = ("field", "operator", "value")

    def clean(self) -> dict[str, Any]:
        """The comparison has to fit the field, the pattern has to be readable."""
        cleaned = super().clean() or {}
        if not self.errors:
            said = rules.problem(
                rules.Condition(cleaned["field"], cleaned["operator"], cleaned["value"])
            )
            if said:
                self.add_error("value", said)
        return cleaned


class ConditionFormSet(_Conditions):
    """The rows; a rule that nothing meets helps nobody."""

    def clean(self) -> None:
        """At least one condition."""
        super().clean()
        kept = [
            form
            for form in self.forms
            if form.has_changed() or form.instance.pk
            if not (self.can_delete and self._should_delete_form(form))  # type: ignore[attr-defined]
        ]
        if not kept:
            raise forms.ValidationError("Give the rule at least one condition.")


class ConditionInline(DeskTabularInline):
    """The conditions, a row each."""

    model = RuleCondition
    form = ConditionForm
    formset = ConditionFormSet
    fields = ("field", "operator", "value")
    verbose_name_plural = "conditions"
    hide_title = True
    can_delete = True
    extra = 0

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """Rows to fill in: some for a new rule, one more for an old one."""
        return 1 if obj else 3

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may make rules."""
        return may_triage(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may make rules."""
        return may_triage(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may make rules."""
        return may_triage(request)


class RunInline(DeskTabularInline):
    """The last runs over stored items."""

    model = RuleRun
    fk_name = "rule"
    fields = ("run_link", "state", "matched", "done", "restored", "by")
    readonly_fields = fields
    verbose_name_plural = "runs over stored items"
    per_page = 10

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The runs belong to the rule."""
        return True

    @display(description="Tried")
    def run_link(self, run: RuleRun) -> SafeString:
        """When, to open."""
        url = reverse("admin:articles_rulerun_change", args=(run.pk,))
        return format_html('<a href="{}" class="text-primary-600">{}</a>', url, age(run.tried_at))

    @display(description="By")
    def by(self, run: RuleRun) -> str:
        """Who tried it."""
        return run.tried_by.get_username() if run.tried_by else "–"


@admin.register(Rule)
class RuleAdmin(DeskAdmin):
    """Standing decisions on wire items."""

    form = RuleForm
    list_display = ("headline", "active_badge", "for_source", "position", "row_acts")
    list_filter = ("is_active", "source")
    search_fields = ("name",)
    sortable_by = ()
    list_select_related = ("source", "assignee")
    deletable = True
    list_hint = (
        "Rules are applied to new items as they come in, from top to bottom. To see what one "
        "would do to the items that are here already, open it and press “Try”."
    )
    empty_hint = "No rule yet. Press “Add rule”: for instance, spike what has “quiz” in its title."
    inlines = (ConditionInline, RunInline)
    fieldsets = (
        (None, {"fields": ["name", "is_active", "position", "source", "every"]}),
        ("What becomes of the item", {
            "fields": ["spike", "tags", "section", "urgency", "assignee"],
            "description": "What is left empty stays as it is.",
        }),
    )  # fmt: skip

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A new rule has no runs."""
        return [ConditionInline, RunInline] if obj else [ConditionInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the conditions."""
        return super().get_queryset(request).prefetch_related("conditions")

    @display(description="Rule")
    def headline(self, rule: Rule) -> SafeString:
        """Its name, and when it is met."""
        return headline(rule.name, rules.in_words(rule.definition()))

    @display(description="", label={"on": "success", "off": "", "trouble": "danger"})
    def active_badge(self, rule: Rule) -> tuple[str, str]:
        """Whether it runs."""
        if rule.trouble:
            return "trouble", "Takes too long"
        return ("on", "Active") if rule.is_active else ("off", "Off")

    @display(description="For")
    def for_source(self, rule: Rule) -> str:
        """One source, or all."""
        return str(rule.source) if rule.source else "All sources"

    def badges(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """Whether it runs, and what stands in the way."""
        found = [("Active", "success") if obj.is_active else ("Off", "")]
        return [*found, (obj.trouble, "danger")] if obj.trouble else found

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """Try, switch, undo what it did by itself."""
        return _ACTS

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """A changed rule has no trouble yet."""
        obj.trouble = ""
        if not change:
            obj.created_by = actor(request).user
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On its page, where it can be tried."""
        return self.response_change(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """On its page, where it can be tried."""
        messages.success(
            request, "Saved; it holds for new items. Press “Try” for those that are here already."
        )
        return HttpResponseRedirect(self.change_url(obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever reads the wire may read its rules."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever reads the wire may read its rules."""
        return request.user.has_perm("articles.view_wireitem")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A rule is standing triage, so it takes the right to triage."""
        return may_triage(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule is standing triage, so it takes the right to triage."""
        return may_triage(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What it did stays on the record under its name."""
        return may_triage(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None in bulk."""
        return {}


def _run_url(run: RuleRun) -> str:
    return reverse("admin:articles_rulerun_change", args=(run.pk,))


def _try(request: HttpRequest, rule: Rule, data: Mapping[str, Any]) -> Done:
    run = rulebook.try_out(rule, data["days"], actor(request), timezone.now())
    return Done(f"{run.matched} items would be changed. Nothing is changed yet.", _run_url(run))


def _undo_own(request: HttpRequest, rule: Rule, data: Mapping[str, Any]) -> Done:
    since = timezone.now() - timedelta(hours=data["hours"])
    run = rulebook.undo_own(rule, since, actor(request))
    return Done(f"{run.restored} items are as they were before the rule.", _run_url(run))


def _switch(_request: HttpRequest, rule: Rule, _data: Mapping[str, Any]) -> str:
    rule.is_active = not rule.is_active
    rule.save(update_fields=["is_active"])
    return f"“{rule}” is {'on' if rule.is_active else 'off'}."


_ACTS = (
    Act("try", "Try", "experiment", _try, lambda request, _: may_triage(request), form=TryForm,
        weight="primary", hint="Lists what the saved rule would change. Nothing is changed."),
    Act("switch_off", "Switch off", "toggle_off", _switch,
        lambda request, rule: may_triage(request) and rule.is_active, in_rows=True),
    Act("switch_on", "Switch on", "toggle_on", _switch,
        lambda request, rule: may_triage(request) and not rule.is_active, in_rows=True),
    Act("undo_own", "Undo on new items", "undo", _undo_own,
        lambda request, _: may_triage(request), form=UndoForm,
        hint="Takes back what the rule did by itself to items that came in. What a person has "
        "changed since stays as it is."),
)  # fmt: skip
