"""A delivery's page: where it stands, every attempt in words, and how it is proved."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from config.admin_base import ReadOnlyAdmin, display
from publishing import readback, receipts
from publishing.admin import standing
from publishing.lifecycle import TERMINAL
from publishing.models import Delivery, Watch

_MOST_ATTEMPTS = 50
_NOTHING = "–"
_WHILE_OPEN, _AFTERWARDS = 3, 30  # seconds between two looks


class DeliveryPage(ReadOnlyAdmin):
    """Mix-in for the page of a delivery."""

    change_form_outer_before_template = "newsdesk/delivery.html"
    readonly_fields = (
        "doing", "echo", "drift", "next_attempt", "approved", "marker", "remote_id",
        "remote_draft_id", "queued", "cancelled",
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The details that there are, below what matters."""
        told = [name for name in self.readonly_fields if obj is None or self._says(obj, name)]
        return [("Details", {"fields": told})]

    def _says(self, delivery: Delivery, name: str) -> bool:
        shown = getattr(self, name, None)
        value = shown(delivery) if shown is not None else getattr(delivery, name)
        return value not in ("", None, _NOTHING)

    @display(description="What is done there")
    def doing(self, delivery: Delivery) -> str:
        """The act in words."""
        return delivery.get_act_display()

    @display(description="Next attempt")
    def next_attempt(self, delivery: Delivery) -> str:
        """When, where that is settled."""
        return _moment(delivery.next_attempt_at)

    @display(description="Approved text")
    def approved(self, delivery: Delivery) -> str:
        """Which revision goes out."""
        return f"Revision {delivery.revision.number}"

    @display(description="Queued")
    def queued(self, delivery: Delivery) -> str:
        """When, and by whom."""
        return _by(_moment(delivery.created_at), delivery.created_by)

    @display(description="Cancelled")
    def cancelled(self, delivery: Delivery) -> str:
        """By whom, if somebody did."""
        return _by("", delivery.cancelled_by)

    @display(description="How it does")
    def echo(self, delivery: Delivery) -> str:
        """Its counts, and when the platform was asked."""
        watch = Watch.objects.filter(delivery=delivery).first()
        words = readback.in_words(watch) if watch is not None else ""
        if watch is None or not words or watch.counted_at is None:
            return _NOTHING
        return f"{words} ({timezone.localtime(watch.counted_at):%d %b, %H:%M})"

    @display(description="Still there")
    def drift(self, delivery: Delivery) -> str:
        """What was found when the desk looked."""
        watch = Watch.objects.filter(delivery=delivery).select_related("delivery__channel").first()
        if watch is None or watch.looked_at is None:
            return _NOTHING
        looked = f"{timezone.localtime(watch.found_at or watch.looked_at):%d %b, %H:%M}"
        return f"{readback.found_in_words(watch) or 'As it was sent.'} ({looked})"

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and that of the card."""
        card = path(
            "<int:object_id>/card/",
            self.admin_site.admin_view(self.card_of_delivery_view),
            name="publishing_delivery_card",
        )
        return [card, *super().get_urls()]

    def card_of_delivery_view(self, request: HttpRequest, object_id: int) -> TemplateResponse:
        """The card alone, for the page that is open."""
        delivery = self.get_object(request, str(object_id))
        if delivery is None:
            raise Http404("There is no such delivery.")
        if not self.has_view_permission(request, delivery):
            raise PermissionDenied
        return TemplateResponse(request, "newsdesk/delivery_card.html", told(delivery))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with the card."""
        delivery = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {}) | (told(delivery) if delivery is not None else {})
        if delivery is not None:
            extra["title"] = delivery.article.title
        return super().changeform_view(request, object_id, form_url, extra)


def told(delivery: Delivery) -> dict[str, Any]:
    """What the card shows. Two queries: the attempts, and the changes of what is out."""
    platform = standing.platform_label(delivery.platform)
    tries = list(delivery.tries.order_by("-number")[:_MOST_ATTEMPTS])
    amendments = delivery.amendments.order_by("slot").only("act", "wish", "status", "of")[:20]
    open_ = delivery.status not in TERMINAL
    return {
        "delivery": delivery,
        "platform": platform,
        "kind": standing.LABELS[delivery.status],
        "icon": standing.ICONS[delivery.status],
        "sentence": standing.sentence(delivery, timezone.now()),
        "tries": [standing.told(each, platform) for each in tries],
        "amendments": [
            {
                "words": f"{each.get_wish_display()}: {each.get_act_display().lower()}",
                "state": each.get_status_display(),
                "url": reverse("admin:publishing_delivery_change", args=(each.pk,)),
            }
            for each in amendments
        ],
        "story_url": reverse("admin:articles_story_change", args=(delivery.article_id,)),
        "channel_url": reverse("admin:publishing_channel_change", args=(delivery.channel_id,)),
        "receipt_url": receipts.address(delivery),
        "first_url": reverse("admin:publishing_delivery_change", args=(delivery.of_id,))
        if delivery.of_id
        else "",
        "live_url": reverse("admin:publishing_delivery_card", args=(delivery.pk,)),
        "live_seconds": _WHILE_OPEN if open_ else _AFTERWARDS,
    }


def _moment(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%d %b %Y, %H:%M:%S}" if moment else _NOTHING


def _by(when: str, user: Any) -> str:
    who = f"by {user.get_username()}" if user is not None else ""
    return " ".join(filter(None, (when, who))) or _NOTHING
