"""An editor before clusters: from the wire to a cluster's page, taking out, merging again."""

import pytest
from django.urls import reverse
from selenium.webdriver.support.ui import Select

from articles import clustering, intake
from articles.models import Article, Cluster
from articles.wire import WireCopy
from sources.models import Source

REPORTS = {
    "Coast Wire": (
        "Magnitude 6.4 earthquake strikes off Vanora coast",
        "A magnitude 6.4 earthquake struck off the northern coast of Vanora early on Tuesday. "
        "The tremor was centred 38 km off the town of Telua.",
    ),
    "Harbour Gazette": (
        "Strong quake shakes northern Vanora, tsunami alert issued",
        "Residents of Telua ran into the streets when a strong earthquake rattled northern "
        "Vanora. Authorities issued a tsunami alert for the coast.",
    ),
    "Islands Daily": (
        "Earthquake of magnitude 6.4 off Vanora: what we know",
        "The earthquake of magnitude 6.4 was centred 38 km off Telua in northern Vanora.",
    ),
}


@pytest.fixture
def quake(transactional_db):
    for name, (title, text) in REPORTS.items():
        source = Source.objects.create(name=name, api_endpoint=f"https://{name[:5]}.example/rss")
        intake.file(source.pk, [WireCopy("1", title, content=f"<p>{text}</p>")])
    clustering.drain()
    return Cluster.objects.get()


def test_an_item_is_taken_out_and_put_back(quake, edda, at_the_browser):
    editor = at_the_browser(edda)
    editor.opens(reverse("admin:articles_wireitem_changelist"))
    editor.follows("3 sources")
    editor.sees("3 items from 3 sources")
    editor.presses("take_out")
    stranger = Article.objects.get(source__name="Islands Daily")
    editor.finds(f"dialog[open] input[value='{stranger.pk}']").click()
    editor.finds("dialog[open] button[type=submit]").click()
    editor.sees("1 item is out.")
    editor.sees("2 items from 2 sources")
    editor.presses("merge")
    Select(editor.finds("dialog[open] select[name=other]")).select_by_visible_text(stranger.title)
    editor.finds("dialog[open] button[type=submit]").click()
    editor.sees("One cluster now: 3 items from 3 sources.")
    editor.sees("Put here by edda")


def test_the_report_of_coverage_is_a_click_away(quake, edda, at_the_browser):
    editor = at_the_browser(edda)
    editor.follows("Coverage")
    editor.sees("Median lead over the next")
    editor.sees("Harbour Gazette")
