"""Clusters in the console: what lists and pages say, and what people change by hand."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles import clustering, intake, regroup
from articles.admin.clusters import like_words
from articles.models import Article, Cluster, WireItem
from articles.record import Actor, Door
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db

WIRE = "/admin/articles/wireitem/"
CLUSTERS = "/admin/articles/cluster/"
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
def filed(db):
    """Files a piece of a source and gives its item."""

    def file(piece, by, *, hours_ago=1.0):
        source, _ = Source.objects.get_or_create(
            name=by, defaults={"api_endpoint": f"https://{by.split()[0].lower()}.example/rss"}
        )
        copy = WireCopy(
            f"{by} {piece[0]}", piece[0], content=f"<p>{piece[1]}</p>",
            published_at=timezone.now() - timedelta(hours=hours_ago),
        )  # fmt: skip
        intake.file(source.pk, [copy])
        return Article.objects.get(source=source, external_id=copy.external_id)

    return file


@pytest.fixture
def quake(filed):
    """Three reports of one event, the earliest first, and their cluster."""
    items = [
        filed(QUAKE, "Coast Wire", hours_ago=4),
        filed(QUAKE_ELSEWHERE, "Harbour Gazette", hours_ago=3),
        filed(QUAKE, "Islands Daily", hours_ago=1),
    ]
    clustering.drain()
    return items, Cluster.objects.get()


def act(cluster, name):
    return reverse("admin:articles_cluster_act", args=(cluster.pk, name))


def page_of(cluster):
    return reverse("admin:articles_cluster_change", args=(cluster.pk,))


def cluster_of(item):
    return Article.objects.get(pk=item.pk).cluster


def actor_of(user):
    return Actor(user, Door.ADMIN)


def said(answer):
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_wire_says_how_many_sources_have_it_and_who_leads(quake, filed, edda, console):
    filed(FERRY, "Coast Wire")
    clustering.drain()
    page = console(edda).get(WIRE).content.decode()
    assert page.count("3 sources") == 3
    assert page.count("led by Coast Wire") == 2
    assert page.count("<span>leads</span>") == 1
    assert page.count(page_of(quake[1])) == 3


def test_the_wire_can_show_one_item_for_each_event(quake, filed, edda, console):
    ferry = filed(FERRY, "Coast Wire")
    clustering.drain()
    shown = console(edda).get(f"{WIRE}?events=leads").context["cl"].result_list
    assert {item.pk for item in shown} == {quake[0][0].pk, ferry.pk}
    assert len(console(edda).get(f"{WIRE}?events=nonsense").context["cl"].result_list) == 4


def test_more_clusters_on_the_wire_cost_no_more_queries(quake, filed, edda, console):
    browser = console(edda)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            browser.get(WIRE)
        return len(captured)

    few = queries()
    for by in ("Coast Wire", "Harbour Gazette"):
        filed(FERRY, by)
    clustering.drain()
    assert Cluster.objects.count() == 2
    assert queries() == few


def test_an_items_page_leads_to_its_cluster_and_to_the_lead(quake, edda, console):
    items, cluster = quake
    page = console(edda).get(f"{WIRE}{items[1].pk}/change/").content.decode()
    assert "3 items from 3 sources" in page
    assert f'href="{page_of(cluster)}"' in page
    assert "Led by Coast Wire" in page
    assert f'href="{WIRE}{items[0].pk}/change/"' in page
    assert "This one leads" in console(edda).get(f"{WIRE}{items[0].pk}/change/").content.decode()


def test_a_clusters_page_lists_all_with_source_time_and_likeness_in_words(quake, edda, console):
    items, cluster = quake
    rows = console(edda).get(page_of(cluster)).context["rows"]
    assert [row["item"].pk for row in rows] == [item.pk for item in items]
    assert [row["later"] for row in rows] == ["first", "1 h later", "3 h later"]
    assert rows[0]["leads"]
    assert rows[2]["like"] == "Nearly word for word"
    assert rows[1]["like"] in ("Told in other words", "Much the same words")
    page = console(edda).get(page_of(cluster)).content.decode()
    assert all(name in page for name in ("Coast Wire", "Harbour Gazette", "Islands Daily"))


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (1.0, "Nearly word for word"),
        (0.6, "Much the same words"),
        (0.3, "Told in other words"),
        (0.1, "Few words in common"),
    ],
)
def test_likeness_is_said_in_words(score, words):
    assert like_words(score) == words


def test_items_are_ticked_and_taken_out_and_put_back(quake, edda, console):
    (first, second, third), cluster = quake
    browser = console(edda)
    answer = browser.post(
        act(cluster, "take_out"), {"confirmed": "1", "items": [third.pk]}, follow=True
    )
    assert "1 item is out" in said(answer)
    own = cluster_of(third)
    assert own != cluster
    answer = browser.post(
        act(cluster, "merge"), {"confirmed": "1", "other": str(own.pk)}, follow=True
    )
    assert "3 items from 3 sources" in said(answer)
    assert cluster_of(third) == cluster_of(first) == cluster_of(second) == cluster
    assert f"Put here by {edda.username}" in answer.content.decode()


def test_the_likest_cluster_is_offered_first(quake, filed, edda, console):
    items, cluster = quake
    for by in ("Coast Wire", "Harbour Gazette"):
        filed(FERRY, by)
    clustering.drain()
    own = regroup.take_out(cluster.pk, [items[2].pk], actor_of(edda))
    form = console(edda).post(act(cluster, "merge")).context["form"]
    offered = [value for value, _ in form.fields["other"].choices][1:]
    assert offered[0] == str(own.pk)


def test_an_address_names_the_other_cluster_or_an_item_that_is_alone(quake, filed, edda, console):
    _, cluster = quake
    ferry = filed(FERRY, "Coast Wire")
    clustering.drain()
    browser = console(edda)
    address = f"https://desk.example{WIRE}{ferry.pk}/change/?state=new"
    browser.post(act(cluster, "merge"), {"confirmed": "1", "address": address})
    assert cluster_of(ferry) == cluster
    assert Cluster.objects.get(pk=cluster.pk).size == 4


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({}, "one of the two"),
        ({"address": "12"}, "copy its address"),
        ({"address": f"{CLUSTERS}999999/change/"}, "no such cluster"),
        ({"address": f"{WIRE}999999/change/"}, "no such wire item"),
        ({"other": "999999"}, "Select a valid choice"),
    ],
)
def test_what_can_not_be_merged_is_said_at_its_field(quake, edda, console, answers, problem):
    answer = console(edda).post(act(quake[1], "merge"), {"confirmed": "1"} | answers)
    assert problem in answer.content.decode()
    assert not Cluster.objects.filter(merged_into__isnull=False).exists()


def test_the_page_of_a_merged_cluster_leads_to_the_one_it_is_in(quake, edda, console):
    items, cluster = quake
    own = regroup.take_out(cluster.pk, [items[2].pk], actor_of(edda))
    regroup.unite([items[0].pk, items[2].pk], actor_of(edda))
    assert console(edda).get(page_of(own)).url == page_of(cluster)


def test_another_lead_is_chosen(quake, edda, console):
    items, cluster = quake
    console(edda).post(act(cluster, "lead"), {"confirmed": "1", "item": str(items[1].pk)})
    cluster.refresh_from_db()
    assert (cluster.lead_id, cluster.lead_chosen) == (items[1].pk, True)


def test_an_item_leaves_its_cluster_from_its_own_page(quake, edda, console):
    items, cluster = quake
    url = reverse("admin:articles_wireitem_act", args=(items[1].pk, "take_out"))
    assert console(edda).post(url, {"confirmed": "1"}).url == page_of(cluster)
    assert cluster_of(items[1]) != cluster


def test_ticked_items_are_put_into_one_cluster(filed, edda, console):
    items = [filed(QUAKE, "Coast Wire"), filed(FERRY, "Harbour Gazette")]
    clustering.drain()
    answer = console(edda).post(
        WIRE,
        {"action": "unite_selected", "_selected_action": [item.pk for item in items]},
        follow=True,
    )
    assert "One cluster: 2 items from 2 sources" in said(answer)
    assert cluster_of(items[0]) == cluster_of(items[1]) is not None
    assert WireItem.objects.get(pk=items[0].pk).events.filter(what="put_together").exists()


def test_whoever_only_reads_changes_nothing(quake, will, console):
    items, cluster = quake
    browser = console(will)
    page = browser.get(page_of(cluster))
    assert page.status_code == 200
    assert page.context["offers"] == []
    browser.post(act(cluster, "take_out"), {"confirmed": "1", "items": [items[2].pk]})
    assert cluster_of(items[2]) == cluster


def test_a_forged_or_a_followed_link_changes_nothing(quake, edda, console):
    items, cluster = quake
    forged = console(edda, checks_csrf=True).post(
        act(cluster, "take_out"), {"confirmed": "1", "items": [items[2].pk]}
    )
    assert forged.status_code == 403
    assert console(edda).get(act(cluster, "take_out")).status_code == 405
    assert cluster_of(items[2]) == cluster


def test_the_list_shows_what_several_sources_report(quake, filed, edda, console):
    for number in range(2):
        filed((FERRY[0], f"{FERRY[1]} {'Tugs are near. ' * number}"), "Coast Wire")
    regroup.take_out(quake[1].pk, [quake[0][2].pk], actor_of(edda))
    shown = console(edda).get(CLUSTERS).context["cl"].result_list
    assert [each.pk for each in shown] == [quake[1].pk]
    assert len(console(edda).get(f"{CLUSTERS}?from=all").context["cl"].result_list) == 2
