"""The drain: items find their clusters, whatever comes in between."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from articles import clustering, intake
from articles.models import Article, Cluster, ItemTerms
from articles.tasks import cluster as cluster_task
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db

QUAKE = (
    "Magnitude 6.4 earthquake strikes off Vanora coast",
    "A magnitude 6.4 earthquake struck off the northern coast of Vanora early on Tuesday. The "
    "tremor was centred 38 km off the town of Telua. There were no reports of casualties.",
)
QUAKE_ELSEWHERE = (
    "Strong quake shakes northern Vanora, tsunami alert issued",
    "Residents of Telua ran into the streets when a strong earthquake rattled northern Vanora. "
    "Authorities issued a tsunami alert for the coast.",
)
FERRY = (
    "Ferry runs aground off Solmar with 212 aboard",
    "The passenger ferry Marit ran onto a sandbank near the island of Solmar in thick fog.",
)


@pytest.fixture
def source(db):
    """A source of a name, made on first use."""

    def of(name="Coast Wire", **more):
        made, _ = Source.objects.get_or_create(
            name=name,
            defaults={"api_endpoint": f"https://{name.split()[0].lower()}.example/rss", **more},
        )
        return made

    return of


@pytest.fixture
def filed(source):
    """Files a piece and gives its item."""

    def file(piece, by="Coast Wire", *, hours_ago=1.0, id_="", url="", **more):
        title, text = piece
        copy = WireCopy(
            id_ or f"{by}-{title}", title, url=url, content=f"<p>{text}</p>",
            published_at=timezone.now() - timedelta(hours=hours_ago),
        )  # fmt: skip
        intake.file(source(by).pk, [copy], **more)
        return Article.objects.get(source=source(by), external_id=copy.external_id)

    return file


def cluster_of(item):
    return Article.objects.get(pk=item.pk).cluster


def test_reports_of_one_event_get_a_cluster_and_others_stay_alone(filed):
    first = filed(QUAKE, hours_ago=3)
    second = filed(QUAKE_ELSEWHERE, "Harbour Gazette", hours_ago=2)
    ferry = filed(FERRY, hours_ago=1)
    assert clustering.drain() == 3
    cluster = cluster_of(first)
    assert cluster is not None
    assert (cluster.size, cluster.sources, cluster.lead_id) == (2, 2, first.pk)
    assert cluster.first_seen == first.published_at
    assert cluster.last_seen == second.published_at
    assert cluster_of(second) == cluster
    assert cluster_of(ferry) is None
    assert not Article.objects.filter(clustered_at=None).exists()


def test_what_comes_later_joins_and_nothing_is_done_twice(filed):
    first = filed(QUAKE, hours_ago=3)
    assert clustering.drain() == 1
    second = filed(QUAKE_ELSEWHERE, "Harbour Gazette", hours_ago=2)
    assert clustering.drain() == 1
    assert clustering.drain() == 0
    assert cluster_of(first) == cluster_of(second) is not None
    assert Cluster.objects.count() == 1


def test_the_same_items_make_the_same_clusters_together_or_one_by_one(filed):
    pieces = [(QUAKE, "A"), (FERRY, "B"), (QUAKE_ELSEWHERE, "B"), (FERRY, "A")]
    items = [filed(piece, by, hours_ago=4 - at) for at, (piece, by) in enumerate(pieces)]
    clustering.drain()
    together = [cluster_of(item).lead_id for item in items]
    Article.objects.update(cluster=None, clustered_at=None)
    ItemTerms.objects.all().delete()
    for item in items:
        Article.objects.exclude(pk=item.pk).filter(clustered_at=None).update(backfilled=True)
        Article.objects.filter(pk=item.pk).update(backfilled=False)
        clustering.drain()
    assert [cluster_of(item).lead_id for item in items] == together


def test_the_most_trusted_source_leads_and_else_the_earliest(filed, source):
    filed(QUAKE, "Early Wire", hours_ago=5)
    filed(QUAKE_ELSEWHERE, "Late Gazette", hours_ago=4)
    trusted = source("Trusted Agency", trust=Source.Trusts.HIGH)
    best = filed(QUAKE, trusted.name, hours_ago=1)
    clustering.drain()
    assert Cluster.objects.get().lead_id == best.pk


def test_a_rewritten_item_is_looked_at_again_and_leaves_what_it_is_no_longer_about(filed):
    filed(QUAKE, hours_ago=3)
    other = filed(QUAKE_ELSEWHERE, "Harbour Gazette", hours_ago=2, id_="live")
    clustering.drain()
    cluster = cluster_of(other)
    assert cluster.size == 2
    filed(FERRY, "Harbour Gazette", hours_ago=2, id_="live")
    assert Article.objects.get(pk=other.pk).clustered_at is None
    assert clustering.drain() == 1
    assert cluster_of(other) is None
    cluster.refresh_from_db()
    assert cluster.size == 1


def test_an_unchanged_item_is_not_looked_at_again(filed):
    item = filed(QUAKE, id_="same")
    clustering.drain()
    filed(QUAKE, id_="same")
    assert Article.objects.get(pk=item.pk).clustered_at is not None


def test_one_page_of_two_sources_is_one_event_whatever_its_words(filed):
    page = "https://coast.example/ferry-strike"
    first = filed(("Crews walk out over shifts", ""), "A", hours_ago=2, url=page)
    copy = filed(("Easter trips to the islands at risk", ""), "B", hours_ago=1, url=page)
    assert copy.duplicate_of_id == first.pk
    clustering.drain()
    assert cluster_of(first) == cluster_of(copy) is not None


def test_old_news_fetched_afterwards_is_clustered_with_its_own_time(filed):
    recent = filed(QUAKE, hours_ago=1)
    old = filed(QUAKE, "B", hours_ago=24 * 300, backfilled=True)
    of_then = filed(QUAKE_ELSEWHERE, "A", hours_ago=24 * 300 - 2, backfilled=True)
    clustering.drain()
    assert cluster_of(recent) is None
    assert cluster_of(old) == cluster_of(of_then) is not None


def test_two_clusterers_never_work_at_once(filed):
    filed(QUAKE)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [clustering._LOCK])
            assert clustering.drain() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [clustering._LOCK])
    finally:
        other.close()
    assert clustering.drain() == 1


def test_a_crash_half_way_leaves_everything_waiting(filed, monkeypatch):
    filed(QUAKE, hours_ago=3)
    filed(QUAKE_ELSEWHERE, "B", hours_ago=2)

    def crash(_clusters):
        raise RuntimeError("the machine went dark")

    with monkeypatch.context() as patch:
        patch.setattr("articles.summing_up.sum_up", crash)
        with pytest.raises(RuntimeError):
            clustering.drain()
    assert Article.objects.filter(clustered_at=None).count() == 2
    assert not Cluster.objects.exists()
    assert clustering.drain() == 2
    assert Cluster.objects.get().size == 2


def test_words_of_old_items_are_forgotten(filed):
    filed(QUAKE)
    clustering.drain()
    assert clustering.forget(timezone.now()) == 0
    assert clustering.forget(timezone.now() + timedelta(days=31)) == 1
    assert not ItemTerms.objects.exists()


def test_a_tick_rings_the_drain(filed):
    filed(QUAKE)
    assert PeriodicTask.objects.get(task="articles.cluster").interval.every == 1
    cluster_task()
    assert not Article.objects.filter(clustered_at=None).exists()


def test_the_bell_rings_once_when_much_is_filed(
    filed, monkeypatch, django_capture_on_commit_callbacks
):
    rung: list[str] = []
    monkeypatch.setattr("config.bell.ring", rung.append)
    monkeypatch.setattr("articles.clustering._Bell.rung", float("-inf"))
    with django_capture_on_commit_callbacks(execute=True):
        filed(QUAKE)
        filed(FERRY)
    assert rung == ["articles.cluster"]
