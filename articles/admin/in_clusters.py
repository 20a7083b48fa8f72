"""What the wire's list and an item's page say about the item's cluster."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles import regroup
from articles.admin.clusters import cluster_url
from articles.admin.rule_runs import may_triage
from articles.errors import DeskError
from articles.models import Article, Cluster
from articles.querysets import ArticleQuerySet
from config.admin_base import Act, Done, actor, display

_MOST_AT_ONCE = 100  # items that are put together by ticking them


class EventsFilter(admin.SimpleListFilter):
    """One item for each event, if one asks for it."""

    title = "one per event"
    parameter_name = "events"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice besides every item."""
        return [("leads", "Leads only")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Leads, and items that are alone with their event."""
        if self.value() != "leads":
            return None
        alone = Q(cluster=None) | Q(cluster__lead=None)
        return queryset.filter(alone | Q(cluster__lead=F("pk")))


class InClusters:
    """Mix-in for the wire's list."""

    @display(description="Cluster")
    def event(self, item: Any) -> SafeString:
        """How many sources have it, and which one leads."""
        cluster = item.cluster
        if cluster is None or cluster.size < 2:
            return SafeString('<span class="desk-quiet">–</span>')
        led = "leads" if cluster.lead_id == item.pk else f"led by {item.lead_source}"
        return format_html(
            '<a class="desk-cluster" href="{}"><b>{}</b><span>{}</span></a>',
            cluster_url(cluster.pk),
            _how_many(cluster),
            led,
        )

    @admin.action(description="Put into one cluster", permissions=["triage"])
    def unite_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """All that are ticked are about one event."""
        items = list(queryset.values_list("pk", flat=True)[: _MOST_AT_ONCE + 1])
        if len(items) > _MOST_AT_ONCE:
            messages.error(request, f"Tick {_MOST_AT_ONCE} items at most.")
            return None
        try:
            one = regroup.unite(items, actor(request))
        except DeskError as refusal:
            messages.error(request, str(refusal))
            return None
        messages.success(
            request, f"One cluster: {one.size} items from {_how_many(one)}. “Take out” undoes it."
        )
        return HttpResponseRedirect(cluster_url(one.pk))


def with_clusters(items: ArticleQuerySet[Any]) -> ArticleQuerySet[Any]:
    """Items with what `InClusters` shows of each."""
    return items.select_related("cluster").annotate(lead_source=F("cluster__lead__source__name"))


def cluster_of(item: Article) -> Cluster | None:
    """The cluster to show on the item's page, with its lead; None for an item alone."""
    if item.cluster_id is None:
        return None
    rows = Cluster.objects.filter(pk=item.cluster_id, size__gt=1).select_related("lead__source")
    return rows.defer("lead__content", "lead__metadata", "lead__search").first()


def _how_many(cluster: Cluster) -> str:
    return "1 source" if cluster.sources == 1 else f"{cluster.sources} sources"


def _take_out(request: HttpRequest, item: Article, _data: Mapping[str, Any]) -> Done:
    left = item.cluster_id or 0
    regroup.take_out(left, {item.pk}, actor(request))
    return Done("It is out. “Merge” puts it back.", cluster_url(left))


def _has_company(request: HttpRequest, item: Article) -> bool:
    return may_triage(request) and item.cluster is not None and item.cluster.size > 1


NOT_THIS_EVENT = Act(
    "take_out", "Not this event", "call_split", _take_out, _has_company,
    hint="The item leaves its cluster and is never put back by the desk; “Merge” on the "
    "cluster's page undoes it.",
)  # fmt: skip
