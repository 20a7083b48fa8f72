"""The queue's page: what waits, what is under way, what went out, and what needs a person."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.lifecycle import Right
from config.admin_base import (
    Act,
    DeskTabularInline,
    Done,
    SplitDateTimeInput,
    TabFilter,
    TextInput,
    actor,
    age,
    display,
    headline,
)
from publishing import amend, queue, receipts
from publishing.admin.receipt import Receipts
from publishing.lifecycle import TERMINAL, WAITING, Status
from publishing.models import Attempt, Delivery

LABELS: dict[str, str] = {
    Status.PENDING: "info", Status.CLAIMED: "info", Status.SENDING: "info",
    Status.RETRY: "warning", Status.HELD: "warning", Status.IN_DOUBT: "danger",
    Status.PUBLISHED: "success", Status.FAILED: "danger", Status.CANCELLED: "",
    Status.MISSED: "danger",
}  # fmt: skip
_OPEN = (Status.PENDING, Status.CLAIMED, Status.SENDING, Status.RETRY, Status.HELD)
_NEEDS_A_PERSON = (Status.IN_DOUBT, Status.HELD, Status.FAILED, Status.MISSED)


class QueueFilter(TabFilter):
    """The queue by what it asks of an editor."""

    title = "state"
    parameter_name = "state"
    tabs = (
        ("open", "In the queue"), ("attention", "Needs a person"), ("published", "Published"),
        ("cancelled", "Cancelled"), ("all", "All"),
    )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab."""
        match self.tab():
            case "open":
                return queryset.filter(status__in=(*_OPEN, Status.IN_DOUBT))
            case "attention":
                return queryset.filter(status__in=_NEEDS_A_PERSON)
            case "all":
                return queryset
            case status:
                return queryset.filter(status=status)


class WhereForm(forms.Form):
    """Where the post was found."""

    url = forms.URLField(
        label="Its address on the platform",
        required=False,
        max_length=2000,
        assume_scheme="https",
        widget=TextInput,
        help_text="So that readers and colleagues can open it; may stay empty.",
    )


class WhenForm(forms.Form):
    """Another time."""

    scheduled_at = forms.SplitDateTimeField(label="New time", widget=SplitDateTimeInput)


class AttemptInline(DeskTabularInline):
    """Every try, in words."""

    model = Attempt
    verbose_name_plural = "attempts"
    fields = ("number", "began", "took", "result", "http_status", "excerpt")
    readonly_fields = fields

    @display(description="Began")
    def began(self, attempt: Attempt) -> SafeString:
        """When it was written down, before anything left."""
        return age(attempt.started_at)

    @display(description="Took")
    def took(self, attempt: Attempt) -> str:
        """Until there was an answer."""
        if attempt.finished_at is None:
            return "–"
        return f"{(attempt.finished_at - attempt.started_at).total_seconds():.1f} s"

    @display(description="Outcome", label={"published": "success", "unknown": "danger"})
    def result(self, attempt: Attempt) -> tuple[str, str]:
        """How it ended."""
        return attempt.outcome, attempt.get_outcome_display()


@admin.register(Delivery)
class DeliveryAdmin(Receipts):
    """The publishing queue. Rows change through acts only."""

    list_display = ("headline", "state_badge", "due", "outcome", "row_acts")
    list_filter = (QueueFilter, "channel")
    sortable_by = ()
    search_fields = ("article__title",)
    inlines = (AttemptInline,)
    fields = (
        "story", "channel", "act", "state_badge", "scheduled_at", "published_at", "link", "receipt",
        "error_message", "attempts", "next_attempt_at", "revision", "marker", "created_by",
        "cancelled_by",
    )  # fmt: skip
    readonly_fields = fields
    list_hint = "Each row is one story to one channel. What is in doubt stands first."
    empty_hint = "Nothing here. Approve a story and press “Publish” on its page."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In doubt first, then by time; without the stories' text."""
        # Not super(): it orders by `urgent` before there is such a column.
        rows: QuerySet[Any] = Delivery.objects.select_related("article", "channel")
        rows = rows.defer("article__content", "article__search", "article__metadata")
        urgent = Case(
            When(status=Status.IN_DOUBT, then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
        with_urgency: QuerySet[Any] = rows.annotate(urgent=urgent)
        return with_urgency

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What needs a person first."""
        return ("urgent", "-scheduled_at", "-id")

    @display(description="Story")
    def headline(self, delivery: Delivery) -> SafeString:
        """Which story, and where to."""
        act = "" if delivery.act == Delivery.Acts.PUBLISH else f"{delivery.get_act_display()}: "
        return headline(delivery.article.title, f"{act}to {delivery.channel}")

    @display(description="State", label=LABELS)
    def state_badge(self, delivery: Delivery) -> tuple[str, str]:
        """Where it stands."""
        return delivery.status, delivery.get_status_display()

    @display(description="When")
    def due(self, delivery: Delivery) -> SafeString | str:
        """When it went out, or is due."""
        if delivery.published_at:
            return age(delivery.published_at)
        if delivery.scheduled_at <= timezone.now() and delivery.status == Status.PENDING:
            return "now"
        return age(delivery.scheduled_at)

    @display(description="Outcome")
    def outcome(self, delivery: Delivery) -> SafeString | str:
        """The post, or what stands in the way."""
        return self.link(delivery) if delivery.remote_url else delivery.error_message or "–"

    @display(description="Post")
    def link(self, delivery: Delivery) -> SafeString | str:
        """The post on its platform."""
        if not delivery.remote_url:
            return "–"
        return format_html(
            '<a href="{}" class="text-primary-600" target="_blank" rel="noopener noreferrer">'
            "Open the post</a>",
            delivery.remote_url,
        )

    @display(description="Receipt")
    def receipt(self, delivery: Delivery) -> SafeString:
        """What proves it."""
        where = receipts.address(delivery)
        return format_html('<a href="{}" class="text-primary-600">Open the receipt</a>', where)

    @display(description="Story")
    def story(self, delivery: Delivery) -> SafeString:
        """The story, to open."""
        return format_html(
            '<a href="{}" class="text-primary-600">{}</a>',
            reverse("admin:articles_story_change", args=(delivery.article_id,)),
            delivery.article.title,
        )

    def badges(self, request: HttpRequest, obj: Delivery) -> list[tuple[str, str]]:
        """Its state."""
        return [(obj.get_status_display(), LABELS[obj.status])]

    def get_acts(self, request: HttpRequest, obj: Delivery) -> Sequence[Act]:
        """The ways out of the delivery's state."""
        return _ACTS

    def get_act_initial(self, request: HttpRequest, obj: Any, act: Act) -> dict[str, Any]:
        """The time that stands, to change."""
        return {"scheduled_at": obj.scheduled_at} if act.name == "reschedule" else {}


def _in(*statuses: Status) -> Callable[[HttpRequest, Delivery], bool]:
    def permitted(request: HttpRequest, delivery: Delivery) -> bool:
        return delivery.status in statuses and request.user.has_perm(Right.QUEUE)

    return permitted


def _by_hand(request: HttpRequest, delivery: Delivery) -> bool:
    return delivery.act == Delivery.Acts.BY_HAND and _in(Status.HELD)(request, delivery)


def _held(request: HttpRequest, delivery: Delivery) -> bool:
    return delivery.act != Delivery.Acts.BY_HAND and _in(Status.HELD)(request, delivery)


def _done(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str:
    amend.done(delivery.pk, actor(request))
    return f"Noted: it is done on {delivery.channel}."


def _was_posted(request: HttpRequest, delivery: Delivery, data: Mapping[str, Any]) -> str:
    queue.was_posted(delivery.pk, actor(request), data["url"])
    return f"Noted: the story is on {delivery.channel}."


def _send_again(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str:
    queue.send_again(delivery.pk, actor(request))
    return f"It is sent to {delivery.channel} again."


def _was_not_posted(request: HttpRequest, delivery: Delivery, data: Mapping[str, Any]) -> str:
    queue.was_not_posted(delivery.pk, actor(request), reason=data["reason"])
    return f"Noted: the story is not on {delivery.channel}, and stays away."


def _hold(request: HttpRequest, delivery: Delivery, data: Mapping[str, Any]) -> str:
    queue.hold(delivery.pk, actor(request), reason=data["reason"])
    return f"Held: it goes to {delivery.channel} when somebody releases it."


def _retry(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str | Done:
    tried = queue.retry(delivery.pk, actor(request))
    words = f"It is tried again on {delivery.channel}."
    if tried.pk == delivery.pk:
        return words
    page = reverse("admin:publishing_delivery_change", args=(tried.pk,))
    return Done(f"{words} What has ended stays as it is; this is the new delivery.", page)


def _release(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str:
    queue.release(delivery.pk, actor(request))
    return "It goes on."


def _reschedule(request: HttpRequest, delivery: Delivery, data: Mapping[str, Any]) -> str:
    moved = queue.reschedule(delivery.pk, actor(request), data["scheduled_at"])
    when = timezone.localtime(moved.scheduled_at)
    return f"It goes out on {when:%d %b %Y at %H:%M}."


def _cancel(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str:
    queue.cancel(delivery.pk, actor(request))
    return f"It does not go to {delivery.channel}."


_ACTS = (
    Act(
        "was_posted", "It is there", "check_circle", _was_posted, _in(Status.IN_DOUBT),
        form=WhereForm, weight="primary", in_rows=True,
        hint="You have looked on the platform, and the post is there.",
    ),
    Act(
        "send_again", "Send again", "send", _send_again, _in(Status.IN_DOUBT), in_rows=True,
        hint="You have looked on the platform, and the post is not there. If it is, readers "
        "get it twice.",
    ),
    Act(
        "was_not_posted", "Not there, leave it", "cancel", _was_not_posted, _in(Status.IN_DOUBT),
        asks_reason=True,
        hint="You have looked on the platform, the post is not there, and it shall not go there.",
    ),
    Act(
        "retry", "Try again", "replay", _retry,
        _in(Status.RETRY, *(TERMINAL - {Status.PUBLISHED})), in_rows=True,
    ),
    Act(
        "done", "Done by hand", "task_alt", _done, _by_hand, weight="primary", in_rows=True,
        hint="You have done it on the platform yourself.",
    ),
    Act("release", "Release", "play_arrow", _release, _held, in_rows=True),
    Act(
        "hold", "Hold", "pause", _hold, _in(Status.PENDING, Status.RETRY), asks_reason=True,
        hint="It waits, without a time, until somebody releases it.",
    ),
    Act(
        "reschedule", "Reschedule", "schedule", _reschedule,
        _in(Status.PENDING, Status.RETRY), form=WhenForm,
    ),
    Act(
        "cancel", "Cancel", "cancel", _cancel, _in(*WAITING), weight="danger", in_rows=True,
        hint="It is taken out of the queue.",
    ),
)  # fmt: skip
