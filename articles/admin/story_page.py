"""What stands below a story's text: its origins, revisions and record."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.lifecycle import TRANSITIONS
from articles.models import Event, Revision, StoryOrigin
from config.admin_base import DeskTabularInline, age, badge, display


class OriginInline(DeskTabularInline):
    """The wire items the story came from."""

    model = StoryOrigin
    fk_name = "story"
    tab = True
    hide_title = True
    verbose_name_plural = "origins"
    fields = ("item_link", "role", "attribution", "news")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the items and their sources."""
        return super().get_queryset(request).select_related("item__source").defer("item__content")

    @display(description="Wire item")
    def item_link(self, origin: StoryOrigin) -> SafeString:
        """The item, to open."""
        return format_html(
            '<a href="{}" class="text-primary-600">{}</a>',
            reverse("admin:articles_wireitem_change", args=(origin.item_id,)),
            origin.item.title,
        )

    @display(description="Since then")
    def news(self, origin: StoryOrigin) -> SafeString:
        """Whether the source has rewritten its piece."""
        return badge("Source changed", "warning") if origin.source_changed else badge("Unchanged")


class RevisionInline(DeskTabularInline):
    """Every saved text."""

    model = Revision
    fk_name = "article"
    tab = True
    hide_title = True
    per_page = 25
    verbose_name_plural = "revisions"
    fields = ("number_link", "author_name", "via", "note", "saved")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the texts."""
        return super().get_queryset(request).select_related("author").defer("content", "summary")

    @display(description="Revision")
    def number_link(self, revision: Revision) -> SafeString:
        """Opens the text with its changes."""
        return format_html(
            '<a href="{}" class="text-primary-600">Revision {}</a>',
            reverse("admin:articles_story_revision", args=(revision.article_id, revision.number)),
            revision.number,
        )

    @display(description="By")
    def author_name(self, revision: Revision) -> str:
        """Who saved it."""
        return revision.author.get_username() if revision.author else "the desk"

    @display(description="Saved")
    def saved(self, revision: Revision) -> SafeString:
        """When."""
        return age(revision.created_at)


class RecordInline(DeskTabularInline):
    """Everything that happened to the story."""

    model = Event
    fk_name = "article"
    tab = True
    hide_title = True
    per_page = 50
    verbose_name_plural = "record"
    fields = ("when", "in_words", "reason")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the people."""
        return super().get_queryset(request).select_related("actor")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The record belongs to the story: who may see one may see the other."""
        return True

    @display(description="When")
    def when(self, event: Event) -> SafeString:
        """How long ago."""
        return age(event.at)

    @display(description="What")
    def in_words(self, event: Event) -> str:
        """The event as a sentence."""
        return in_words(event)


_VERBS = {
    "started": "started the story",
    "edited": "edited it",
    "refused": "was refused",
    "went_live_late": "reported a post of an earlier version",
    "submit": "submitted it for review",
    "return": "returned it to the writer",
    "approve": "approved it",
    "spike": "spiked it",
    "unspike": "took it off the spike",
    "go_live": "published it",
    "correct": "opened a correction",
    "kill": "killed it",
    "shortlist": "shortlisted it",
    "unshortlist": "put it back among the new items",
    "pick_up": "picked it up",
    "expire": "let it expire",
    "ruled": "applied a rule",
    "unruled": "took back what a rule did",
    "id_changed": "recognised it under another id",
    "source_changed": "found its source changed",
    "source_seen": "has read what its source changed",
    "put_together": "put it into a cluster",
    "taken_out": "took it out of its cluster",
    "made_lead": "made it its cluster's lead",
    "queued": "queued it",
    "published": "sent it out",
    "failed": "could not send it",
    "in_doubt": "does not know whether it went out",
    "missed": "came too late to send it",
    "held": "held it back",
    "cancel": "took it out of the queue",
    "hold": "held it back",
    "reschedule": "moved it to another time",
    "release": "let it go on",
    "retry": "asked to try again",
    "was_posted": "found it posted",
    "was_not_posted": "found it not posted and left it so",
    "send_again": "asked to send it again",
    "ai_asked": "asked AI",
    "ai_suggested": "got an AI suggestion",
    "ai_failed": "got no answer from AI",
    "ai_accepted": "accepted an AI suggestion",
    "ai_rejected": "rejected an AI suggestion",
}


def in_words(event: Event) -> str:
    """An event as the newsroom would say it: who did what."""
    verb = _VERBS.get(event.what, event.what.replace("_", " "))
    if event.what == "edited" and event.data.get("fields"):
        verb += f" ({', '.join(event.data['fields'])})"
    if event.what == "refused" and event.data.get("act"):
        label = next((s.label for s in TRANSITIONS if s.act == event.data["act"]), "")
        verb += f": “{label}”"
    if channel := event.data.get("channel"):
        verb += f" ({channel})"
    through = (
        "" if event.channel in ("admin", "task") else f" (through {event.get_channel_display()})"
    )
    return f"{event.who} {verb}{through}"
