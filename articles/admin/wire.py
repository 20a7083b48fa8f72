"""The wire: what came in, and the quick decisions on it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles import desk, triage
from articles.admin.borrowed import SuggestionInline, suggestion_acts
from articles.admin.in_clusters import (
    NOT_THIS_EVENT,
    EventsFilter,
    InClusters,
    cluster_of,
    with_clusters,
)
from articles.admin.reading import copy_as_html
from articles.admin.steps import is_open
from articles.admin.story_page import RecordInline
from articles.clean import plain_text
from articles.errors import DeskError
from articles.lifecycle import TRANSITIONS, Kind, Right, State, Transition
from articles.models import Article, WireItem
from articles.querysets import ArticleQuerySet
from articles.response import in_words
from config.admin_base import Act, Done, ReadOnlyAdmin, TabFilter, actor, age, display, headline
from config.admin_csv import InColumns

_USUAL_URGENCY = 5
_MOST_HITS = 1000  # of a search; sorting every hit of a common word took 22 s at a million rows
_MOST_AT_ONCE = 500  # of a bulk decision


class StateFilter(TabFilter):
    """The wire's states as tabs; new items first."""

    title = "state"
    parameter_name = "state"
    tabs = (
        ("new", "New"), ("shortlisted", "Shortlisted"), ("picked_up", "Picked up"),
        ("spiked", "Spiked"), ("expired", "Expired"), ("older", "Older pieces"), ("all", "All"),
    )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab; old news that was fetched afterwards is no new item."""
        if self.tab() == "all":
            return queryset
        if self.tab() in ("new", "older"):
            return queryset.filter(state=State.NEW, backfilled=self.tab() == "older")
        return queryset.filter(state=self.tab())


class SinceFilter(admin.SimpleListFilter):
    """How far back to look, along the index that orders the list."""

    title = "came in"
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Spans an editor thinks in."""
        return [("1", "last hour"), ("24", "last 24 hours"), ("168", "last 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Rows that came in within the span."""
        value = self.value()
        if value not in {"1", "24", "168"}:
            return None
        return queryset.filter(created_at__gte=timezone.now() - timedelta(hours=int(value)))


class CopiesFilter(admin.SimpleListFilter):
    """Hides what another source brought first, unless one asks for it."""

    title = "same page elsewhere"
    parameter_name = "copies"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice besides hiding them."""
        return [("shown", "Every source's item")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Hiding is what the list opens with, so “All” would be the wrong word for it."""
        every, *others = super().choices(changelist)
        yield {**every, "display": "The first source's item"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Everything, or without the copies that nobody has decided on."""
        if self.value() == "shown":
            return queryset
        return queryset.filter(Q(duplicate_of=None) | ~Q(state=State.NEW))


class AssigneeFilter(admin.SimpleListFilter):
    """What a rule has given to the person at the console."""

    title = "assignee"
    parameter_name = "with"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice besides all."""
        return [("me", "Me")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Only one's own."""
        return queryset.filter(assignee=request.user.pk) if self.value() == "me" else None


@admin.register(WireItem)
class WireItemAdmin(InColumns, InClusters, ReadOnlyAdmin):
    """Incoming pieces: nobody edits them here, one decides on them."""

    list_display = ("headline", "source_name", "event", "came_in", "state_badge", "row_acts")
    list_filter = (
        StateFilter,
        SinceFilter,
        EventsFilter,
        CopiesFilter,
        AssigneeFilter,
        "source",
        "section",
        "language",
    )
    sortable_by = ()
    search_fields = ("title",)
    search_help_text = "Words of title, summary or text; “exact phrase”, -without"
    actions = (
        "shortlist_selected",
        "spike_selected",
        "pick_up_selected",
        "unspike_selected",
        "unite_selected",
    )
    csv_columns = (
        ("Title", lambda each: each.title),
        ("Source", lambda each: each.source),
        ("Section", lambda each: each.section),
        ("State", lambda each: each.get_state_display()),
        ("Urgency", lambda each: each.urgency),
        ("Published", lambda each: each.published_at),
        ("Came in", lambda each: each.created_at),
        ("Authors", lambda each: each.authors),
        ("Tags", lambda each: each.tags),
        ("Language", lambda each: each.language),
        ("Address", lambda each: each.url),
        ("Summary", lambda each: plain_text(each.summary)),
    )
    change_form_outer_before_template = "newsdesk/wire_item.html"
    list_hint = ""
    empty_hint = (
        "Nothing here. Items arrive when a source is synced: open Sources and press “Sync now”, "
        "or look at another tab."
    )
    inlines = (SuggestionInline, RecordInline)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """A tab says its state already; only “All” needs the column."""
        columns = [*super().get_list_display(request)]
        if request.GET.get("state") != "all":
            columns.remove("state_badge")
        return columns

    def get_queryset(self, request: HttpRequest) -> ArticleQuerySet[Any]:
        """In the list without the long columns."""
        items = cast("ArticleQuerySet[Any]", super().get_queryset(request))
        items = items.select_related("source")
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            items = with_clusters(items.for_list().with_copies())
            items = items.annotate(opening=Left("content", 300))
        return items

    def csv_rows(self, found: ArticleQuerySet[Any]) -> ArticleQuerySet[Any]:
        """Without the long columns: a file may hold every piece there is."""
        return found.for_list()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Full-text search; of a common word only the first hits, which the page says."""
        if not search_term.strip():
            return queryset, False
        found = cast("ArticleQuerySet[Any]", queryset).matching(search_term)
        hits = list(found.order_by().values_list("pk", flat=True)[:_MOST_HITS])
        if len(hits) == _MOST_HITS:
            messages.info(
                request,
                f"More than {_MOST_HITS} items match; you see {_MOST_HITS} of them. "
                "Add a word, or pick a source or a time in the filters.",
            )
        return queryset.filter(pk__in=hits), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the page shows the piece itself, see its template."""
        return []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The piece to read, with what was made of it."""
        extra = dict(extra_context or {})
        item = self.get_object(request, object_id) if object_id else None
        if item is not None:
            extra |= {
                "item": item,
                "text": copy_as_html(item.content),
                "stories": [
                    (origin.story, in_words(getattr(origin.story, "response", None)))
                    for origin in item.used_in.select_related("story__response")
                ],
                "same_page": _same_page(item),
                "cluster": cluster_of(item),
                "show_history": False,
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def badges(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """The item's state."""
        return [(obj.get_state_display(), _STATE_LABELS.get(obj.state, ""))]

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """The wire's transitions, and what AI offers."""
        return [*_STEPS, NOT_THIS_EVENT, *suggestion_acts(obj)]

    @display(description="Item")
    def headline(self, item: Any) -> SafeString:
        """Title and what it is about."""
        sorted_as = (
            item.section,
            f"urgency {item.urgency}" if item.urgency != _USUAL_URGENCY else "",
            f"with {item.assignee}" if item.assignee else "",
            item.summary or item.opening,
        )
        below = " · ".join(part for part in sorted_as if part)
        if item.copies_elsewhere:
            also = (
                "1 more source"
                if item.copies_elsewhere == 1
                else (f"{item.copies_elsewhere} more sources")
            )
            below = f"Also in {also} · {below}"
        elif item.duplicate_of_id:
            below = f"Another source had this page first · {below}"
        return headline(item.title, below)

    @display(description="Source")
    def source_name(self, item: Any) -> str:
        """Who sent it."""
        return str(item.source)

    @display(description="Came in")
    def came_in(self, item: Any) -> SafeString:
        """How long it has been here."""
        return age(item.created_at)

    @display(description="State", label={
        "new": "info", "shortlisted": "warning", "picked_up": "success", "spiked": "",
        "expired": "",
    })  # fmt: skip
    def state_badge(self, item: Any) -> tuple[str, str]:
        """Where it stands."""
        return item.state, item.get_state_display()

    @admin.action(description="Shortlist", permissions=["triage"])
    def shortlist_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Shortlist all that are ticked, as one decision."""
        _decide(request, queryset, "shortlist")

    @admin.action(description="Spike", permissions=["triage"])
    def spike_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Spike all that are ticked, as one decision."""
        _decide(request, queryset, "spike")

    @admin.action(description="Unspike", permissions=["triage"])
    def unspike_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put all that are ticked back on the wire."""
        _decide(request, queryset, "unspike")

    @admin.action(description="Pick up into one story", permissions=["triage"])
    def pick_up_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """One story from all that are ticked; the newest is its lead."""
        items = list(queryset.values_list("pk", flat=True)[:21])
        if len(items) > 20:
            messages.error(request, "A story can be picked up from 20 items at most.")
            return None
        try:
            story = triage.pick_up(items, actor(request))
        except DeskError as refusal:
            messages.error(request, str(refusal))
            return None
        messages.success(request, f"Picked up from {len(items)} items: a story was started.")
        return HttpResponseRedirect(_story_url(story))

    def has_triage_permission(self, request: HttpRequest) -> bool:
        """Who may decide on wire items."""
        return request.user.has_perm(Right.TRIAGE)


def _same_page(item: Article) -> list[Article]:
    """The other sources' items of the same page, the first one first."""
    first = item.duplicate_of or item
    family = [first, *first.copies.select_related("source").order_by("pk")[:20]]
    return [each for each in family if each.pk != item.pk]


def _decide(request: HttpRequest, queryset: QuerySet[Any], act: str) -> None:
    ids = list(queryset.values_list("pk", flat=True)[:_MOST_AT_ONCE])
    decision = triage.decide(ids, act, actor(request))
    if decision.done:
        step = next(each for each in TRANSITIONS if (each.kind, each.act) == (Kind.WIRE, act))
        messages.success(request, f"{len(decision.done)} items. {step.done}")
    for _item, problem in decision.refused[:3]:
        messages.warning(request, problem)
    if len(decision.refused) > 3:
        messages.warning(request, f"{len(decision.refused) - 3} more were refused.")


def _move(request: HttpRequest, item: Article, step: Transition, version: int | None) -> str | Done:
    if step.act == "pick_up":
        story = triage.pick_up([item.pk], actor(request))
        return Done(step.done, _story_url(story))
    desk.perform(item.pk, step.act, actor(request), version=version)
    return f"{step.done} ({item.title[:80]})"


def _story_url(story: Article) -> str:
    return reverse("admin:articles_story_change", args=(story.pk,))


def _act(step: Transition) -> Act:
    def perform(request: HttpRequest, item: Article, data: Mapping[str, Any]) -> str | Done:
        return _move(request, item, step, data["version"])

    def permitted(request: HttpRequest, item: Article) -> bool:
        return is_open(request, item, step.act)

    return Act(
        name=step.act,
        label=step.label,
        icon=step.icon,
        perform=perform,
        permitted=permitted,
        weight="primary" if step.act == "pick_up" else "plain",
        in_rows=True,
    )


_STEPS = [_act(step) for step in TRANSITIONS if step.kind is Kind.WIRE and step.right]
_STATE_LABELS = {"new": "info", "shortlisted": "warning", "picked_up": "success"}
