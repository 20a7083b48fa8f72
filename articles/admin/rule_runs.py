"""A rule's runs over stored items: the list before it is applied, and the way back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles import rulebook
from articles.lifecycle import Right
from articles.models import Article, RuleRun
from config.admin_base import Act, ReadOnlyAdmin, actor, display, headline

_ROWS = 50  # of a run's list on one page


@admin.register(RuleRun)
class RuleRunAdmin(ReadOnlyAdmin):
    """What a rule would do, has done, and what was taken back."""

    list_display = ("headline", "state", "matched", "done", "restored")
    sortable_by = ()
    change_form_outer_before_template = "newsdesk/rule_run.html"
    empty_hint = "No run yet. Open a rule and press “Try”."

    @display(description="Run")
    def headline(self, run: RuleRun) -> SafeString:
        """The rule, and when it was tried."""
        return headline(run.name, f"{timezone.localtime(run.tried_at):%d %b %Y, %H:%M}")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the template shows the list."""
        return []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The run with a page of its items."""
        extra = dict(extra_context or {})
        run = self.get_object(request, object_id) if object_id else None
        if run is not None:
            page = Paginator(run.found, _ROWS).get_page(request.GET.get("page"))
            extra |= {
                "run": run,
                "page": page,
                "rows": _rows(page),
                "most": rulebook.MOST_CHANGED,
                "show_history": False,
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def badges(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """Where it stands."""
        colours = {"tried": "info", "applied": "success", "undone": ""}
        return [(obj.get_state_display(), colours[obj.state])]

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """Apply what was tried, undo what was applied."""
        return _RUN_ACTS

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from a rule's page."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever reads the wire may read what rules did to it."""
        return request.user.has_perm("articles.view_wireitem")


def may_triage(request: HttpRequest) -> bool:
    return request.user.has_perm(Right.TRIAGE)


def _rows(page: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A page of a run's items as they stand now, in the run's order."""
    found = list(page)
    items = (
        Article.objects.select_related("source")
        .for_list()
        .in_bulk([each["item"] for each in found])
    )
    return [
        {
            "item": items[each["item"]],
            "url": reverse("admin:articles_wireitem_change", args=(each["item"],)),
            "what": each["what"],
            "changed": items[each["item"]].version != each["version"],
        }
        for each in found
        if each["item"] in items
    ]


def _apply(request: HttpRequest, run: RuleRun, _data: Mapping[str, Any]) -> str:
    run = rulebook.apply(run.pk, actor(request))
    left = f" {len(run.refused)} had changed meanwhile and were left." if run.refused else ""
    return f"{run.done} items were changed.{left}"


def _undo(request: HttpRequest, run: RuleRun, _data: Mapping[str, Any]) -> str:
    run = rulebook.undo(run.pk, actor(request))
    left = f" {len(run.kept)} were changed since; see below." if run.kept else ""
    return f"{run.restored} items are as they were.{left}"


_RUN_ACTS = (
    Act("apply", "Apply", "done_all", _apply,
        lambda request, run: may_triage(request) and run.state == "tried" and bool(run.found),
        weight="primary", hint="Changes the items below, as one decision that can be undone."),
    Act("undo", "Undo", "undo", _undo,
        lambda request, run: may_triage(request) and run.state == "applied",
        hint="Puts everything back as it was. What a person has changed since stays."),
)  # fmt: skip
