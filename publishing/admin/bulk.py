"""Acts on many deliveries at once: each stands alone, and what was left is said why.

An act is chosen in the list's own menu; a page of its own asks for what it needs, so nothing is
done by a slip, and without JavaScript too.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from articles.errors import DeskError
from articles.lifecycle import Right
from articles.record import Actor
from config.admin_base import ReadOnlyAdmin, ReasonForm, StackedDateTimeInput, actor
from publishing import amend, queue
from publishing.models import Delivery

MOST = 200  # at once: a person waits for the answer
_IN_SIGHT = 12  # titles and refusals that are listed
_GONE = "It is gone."


class WhenForm(forms.Form):
    """Another time."""

    scheduled_at = forms.SplitDateTimeField(label="New time", widget=StackedDateTimeInput)


@dataclass(frozen=True, slots=True)
class Bulk:
    """An act on many deliveries."""

    name: str
    label: str
    icon: str
    hint: str
    done: str  # after a number: "12 cancelled."
    perform: Callable[[int, Actor, Mapping[str, Any]], object]
    form: type[forms.Form] = forms.Form
    weight: str = "primary"


BULK = (
    Bulk(
        "cancel", "Cancel", "cancel", "They are taken out of the queue.", "cancelled",
        lambda pk, by, _data: queue.cancel(pk, by), weight="danger",
    ),
    Bulk(
        "hold", "Hold", "pause", "They wait, without a time, until somebody releases them.", "held",
        lambda pk, by, data: queue.hold(pk, by, reason=data["reason"]), ReasonForm,
    ),
    Bulk(
        "release", "Release", "play_arrow", "They go at their times, or now where these are over.",
        "released", lambda pk, by, _data: queue.release(pk, by),
    ),
    Bulk(
        "move", "Move to a time", "schedule", "All of them go out from this time on, in order.",
        "moved", lambda pk, by, data: queue.reschedule(pk, by, data["scheduled_at"]), WhenForm,
    ),
    Bulk(
        "retry", "Try again", "replay", "What has ended stays as it is; new deliveries are made.",
        "tried again", lambda pk, by, _data: queue.retry(pk, by),
    ),
    Bulk(
        "done", "Done by hand", "task_alt", "You have done it on the platforms yourself.",
        "done by hand", lambda pk, by, _data: amend.done(pk, by),
    ),
)  # fmt: skip


class InBulk(ReadOnlyAdmin):
    """Mix-in for the queue's list."""

    def has_queue_permission(self, request: HttpRequest) -> bool:
        """Who may act on deliveries."""
        return request.user.has_perm(Right.QUEUE)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The acts, for those who may."""
        if not self.has_queue_permission(request):
            return {}
        return {act.name: (_action(act), act.name, act.label) for act in BULK}


def _action(act: Bulk) -> Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]:
    @admin.action(description=act.label, permissions=["queue"])
    def run(page: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """Ask, then do it to each of the rows."""
        confirmed = "confirmed" in request.POST
        form = act.form(request.POST if confirmed else None)
        chosen = list(_ticked(request, rows).order_by("scheduled_at", "pk")[: MOST + 1])
        if len(chosen) > MOST:
            messages.error(request, f"Choose {MOST} deliveries at most; nothing was changed.")
            return None
        if not (confirmed and form.is_valid()):
            return _ask(page, request, act, form, chosen)
        _report(request, act, *_each(act, chosen, actor(request), form.cleaned_data))
        return HttpResponseRedirect(request.get_full_path())

    return run


def _ticked(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that were ticked, also those that the open tab would not show any more."""
    if request.POST.get("select_across") == "1":
        return rows
    ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    ids = [int(each) for each in ticked[: MOST + 1] if each.isdecimal() and len(each) < 15]
    return Delivery.objects.select_related("article", "channel").filter(pk__in=ids)


def _each(
    act: Bulk, chosen: Sequence[Delivery], by: Actor, data: Mapping[str, Any]
) -> tuple[int, Counter[str]]:
    done, refused = 0, Counter[str]()
    for each in chosen:
        try:
            act.perform(each.pk, by, data)
        except DeskError as refusal:
            refused[str(refusal)] += 1
        except Delivery.DoesNotExist:
            refused[_GONE] += 1
        else:
            done += 1
    return done, refused


def _report(request: HttpRequest, act: Bulk, done: int, refused: Counter[str]) -> None:
    if done:
        deliveries = "delivery" if done == 1 else "deliveries"
        messages.success(request, f"{done} {deliveries} {act.done}.")
    for words, times in refused.most_common(_IN_SIGHT):
        messages.error(request, words if times == 1 else f"{words} ({times} times)")


def _ask(
    page: Any, request: HttpRequest, act: Bulk, form: forms.Form, chosen: Sequence[Delivery]
) -> TemplateResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": act.label,
        "opts": page.opts,
        "act": act,
        "form": form,
        "chosen": chosen[:_IN_SIGHT],
        "more": max(0, len(chosen) - _IN_SIGHT),
        "count": len(chosen),
        "ids": [each.pk for each in chosen],
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
        "media": page.media + form.media,
    }
    return TemplateResponse(request, "newsdesk/bulk.html", context)
