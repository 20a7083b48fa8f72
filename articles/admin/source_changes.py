"""What sources have changed since a story was made from them: badge, panel, and “Seen”."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.safestring import SafeString

from articles import origins
from articles.admin.difference import difference
from articles.admin.reading import marked
from articles.clean import plain_text
from articles.errors import DeskError
from articles.models import Article, StoryOrigin
from articles.querysets import ArticleQuerySet
from config.admin_base import actor, only_by_button

if TYPE_CHECKING:
    from articles.admin.stories import StoryAdmin


@dataclass(frozen=True, slots=True)
class SourceChange:
    """One origin of a story whose source has another text now."""

    origin: StoryOrigin
    url: str  # of the wire item
    parts: list[tuple[str, SafeString]]  # field's label, word diff from the text that was used


class SourceChangedFilter(admin.SimpleListFilter):
    """Stories whose sources say something else by now."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice besides all."""
        return [("changed", "changed since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Only stories that wait for somebody to look."""
        if self.value() != "changed":
            return None
        return cast("ArticleQuerySet[Any]", queryset).whose_source_changed()


def badge(story: Any) -> tuple[str, str] | None:
    """(kind, words) for a story with `source_changed`; louder when the public has it already."""
    if not story.source_changed:
        return None
    if story.is_out:
        return "live", "Source changed after publication"
    return "changed", "Source changed"


def source_changes(story: Article) -> list[SourceChange]:
    """Each origin that was rewritten, with the difference to the text that the story used."""
    found = story.origins.select_related("item__source", "revision_seen").order_by("pk")
    return [
        SourceChange(
            origin=origin,
            url=reverse("admin:articles_wireitem_change", args=(origin.item_id,)),
            parts=_parts(origin),
        )
        for origin in found
        if origin.source_changed
    ]


def seen_view(
    page: "StoryAdmin", request: HttpRequest, object_id: int, item_id: int
) -> HttpResponse:
    """Somebody has read the change that was shown to them. POST only."""
    if request.method != "POST":
        return only_by_button(
            page.admin_site, request, reverse("admin:articles_story_change", args=(object_id,))
        )
    story = page.get_object(request, str(object_id))
    if story is None or not story.origins.filter(item_id=item_id).exists():
        raise Http404("There is no such story, or it does not come from there.")
    if not page.has_view_or_change_permission(request, story):
        raise PermissionDenied
    try:
        origins.seen(story.pk, item_id, request.POST.get("raw_hash", ""), actor(request))
    except DeskError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Noted: the change of the source has been read.")
    return HttpResponseRedirect(page.change_url(story))


def _parts(origin: StoryOrigin) -> list[tuple[str, SafeString]]:
    if origin.revision_seen is None:  # changed before the desk kept which text was used
        return []
    pairs = (
        (label, _words(getattr(origin.revision_seen, name)), _words(getattr(origin.item, name)))
        for name, label in (("title", "Title"), ("summary", "Summary"), ("content", "Text"))
    )
    return [(label, marked(difference(old, new))) for label, old, new in pairs if old != new]


def _words(text: str) -> str:
    return plain_text(text)
