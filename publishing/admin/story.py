"""What a story's page borrows: its deliveries, and the way to publishing it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.models import Article
from config.admin_base import DeskTabularInline, Done, age, display
from publishing.admin import publishing_page
from publishing.admin.standing import LABELS
from publishing.models import Delivery


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
    fields = ("to", "state_badge", "when", "outcome", "still_there")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the channels."""
        return super().get_queryset(request).select_related("channel", "watch")

    @display(description="Channel")
    def to(self, delivery: Delivery) -> SafeString:
        """The channel; the link leads to the delivery's own page."""
        return format_html(
            '<a href="{}" class="text-primary-600">{}</a>',
            reverse("admin:publishing_delivery_change", args=(delivery.pk,)),
            delivery.channel.name,
        )

    @display(description="State", label=LABELS)
    def state_badge(self, delivery: Delivery) -> tuple[str, str]:
        """Where it stands."""
        return delivery.status, delivery.get_status_display()

    @display(description="When")
    def when(self, delivery: Delivery) -> SafeString:
        """When it went out, or is due."""
        return age(delivery.published_at or delivery.scheduled_at)

    @display(description="Outcome")
    def outcome(self, delivery: Delivery) -> SafeString | str:
        """The post, or what stands in the way."""
        if delivery.remote_url:
            return format_html(
                '<a href="{}" class="text-primary-600" target="_blank" rel="noopener noreferrer">'
                "Open the post</a>",
                delivery.remote_url,
            )
        return delivery.error_message or "–"

    @display(description="Still there", label={"gone": "danger", "changed": "danger"})
    def still_there(self, delivery: Delivery) -> tuple[str, str] | None:
        """Whether the post stands as it was sent; nothing where nobody has looked."""
        watch = getattr(delivery, "watch", None)
        if watch is None or watch.looked_at is None:
            return None
        return watch.finding, watch.get_finding_display()
