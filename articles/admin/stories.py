"""The stories: writing, reviewing, approving, publishing."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from articles import desk, revise
from articles.admin.borrowed import (
    DeliveryInline,
    SuggestionInline,
    preview_act,
    publish_act,
    story_response,
    suggestion_acts,
)
from articles.admin.difference import difference
from articles.admin.reading import copy_as_html, marked
from articles.admin.source_changes import SourceChangedFilter, badge, seen_view, source_changes
from articles.admin.steps import story_steps
from articles.admin.story_form import Conflict, StoryForm
from articles.admin.story_page import OriginInline, RecordInline, RevisionInline
from articles.clean import plain_text
from articles.errors import DeskError, StaleVersion
from articles.lifecycle import EDITABLE, Right, State
from articles.models import Distribution, Revision, Story
from articles.querysets import ArticleQuerySet
from config.admin_base import (
    Act,
    DeskAdmin,
    StackedDateTimeInput,
    TabFilter,
    actor,
    age,
    display,
    headline,
)
from config.admin_csv import InColumns

_STATE_LABELS = {
    "draft": "", "in_review": "warning", "approved": "info", "live": "success",
    "spiked": "", "killed": "danger",
}  # fmt: skip
_DISTRIBUTION_LABELS = {
    "none": "", "scheduled": "info", "partial": "warning", "live": "success", "failed": "danger",
}  # fmt: skip
_MOST_HITS = 1000


class StoryStateFilter(TabFilter):
    """Where the stories stand, as tabs; what is being worked on first."""

    title = "state"
    parameter_name = "state"
    tabs = (
        ("work", "In work"), ("mine", "Mine"), ("draft", "Drafts"), ("in_review", "In review"),
        ("approved", "Approved"), ("live", "Live"), ("spiked", "Spiked"), ("killed", "Killed"),
        ("all", "All"),
    )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab."""
        match self.tab():
            case "all":
                return queryset
            case "work":
                return queryset.filter(state__in=sorted(EDITABLE))
            case "mine":
                return queryset.filter(assignee_id=request.user.pk)
            case state:
                return queryset.filter(state=state)


@admin.register(Story)
class StoryAdmin(InColumns, DeskAdmin):
    """Our written pieces. Text goes through `articles.revise`, everything else through acts."""

    form = StoryForm
    formfield_overrides = {DateTimeField: {"widget": StackedDateTimeInput}}
    compressed_fields = False
    list_display = (
        "headline", "state_badge", "distribution_badge", "source_badge", "assignee_name", "touched",
    )  # fmt: skip
    list_filter = (StoryStateFilter, SourceChangedFilter, "section", "urgency", "distribution")
    sortable_by = ()
    search_fields = ("title",)
    search_help_text = "Words of title, summary or text; “exact phrase”, -without"
    csv_columns = (
        ("Title", lambda each: each.title),
        ("Slugline", lambda each: each.slugline),
        ("Section", lambda each: each.section),
        ("State", lambda each: each.get_state_display()),
        ("Published", lambda each: each.get_distribution_display()),
        ("With", lambda each: each.assignee),
        ("Urgency", lambda each: each.urgency),
        ("Authors", lambda each: each.authors),
        ("Tags", lambda each: each.tags),
        ("Last touched", lambda each: each.updated_at),
        ("Summary", lambda each: plain_text(each.summary)),
    )
    change_form_outer_before_template = "newsdesk/story.html"
    change_form_before_template = "newsdesk/story_version.html"
    empty_hint = (
        "No story here. Pick up an item from the Wire, or press “Add story” to write one from "
        "scratch."
    )

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> ArticleQuerySet[Any]:
        """In the list without the long columns."""
        stories = cast("ArticleQuerySet[Any]", super().get_queryset(request))
        stories = stories.select_related("assignee")
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            stories = stories.for_list().with_source_news()
        return stories

    def csv_rows(self, found: ArticleQuerySet[Any]) -> ArticleQuerySet[Any]:
        """Without the long columns: a file may hold every piece there is."""
        return found.for_list()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Full-text search over the newest wording, bounded."""
        if not search_term.strip():
            return queryset, False
        found = cast("ArticleQuerySet[Any]", queryset).matching(search_term)
        hits = found.order_by().values_list("pk", flat=True)[:_MOST_HITS]
        return queryset.filter(pk__in=list(hits)), False

    @display(description="Story")
    def headline(self, story: Any) -> SafeString:
        """Title, and slugline or summary below."""
        below = " · ".join(part for part in (story.slugline, story.section, story.summary) if part)
        return headline(story.title, below)

    @display(description="State", label=_STATE_LABELS)
    def state_badge(self, story: Any) -> tuple[str, str]:
        """Where it stands on the desk."""
        return story.state, story.get_state_display()

    @display(description="Out", label=_DISTRIBUTION_LABELS)
    def distribution_badge(self, story: Any) -> tuple[str, str] | None:
        """How far it has come over its channels."""
        if story.distribution == Distribution.NONE:
            return None
        return story.distribution, story.get_distribution_display()

    @display(description="Source", label={"changed": "warning", "live": "danger"})
    def source_badge(self, story: Any) -> tuple[str, str] | None:
        """Whether a source has rewritten what the story was made from."""
        return badge(story)

    @display(description="With")
    def assignee_name(self, story: Any) -> str:
        """Whose it is."""
        return story.assignee.get_username() if story.assignee else "–"

    @display(description="Touched")
    def touched(self, story: Any) -> SafeString:
        """When it was last changed."""
        return age(story.updated_at)

    # --- the page ---

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Text left, details right; nothing to fill in where the story can only be read."""
        if obj is not None and not self.has_change_permission(request, obj):
            return []
        aside = ["slugline", "section", "urgency", "tags", "assignee", "planned_for",
                 "embargo_until", "language", "url"]  # fmt: skip
        return [
            (None, {"fields": ["title", "summary", "content"], "classes": ["desk-main"]}),
            (None, {"fields": aside, "classes": ["desk-aside"]}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """What belongs to a story that exists."""
        if obj is None:
            return []
        inlines = (DeliveryInline, SuggestionInline, OriginInline, RevisionInline, RecordInline)
        return [inline for inline in inlines if inline is not None]

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """Publishing first, then the lifecycle's steps, then what AI offers."""
        return [publish_act(), preview_act(), *story_steps(), *suggestion_acts(obj)]

    def badges(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """State, distribution, and what an editor must not miss."""
        found = [(obj.get_state_display(), _STATE_LABELS[obj.state])]
        if obj.distribution != Distribution.NONE:
            found.append((obj.get_distribution_display(), _DISTRIBUTION_LABELS[obj.distribution]))
        if any(origin.source_changed for origin in obj.origins.select_related("item")):
            found.append(
                ("Source changed after publication", "danger")
                if obj.is_out
                else ("Source changed", "warning")
            )
        return found

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The story's page; a refused save comes back with everything that was typed."""
        extra = {
            "show_history": False,
            **(extra_context or {}),
            **self._reading(request, object_id),
        }
        try:
            return super().changeform_view(request, object_id, form_url, extra)
        except DeskError as refusal:
            request.desk_refusal = refusal  # type: ignore[attr-defined]  # for get_form, below
            return super().changeform_view(request, object_id, form_url, extra)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """The form, told about the desk's refusal if there was one."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "desk_refusal", None)
        return type(form.__name__, (form,), {"refusal": refusal})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With both texts side by side when somebody else saved first."""
        refusal = getattr(request, "desk_refusal", None)
        if isinstance(refusal, StaleVersion):
            context["conflict"] = Conflict.between(refusal, context["adminform"].form.text())
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand what was typed to the desk."""
        by, text = actor(request), form.text()
        if change:
            over = request.POST.get("_save_over", "")
            version = int(over) if over.isdecimal() else form.cleaned_data["version"] or 0
            before = Story.objects.values_list("version", flat=True).get(pk=obj.pk)
            saved = revise.save(obj.pk, by, version, text)
            request.desk_changed = saved.version != before  # type: ignore[attr-defined]
        else:
            saved = desk.start(by, text)
            obj.pk = saved.pk
            obj._state.adding = False
        obj.refresh_from_db()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay on the page; do the act whose button was pressed over unsaved text."""
        changed = getattr(request, "desk_changed", False)
        if act := request.POST.get("_act"):
            post = QueryDict(mutable=True)
            for name in request.POST:
                if name.startswith("act-"):
                    post.setlist(name.removeprefix("act-"), request.POST.getlist(name))
            post["version"] = str(obj.version)
            request.POST = post  # type: ignore[assignment]  # the act's own form, saved text aside
            if changed:
                messages.success(request, "Saved.")
            return self.act_view(request, str(obj.pk), act)
        if changed:
            messages.success(request, "Saved.")
        else:
            messages.info(request, "Nothing was changed.")
        return HttpResponseRedirect(self.change_url(obj))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on writing on the new story's page."""
        messages.success(request, "The story was started. It is a draft.")
        return HttpResponseRedirect(self.change_url(obj))

    # --- one revision ---

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses, the acts' and the revisions'."""
        revision = path(
            "<int:object_id>/revisions/<int:number>/",
            self.admin_site.admin_view(self.revision_view),
            name="articles_story_revision",
        )
        seen = path(
            "<int:object_id>/source-seen/<int:item_id>/",
            self.admin_site.admin_view(partial(seen_view, self)),
            name="articles_story_source_seen",
        )
        return [revision, seen, *super().get_urls()]

    def revision_view(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """An older text with what changed in it and since; a POST restores it."""
        story = self.get_object(request, str(object_id))
        if story is None:
            raise Http404("There is no such story.")
        if not self.has_view_or_change_permission(request, story):
            raise PermissionDenied
        revision = get_object_or_404(story.revisions.select_related("author"), number=number)
        if request.method == "POST":
            return self._restore(request, story, revision)
        return TemplateResponse(
            request,
            "newsdesk/revision.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Revision {number}",
                "opts": self.opts,
                "story": story,
                "revision": revision,
                "author": revision.author.get_username() if revision.author else "the desk",
                "came": _changes(_before(revision), revision),
                "since": _changes(revision, story),
                "is_current": revision.pk == story.current_revision_id,
                "may_restore": self.has_change_permission(request, story),
                "back": self.change_url(story),
            },
        )

    def _restore(self, request: HttpRequest, story: Story, revision: Revision) -> HttpResponse:
        version = request.POST.get("version", "")
        try:
            revise.restore(
                story.pk, actor(request), int(version) if version.isdecimal() else 0, revision
            )
        except DeskError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"The text of revision {revision.number} is back.")
        return HttpResponseRedirect(self.change_url(story))

    def _reading(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        story = self.get_object(request, object_id) if object_id else None
        if story is None:
            return {}
        shown = {
            "source_changes": source_changes(story),
            "is_out": story.is_out,
            "response": story_response(request, story),
            "may_see": story.opened_by(request.user),
        }
        if self.has_change_permission(request, story):
            return shown
        return shown | {"reading": story, "text": copy_as_html(story.content)}

    # --- rights: the desk's own, not Django's per-model ones alone ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may write."""
        return request.user.has_perm(Right.WRITE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may write, and of one story: who may open its text while it can be edited."""
        if obj is None:
            return request.user.has_perm(Right.WRITE)
        return obj.state in {State(state) for state in EDITABLE} and obj.opened_by(request.user)


def _before(revision: Revision) -> Revision | None:
    return revision.article.revisions.filter(number__lt=revision.number).first()


def _changes(old: Revision | None, new: Any) -> list[tuple[str, SafeString]]:
    """What changed from one text to another, per field; unchanged fields are left out."""
    found = []
    for name, label in (("title", "Title"), ("summary", "Summary"), ("content", "Text")):
        before = plain_text(getattr(old, name)) if old else ""
        after = plain_text(getattr(new, name))
        if before != after:
            found.append((label, marked(difference(before, after))))
    return found
