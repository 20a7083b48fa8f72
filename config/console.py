"""The console's frame: name, looks, sidebar with badges, and today's page.

django-unfold calls these by the dotted paths in `settings.UNFOLD`. Badges and numbers stop
counting at `CAP`: an exact count of a busy wire took 608 ms on every page, this takes a few.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from articles.lifecycle import Right, State
from articles.models import Article, Distribution
from publishing import readback
from publishing.models import Channel, Delivery, Watch
from sources import burst
from sources.models import Source

CAP = 100
_TOP = 8  # rows in each of today's lists
_FOR_A_PERSON = Q(status="in_doubt", next_attempt_at=None)  # else the desk finds out by itself
_LOW_HEALTH = 50


def logo(_request: HttpRequest) -> str:
    """The mark beside the name."""
    return static("newsdesk/mark.svg")


def login_image(_request: HttpRequest) -> str:
    """What stands beside the login form."""
    return static("newsdesk/login.svg")


def stylesheet(_request: HttpRequest) -> str:
    """The console's own looks."""
    return static("newsdesk/newsdesk.css")


def script(_request: HttpRequest) -> str:
    """The console's own behaviour."""
    return static("newsdesk/newsdesk.js")


def environment(_request: HttpRequest) -> list[str] | None:
    """A label at the top that keeps people from taking a trial for the newsroom's desk."""
    if getattr(settings, "DEMO", False):
        return ["Demo", "info"]
    return None if settings.PRODUCTION else ["Development", "warning"]


# --- the sidebar ---


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The console's pages in the order an editor works, those that this person may see."""
    desk = [
        _page("Today", "today", reverse("admin:index")),
        _list(request, "Wire", "rss_feed", "articles.wireitem", new_on_the_wire(), "info"),
        _list(request, "Clusters", "hub", "articles.cluster"),
        _list(request, "Stories", "article", "articles.story", in_review(), "warning"),
        _list(
            request, "Publishing queue", "schedule_send", "publishing.delivery", in_trouble(),
            "danger",
        ),
    ]  # fmt: skip
    sources = _list(request, "Sources", "cell_tower", "sources.source", failing_sources(), "danger")
    coverage = _coverage(request)
    if sources and coverage and request.path == coverage["link"]:
        sources["active"] = False  # its address is the beginning of the other's
    supply = [
        sources,
        coverage,
        _list(request, "Rules", "rule", "articles.rule"),
        _list(request, "Channels", "campaign", "publishing.channel"),
        _list(request, "Subscribers", "contact_mail", "publishing.subscriber"),
        _list(request, "Schedules", "update", "django_celery_beat.periodictask"),
    ]
    house = [
        _list(request, "Users", "person", "auth.user"),
        _list(request, "Groups", "groups", "auth.group"),
        _list(request, "Prompts", "edit_note", "ai.prompt"),
        _list(request, "AI log", "neurology", "ai.generation"),
    ]
    return [
        {"title": None, "items": [page for page in desk if page]},
        {
            "title": "Sources and channels",
            "separator": True,
            "items": [page for page in supply if page],
        },
        {"title": "Settings", "separator": True, "items": [page for page in house if page]},
    ]


def _page(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}


def _coverage(request: HttpRequest) -> dict[str, Any] | None:
    if not request.user.has_perm("sources.view_source"):
        return None
    return _page("Coverage", "leaderboard", reverse("admin:sources_source_coverage"))


def _list(
    request: HttpRequest,
    title: str,
    icon: str,
    model: str,
    counted: "QuerySet[Any] | None" = None,
    kind: str = "",
) -> dict[str, Any] | None:
    from django.contrib import admin

    app, name = model.split(".")
    registered = {type_._meta.label_lower: page for type_, page in admin.site._registry.items()}
    page = registered.get(model)
    if page is None or not page.has_module_permission(request):
        return None
    if not page.has_view_or_change_permission(request):
        return None
    item = _page(title, icon, reverse(f"admin:{app}_{name}_changelist"))
    if counted is not None and (badge := capped(counted)):
        item |= {"badge": badge, "badge_variant": kind}
    return item


def capped(rows: "QuerySet[Any]") -> str:
    """How many rows, in words that fit a badge: "", "7", "99+"."""
    count = rows.order_by()[:CAP].count()
    return f"{CAP - 1}+" if count == CAP else str(count or "")


# --- what the badges and today's page count ---


def new_on_the_wire() -> "QuerySet[Any]":
    """Wire items nobody has decided on."""
    return Article.objects.untriaged()


def in_review() -> "QuerySet[Any]":
    """Stories that wait for somebody to read them."""
    return Article.objects.stories().filter(state=State.IN_REVIEW)


def approved_and_idle() -> "QuerySet[Any]":
    """Approved stories that nobody has given a channel."""
    return Article.objects.stories().filter(state=State.APPROVED, distribution=Distribution.NONE)


def in_trouble() -> "QuerySet[Any]":
    """Deliveries that wait for a person: unknown, failed, missed."""
    recent = timezone.now() - timedelta(days=3)
    return Delivery.objects.filter(
        _FOR_A_PERSON | Q(status__in=("failed", "missed"), updated_at__gte=recent)
    )


def failing_sources() -> "QuerySet[Any]":
    """Active sources whose last syncs failed."""
    return Source.objects.filter(is_active=True).filter(
        Q(failures__gt=0) | Q(health__lt=_LOW_HEALTH) | ~Q(paused_reason="")
    )


# --- today's page ---


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
            for each in _deliveries().filter(_FOR_A_PERSON).order_by("-id")[:_TOP]
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
