"""Acts of people on clusters: put together, take out, choose the lead.

Each is written down as decisions about items (`ClusterDecision`), to which the drain keeps whatever
the words are like. The opposite act undoes one: it replaces the decisions.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.models import Q

from articles import clustering, record, summing_up
from articles.errors import WrongState
from articles.lifecycle import Kind, Right
from articles.models import Article, Cluster, ClusterDecision, Event
from articles.record import Actor

_PATIENCE = "5s"  # that a person waits for the drain's portion to end
_MOST = 500  # items that one act puts together or takes out
_BELONGS, _APART = ClusterDecision.Verdicts.BELONGS, ClusterDecision.Verdicts.APART


def unite(item_ids: Collection[int], by: Actor, reason: str = "") -> Cluster:
    """Make one cluster of these wire items and of everything in their clusters.

    The largest of their clusters takes in the others. From now on they are together, whatever
    anybody decided before. Raises `NotAllowed`, and `WrongState` when there are fewer than two
    items or more than 500.
    """
    by.must(Right.TRIAGE, "put wire items together")
    with _alone():
        items = _of_same_events(item_ids)
        if not 2 <= len(items) <= _MOST:
            raise WrongState(f"Choose two items or more, {_MOST} with their clusters at most.")
        into, others = _largest({item.cluster_id for item in items if item.cluster_id})
        moved = [item for item in items if item.cluster_id != into.pk]
        for old in others:
            _carry_decisions(old.pk, into.pk)
            summing_up.become_one(old.pk, into.pk)
        _move(moved, into, "put_together", by, reason)
        ClusterDecision.objects.filter(item__in=items, cluster=into).delete()
        _decide(items, into, _BELONGS, by, reason)
        summing_up.sum_up({into.pk})
    into.refresh_from_db()
    return into


def take_out(cluster_id: int, item_ids: Collection[int], by: Actor, reason: str = "") -> Cluster:
    """Take these items out of their cluster into one of their own, which is returned.

    The two never become one again but by a person's act. Raises `NotAllowed`, and `WrongState`
    when none of the items is in the cluster any more or none would be left.
    """
    by.must(Right.TRIAGE, "take wire items out of a cluster")
    with _alone():
        items = _items(Q(cluster=cluster_id))
        taken = [item for item in items if item.pk in item_ids]
        left = [item for item in items if item.pk not in item_ids]
        if not taken:
            raise WrongState("These items are no longer in the cluster. Load the page again.")
        if not left:
            raise WrongState("One item at least has to stay. Tick fewer.")
        old, own = Cluster.objects.get(pk=cluster_id), Cluster.objects.create()
        _move(taken, own, "taken_out", by, reason)
        ClusterDecision.objects.filter(item__in=taken, cluster=old).delete()
        _decide(taken, own, _BELONGS, by, reason)
        _decide(taken, old, _APART, by, reason)
        _decide(left, own, _APART, by, reason)
        summing_up.sum_up({old.pk, own.pk})
    own.refresh_from_db()
    return own


def lead_with(cluster_id: int, item_id: int, by: Actor) -> Cluster:
    """Let an item lead its cluster from now on. Raises `NotAllowed`; `WrongState` if it left."""
    by.must(Right.TRIAGE, "choose a cluster's lead")
    with _alone():
        found = Article.objects.filter(pk=item_id, cluster=cluster_id, kind=Kind.WIRE).first()
        if found is None:
            raise WrongState("This item is no longer in the cluster. Load the page again.")
        Cluster.objects.filter(pk=cluster_id).update(lead=found, lead_chosen=True)
        record.note(found, "made_lead", by, data={"cluster": cluster_id})
    return Cluster.objects.get(pk=cluster_id)


@contextmanager
def _alone() -> Iterator[None]:
    """One transaction in which the drain stands still."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            try:
                clustering.await_turn(cursor)
            except OperationalError as busy:
                raise WrongState(
                    "New items are being clustered right now. Try again in a few seconds."
                ) from busy
        yield


def _of_same_events(item_ids: Collection[int]) -> list[Article]:
    """These items and all that share a cluster with one of them."""
    chosen = Article.objects.filter(pk__in=item_ids, kind=Kind.WIRE).exclude(cluster=None)
    clusters = set(chosen.values_list("cluster", flat=True))
    return _items(Q(pk__in=item_ids) | Q(cluster__in=clusters))


def _items(wanted: Q) -> list[Article]:
    """The wire items, as far as an act needs them; one too many tells that there are too many."""
    rows = Article.objects.filter(wanted, kind=Kind.WIRE).only("state", "version", "cluster_id")
    return list(rows.order_by("pk")[: _MOST + 1])


def _largest(cluster_ids: Collection[int]) -> tuple[Cluster, list[Cluster]]:
    """The largest of the clusters, the oldest of several; a new one for none. And the others."""
    found = list(Cluster.objects.filter(pk__in=cluster_ids).order_by("-size", "pk"))
    return (found[0], found[1:]) if found else (Cluster.objects.create(), [])


def _carry_decisions(old: int, into: int) -> None:
    """What was decided about a cluster holds for the one that takes it in."""
    decided = ClusterDecision.objects.filter(cluster=into).values("item")
    ClusterDecision.objects.filter(cluster=old).exclude(item__in=decided).update(cluster=into)
    ClusterDecision.objects.filter(cluster=old).delete()


def _move(items: Iterable[Article], to: Cluster, what: str, by: Actor, reason: str) -> None:
    batch = Event.new_batch()
    for item in items:
        data = {"cluster": to.pk, "before": item.cluster_id}
        record.note(item, what, by, reason=reason, batch=batch, data=data)
    Article.objects.filter(pk__in=[item.pk for item in items]).update(cluster=to)


def _decide(
    items: Iterable[Article], cluster: Cluster, verdict: str, by: Actor, reason: str
) -> None:
    ClusterDecision.objects.bulk_create(
        [
            ClusterDecision(
                item=item, cluster=cluster, verdict=verdict, actor=by.user, reason=reason
            )
            for item in items
        ]
    )
