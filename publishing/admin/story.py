"""What a story's page borrows: its deliveries, and the form that queues it to channels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.errors import DeskError, WrongState
from articles.models import Article
from config.admin_base import (
    Checkboxes,
    DeskTabularInline,
    StackedDateTimeInput,
    Switch,
    actor,
    age,
    display,
)
from publishing import queue
from publishing.admin.standing import LABELS
from publishing.models import Channel, Delivery


class PublishForm(forms.Form):
    """Which channels, and when. With `initial["story"]` each channel's problems are named."""

    channels = forms.MultipleChoiceField(
        label="Channels",
        widget=Checkboxes,
        error_messages={"required": "Choose at least one channel."},
    )
    scheduled_at = forms.SplitDateTimeField(
        label="When",
        required=False,
        widget=StackedDateTimeInput,
        help_text="Leave it empty to publish now.",
    )
    next_slot = forms.BooleanField(
        label="At each channel's next free slot",
        required=False,
        widget=Switch,
        help_text="By the channels' weekly plans; with a time above, not before it.",
    )
    confirm_duplicates = forms.BooleanField(
        label="Even if the same is there already",
        required=False,
        widget=Switch,
        help_text="A channel that has the same text or link takes it only with this.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        story = self.initial.get("story")
        field = self.fields["channels"]
        channels = Channel.objects.filter(is_active=True).order_by("name")
        choices = [(str(channel.pk), _label(channel, story)) for channel in channels]
        field.choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField
        if not choices:
            field.help_text = "There is no active channel yet: connect one under Channels."


def publish(request: HttpRequest, story: Article, data: Mapping[str, Any]) -> str:
    """Queue the story to the channels of a valid `PublishForm`; what became of each, in words.

    Raises a `DeskError` when no channel took it.
    """
    results = queue.enqueue(
        story.pk, [int(pk) for pk in data["channels"]], actor(request), at=data["scheduled_at"],
        next_slot=data["next_slot"], confirm_duplicates=data["confirm_duplicates"],
    )  # fmt: skip
    if data["next_slot"]:
        queued = [
            f"{each.channel} ({_moment(each.delivery.scheduled_at)})"
            for each in results
            if each.delivery
        ]
    else:
        queued = [str(result.channel) for result in results if result.delivery]
    refused = [result.problem for result in results if not result.delivery]
    if not queued:
        raise WrongState(" ".join(refused))
    moment = ""
    if not data["next_slot"]:
        when = data["scheduled_at"]
        moment = f", for {_moment(when)}" if when else ", now"
    waiting = [
        each.delivery.error_message
        for each in results
        if each.delivery and each.delivery.next_attempt_at
    ]
    return " ".join([f"Queued to {', '.join(queued)}{moment}.", *waiting, *refused])


def _moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%d %b %Y, %H:%M}"


class DeliveryInline(DeskTabularInline):
    """Where a story goes and went."""

    model = Delivery
    fk_name = "article"
    tab = True
    hide_title = True
    verbose_name_plural = "deliveries"
    fields = ("to", "state_badge", "when", "outcome")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the channels."""
        return super().get_queryset(request).select_related("channel")

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


def _label(channel: Channel, story: Article | None) -> str:
    """The channel's name, and what its platform would refuse about this story."""
    if channel.paused_reason:
        return f"{channel} (paused: deliveries wait)"
    if story is None:
        return channel.name
    try:
        found = queue.problems(story, queue.publishable(story), channel)
    except DeskError:
        return channel.name
    words = " ".join(problem.sentence for problem in found)
    return f"{channel}: {words}" if words else channel.name
