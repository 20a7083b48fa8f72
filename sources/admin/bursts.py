"""Bursts in the console: what a source brought all at once, let in or dropped as one decision."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from articles.lifecycle import Right
from config.admin_base import Act, Done, ReadOnlyAdmin, TabFilter, actor, age, display, headline
from sources import burst as bursting
from sources.models import Burst

_SHOWN = 200  # pieces on its page

States = Burst.States


class BurstFilter(TabFilter):
    """What waits, then what was decided."""

    title = "state"
    parameter_name = "state"
    tabs = (("held", "Held"), ("released", "Released"), ("dropped", "Dropped"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab."""
        return queryset.filter(state=self.tab())


def _name(request: HttpRequest) -> str:
    person = actor(request).user
    return person.get_username() if person else ""


def _may_decide(request: HttpRequest, burst: Burst) -> bool:
    return request.user.has_perm(Right.TRIAGE) and burst.state == States.HELD


def _release(request: HttpRequest, burst: Burst, _data: Mapping[str, Any]) -> Done:
    run = bursting.release(burst.pk, _name(request))
    wire = reverse("admin:articles_wireitem_changelist")
    return Done(
        f"{run.new} new items are on the wire.", f"{wire}?source__id__exact={run.source_id}"
    )


def _drop(request: HttpRequest, burst: Burst, data: Mapping[str, Any]) -> str:
    bursting.drop(burst.pk, _name(request), data["reason"])
    return f"{burst.count} pieces were dropped. They don't come back."


@admin.register(Burst)
class BurstAdmin(ReadOnlyAdmin):
    """Floods, and what was decided about them."""

    list_display = ("headline", "came", "state_badge")
    list_filter = (BurstFilter,)
    sortable_by = ()
    list_select_related = ("source",)
    change_form_outer_before_template = "newsdesk/burst.html"
    list_hint = (
        "A source that suddenly brings more than ten times its rhythm, all of it new, has perhaps "
        "changed its ids, its address or its owner. What came is held here, beside the wire."
    )
    empty_hint = "Nothing is held."
    acts = (
        Act("release", "Let them in", "check", _release, _may_decide, weight="primary"),
        Act(
            "drop", "Drop them", "delete", _drop, _may_decide, weight="danger", asks_reason=True,
            hint="None of them comes back, also when the source sends it again.",
        ),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever reads the wire."""
        return request.user.has_perm("articles.view_wireitem")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from today's page and from the source's."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the page lists the pieces, see its template."""
        return []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The pieces as they came."""
        burst = self.get_object(request, object_id) if object_id else None
        extra = {"show_history": False, **(extra_context or {})}
        if burst is not None:
            pieces = [bursting.copy_of(each) for each in burst.copies[:_SHOWN] if "title" in each]
            more = len(burst.copies) - len(pieces) if pieces else 0
            extra |= {"burst": burst, "pieces": pieces, "more": more}
        return super().changeform_view(request, object_id, form_url, extra)

    @display(description="Burst")
    def headline(self, burst: Burst) -> SafeString:
        """How many of whom, and how many would have been usual."""
        return headline(f"{burst.count} pieces of {burst.source}", bursting.in_words(burst))

    @display(description="Came")
    def came(self, burst: Burst) -> SafeString:
        """When."""
        return age(burst.came_at)

    @display(description="State", label={"held": "warning", "released": "success", "dropped": ""})
    def state_badge(self, burst: Burst) -> tuple[str, str]:
        """What was decided."""
        return burst.state, burst.get_state_display()
