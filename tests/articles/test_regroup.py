"""What people decide about clusters holds, whatever comes in afterwards."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from articles import clustering, intake, regroup
from articles.errors import NotAllowed, WrongState
from articles.models import Article, Cluster, ClusterDecision
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db

QUAKE = (
    "Magnitude 6.4 earthquake strikes off Vanora coast",
    "A magnitude 6.4 earthquake struck off the northern coast of Vanora early on Tuesday. The "
    "tremor was centred 38 km off the town of Telua. There were no reports of casualties.",
)
FERRY = (
    "Ferry runs aground off Solmar with 212 aboard",
    "The passenger ferry Marit ran onto a sandbank near the island of Solmar in thick fog.",
)


@pytest.fixture
def filed(db):
    """Files a piece of a source and gives its item."""

    def file(piece, by, *, hours_ago=1.0):
        source, _ = Source.objects.get_or_create(
            name=by, defaults={"api_endpoint": f"https://{by.lower()}.example/rss"}
        )
        copy = WireCopy(
            f"{by} {piece[0]}", piece[0], content=f"<p>{piece[1]}</p>",
            published_at=timezone.now() - timedelta(hours=hours_ago),
        )  # fmt: skip
        intake.file(source.pk, [copy])
        return Article.objects.get(source=source, external_id=copy.external_id)

    return file


@pytest.fixture
def editor(edda, at_the_console):
    return at_the_console(edda)


def cluster_of(item):
    return Article.objects.get(pk=item.pk).cluster


def rewritten(item, piece):
    """The source sends the item again, in other words."""
    copy = WireCopy(
        item.external_id, piece[0], content=f"<p>{piece[1]}</p>", published_at=item.published_at
    )
    intake.file(item.source_id, [copy])
    clustering.drain()


def test_items_put_together_stay_together_when_they_are_rewritten(filed, editor):
    quake, ferry = filed(QUAKE, "A"), filed(FERRY, "B")
    clustering.drain()
    assert cluster_of(ferry) is None
    cluster = regroup.unite([quake.pk, ferry.pk], editor, "The quake made the ferry run aground")
    assert (cluster.size, cluster.sources) == (2, 2)
    rewritten(ferry, ("Marit refloated", "The ferry Marit is afloat again."))
    assert cluster_of(ferry) == cluster_of(quake) == cluster
    assert ferry.events.get(what="put_together").reason.startswith("The quake")


def test_what_was_taken_out_never_comes_back_by_itself(filed, editor):
    items = [filed(QUAKE, by, hours_ago=4) for by in "ABC"]
    clustering.drain()
    old = cluster_of(items[0])
    own = regroup.take_out(old.pk, [items[2].pk], editor)
    old.refresh_from_db()
    assert (old.size, own.size, own.lead_id) == (2, 1, items[2].pk)
    late = filed(QUAKE, "D")
    clustering.drain()
    assert cluster_of(late) in (old, own)
    for item in items:
        rewritten(item, (QUAKE[0], f"{QUAKE[1]} More soon."))
    assert [cluster_of(item) for item in items] == [old, old, own]
    assert not Cluster.objects.filter(merged_into__isnull=False).exists()


def test_putting_together_again_undoes_taking_out(filed, editor):
    items = [filed(QUAKE, by, hours_ago=4) for by in "ABC"]
    clustering.drain()
    old = cluster_of(items[0])
    own = regroup.take_out(old.pk, [items[2].pk], editor)
    assert regroup.unite([items[2].pk, items[0].pk], editor) == old
    own.refresh_from_db()
    assert (own.size, own.merged_into_id) == (0, old.pk)
    for item in items:
        rewritten(item, FERRY)
    assert {cluster_of(item) for item in items} == {old}
    assert set(ClusterDecision.objects.values_list("verdict", "cluster")) == {("belongs", old.pk)}


def test_taking_out_undoes_putting_together(filed, editor):
    quake, ferry = filed(QUAKE, "A"), filed(FERRY, "B")
    cluster = regroup.unite([quake.pk, ferry.pk], editor)
    clustering.drain()
    own = regroup.take_out(cluster.pk, [ferry.pk], editor)
    rewritten(ferry, QUAKE)
    assert cluster_of(ferry) == own != cluster_of(quake)


def test_whole_clusters_become_one_and_keep_what_was_decided_about_each(filed, editor):
    quakes = [filed(QUAKE, by) for by in "ABC"]
    ferries = [filed(FERRY, by) for by in "AB"]
    clustering.drain()
    apart = regroup.take_out(cluster_of(ferries[0]).pk, [ferries[1].pk], editor)
    one = regroup.unite([quakes[0].pk, ferries[0].pk], editor)
    assert one.size == 4
    # The ferry report that was taken out is apart from what its old cluster became, too.
    rewritten(ferries[1], QUAKE)
    assert cluster_of(ferries[1]) == apart


def test_the_machine_joins_no_clusters_that_people_have_decided_about(filed, editor):
    first = [filed(QUAKE, by) for by in "AB"]
    clustering.drain()
    own = regroup.take_out(cluster_of(first[0]).pk, [first[1].pk], editor)
    more = [filed(QUAKE, by) for by in "CDEF"]
    clustering.drain()
    assert cluster_of(first[1]) == own != cluster_of(first[0])
    assert all(cluster_of(item) for item in more)


def test_a_chosen_lead_stays_until_it_leaves(filed, editor):
    early, late = filed(QUAKE, "A", hours_ago=3), filed(QUAKE, "B", hours_ago=2)
    clustering.drain()
    cluster = cluster_of(early)
    assert cluster.lead_id == early.pk
    regroup.lead_with(cluster.pk, late.pk, editor)
    filed(QUAKE, "C", hours_ago=5)
    clustering.drain()
    assert cluster_of(early).lead_id == late.pk
    regroup.take_out(cluster.pk, [late.pk], editor)
    assert cluster_of(early).lead_id != late.pk


def test_somebody_has_to_stay_and_somebody_has_to_go(filed, editor):
    items = [filed(QUAKE, by) for by in "AB"]
    clustering.drain()
    cluster = cluster_of(items[0])
    with pytest.raises(WrongState, match="has to stay"):
        regroup.take_out(cluster.pk, [item.pk for item in items], editor)
    with pytest.raises(WrongState, match="no longer"):
        regroup.take_out(cluster.pk, [0], editor)
    with pytest.raises(WrongState, match="two items"):
        regroup.unite([0], editor)
    with pytest.raises(WrongState, match="no longer"):
        regroup.lead_with(cluster.pk, 0, editor)


def test_who_may_not_triage_may_not_regroup(filed, will, at_the_console):
    items = [filed(QUAKE, by) for by in "AB"]
    clustering.drain()
    cluster, writer = cluster_of(items[0]), at_the_console(will)
    for act in (
        lambda: regroup.unite([item.pk for item in items], writer),
        lambda: regroup.take_out(cluster.pk, [items[0].pk], writer),
        lambda: regroup.lead_with(cluster.pk, items[1].pk, writer),
    ):
        with pytest.raises(NotAllowed):
            act()


@pytest.mark.django_db(transaction=True)
def test_a_person_waits_for_a_drain_and_is_told_when_it_takes_long(filed, editor, monkeypatch):
    quake, ferry = filed(QUAKE, "A"), filed(FERRY, "B")
    monkeypatch.setattr("articles.regroup._PATIENCE", "100ms")
    held, done = threading.Event(), threading.Event()

    def drain():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [clustering._LOCK])
            held.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=drain)
    other.start()
    try:
        assert held.wait(10)
        with pytest.raises(WrongState, match="Try again"):
            regroup.unite([quake.pk, ferry.pk], editor)
    finally:
        done.set()
        other.join(10)
    assert cluster_of(quake) is None
    assert regroup.unite([quake.pk, ferry.pk], editor).size == 2
