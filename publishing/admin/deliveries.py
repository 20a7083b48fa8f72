"""The queue's page: what waits, what is under way, what went out, and what needs a person."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles.lifecycle import Right
from config.admin_base import Act, Done, TabFilter, TextInput, actor, display, headline
from publishing import agenda, amend, queue, readback
from publishing.admin import doubts, drifts, going_on
from publishing.admin.bulk import InBulk, WhenForm
from publishing.admin.delivery_page import DeliveryPage
from publishing.admin.going_on import GoingOn
from publishing.admin.live_rows import LiveRows
from publishing.admin.publishing_page import PublishingPage
from publishing.admin.receipt import Receipts
from publishing.admin.standing import LABELS
from publishing.admin.timeline import Timeline, ways
from publishing.lifecycle import TERMINAL, WAITING, Status
from publishing.models import Delivery, Watch

_OPEN = (Status.PENDING, Status.CLAIMED, Status.SENDING, Status.RETRY, Status.HELD)
_COMING = ("open", "waiting", "under_way")  # tabs that are read from now on
_NEEDS_A_PERSON = (Status.IN_DOUBT, Status.HELD, Status.FAILED, Status.MISSED)


class QueueFilter(TabFilter):
    """The queue by what it asks of an editor."""

    title = "state"
    parameter_name = "state"
    tabs = (
        ("open", "In the queue"), ("attention", "Needs a person"), ("waiting", "Waiting"),
        ("under_way", "Under way"), ("published", "Published"), ("failed", "Didn’t go out"),
        ("cancelled", "Cancelled"), ("all", "All"),
    )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab."""
        match self.tab():
            case "open":
                return queryset.filter(status__in=(*_OPEN, Status.IN_DOUBT))
            case "attention":
                drifted = Q(watch__finding__gt="", watch__noted_by=None)
                return queryset.filter(Q(status__in=_NEEDS_A_PERSON) | drifted)
            case "waiting":
                return queryset.filter(status__in=(Status.PENDING, Status.RETRY))
            case "under_way":
                return queryset.filter(status__in=(Status.CLAIMED, Status.SENDING))
            case "failed":
                return queryset.filter(status__in=(Status.FAILED, Status.MISSED))
            case "all":
                return queryset
            case status:
                return queryset.filter(status=status)


class DayFilter(admin.SimpleListFilter):
    """By the day for which it was planned."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """A few days around today."""
        return (
            ("yesterday", "Yesterday"), ("today", "Today"), ("tomorrow", "Tomorrow"),
            ("week", "The next 7 days"),
        )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of these days."""
        first, days = {
            "yesterday": (-1, 1), "today": (0, 1), "tomorrow": (1, 1), "week": (0, 7),
        }.get(self.value() or "", (0, 0))  # fmt: skip
        if not days:
            return queryset
        zone, today = timezone.get_current_timezone(), timezone.localdate()
        begin = agenda.day(today + timedelta(days=first), zone).begin
        end = agenda.day(today + timedelta(days=first + days), zone).begin
        return queryset.filter(scheduled_at__gte=begin, scheduled_at__lt=end)


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


@admin.register(Delivery)
class DeliveryAdmin(Timeline, PublishingPage, GoingOn, LiveRows, DeliveryPage, InBulk, Receipts):
    """The publishing queue. Rows change through acts only."""

    class Media:
        css: ClassVar = {"all": ["newsdesk/queue.css"]}
        js = ("newsdesk/live_rows.js",)

    list_display = ("headline", "standing", "due", "row_acts")
    list_filter = (QueueFilter, DayFilter, "channel", "act")
    list_before_template = "newsdesk/queue.html"
    sortable_by = ()
    search_fields = ("article__title",)
    search_help_text = "Words of the story’s title"
    counted_as = "deliveries"
    list_hint = "Each row is one story to one channel. What is in doubt stands first."
    empty_hint = "Nothing here. Approve a story and press “Publish” on its page."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In doubt first, then by time; without the stories' text."""
        # Not super(): it orders by `urgent` before there is such a column.
        rows: QuerySet[Any] = Delivery.objects.select_related(
            "article", "channel", "cancelled_by", "watch"
        )
        rows = rows.defer(
            "article__content", "article__search", "article__metadata", "channel__credentials"
        )
        urgent = Case(
            When(status=Status.IN_DOUBT, then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
        with_urgency: QuerySet[Any] = rows.annotate(urgent=urgent)
        return with_urgency

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What needs a person first; then what comes next, or in what is over the newest."""
        if request.GET.get(QueueFilter.parameter_name, "open") in _COMING:
            return ("urgent", "scheduled_at", "id")
        return ("urgent", "-scheduled_at", "-id")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, below what only a person can tell."""
        extra = {
            **doubts.panel(request),
            **drifts.panel(request),
            **going_on.panel(request),
            "ways": ways(),
            "live_rows_url": reverse("admin:publishing_delivery_rows"),
        }
        return super().changelist_view(request, extra | (extra_context or {}))

    @display(description="Story")
    def headline(self, delivery: Delivery) -> SafeString:
        """Which story, and where to."""
        act = "" if delivery.act == Delivery.Acts.PUBLISH else f"{delivery.get_act_display()}: "
        return headline(delivery.article.title, f"{act}to {delivery.channel}")

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


def _drifted(request: HttpRequest, delivery: Delivery) -> bool:
    found = Watch.objects.filter(delivery=delivery, noted_by=None).exclude(finding="")
    return _in(Status.PUBLISHED)(request, delivery) and found.exists()


def _noted(request: HttpRequest, delivery: Delivery, _data: Mapping[str, Any]) -> str:
    readback.noted(delivery.pk, actor(request))
    return "Noted: you have seen what became of the post."


_ACTS = (
    Act(
        "drift_noted", "Seen", "visibility", _noted, _drifted,
        hint="The post is gone or says something else; you know of it.",
    ),
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
