"""The coverage report: which sources are first, and by how much."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from config.admin_base import DeskAdmin
from sources.coverage import coverage

_SPANS = (1, 7, 30, 90)  # days
_USUAL = 7


class Covering(DeskAdmin):
    """Mix-in for the sources' pages."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the report's."""
        report = path(
            "coverage/",
            self.admin_site.admin_view(self.coverage_view),
            name="sources_source_coverage",
        )
        return [report, *super().get_urls()]

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """The report over the days that were asked for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", "")
        days = int(asked) if asked in {str(each) for each in _SPANS} else _USUAL
        return TemplateResponse(
            request,
            "newsdesk/coverage.html",
            {
                **self.admin_site.each_context(request),
                "title": "Coverage",
                "opts": self.opts,
                "spans": [_span(each, each == days) for each in _SPANS],
                "rows": [
                    {
                        "source": each,
                        "url": reverse("admin:sources_source_change", args=(each.source_id,)),
                        "percent": round(100 * each.share),
                        "lead": in_words(each.lead),
                        "behind": in_words(each.behind),
                    }
                    for each in coverage(timezone.now(), days)
                ],
            },
        )


def in_words(span: timedelta | None) -> str:
    """A span of time as an editor would say it."""
    if span is None:
        return "–"
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes / 60:.1f} h"
    return f"{minutes / 1440:.1f} days"


def _span(days: int, is_open: bool) -> dict[str, Any]:
    label = "Last 24 hours" if days == 1 else f"Last {days} days"
    return {"label": label, "url": f"?days={days}", "open": is_open}
