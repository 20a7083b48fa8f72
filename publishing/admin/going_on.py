"""After a channel was put right: what was held or failed there goes on together.

The page says how many there are of each kind and how the channel stands, and asks first. What goes
out is the approved story with the channel's settings as they were shown; whatever else has changed
is held again and looked at by itself.
"""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from articles.errors import DeskError
from articles.lifecycle import Right
from articles.record import Actor
from config.admin_base import ReadOnlyAdmin, actor
from publishing import approval, queue, stuck
from publishing.admin import standing
from publishing.models import Channel, Delivery
from publishing.stuck import Kind, Stuck

MOST = 200  # at once: a person waits for the answer
_IN_SIGHT = 6
_LABELS = {
    Kind.HELD: ("Held by the desk", "They are released: now, or at their time if it is still to "
                "come."),
    Kind.FAILED: ("Failed in the last 7 days", "They are tried again, as new deliveries."),
    Kind.BY_A_PERSON: ("Held by people", "Somebody keeps these back on purpose."),
}  # fmt: skip


class GoingOn(ReadOnlyAdmin):
    """Mix-in for the queue's pages."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the one where a channel's stuck deliveries go on."""
        page = path(
            "go-on/<int:channel_id>/",
            self.admin_site.admin_view(self.going_on_view),
            name="publishing_delivery_go_on",
        )
        return [page, *super().get_urls()]

    def going_on_view(self, request: HttpRequest, channel_id: int) -> HttpResponse:
        """Ask; a POST does it."""
        if not (self.has_view_permission(request) and request.user.has_perm(Right.QUEUE)):
            raise PermissionDenied
        channel = Channel.objects.filter(pk=channel_id).first()
        if channel is None:
            raise Http404("There is no such channel.")
        if request.method == "POST" and self._went_on(request, channel):
            return HttpResponseRedirect(_channel_list(channel))
        groups = [_group(kind, channel) for kind in Kind]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Release and try again: {channel}",
            "opts": self.opts,
            "channel": channel,
            "groups": [each for each in groups if each["count"]],
            "kept_back": standing.kept_back(channel, timezone.now()),
            "settings": approval.settings_hash(channel),
            "most": MOST,
            "back": _channel_list(channel),
        }
        return TemplateResponse(request, "newsdesk/go_on.html", context)

    def _went_on(self, request: HttpRequest, channel: Channel) -> bool:
        """Whether it was done; else the page says why not and asks again."""
        kinds = [kind for kind in Kind if kind.value in request.POST.getlist("kinds")]
        if not kinds:
            messages.error(request, "Tick what should go on.")
            return False
        seen = request.POST.get("settings", "")
        if seen != approval.settings_hash(channel):
            messages.error(
                request, f"The settings of {channel} changed since you looked; look once more."
            )
            return False
        by, now = actor(request), timezone.now()
        for kind in kinds:
            rows = stuck.rows(kind, [channel], now).values_list("pk", flat=True)
            _report(request, kind, *_each(kind, list(rows[:MOST]), by, seen))
        return True


def address(channel: Channel) -> str:
    """Where a channel's stuck deliveries go on."""
    return reverse("admin:publishing_delivery_go_on", args=(channel.pk,))


def panel(request: HttpRequest) -> dict[str, Any]:
    """The channels with stuck deliveries, above the queue. Three queries."""
    if not request.user.has_perm(Right.QUEUE):
        return {}
    channels = list(Channel.objects.order_by("name").defer("credentials"))
    return {"stuck": [shown(each) for each in stuck.everywhere(channels, timezone.now())]}


def shown(found: Stuck) -> dict[str, Any]:
    """One channel for a template."""
    return {
        "channel": found.channel,
        "words": found.words,
        "urgent": found.urgent,
        "url": address(found.channel),
    }


def _group(kind: Kind, channel: Channel) -> dict[str, Any]:
    found = stuck.rows(kind, [channel], timezone.now())
    label, hint = _LABELS[kind]
    count = found.count()
    return {
        "kind": kind.value,
        "label": label,
        "hint": hint,
        "count": count,
        "first": list(found.select_related("article")[:_IN_SIGHT]),
        "more": max(0, count - _IN_SIGHT),
        "ticked": kind is not Kind.BY_A_PERSON,
    }


def _each(kind: Kind, ids: list[int], by: Actor, seen: str) -> tuple[int, Counter[str]]:
    done, refused = 0, Counter[str]()
    for pk in ids:
        try:
            if kind is Kind.FAILED:
                queue.retry(pk, by)
            else:
                queue.release(pk, by, settings=seen)
        except DeskError as refusal:
            refused[str(refusal)] += 1
        except Delivery.DoesNotExist:
            refused["It is gone."] += 1
        else:
            done += 1
    return done, refused


def _report(request: HttpRequest, kind: Kind, done: int, refused: Counter[str]) -> None:
    if done:
        deliveries = "delivery" if done == 1 else "deliveries"
        what = "tried again" if kind is Kind.FAILED else "released"
        messages.success(request, f"{done} {deliveries} {what}.")
    for words, times in refused.most_common(_IN_SIGHT):
        messages.error(request, words if times == 1 else f"{words} ({times} times)")


def _channel_list(channel: Channel) -> str:
    listed = reverse("admin:publishing_delivery_changelist")
    return f"{listed}?state=all&channel__id__exact={channel.pk}"
