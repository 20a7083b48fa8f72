"""The rules' pages: rows instead of JSON, a list before anything is changed, a way back."""

import pytest
from django.urls import reverse

from articles import triage
from articles.models import Rule, RuleRun

LIST = "/admin/articles/rule/"


def form(*conditions, **what):
    """What a browser posts for a rule with these rows."""
    data = {
        "name": "Tides", "is_active": "on", "position": "100", "every": "True", "tags": "",
        "section": "", "source": "", "urgency": "", "assignee": "",
        "conditions-TOTAL_FORMS": str(len(conditions) + 1), "conditions-INITIAL_FORMS": "0",
        "runs-TOTAL_FORMS": "0", "runs-INITIAL_FORMS": "0",
    }  # fmt: skip
    for number, row in enumerate([*conditions, ("", "", "")]):
        for name, value in zip(("field", "operator", "value"), row, strict=True):
            data[f"conditions-{number}-{name}"] = value
    return data | what


@pytest.fixture
def tides(db):
    """A rule for the wire's tide tables, switched off so far."""
    rule = Rule.objects.create(name="Tides", is_active=False, spike=True, tags=["tides"])
    rule.conditions.create(field="title", operator="contains", value="tide table")
    return rule


def act(rule, name):
    return reverse("admin:articles_rule_act", args=(rule.pk, name))


def act_of(run, name):
    return reverse("admin:articles_rulerun_act", args=(run.pk, name))


def test_an_editor_makes_a_rule_from_rows(edda, console):
    page = console(edda).get(f"{LIST}add/").content.decode()
    assert "does not contain" in page
    answer = console(edda).post(
        f"{LIST}add/", form(("title", "contains", "tide"), tags="tides, sea", urgency="8")
    )
    rule = Rule.objects.get()
    assert answer.url == reverse("admin:articles_rule_change", args=(rule.pk,))
    assert (rule.tags, rule.urgency, rule.created_by) == (["tides", "sea"], 8, edda)
    assert [str(each) for each in rule.conditions.all()] == ["Title contains “tide”"]
    assert "Title contains “tide”" in console(edda).get(LIST).content.decode()


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        (form(("title", "contains", "x")), "Choose at least one thing that the rule does."),
        (form(spike="on"), "Give the rule at least one condition."),
        (form(("title", "matches", "(x"), spike="on"), "The pattern can&#x27;t be read"),
        (form(("age", "over", "x"), spike="on"), "Give the age as a whole number of hours"),
        (form(("title", "under", "3"), spike="on"), "choose another way"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_a_sentence(edda, console, posted, said):
    answer = console(edda).post(f"{LIST}add/", posted)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Rule.objects.exists()


def test_a_row_can_be_changed_and_taken_away(tides, edda, console):
    tides.conditions.create(field="title", operator="contains", value="zzz")
    first, second = tides.conditions.all()
    url = reverse("admin:articles_rule_change", args=(tides.pk,))
    posted = form(("title", "equals", "tide table"), ("title", "contains", "zzz"), spike="on")
    posted |= {
        "conditions-INITIAL_FORMS": "2", "conditions-0-id": first.pk, "conditions-1-id": second.pk,
        "conditions-1-DELETE": "on", "conditions-0-rule": tides.pk, "conditions-1-rule": tides.pk,
    }  # fmt: skip
    console(edda).post(url, posted)
    assert [str(each) for each in tides.conditions.all()] == ["Title is “tide table”"]


def test_trying_shows_the_list_and_changes_nothing(wire, tides, edda, console):
    items = wire(3)
    answer = console(edda).post(act(tides, "try"), {"confirmed": "1", "days": "7"}, follow=True)
    page = answer.content.decode()
    assert "3 items would be changed. Nothing is changed yet." in page
    assert "Spike, tag “tides”" in page
    assert all(item.title in page for item in items)
    for item in items:
        item.refresh_from_db()
    assert {item.state for item in items} == {"new"}


def test_applying_and_undoing_by_their_buttons(wire, tides, edda, paula, console, at_the_console):
    items = wire(3)
    console(edda).post(act(tides, "try"), {"confirmed": "1", "days": "7"})
    run = RuleRun.objects.get()
    triage.decide([items[0].pk], "shortlist", at_the_console(paula))
    page = console(edda).post(act_of(run, "apply"), {"confirmed": "1"}, follow=True)
    assert "2 items were changed. 1 had changed meanwhile" in page.content.decode()
    triage.decide([items[1].pk], "unspike", at_the_console(paula))
    page = console(edda).post(act_of(run, "undo"), {"confirmed": "1"}, follow=True)
    assert "paula has changed it since." in page.content.decode()
    for item in items:
        item.refresh_from_db()
    assert [item.state for item in items] == ["shortlisted", "new", "new"]
    assert [item.tags for item in items] == [[], ["tides"], []]


def test_a_long_run_is_read_page_by_page(wire, tides, edda, console):
    wire(55)
    console(edda).post(act(tides, "try"), {"confirmed": "1", "days": "7"})
    url = reverse("admin:articles_rulerun_change", args=(RuleRun.objects.get().pk,))
    first, second = console(edda).get(url), console(edda).get(f"{url}?page=2")
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 5)
    assert console(edda).get(f"{url}?page=x").status_code == 200


def test_what_a_rule_did_by_itself_is_undone_by_its_button(tides, wire, edda, console):
    console(edda).post(act(tides, "switch_on"))
    (item,) = wire(1)
    assert item.state == "spiked"
    record = console(edda).get(reverse("admin:articles_wireitem_change", args=(item.pk,)))
    assert "the desk applied a rule" in record.content.decode()
    console(edda).post(act(tides, "undo_own"), {"confirmed": "1", "hours": "1"})
    item.refresh_from_db()
    assert (item.state, item.tags) == ("new", [])


def test_a_switched_off_rule_leaves_new_items(tides, wire, edda, console):
    console(edda).post(act(tides, "switch_on"))
    console(edda).post(act(tides, "switch_off"))
    (item,) = wire(1)
    assert item.state == "new"


def test_who_does_not_triage_reads_rules_only(tides, will, console):
    client = console(will)
    url = reverse("admin:articles_rule_change", args=(tides.pk,))
    assert client.get(url).status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(url, form(("title", "contains", "x"), spike="on")).status_code == 403
    client.post(act(tides, "try"), {"confirmed": "1", "days": "7"})
    assert not RuleRun.objects.exists()


def test_no_get_and_no_forged_post_changes_anything(tides, edda, console):
    assert console(edda).get(act(tides, "switch_on")).status_code == 405
    forged = console(edda, checks_csrf=True).post(act(tides, "switch_on"))
    assert forged.status_code == 403
    tides.refresh_from_db()
    assert not tides.is_active


def test_what_a_rule_gave_to_somebody_is_found_by_them(tides, wire, edda, console):
    tides.spike, tides.is_active = False, True
    tides.section, tides.urgency, tides.assignee = "sea", 2, edda
    tides.save()
    wire(2)
    page = console(edda).get("/admin/articles/wireitem/?with=me")
    assert len(page.context["cl"].result_list) == 2
    assert "sea · urgency 2 · with edda" in page.content.decode()
