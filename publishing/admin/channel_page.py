"""How a channel is doing, above its form: state, health, what comes, what its platform can do."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from articles.lifecycle import Right
from config.admin_base import DeskAdmin
from publishing import abilities, planning, platforms, stuck
from publishing.abilities import Ability, Said
from publishing.admin import going_on, standing
from publishing.feeds import telling as feeds
from publishing.lifecycle import WAITING, Status
from publishing.models import Channel, Delivery
from publishing.platforms import base
from publishing.platforms.base import Platform
from publishing.slots import BadPlan

_LOOKED_AT = 100  # deliveries that health speaks of
_SHOWN = 6
_LOOKS_AGAIN = 5  # seconds
_LONG_LIVED, _ENDS_SOON = timedelta(days=28), timedelta(days=6)  # renewals begin a week ahead


class ChannelPage(DeskAdmin):
    """Mix-in for the page of a channel."""

    change_form_outer_before_template = "newsdesk/channel.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and that of the card."""
        card = path(
            "<int:object_id>/card/",
            self.admin_site.admin_view(self.card_view),
            name="publishing_channel_card",
        )
        return [card, *super().get_urls()]

    def card_view(self, request: HttpRequest, object_id: int) -> TemplateResponse:
        """The card alone, for the page that is open."""
        channel = self.get_object(request, str(object_id))
        if channel is None:
            raise Http404("There is no such channel any more.")
        if not self.has_view_permission(request, channel):
            raise PermissionDenied
        return TemplateResponse(request, "newsdesk/channel_card.html", overview(request, channel))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with the card."""
        channel = self.get_object(request, object_id) if object_id else None
        shown = overview(request, channel) if channel is not None else {}
        return super().changeform_view(
            request, object_id, form_url, dict(extra_context or {}) | shown
        )


def overview(request: HttpRequest, channel: Channel) -> dict[str, Any]:
    """What the card shows. Six queries; three more for a feed of ours."""
    now = timezone.now()
    recent = list(
        _rows(channel).filter(scheduled_at__lte=now).order_by("-scheduled_at", "-pk")[:_LOOKED_AT]
    )
    waits = _rows(channel).filter(status__in=WAITING)
    later = waits.filter(scheduled_at__gt=now).order_by("scheduled_at", "pk")[:_SHOWN]
    adapter = (
        platforms.platform(channel.platform) if channel.platform in platforms.table() else None
    )
    able = base.able(adapter) if adapter else []
    kind, words = _state(channel, now)
    back = request.build_absolute_uri(reverse("admin:publishing_channel_connected"))
    return {
        "channel": channel,
        "kind": kind,
        "icon": _ICONS[kind],
        "now_words": words,
        "health": _health(recent),
        "recent": [_line(each) for each in recent if each.status not in WAITING][:_SHOWN],
        "due": waits.filter(scheduled_at__lte=now).count(),
        "waiting": [_line(each) for each in later],
        "places": _places(channel, now),
        "abilities": _abilities(channel, adapter, able),
        "limits": _limits(channel, adapter),
        "stuck": _stuck(request, channel, now),
        "unconnected": standing.never_connected(channel),
        "redirect_uri": back if Ability.CONNECTS in able else "",
        "feed": feeds.on_channel_page(channel) if adapter and adapter.on_our_pages else None,
        "live_url": reverse("admin:publishing_channel_card", args=(channel.pk,)),
        "live_seconds": _LOOKS_AGAIN,
        "timeline_url": f"{reverse('admin:publishing_delivery_timeline')}?channel={channel.pk}",
        "list_url": f"{reverse('admin:publishing_delivery_changelist')}?state=all"
        f"&channel__id__exact={channel.pk}",
    }


def _stuck(request: HttpRequest, channel: Channel, now: datetime) -> dict[str, Any] | None:
    """What can go on together, for those who may let it."""
    if not request.user.has_perm(Right.QUEUE):
        return None
    found = stuck.on(channel, now)
    return going_on.shown(found) if found.words else None


def _abilities(channel: Channel, adapter: Platform | None, able: list[Ability]) -> list[Said]:
    if adapter is None:
        return []
    capabilities = adapter.capabilities.within(channel.known_limits)
    return abilities.in_words(capabilities, able, guessed=base.guessed(adapter, channel.limits))


def _limits(channel: Channel, adapter: Platform | None) -> str:
    """What its server takes, as it said itself; "" where that is not known."""
    known, ruler = channel.known_limits, adapter.capabilities.ruler if adapter else None
    if known is None or ruler is None or channel.limits_read_at is None:
        return ""
    words = f"Its server takes at most {known.length:,} {ruler.unit.value}"
    if known.pictures:
        words += f" and {known.pictures} {'picture' if known.pictures == 1 else 'pictures'}"
    return f"{words}, as it said on {timezone.localtime(channel.limits_read_at):%d %b %Y, %H:%M}."


_ICONS = {
    "success": "check_circle",
    "danger": "pause_circle",
    "warning": "hourglass_top",
    "": "block",
}


def _state(channel: Channel, now: datetime) -> tuple[str, str]:
    """Whether anything goes out: kind of badge, and a sentence."""
    if channel.platform not in platforms.table():
        return "danger", f"The platform “{channel.platform}” is not installed here."
    if not channel.is_active:
        return "", "Switched off. Nothing goes out; its deliveries wait."
    if channel.paused_reason:
        return "danger", f"Paused; its deliveries wait. {channel.paused_reason}"
    if standing.never_connected(channel):
        return "warning", "Not connected yet: press “Connect”."
    if channel.waits_until and channel.waits_until > now:
        until = timezone.localtime(channel.waits_until)
        return "warning", f"It waits for its limit until {until:%H:%M:%S}."
    try:
        quiet = channel.plan.quiet_until(now)
    except BadPlan as problem:
        return "danger", str(problem)
    if ending := _token_ends(channel, now):
        return "warning", ending
    if quiet is not None:
        return "warning", f"Quiet hours until {quiet.astimezone(channel.plan.zone):%a %H:%M}."
    return "success", "On. What is due goes out."


def _token_ends(channel: Channel, now: datetime) -> str:
    """A warning about a long-lived token that should have been renewed by now; "" for none."""
    ends, begun = channel.token_expires_at, channel.renewed_at
    if ends is None or begun is None or ends - begun < _LONG_LIVED or ends - now > _ENDS_SOON:
        return ""
    day = timezone.localtime(ends)
    return f"Its token ends on {day:%d %B} and was not renewed: press “Connect” before then."


def _health(recent: list[Delivery]) -> str:
    """How the last deliveries ended, as a sentence."""
    counts = Counter(each.status for each in recent if each.status not in WAITING)
    ended = sum(counts[each] for each in (Status.PUBLISHED, Status.FAILED, Status.MISSED))
    if not ended:
        return "Nothing has gone out or failed here yet."
    words = f"Of {ended} that ended lately, {counts[Status.PUBLISHED]} went out"
    for status, what in ((Status.FAILED, "failed"), (Status.MISSED, "came too late")):
        if counts[status]:
            words += f", {counts[status]} {what}"
    if counts[Status.IN_DOUBT]:
        words += f". {counts[Status.IN_DOUBT]} in doubt"
    return f"{words}."


def _rows(channel: Channel) -> Any:
    return (
        Delivery.objects.filter(channel=channel)
        .select_related("article")
        .only("status", "act", "scheduled_at", "published_at", "error_message", "remote_url",
              "article__title")
    )  # fmt: skip


def _line(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery": delivery,
        "url": reverse("admin:publishing_delivery_change", args=(delivery.pk,)),
        "kind": standing.LABELS[delivery.status],
        "icon": standing.ICONS[delivery.status],
        "when": delivery.published_at or delivery.scheduled_at,
    }


def _places(channel: Channel, now: datetime) -> list[planning.Place]:
    if not channel.slots:
        return []
    try:
        return list(islice(planning.places(channel, _SHOWN, now), _SHOWN))
    except BadPlan:
        return []
