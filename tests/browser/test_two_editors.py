"""Two people write on one story at the same time: the second is told, and nothing is lost."""

from django.urls import reverse


def test_the_second_editor_is_told_and_nothing_typed_is_lost(draft, edda, paula, at_the_browser):
    story = draft(edda, content="<p>The ferry sails again on Monday.</p>")
    page = reverse("admin:articles_story_change", args=(story.pk,))
    first, second = at_the_browser(edda), at_the_browser(paula)
    first.opens(page)
    second.opens(page)

    first.writes("Edda was first. ")
    first.saves()
    first.sees("Saved.")
    second.writes("Paula was second. ")
    second.saves()

    second.sees("Edda saved this story after you had opened it")
    assert second.finds("del.desk-gone").text.strip() == "Edda"
    assert "Paula was second." in second.finds(".tiptap").text
    story.refresh_from_db()
    assert "Edda was first." in story.content
    assert "Paula" not in story.content

    second.finds("[name=_save_over]").click()
    second.sees("Saved.")
    story.refresh_from_db()
    assert "Paula was second." in story.content
    second.follows("Revisions")
    second.sees("Revision 3")
    assert "Edda was first." in story.revisions.get(number=2).content


def test_an_act_over_unsaved_typing_takes_the_typing_along(draft, will, at_the_browser):
    story = draft(will, content="<p>The ferry sails.</p>")
    writer = at_the_browser(will)
    writer.opens(reverse("admin:articles_story_change", args=(story.pk,)))
    writer.writes("Not saved yet. ")
    writer.presses("submit", saying="Submitted for review.")
    story.refresh_from_db()
    assert story.state == "in_review"
    assert "Not saved yet." in story.content


def test_an_act_with_a_reason_asks_in_place(draft, will, paula, at_the_browser, at_the_console):
    from articles import desk

    story = draft(will)
    desk.submit(story.pk, at_the_console(will))
    publisher = at_the_browser(paula)
    publisher.opens(reverse("admin:articles_story_change", args=(story.pk,)))
    publisher.presses("return")
    publisher.finds("dialog[open] [name=reason]").send_keys("Who says so?")
    publisher.finds("dialog[open] button[type=submit]").click()
    publisher.sees("Returned to the writer.")
    assert story.events.first().reason == "Who says so?"
