"""Writing at the console: what is saved, who may, and what happens when two save at once."""

import pytest
from django.urls import reverse

from articles import desk, revise
from articles.admin.difference import Piece, difference, side
from articles.models import Story


def page_of(story):
    return reverse("admin:articles_story_change", args=(story.pk,))


def typed(browser, story, **changes):
    """The form as the browser has it, with what somebody typed into it."""
    page = browser.get(page_of(story))
    form = page.context["adminform"].form
    data = {}
    for field in form:
        value = field.value()
        if isinstance(value, list):
            value = ",".join(value)
        if hasattr(field.field.widget, "widgets"):
            continue
        data[field.html_name] = "" if value is None else value
    for inline in page.context["inline_admin_formsets"]:
        management = inline.formset.management_form
        data |= {field.html_name: field.value() for field in management}
        for row in inline.formset.initial_forms:
            data |= {f.html_name: f.value() for f in row.hidden_fields() if f.value() is not None}
    return data | changes


def test_saving_goes_through_the_desk_and_keeps_a_revision(draft, will, console):
    story = draft(will)
    browser = console(will)
    answer = browser.post(page_of(story), typed(browser, story, title="Ferry is back"), follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["Saved."]
    story.refresh_from_db()
    assert (story.title, story.version, story.revisions.count()) == ("Ferry is back", 2, 2)
    assert story.current_revision.author == will


def test_saving_without_a_change_is_no_revision(draft, will, console):
    story = draft(will)
    browser = console(will)
    answer = browser.post(page_of(story), typed(browser, story), follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["Nothing was changed."]
    assert story.revisions.count() == 1


def test_a_new_story_starts_as_a_draft_of_its_writer(will, console):
    answer = console(will).post(
        reverse("admin:articles_story_add"),
        {"title": "A new bridge", "summary": "", "content": "<p>It spans.</p>", "urgency": 5},
        follow=True,
    )
    assert "The story was started" in str(next(iter(answer.context["messages"])))
    story = Story.objects.get()
    assert (story.state, story.created_by, story.version) == ("draft", will, 1)


def test_the_second_of_two_editors_is_told_and_loses_nothing(draft, edda, paula, console):
    story = draft(edda, content="<p>The ferry sails again on Monday.</p>")
    edda_browser, paula_browser = console(edda), console(paula)
    eddas = typed(edda_browser, story, content="<p>The ferry sails again on Tuesday.</p>")
    paulas = typed(paula_browser, story, content="<p>The old ferry sails on Monday.</p>")

    edda_browser.post(page_of(story), eddas)
    answer = paula_browser.post(page_of(story), paulas)

    assert answer.status_code == 200
    conflict = answer.context["conflict"]
    assert (conflict.who, conflict.version) == ("edda", 2)
    page = answer.content.decode()
    assert "Edda saved this story after you had opened it" in page
    assert '<del class="desk-gone">Tuesday</del>' in page
    assert '<ins class="desk-added">old ' in page
    assert "The old ferry sails on Monday." in answer.context["adminform"].form["content"].value()
    story.refresh_from_db()
    assert "Tuesday" in story.content

    answer = paula_browser.post(page_of(story), paulas | {"_save_over": "2"}, follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["Saved."]
    story.refresh_from_db()
    assert story.content == "<p>The old ferry sails on Monday.</p>"
    assert story.revisions.count() == 3


def test_saving_over_takes_back_nothing_that_was_done_elsewhere(
    draft, edda, paula, console, at_the_console
):
    story = draft(edda)
    browser = console(paula)
    paulas = typed(browser, story, title="Paula's")
    revise.save(story.pk, at_the_console(edda), 1, {"title": "Edda's", "slugline": "ferry"})

    conflict = browser.post(page_of(story), paulas).context["conflict"]
    assert [label for label, _, _ in conflict.parts] == ["Title"]
    assert conflict.details == ()

    browser.post(page_of(story), paulas | {"_save_over": "2"})
    story.refresh_from_db()
    assert (story.title, story.slugline) == ("Paula's", "ferry")


def test_saving_over_loses_again_to_a_third_editor(draft, edda, paula, console, at_the_console):
    story = draft(edda)
    browser = console(paula)
    paulas = typed(browser, story, title="Paula's")
    revise.save(story.pk, at_the_console(edda), 1, {"title": "Edda's"})
    revise.save(story.pk, at_the_console(edda), 2, {"title": "Edda's again"})
    answer = browser.post(page_of(story), paulas | {"_save_over": "2"})
    assert answer.context["conflict"].version == 3
    story.refresh_from_db()
    assert story.title == "Edda's again"


def test_an_act_pressed_over_unsaved_text_saves_first(draft, will, console):
    story = draft(will)
    browser = console(will)
    data = typed(browser, story, title="Typed just now", _act="submit")
    answer = browser.post(page_of(story), data, follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["Saved.", "Submitted for review."]
    story.refresh_from_db()
    assert (story.title, story.state) == ("Typed just now", "in_review")


def test_a_refused_value_is_named_at_its_field(draft, will, console):
    story = draft(will)
    browser = console(will)
    answer = browser.post(page_of(story), typed(browser, story, content="x" * 400_001))
    assert "longer than 400,000 characters" in str(answer.context["adminform"].form.errors)
    assert story.revisions.count() == 1


@pytest.mark.parametrize(
    ("who", "may"), [("vera", False), ("wanda", False), ("edda", True), ("paula", True)]
)
def test_who_may_edit_what_will_wrote(request, draft, will, console, db, who, may):
    from tests.conftest import person

    story = draft(will)
    user = person("wanda", "Writer") if who == "wanda" else request.getfixturevalue(who)
    browser = console(user)
    page = browser.get(page_of(story))
    assert page.status_code == 200
    assert ('name="content"' in page.content.decode()) is may
    assert "It sails again." in page.content.decode()
    answer = browser.post(page_of(story), {"title": "Mine now", "version": 1})
    assert answer.status_code == (200 if may else 403)
    story.refresh_from_db()
    assert story.title == "Ferry returns to Lindholm"


def test_a_live_story_is_read_not_edited(approved, paula, console):
    story = approved()
    desk.went_live(story.pk, story.approved_revision_id, story.created_at)
    page = console(paula).get(page_of(story))
    assert 'name="content"' not in page.content.decode()
    assert {"correct", "kill"} <= {offer.act.name for offer in page.context["offers"]}


def test_an_older_text_can_be_compared_and_restored(draft, will, console, at_the_console):
    story = draft(will)
    revise.save(story.pk, at_the_console(will), 1, {"content": "<p>It sails no more.</p>"})
    url = reverse("admin:articles_story_revision", args=(story.pk, 1))
    browser = console(will)
    page = browser.get(url).content.decode()
    assert '<ins class="desk-added">no more</ins>' in page
    browser.post(url, {"version": 2})
    story.refresh_from_db()
    assert story.content == "<p>It sails again.</p>"
    assert story.revisions.first().note == "Text of revision 1 restored"


def test_the_record_reads_like_sentences(draft, will, console, at_the_console):
    story = draft(will)
    desk.submit(story.pk, at_the_console(will))
    page = console(will).get(page_of(story)).content.decode()
    assert "will started the story" in page
    assert "will submitted it for review" in page


def test_words_are_compared_inside_a_paragraph_only():
    found = difference("One.\nThe ferry sails.\nEnd.", "One.\nThe old ferry sails.\nEnd.")
    assert found == [
        (Piece("One.", "same"),),
        (Piece("The ", "same"), Piece("old ", "added"), Piece("ferry sails.", "same")),
        (Piece("End.", "same"),),
    ]
    assert side(found, "added")[1] == (Piece("The ", "same"), Piece("ferry sails.", "same"))


def test_a_paragraph_that_is_gone_leaves_only_one_side():
    found = difference("Stays.\nGoes.", "Stays.")
    assert side(found, "gone") == [(Piece("Stays.", "same"),)]
