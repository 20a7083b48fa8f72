"""What a story's page borrows: its deliveries, and the way to publishing it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.models import Article
from config.admin_base import DeskTabularInline, Done, badge, display
from publishing.admin import publishing_page
from publishing.admin.live_rows import due_part, standing_part
from publishing.models import Delivery

_FOUND = {"gone": "danger", "changed": "danger"}


def publish(_request: HttpRequest, story: Article, _data: Mapping[str, Any]) -> Done:
    """Go on to the page that shows how the story will read, and publishes it."""
    return Done("", publishing_page.address(story.pk))


class DeliveryInline(DeskTabularInline):
    """Where a story goes and went."""

    model = Delivery
    fk_name = "article"
    tab = True
    hide_title = True
    verbose_name_plural = "deliveries"
    fields = ("to", "standing", "due", "still_there")
    readonly_fields = fields

    class Media:
        css: ClassVar = {"all": ["newsdesk/queue.css"]}
        js: ClassVar = [
            Script(
                "newsdesk/live_rows.js",
                **{
                    "data-live-rows": reverse_lazy("admin:publishing_delivery_rows"),
                    "data-live-seconds": "2",
                },
            )
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With all that a row says."""
        return super().get_queryset(request).select_related("channel", "watch", "cancelled_by")

    @display(description="Channel")
    def to(self, delivery: Delivery) -> SafeString:
        """The channel; the link leads to the delivery's own page."""
        return format_html(
            '<a href="{}" class="text-primary-600">{}</a>',
            reverse("admin:publishing_delivery_change", args=(delivery.pk,)),
            delivery.channel.name,
        )

    @display(description="State")
    def standing(self, delivery: Delivery) -> SafeString:
        """Where it stands, with the post or what is in its way."""
        return standing_part(delivery)

    @display(description="When")
    def due(self, delivery: Delivery) -> SafeString:
        """When it went out, or is due."""
        return due_part(delivery)

    @display(description="Still there")
    def still_there(self, delivery: Delivery) -> SafeString | str:
        """Whether the post stands as it was sent; nothing where nobody has looked."""
        watch = getattr(delivery, "watch", None)
        if watch is None or watch.looked_at is None:
            return "–"
        return badge(watch.get_finding_display(), _FOUND.get(watch.finding, ""))
