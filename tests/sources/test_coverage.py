"""Which sources are first, in figures that can be reckoned by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles import summing_up
from articles.models import Article, Cluster
from sources.admin.coverage import in_words
from sources.coverage import coverage
from sources.models import Source

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
REPORT = "/admin/sources/source/coverage/"


@pytest.fixture
def event(db):
    """An event: source → minutes after `at` (several: several items; None: without a date)."""

    def happen(at=NOW - timedelta(hours=24), **reports):
        cluster = Cluster.objects.create()
        for name, minutes in reports.items():
            source, _ = Source.objects.get_or_create(
                name=name, defaults={"api_endpoint": f"https://{name}.example/feed"}
            )
            for each in minutes if isinstance(minutes, tuple) else (minutes,):
                Article.objects.create(
                    kind="wire", state="new", source=source, cluster=cluster,
                    external_id=f"{cluster.pk}-{each}", title="Something happened",
                    published_at=at + timedelta(minutes=each),
                )  # fmt: skip
        summing_up.sum_up({cluster.pk})
        return cluster

    return happen


def figures(days=7):
    return {each.name: each for each in coverage(NOW, days)}


def minutes(number):
    return timedelta(minutes=number)


def test_first_share_lead_and_delay_are_reckoned_for_each_source(event):
    event(coast=0, gazette=10, islands=40)
    event(coast=0, gazette=30)
    event(gazette=0, coast=20)
    found = figures()
    coast, gazette, islands = found["coast"], found["gazette"], found["islands"]
    assert (coast.clusters, coast.first, coast.lead, coast.behind) == (
        3, 2, minutes(20), minutes(20)
    )  # fmt: skip
    assert (gazette.clusters, gazette.first, gazette.lead, gazette.behind) == (
        3, 1, minutes(20), minutes(20)
    )  # fmt: skip
    assert (islands.clusters, islands.first, islands.lead, islands.behind) == (
        1, 0, None, minutes(40)
    )  # fmt: skip
    assert coast.share == pytest.approx(2 / 3)
    assert list(found) == ["coast", "gazette", "islands"]


def test_the_median_is_of_all_leads_not_their_mean(event):
    for lead in (1, 2, 300):
        event(coast=0, gazette=lead)
    assert figures()["coast"].lead == minutes(2)


def test_only_a_sources_first_item_of_an_event_counts(event):
    event(coast=(0, 5, 500), gazette=10)
    found = figures()
    assert (found["coast"].clusters, found["coast"].lead) == (1, minutes(10))
    assert found["gazette"].first == 0


def test_two_at_the_same_moment_are_both_first_without_a_lead(event):
    event(coast=0, gazette=0, islands=30)
    found = figures()
    assert (found["coast"].first, found["gazette"].first, found["islands"].first) == (1, 1, 0)
    assert found["coast"].lead == found["gazette"].lead == minutes(0)
    assert found["islands"].behind == minutes(30)


def test_events_of_one_source_and_of_other_days_are_left_out(event):
    event(coast=(0, 5))
    event(coast=0, gazette=5, at=NOW - timedelta(days=8))
    event(coast=0, gazette=5, at=NOW + timedelta(days=1))
    assert figures() == {}
    assert figures(days=30)["coast"].clusters == 1


def test_an_item_without_a_date_counts_from_when_it_came_in(event):
    cluster = event(coast=0, gazette=50)
    items = Article.objects.filter(cluster=cluster, source__name="coast")
    items.update(published_at=None, created_at=NOW - timedelta(hours=24) + minutes(20))
    assert figures()["coast"].lead == minutes(30)


def test_the_report_stands_in_the_sidebar_and_opens_for_readers(event, vera, edda):
    event(coast=0, gazette=90, at=timezone.now() - timedelta(hours=5))
    browser = Client()
    browser.force_login(vera)
    assert f'href="{REPORT}"' in browser.get("/admin/").content.decode()
    page = browser.get(f"{REPORT}?days=1")
    assert [(row["source"].name, row["percent"], row["lead"]) for row in page.context["rows"]] == [
        ("coast", 100, "1.5 h"), ("gazette", 0, "–"),
    ]  # fmt: skip
    assert browser.get(f"{REPORT}?days=nonsense").status_code == 200


def test_the_report_is_closed_to_strangers(db, django_user_model):
    browser = Client()
    assert browser.get(REPORT).status_code == 302
    nobody = django_user_model.objects.create_user("nobody", password="x", is_staff=True)
    browser.force_login(nobody)
    assert browser.get(REPORT).status_code == 403


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "–"),
        (timedelta(seconds=20), "under a minute"),
        (minutes(45), "45 min"),
        (minutes(150), "2.5 h"),
        (timedelta(days=3), "3.0 days"),
    ],
)
def test_spans_are_said_in_words(span, words):
    assert in_words(span) == words
