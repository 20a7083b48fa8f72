"""The queue's list, kept live: the script asks how the rows in sight stand now."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin_base import ReadOnlyAdmin, age, display
from publishing.admin import drifts, standing
from publishing.lifecycle import Status
from publishing.models import Delivery

_MOST = 100


class LiveRows(ReadOnlyAdmin):
    """Mix-in: the columns of a delivery that change by themselves."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and that of the rows."""
        rows = path(
            "rows/", self.admin_site.admin_view(self.rows_view), name="publishing_delivery_rows"
        )
        return [rows, *super().get_urls()]

    def rows_view(self, request: HttpRequest) -> TemplateResponse:
        """The changing columns of `?ids=1,2,3`, for the page that shows them. One query."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [int(each) for each in request.GET.get("ids", "").split(",")[:_MOST] if _is_id(each)]
        rows = list(self.get_queryset(request).filter(pk__in=ids))
        for row in rows:
            row.row_acts = self.row_buttons(request, row)
        cells = [
            cell for row in rows for cell in (self.standing(row), self.due(row), self.row_acts(row))
        ]
        return TemplateResponse(request, "newsdesk/live_rows.html", {"cells": cells})

    @display(description="State")
    def standing(self, delivery: Delivery) -> SafeString:
        """Where it stands, in a word and a sentence."""
        return standing_part(delivery)

    @display(description="When")
    def due(self, delivery: Delivery) -> SafeString:
        """When it went out, or is due."""
        return due_part(delivery)

    @display(description="")
    def row_acts(self, obj: Any) -> SafeString:
        """The row's buttons."""
        return _part(obj, "acts", super().row_acts(obj))


def standing_part(delivery: Delivery) -> SafeString:
    """Where it stands, in a word and a sentence, as the script keeps it up to date."""
    return _part(
        delivery,
        "standing",
        render_to_string(
            "newsdesk/standing.html",
            {
                "delivery": delivery,
                "kind": standing.LABELS[delivery.status],
                "icon": standing.ICONS[delivery.status],
                "sentence": standing.sentence(delivery),
                "found": drifts.found(delivery),
                "asks": delivery.status == Status.IN_DOUBT and not delivery.next_attempt_at,
            },
        ),
    )


def due_part(delivery: Delivery) -> SafeString:
    """When it went out, or is due, as the script keeps it up to date."""
    if delivery.published_at:
        when: Any = age(delivery.published_at)
    elif delivery.scheduled_at <= timezone.now() and delivery.status == Status.PENDING:
        when = "now"
    else:
        when = age(delivery.scheduled_at)
    return _part(delivery, "due", when)


def _part(delivery: Delivery, name: str, shown: Any) -> SafeString:
    return format_html('<span data-live-part="{}-{}">{}</span>', name, delivery.pk, shown)


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) < 15
