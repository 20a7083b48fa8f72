"""How much wire items are alike, for people who look at clusters."""

from collections.abc import Sequence
from datetime import timedelta

from articles import cluster, clustering
from articles.models import Article, Cluster, ItemTerms

_MOST_LEADS = 2000  # that one cluster is compared with
_WITHIN = timedelta(hours=cluster.Rules().window)


def to_each(item: Article, others: Sequence[Article]) -> list[float]:
    """How much each of `others` is like `item` in words alone, 0 to 1; all with their texts."""
    if not others:
        return []
    one, rest = _items([item]), _items(others)
    return cluster.alike(one, rest)


def nearest(to: Cluster, most: int = 20) -> list[Cluster]:
    """The clusters of the same days whose leads are most like this one's, the likest first."""
    around = (
        Cluster.objects.filter(
            size__gt=0,
            first_seen__range=(to.first_seen - _WITHIN, to.last_seen + _WITHIN),
            lead__isnull=False,
        )
        .exclude(pk=to.pk)
        .values_list("lead", "pk")[:_MOST_LEADS]
    )
    cluster_of = dict(around)
    terms = dict(
        ItemTerms.objects.filter(item__in=[*cluster_of, to.lead_id]).values_list("item", "packed")
    )
    own = terms.pop(to.lead_id or 0, None)
    if own is None or not terms:
        return []
    ids = sorted(terms)
    scores = cluster.alike(
        clustering.columns([(to.lead_id or 0, 0.0, 0, 0)], [bytes(own)]),
        clustering.columns([(pk, 0.0, 0, 0) for pk in ids], [bytes(terms[pk]) for pk in ids]),
    )
    ranked = sorted(zip(scores, ids, strict=True), key=lambda each: (-each[0], each[1]))
    best = [cluster_of[pk] for score, pk in ranked[:most] if score > 0]
    found = Cluster.objects.select_related("lead").in_bulk(best)
    return [found[pk] for pk in best]


def _items(items: Sequence[Article]) -> cluster.Items:
    return clustering.columns(
        [(item.pk, 0.0, 0, 0) for item in items], [clustering.packed_terms(item) for item in items]
    )
