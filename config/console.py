"""The console's frame: name, looks, sidebar with badges.

django-unfold calls these by the dotted paths in `settings.UNFOLD`. Badges and numbers stop
counting at `CAP`: an exact count of a busy wire took 608 ms on every page, this takes a few.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from articles.lifecycle import State
from articles.models import Article, Distribution
from publishing.models import Delivery
from sources.models import Source

CAP = 100
FOR_A_PERSON = Q(status="in_doubt", next_attempt_at=None)  # else the desk finds out by itself
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


# --- what the badges and `config.today` count ---


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
        FOR_A_PERSON | Q(status__in=("failed", "missed"), updated_at__gte=recent)
    )


def failing_sources() -> "QuerySet[Any]":
    """Active sources whose last syncs failed."""
    return Source.objects.filter(is_active=True).filter(
        Q(failures__gt=0) | Q(health__lt=_LOW_HEALTH) | ~Q(paused_reason="")
    )
