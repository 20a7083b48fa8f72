"""Today's page, the console's first: what needs attention now, what is due, what went out.

django-unfold calls `dashboard` by its dotted path in `settings.UNFOLD`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from articles.lifecycle import Right, State
from articles.models import Article
from config.console import (
    FOR_A_PERSON,
    approved_and_idle,
    capped,
    failing_sources,
    in_review,
    new_on_the_wire,
)
from publishing import readback
from publishing.models import Channel, Delivery, Watch
from sources import burst
from sources.models import Source

_TOP = 8  # rows in each of its lists


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list on today's page."""

    text: str
    url: str
    detail: str = ""
    outside: str = ""  # where readers see it


@dataclass(frozen=True, slots=True)
class Section:
    """One list on today's page; an empty one says what to do instead."""

    title: str
    icon: str
    kind: str  # danger, warning, info
    rows: list[Row]
    more: str = ""  # address of the whole list
    empty: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What needs attention now, what is due, and what went out today."""
    now = timezone.now()
    user = request.user
    attention: list[Section] = []
    if user.has_perm("publishing.view_delivery"):
        attention += [_in_doubt(), _failed(), _drifted()]
    if user.has_perm("publishing.view_channel"):
        attention.append(_paused_channels())
    if user.has_perm(Right.EDIT_ALL):
        attention.append(_silently_edited())
    if user.has_perm("sources.view_source"):
        attention += [_held_bursts(), _failing()]
    if user.has_perm(Right.RETURN):
        attention.append(_waiting_for_review())
    if user.has_perm(Right.QUEUE):
        attention.append(_approved())
    if user.has_perm(Right.WRITE):
        attention.append(_mine(user.pk))
    return context | {
        "title": "Today",
        "numbers": list(_numbers()),
        "attention": [section for section in attention if section.rows],
        "coming": [_due_soon(now), _out_today()],
        "first_steps": list(_first_steps(request)),
    }


def _numbers() -> Iterable[tuple[str, str, str]]:
    wire, stories = reverse("admin:articles_wireitem_changelist"), _stories()
    yield capped(new_on_the_wire()) or "0", "new on the wire", wire
    yield capped(in_review()) or "0", "stories in review", f"{stories}?state=in_review"
    yield capped(approved_and_idle()) or "0", "approved, not queued", f"{stories}?state=approved"
    yield capped(_out_since(_midnight())) or "0", "went out today", f"{stories}?state=live"


def _in_doubt() -> Section:
    return Section(
        "Went out or not? Only a person can tell",
        "help",
        "danger",
        [
            _delivery_row(each, "Look on the platform, then say so in the queue.")
            for each in _deliveries().filter(FOR_A_PERSON).order_by("-id")[:_TOP]
        ],
        _queue(),
    )


def _failed() -> Section:
    recent = timezone.now() - timedelta(days=3)
    failed = _deliveries().filter(status__in=("failed", "missed"), updated_at__gte=recent)
    return Section(
        "Didn't go out",
        "error",
        "danger",
        [_delivery_row(each, each.error_message) for each in failed.order_by("-id")[:_TOP]],
        _queue(),
    )


def _drifted() -> Section:
    found = Watch.objects.filter(noted_by=None).exclude(finding="")
    found = found.select_related("delivery__article", "delivery__channel")
    return Section(
        "What is out is not what was sent",
        "difference",
        "danger",
        [
            _delivery_row(each.delivery, readback.found_in_words(each))
            for each in found.order_by("-found_at")[:_TOP]
        ],
        _queue(),
    )


def _paused_channels() -> Section:
    paused = Channel.objects.filter(is_active=True).exclude(paused_reason="")
    return Section(
        "Channels that send nothing until somebody looks",
        "link_off",
        "danger",
        [
            Row(
                each.name,
                reverse("admin:publishing_channel_change", args=(each.pk,)),
                each.paused_reason,
            )
            for each in paused.order_by("name")[:_TOP]
        ],
        reverse("admin:publishing_channel_changelist"),
    )


def _silently_edited() -> Section:
    stories = Article.objects.public().whose_source_changed()
    rows = [_story_row(story) for story in _for_rows(stories.order_by("-published_at"))]
    return Section(
        "The source changed what is already out",
        "sync_problem",
        "danger",
        rows,
        f"{_stories()}?state=all&source=changed",
    )


def _held_bursts() -> Section:
    return Section(
        "Held: far more than usual came at once",
        "front_hand",
        "warning",
        [
            Row(
                str(each),
                reverse("admin:sources_burst_change", args=(each.pk,)),
                burst.in_words(each),
            )
            for each in burst.held()[:_TOP]
        ],
        reverse("admin:sources_burst_changelist"),
    )


def _failing() -> Section:
    return Section(
        "Sources in trouble",
        "cell_tower",
        "warning",
        [
            Row(
                source.name,
                reverse("admin:sources_source_change", args=(source.pk,)),
                source.paused_reason or source.last_error or f"Health {source.health}",
            )
            for source in failing_sources().order_by("health", "name")[:_TOP]
        ],
        reverse("admin:sources_source_changelist"),
    )


def _waiting_for_review() -> Section:
    rows = [_story_row(story) for story in _for_rows(in_review().order_by("urgency", "id"))]
    return Section(
        "Waiting for review", "rate_review", "warning", rows, f"{_stories()}?state=in_review"
    )


def _approved() -> Section:
    rows = [_story_row(story) for story in _for_rows(approved_and_idle().order_by("urgency", "id"))]
    return Section(
        "Approved, no channel chosen", "check_circle", "info", rows, f"{_stories()}?state=approved"
    )


def _mine(user_id: int | None) -> Section:
    mine = Article.objects.stories().filter(
        assignee_id=user_id, state__in=(State.DRAFT, State.IN_REVIEW)
    )
    rows = [_story_row(story) for story in _for_rows(mine.order_by("-updated_at"))]
    return Section("Yours to finish", "edit_document", "info", rows, f"{_stories()}?state=mine")


def _due_soon(now: Any) -> Section:
    due = _deliveries().filter(
        status__in=("pending", "retry", "held"), scheduled_at__lte=now + timedelta(hours=24)
    )
    return Section(
        "Due in the next 24 hours",
        "schedule",
        "info",
        [
            _delivery_row(each, f"{timezone.localtime(each.scheduled_at):%d %b %H:%M}")
            for each in due.order_by("scheduled_at")[:_TOP]
        ],
        _queue(),
        "Nothing is waiting. Approve a story and press “Publish” on its page.",
    )


def _out_today() -> Section:
    out = _deliveries().filter(status="published", published_at__gte=_midnight())
    return Section(
        "Out today",
        "public",
        "info",
        [
            Row(
                str(each.article),
                _story_url(each.article_id),
                f"{each.channel} · {timezone.localtime(each.published_at):%H:%M}",
                each.remote_url,
            )
            for each in out.order_by("-published_at")[:_TOP]
        ],
        _queue(),
        "Nothing yet today.",
    )


def _first_steps(request: HttpRequest) -> Iterable[Row]:
    if request.user.has_perm("sources.add_source") and not Source.objects.exists():
        yield Row(
            "Add your first source",
            reverse("admin:sources_source_add"),
            "A feed's address is enough to begin.",
        )
    if request.user.has_perm("publishing.add_channel") and not Channel.objects.exists():
        yield Row(
            "Add a channel",
            reverse("admin:publishing_channel_add"),
            "Where your stories go: a WordPress site, a Mastodon account, a webhook. "
            "“Dry run” posts nowhere and is good for trying.",
        )


def _deliveries() -> "QuerySet[Any]":
    return Delivery.objects.select_related("article", "channel").defer(
        "article__content", "article__metadata", "article__search"
    )


def _out_since(moment: Any) -> "QuerySet[Any]":
    return Delivery.objects.filter(status="published", published_at__gte=moment)


def _midnight() -> Any:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _for_rows(stories: "QuerySet[Any]") -> "QuerySet[Any]":
    return stories.defer("content", "metadata", "search").select_related("assignee")[:_TOP]


def _story_row(story: Any) -> Row:
    details = [f"urgency {story.urgency}"]
    if story.assignee:
        details.append(f"with {story.assignee.get_username()}")
    if story.planned_for:
        details.append(f"planned for {timezone.localtime(story.planned_for):%d %b %H:%M}")
    return Row(str(story), _story_url(story.pk), " · ".join(details))


def _delivery_row(delivery: Any, detail: str) -> Row:
    return Row(
        f"{delivery.article} → {delivery.channel}",
        reverse("admin:publishing_delivery_change", args=(delivery.pk,)),
        detail,
    )


def _stories() -> str:
    return reverse("admin:articles_story_changelist")


def _story_url(story_id: int) -> str:
    return reverse("admin:articles_story_change", args=(story_id,))


def _queue() -> str:
    return reverse("admin:publishing_delivery_changelist")
