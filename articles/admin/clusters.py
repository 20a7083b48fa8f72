"""Clusters: the list, and one cluster's page with its items, to put together and take apart."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles import likeness, regroup
from articles.admin.rule_runs import may_triage
from articles.errors import Incomplete
from articles.lifecycle import Kind
from articles.models import Article, Cluster, ClusterDecision
from config.admin_base import (
    Act,
    Checkboxes,
    Done,
    ReadOnlyAdmin,
    Select,
    TabFilter,
    TextInput,
    actor,
    age,
    display,
    headline,
)

_ROWS = 50  # of a cluster's items on one page
_MOST_CHOICES = 200  # items to tick or to choose from
_ADDRESS = re.compile(r"articles/(cluster|wireitem)/(\d{1,18})(?:/|$)")


class SeveralFilter(TabFilter):
    """What more than one source reports, unless one asks for everything."""

    title = "sources"
    parameter_name = "from"
    tabs = (("several", "Several sources"), ("all", "All"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the tab; never what was merged into another."""
        return queryset.filter(sources__gt=1) if self.tab() == "several" else queryset


class MergeForm(forms.Form):
    """Which other cluster is about the same event."""

    other = forms.ChoiceField(label="The other one", required=False, widget=Select)
    address = forms.CharField(
        label="Or its address",
        required=False,
        max_length=500,
        widget=TextInput,
        help_text="The address of a cluster's page, or of any wire item's.",
    )

    def __init__(self, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        near = (initial or {}).get("near", [])
        other = self.fields["other"]
        if isinstance(other, forms.ChoiceField):
            other.choices = [("", "The likest of these days …"), *near]

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned = super().clean() or {}
        address = cleaned.get("address", "")
        if bool(cleaned.get("other")) == bool(address) and not self.errors:
            self.add_error(None, "Choose a cluster or paste an address, one of the two.")
        if address and not _ADDRESS.search(address):
            self.add_error("address", "Open the cluster or the item and copy its address.")
        return cleaned


class TakeOutForm(forms.Form):
    """Which items are about something else."""

    items = forms.MultipleChoiceField(label="About something else", widget=Checkboxes)

    def __init__(self, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        _offer(self.fields["items"], initial)


class LeadForm(forms.Form):
    """Which item stands for all."""

    item = forms.ChoiceField(label="Lead", widget=Select)

    def __init__(self, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        _offer(self.fields["item"], initial)


@admin.register(Cluster)
class ClusterAdmin(ReadOnlyAdmin):
    """Wire items about one event."""

    list_display = ("headline", "sources_told", "items_told", "began")
    list_filter = (SeveralFilter,)
    search_fields = ("lead__title",)
    search_help_text = "Words of the lead's title"
    sortable_by = ()
    change_form_outer_before_template = "newsdesk/cluster.html"
    empty_hint = "Nothing here. Items find their clusters within a minute of coming in."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cluster]:
        """With leads, without their long columns; what was merged stays openable by address."""
        rows = super().get_queryset(request).select_related("lead__source")
        rows = rows.defer("lead__content", "lead__metadata", "lead__search")
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            rows = rows.filter(size__gt=0)
        return rows

    @display(description="Event")
    def headline(self, cluster: Cluster) -> SafeString:
        """The lead's title, and whose it is."""
        return headline(str(cluster), f"Led by {cluster.lead.source}" if cluster.lead else "")

    @display(description="Sources")
    def sources_told(self, cluster: Cluster) -> str:
        """How many sources report it."""
        return str(cluster.sources)

    @display(description="Items")
    def items_told(self, cluster: Cluster) -> str:
        """How many items."""
        return str(cluster.size)

    @display(description="First seen")
    def began(self, cluster: Cluster) -> SafeString:
        """When the first source published it."""
        return age(cluster.first_seen)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the template shows the items."""
        return []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The items; of a cluster that became part of another, the other's page."""
        extra = dict(extra_context or {})
        cluster = self.get_object(request, object_id) if object_id else None
        if cluster is not None:
            if cluster.merged_into_id:
                return HttpResponseRedirect(cluster_url(cluster.merged_into_id))
            page = Paginator(_members(cluster), _ROWS).get_page(request.GET.get("page"))
            extra |= {
                "cluster": cluster,
                "page": page,
                "rows": _rows(cluster, list(page)),
                "show_history": False,
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """What people decide about clusters."""
        return _ACTS

    def get_act_initial(self, request: HttpRequest, obj: Any, act: Act) -> dict[str, Any]:
        """What there is to choose from."""
        if act.name == "merge":
            near = [(str(each.pk), _choice(str(each))) for each in likeness.nearest(obj)]
            return {"near": near}
        members = _members(obj).defer("content", "metadata", "search")[:_MOST_CHOICES]
        chosen = {"item": str(obj.lead_id)} if act.name == "lead" else {}
        return chosen | {
            "members": [(str(item.pk), _choice(f"{item.source}: {item.title}")) for item in members]
        }


def cluster_url(cluster_id: int) -> str:
    """Where a cluster is looked at."""
    return reverse("admin:articles_cluster_change", args=(cluster_id,))


def like_words(score: float) -> str:
    """How much an item is like its cluster's lead, 0 to 1, as an editor would say it."""
    if score >= 0.85:
        return "Nearly word for word"
    if score >= 0.5:
        return "Much the same words"
    if score >= 0.24:
        return "Told in other words"
    return "Few words in common"


def _offer(field: forms.Field, initial: Mapping[str, Any] | None) -> None:
    if isinstance(field, forms.ChoiceField):
        field.choices = (initial or {}).get("members", [])


def _choice(words: str) -> str:
    return words if len(words) <= 110 else f"{words[:109]}…"


def _members(cluster: Cluster) -> QuerySet[Article]:
    rows = Article.objects.filter(cluster=cluster, kind=Kind.WIRE).select_related("source")
    in_time = rows.order_by(Coalesce("published_at", "created_at"), "pk")
    return in_time.defer("metadata", "search")


def _rows(cluster: Cluster, items: Sequence[Article]) -> list[dict[str, Any]]:
    lead = Article.objects.filter(pk=cluster.lead_id or 0).first()
    scores = likeness.to_each(lead, items) if lead else [0.0] * len(items)
    by_hand = {
        decision.item_id: decision
        for decision in ClusterDecision.objects.filter(
            cluster=cluster, item__in=items, verdict=ClusterDecision.Verdicts.BELONGS
        ).select_related("actor")
    }
    return [
        {
            "item": item,
            "url": reverse("admin:articles_wireitem_change", args=(item.pk,)),
            "when": timezone.localtime(item.published_at or item.created_at),
            "later": _later(item.published_at or item.created_at, cluster.first_seen),
            "leads": item.pk == cluster.lead_id,
            "like": "" if item.pk == cluster.lead_id else like_words(score),
            "same_page": bool(item.duplicate_of_id),
            "by_hand": by_hand.get(item.pk),
        }
        for item, score in zip(items, scores, strict=True)
    ]


def _later(moment: datetime, first: datetime) -> str:
    """How long after the first report, in the fewest signs."""
    minutes = round((moment - first).total_seconds() / 60)
    if minutes < 1:
        return "first"
    if minutes < 60:
        return f"{minutes} min later"
    return f"{minutes / 60:.0f} h later" if minutes < 48 * 60 else f"{minutes // 1440} days later"


def _merge(request: HttpRequest, cluster: Cluster, data: Mapping[str, Any]) -> Done:
    other = _other_item(data)
    one = regroup.unite([cluster.lead_id or 0, other], actor(request))
    words = f"One cluster now: {one.size} items from {one.sources} sources."
    return Done(f"{words} “Take out” undoes it.", cluster_url(one.pk))


def _other_item(data: Mapping[str, Any]) -> int:
    """An item of the cluster that was chosen, or the item whose address was pasted."""
    found = _ADDRESS.search(data["address"])
    if found and found[1] == "wireitem":
        item = Article.objects.filter(pk=int(found[2]), kind=Kind.WIRE).first()
        if item is None:
            raise Incomplete({"address": "There is no such wire item."})
        return item.pk
    number = int(found[2] if found else data["other"])
    cluster = Cluster.objects.filter(pk=number).select_related("merged_into").first()
    cluster = (cluster and cluster.merged_into) or cluster
    if cluster is None or cluster.lead_id is None:
        raise Incomplete({"address" if found else "other": "There is no such cluster any more."})
    return cluster.lead_id


def _take_out(request: HttpRequest, cluster: Cluster, data: Mapping[str, Any]) -> Done:
    own = regroup.take_out(cluster.pk, {int(each) for each in data["items"]}, actor(request))
    taken = "1 item is" if own.size == 1 else f"{own.size} items are"
    return Done(f"{taken} out. “Merge” puts together again.", cluster_url(cluster.pk))


def _lead(request: HttpRequest, cluster: Cluster, data: Mapping[str, Any]) -> str:
    changed = regroup.lead_with(cluster.pk, int(data["item"]), actor(request))
    return f"“{_choice(str(changed))}” leads from now on."


def _is_open(request: HttpRequest, cluster: Cluster) -> bool:
    return may_triage(request) and cluster.size > 0 and not cluster.merged_into_id


def _has_several(request: HttpRequest, cluster: Cluster) -> bool:
    return _is_open(request, cluster) and cluster.size > 1


_ACTS = (
    Act("merge", "Merge", "call_merge", _merge, _is_open, form=MergeForm,
        hint="Both are about one event. They stay together whatever comes in; "
        "“Take out” undoes it."),
    Act("take_out", "Take out", "call_split", _take_out, _has_several, form=TakeOutForm,
        hint="What you tick becomes a cluster of its own and is never put back by the desk; "
        "“Merge” undoes it."),
    Act("lead", "Choose lead", "flag", _lead, _has_several, form=LeadForm,
        hint="The lead stands for all of them on the wire."),
)  # fmt: skip
