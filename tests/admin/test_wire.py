"""The wire's list and items: quick decisions, safe reading, bounded search."""

import pytest
from django.urls import reverse

from articles import intake, triage
from articles.models import Story, WireItem
from articles.wire import WireCopy
from sources.models import Source

LIST = "/admin/articles/wireitem/"


def act_url(item, name):
    return reverse("admin:articles_wireitem_act", args=(item.pk, name))


def test_the_list_opens_with_what_nobody_has_decided_on(wire, edda, console, at_the_console):
    items = wire(3)
    triage.decide([items[0].pk], "spike", at_the_console(edda))
    shown = console(edda).get(LIST).context["cl"].result_list
    assert {item.pk for item in shown} == {items[1].pk, items[2].pk}
    assert len(console(edda).get(f"{LIST}?state=spiked").context["cl"].result_list) == 1
    assert len(console(edda).get(f"{LIST}?state=nonsense").context["cl"].result_list) == 2


def test_a_row_button_decides_and_comes_back_to_the_list(wire, edda, console):
    (item,) = wire(1)
    answer = console(edda).post(
        act_url(item, "shortlist"), {"version": item.version, "next": f"{LIST}?state=new"}
    )
    assert answer.url == f"{LIST}?state=new"
    item.refresh_from_db()
    assert item.state == "shortlisted"


def test_picking_up_leads_to_the_new_story(wire, edda, console):
    (item,) = wire(1)
    answer = console(edda).post(act_url(item, "pick_up"), {"version": item.version})
    story = Story.objects.get()
    assert answer.url == reverse("admin:articles_story_change", args=(story.pk,))
    assert [origin.item_id for origin in story.origins.all()] == [item.pk]


def test_a_bulk_decision_is_one_batch(wire, edda, console):
    items = wire(3)
    answer = console(edda).post(
        LIST,
        {"action": "spike_selected", "_selected_action": [item.pk for item in items[:2]]},
        follow=True,
    )
    assert "2 items. Spiked." in str(next(iter(answer.context["messages"])))
    batches = {item.events.get(what="spike").batch for item in items[:2]}
    assert len(batches) == 1
    assert None not in batches


def test_several_items_make_one_story(wire, edda, console):
    items = wire(2)
    console(edda).post(
        LIST, {"action": "pick_up_selected", "_selected_action": [item.pk for item in items]}
    )
    assert Story.objects.get().origins.count() == 2


def test_a_viewer_sees_no_buttons_and_no_bulk_acts(wire, vera, console):
    (item,) = wire(1)
    page = console(vera).get(LIST)
    assert "desk-row-act-primary" not in page.content.decode()
    assert page.context["action_form"] is None
    console(vera).post(act_url(item, "spike"), {"version": item.version})
    item.refresh_from_db()
    assert item.state == "new"


def test_an_item_is_read_without_script_or_pictures_from_outside(gazette, edda, console):
    item = WireItem.objects.create(
        kind="wire", state="new", source=gazette, external_id="x", title="<b>Bold</b>",
        content="<p>Hi</p><script>alert(1)</script>"
        '<img src="https://spy.example/p.gif" alt="A cat">',
    )  # fmt: skip
    page = console(edda).get(reverse("admin:articles_wireitem_change", args=(item.pk,)))
    text = str(page.context["text"])
    assert "<script" not in text
    assert "<img" not in text
    assert ">Picture: A cat</a>" in text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page.content.decode()


def test_search_looks_into_the_text_and_is_bounded(wire, edda, console, monkeypatch):
    wire(5)
    found = console(edda).get(f"{LIST}?q=water+3").context["cl"].result_list
    assert [item.title for item in found] == ["Tide table number 3"]
    monkeypatch.setattr("articles.admin.wire._MOST_HITS", 2)
    page = console(edda).get(f"{LIST}?q=water")
    assert len(page.context["cl"].result_list) == 2
    assert "More than 2 items match" in page.content.decode()


def test_counting_stops_at_the_cap(wire, edda, console, monkeypatch):
    wire(5)
    monkeypatch.setattr("config.admin_base.CappedPaginator.CAP", 3)
    page = console(edda).get(LIST)
    assert page.context["cl"].result_count == 3
    assert "3+" in page.content.decode()


@pytest.mark.parametrize("name", ["title", "content"])
def test_nobody_edits_an_item(wire, ada, console, name):
    (item,) = wire(1)
    url = reverse("admin:articles_wireitem_change", args=(item.pk,))
    assert console(ada).post(url, {name: "Mine"}).status_code == 403


def test_a_page_that_several_sources_bring_is_listed_once_with_a_count(wire, edda, console):
    (first,) = wire(1)
    for name in ("Inland", "Hills"):
        other = Source.objects.create(
            name=name, connector="feed", api_endpoint=f"https://{name.lower()}.example/rss"
        )
        intake.file(other.pk, [WireCopy("x", "High water", url="https://gazette.example/0")])
    page = console(edda).get(LIST)
    assert [item.pk for item in page.context["cl"].result_list] == [first.pk]
    assert "Also in 2 more sources" in page.content.decode()
    everything = console(edda).get(f"{LIST}?copies=shown")
    assert len(everything.context["cl"].result_list) == 3
    assert "Another source had this page first" in everything.content.decode()
    item = WireItem.objects.get(source__name="Hills")
    url = reverse("admin:articles_wireitem_change", args=(item.pk,))
    assert "Harbour Gazette</a> (first)" in console(edda).get(url).content.decode()
