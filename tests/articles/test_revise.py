from functools import partial

import pytest

from articles import desk, revise
from articles.errors import Incomplete, NotAllowed, StaleVersion, WrongState
from articles.lifecycle import State
from articles.models import Revision
from articles.record import Actor, Door
from tests.together import at_once

pytestmark = pytest.mark.django_db


def test_a_save_counts_one_version_on_and_keeps_the_text_before(draft, will, at_the_console):
    story = draft(will, title="First")
    story = revise.save(story.pk, at_the_console(will), 1, {"title": "Second"})
    assert story.version == 2
    assert list(story.revisions.values_list("number", "title")) == [(2, "Second"), (1, "First")]
    assert story.current_revision.base.title == "First"


def test_a_save_from_an_older_version_changes_nothing(draft, edda, at_the_console):
    story = draft(edda)
    revise.save(story.pk, at_the_console(edda), 1, {"title": "Edda's"})
    with pytest.raises(StaleVersion) as refusal:
        revise.save(story.pk, at_the_console(edda), 1, {"title": "Somebody's"})
    story.refresh_from_db()
    assert story.title == "Edda's"
    assert refusal.value.current.version == 2


def test_saving_what_stands_already_is_no_change(draft, will, at_the_console):
    story = draft(will, title="Same")
    assert revise.save(story.pk, at_the_console(will), 1, {"title": "Same"}).version == 1
    assert story.revisions.count() == 1


def test_editing_an_approved_text_voids_the_approval(approved, paula, at_the_console):
    story = approved()
    story = revise.save(story.pk, at_the_console(paula), story.version, {"content": "<p>No.</p>"})
    assert (story.state, story.approved_revision) == (State.DRAFT, None)


def test_planning_an_approved_story_keeps_the_approval(approved, paula, at_the_console):
    story = approved()
    story = revise.save(story.pk, at_the_console(paula), story.version, {"urgency": 2})
    assert story.state == State.APPROVED
    assert story.approved_revision is not None


def test_a_writer_can_not_edit_somebody_elses_story(draft, paula, will, at_the_console):
    with pytest.raises(NotAllowed):
        revise.save(draft(paula).pk, at_the_console(will), 1, {"title": "Mine"})


def test_a_spiked_story_can_not_be_edited(draft, edda, at_the_console):
    story = desk.perform(draft(edda).pk, "spike", at_the_console(edda))
    with pytest.raises(WrongState):
        revise.save(story.pk, at_the_console(edda), story.version, {"title": "Still"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "x" * 501}, "title"),
        ({"urgency": 12}, "urgency"),
        ({"content": "x" * 500_000}, "content"),
        ({"state": "approved"}, "state"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
def test_what_can_not_be_stored_is_named_by_its_field(draft, will, at_the_console, changes, field):
    story = draft(will)
    with pytest.raises(Incomplete) as refusal:
        revise.save(story.pk, at_the_console(will), 1, changes)
    assert list(refusal.value.problems) == [field]
    assert story.revisions.count() == 1


def test_script_never_reaches_the_database(draft, will, at_the_console):
    story = draft(will, content="<p>Safe</p><script>alert(1)</script>")
    assert story.content == "<p>Safe</p>"


def test_an_old_revision_comes_back_as_a_new_one(draft, will, at_the_console):
    story = draft(will, title="First")
    story = revise.save(story.pk, at_the_console(will), 1, {"title": "Second"})
    first = story.revisions.get(number=1)
    story = revise.restore(story.pk, at_the_console(will), story.version, first)
    assert (story.title, story.current_revision.number) == ("First", 3)


@pytest.mark.django_db(transaction=True)
def test_of_many_saves_at_once_none_is_silently_overwritten(draft, edda):
    by = Actor(edda, Door.ADMIN)
    story = draft(edda)
    saves = [partial(revise.save, story.pk, by, 1, {"title": f"Title {n}"}) for n in range(10)]
    outcomes = at_once(*saves, refusals=(StaleVersion,))
    assert [isinstance(each, StaleVersion) for each in outcomes].count(True) == 9
    assert Revision.objects.filter(article=story).count() == 2
