"""Fetching older pieces, on a source's page: start, progress, cancel."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from config.admin_base import Act, NumberInput, TextInput, actor
from sources import backfill
from sources.models import Backfill, Source


class OlderForm(forms.Form):
    """How far back."""

    until = forms.DateField(
        label="Back to",
        required=False,
        widget=TextInput(attrs={"type": "date"}),
        help_text="Nothing published before that day. Empty: as far as the source goes.",
    )
    most = forms.IntegerField(
        label="At most … pieces",
        initial=1000,
        min_value=1,
        max_value=100_000,
        widget=NumberInput,
    )

    def clean_until(self) -> datetime | None:
        """The day's first moment; a day to come would bring nothing."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if day >= timezone.localdate():
            raise forms.ValidationError("Choose a day in the past.")
        return timezone.make_aware(datetime.combine(day, time.min))


def words(source: Source) -> str:
    """How the source's last job for older pieces stands; "" when there never was one."""
    job = Backfill.objects.filter(source=source).first()
    if job is None:
        return ""
    pages = "1 page" if job.pages == 1 else f"{job.pages} pages"
    so_far = f"{pages}, {job.pieces} pieces, {job.new} of them new"
    if job.oldest is not None:
        so_far += f", back to {timezone.localtime(job.oldest):%d %b %Y}"
    return f"{job.get_state_display()}: {so_far}. {job.reason}".strip()


def _may_start(request: HttpRequest, source: Source) -> bool:
    may = request.user.has_perm("sources.change_source") and backfill.can_reach_back(source)
    return may and backfill.under_way(source) is None


def _may_cancel(request: HttpRequest, source: Source) -> bool:
    may = request.user.has_perm("sources.change_source")
    return may and backfill.under_way(source) is not None


def _start(request: HttpRequest, source: Source, data: Mapping[str, Any]) -> str:
    backfill.start(source, actor(request).user, until=data["until"], most=data["most"])
    return "Older pieces are being fetched, page by page. They appear under “Older pieces”."


def _cancel(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> str:
    stopped = backfill.cancel(source)
    return "No more older pieces are fetched." if stopped else "It had ended already."


ACTS = (
    Act(
        "older", "Fetch older pieces", "history", _start, _may_start, form=OlderForm,
        hint="Slowly, so that the source does not mind. What comes is kept out of “New”.",
    ),
    Act("older-stop", "Stop fetching older pieces", "stop_circle", _cancel, _may_cancel),
)  # fmt: skip
