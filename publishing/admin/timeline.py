"""The queue as a timeline: a day by hours and channels, or a week by channels and days.

What waits is moved by dragging it, with Shift and an arrow key, or with the form below, which
needs no JavaScript. A move is conditional on the time that the person saw.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from articles.errors import DeskError, Incomplete
from config.admin_base import ReadOnlyAdmin, actor, only_by_button
from publishing import agenda, queue
from publishing.admin import doubts, going_on
from publishing.admin.timeline_card import MOVABLE, Wanted, card, filters
from publishing.agenda import Slice
from publishing.models import Delivery


class Timeline(ReadOnlyAdmin):
    """Mix-in for the queue's page."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the timeline's."""
        view = self.admin_site.admin_view
        return [
            path("timeline/", view(self.timeline_view), name="publishing_delivery_timeline"),
            path("timeline/now/", view(self.card_view), name="publishing_delivery_timeline_now"),
            path("timeline/move/", view(self.move_view), name="publishing_delivery_move"),
            *super().get_urls(),
        ]

    def timeline_view(self, request: HttpRequest) -> TemplateResponse:
        """The page."""
        self._may_look(request)
        wanted = Wanted.read(request.GET.dict())
        shown = card(request, wanted)
        context = {
            **self.admin_site.each_context(request),
            **shown,
            **doubts.panel(request),
            **going_on.panel(request),
            "title": "Publishing queue",
            "opts": self.opts,
            "ways": ways(wanted),
            "filters": filters(wanted, shown["all_channels"]),
            "movable": _movable(shown["deliveries"]) if shown["may_move"] else [],
        }
        return TemplateResponse(request, "newsdesk/timeline.html", context)

    def card_view(self, request: HttpRequest) -> TemplateResponse:
        """The timeline alone, for the page that is open."""
        self._may_look(request)
        shown = card(request, Wanted.read(request.GET.dict()))
        return TemplateResponse(request, "newsdesk/timeline_card.html", shown)

    def move_view(self, request: HttpRequest) -> HttpResponse:
        """Move a delivery to an hour, a day or a time; POST only.

        The script asks for the timeline back; without it the person is sent to the page.
        """
        if request.method != "POST":
            return only_by_button(
                self.admin_site, request, reverse("admin:publishing_delivery_timeline")
            )
        self._may_look(request)
        wanted = Wanted.read(request.GET.dict())
        by_script = "to" in request.POST
        try:
            said, kind = _moved(request), "success"
        except DeskError as refusal:
            said, kind = str(refusal), "danger"
        if by_script:
            shown = card(request, wanted) | {"said": said, "said_kind": kind}
            return TemplateResponse(request, "newsdesk/timeline_card.html", shown)
        (messages.success if kind == "success" else messages.error)(request, said)
        return HttpResponseRedirect(
            f"{reverse('admin:publishing_delivery_timeline')}?{wanted.query()}"
        )

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def ways(wanted: Wanted | None = None) -> list[dict[str, Any]]:
    """The ways to look at the queue; without `wanted` the list is the one that is open."""
    page, there = (
        reverse("admin:publishing_delivery_timeline"),
        wanted or Wanted(timezone.localdate()),
    )
    day, week = there.query(view=""), there.query(view="week")
    listed = reverse("admin:publishing_delivery_changelist")
    return [
        {"label": "List", "icon": "list", "url": listed, "open": wanted is None},
        {
            "label": "Day", "icon": "calendar_view_day", "url": f"{page}?{day}",
            "open": wanted is not None and not wanted.week,
        },
        {
            "label": "Week", "icon": "calendar_view_week", "url": f"{page}?{week}",
            "open": wanted is not None and wanted.week,
        },
    ]  # fmt: skip


def _movable(deliveries: Iterable[Delivery]) -> list[tuple[int, str]]:
    """What can be moved to an exact time, as choices."""
    return [
        (
            each.pk,
            f"{timezone.localtime(each.scheduled_at):%d %b %H:%M} · {each.channel.name} · "
            f"{each.article.title[:80]}",
        )
        for each in deliveries
        if each.status in MOVABLE
    ]


def _moved(request: HttpRequest) -> str:
    """Carry a wish to move out; what became of it in words, or a `DeskError`."""
    delivery = Delivery.objects.filter(pk=_number(request.POST.get("delivery", ""))).first()
    if delivery is None:
        raise Incomplete({"delivery": "Choose the delivery to move."})
    now = timezone.now()
    at, seen = _wished(request.POST, delivery, now)
    moved = queue.reschedule(delivery.pk, actor(request), at, seen=seen)
    if at <= now:
        return f"It goes to {moved.channel} now."
    when = timezone.localtime(moved.scheduled_at)
    return f"It goes to {moved.channel} on {when.day} {when:%b %Y at %H:%M}."


def _wished(
    posted: QueryDict, delivery: Delivery, now: datetime
) -> tuple[datetime, datetime | None]:
    """The time that was wished for, and the one that the person saw."""
    if "to" not in posted:
        field = forms.SplitDateTimeField()
        try:
            at = field.clean([posted.get("scheduled_at_0", ""), posted.get("scheduled_at_1", "")])
        except forms.ValidationError:
            raise Incomplete(
                {"scheduled_at": "Enter the new date and time, such as 2026-05-01 and 14:30."}
            ) from None
        return at, None
    kind, _, where = posted.get("to", "").partition(":")
    zone = timezone.get_current_timezone()
    try:
        seen = datetime.fromisoformat(posted.get("seen", ""))
        if kind == "day":
            day = date.fromisoformat(where)
            return agenda.moved_to_day(delivery.scheduled_at, day, zone, now), seen
        begin = datetime.fromisoformat(where).astimezone(zone)
        hour = Slice(begin, begin + timedelta(hours=1))
        return agenda.moved_to_hour(delivery.scheduled_at, hour, now), seen
    except (ValueError, OverflowError):
        raise Incomplete({"to": "The page did not say where to; load it again."}) from None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 15 else 0
