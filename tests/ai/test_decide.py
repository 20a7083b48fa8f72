"""A person's decision on a suggestion, on a real database."""

from functools import partial

import pytest

from ai import assist, bell, decide
from ai.models import Generation, Task
from articles import desk, revise
from articles.errors import NotAllowed, StaleVersion, WrongState
from articles.lifecycle import State
from articles.models import Article, Revision
from articles.record import Actor, Door
from tests.together import at_once

pytestmark = pytest.mark.django_db
States = Generation.States


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    """No worker is needed here: the tests run what was asked themselves."""
    monkeypatch.setattr(bell, "ring", lambda pk: True)


def at_console(user):
    return Actor(user, Door.ADMIN)


def suggested(article: Article, task: Task, by) -> Generation:
    call = assist.run(assist.ask(article.pk, task, at_console(by)).generation.pk)
    assert call is not None
    assert call.state == States.SUGGESTED, call.error
    return call


def test_an_accepted_summary_becomes_the_storys_by_that_person_through_ai(story, will):
    call = suggested(story, Task.SUMMARY, will)
    call = decide.accept(call.pk, at_console(will), story.version)
    story.refresh_from_db()
    assert story.summary == call.text
    assert (story.version, story.title) == (2, "Ferry returns")
    revision = story.current_revision
    assert (revision.author, revision.via) == (will, Revision.Vias.AI)
    assert (call.state, call.decided_by) == (States.ACCEPTED, will)
    assert call.decided_at is not None
    edited, accepted = story.events.filter(what__in=["edited", "ai_accepted"]).order_by("pk")
    assert (edited.actor, edited.channel, edited.data) == (will, "ai", {"fields": ["summary"]})
    assert accepted.data == {"generation": call.pk, "task": "summary"}


def test_an_accepted_article_replaces_the_text_and_keeps_the_title(picked_up, edda):
    call = suggested(picked_up, Task.ARTICLE, edda)
    decide.accept(call.pk, at_console(edda), picked_up.version)
    picked_up.refresh_from_db()
    assert picked_up.content == call.text
    assert picked_up.title == "Ferry returns"
    assert picked_up.revisions.count() == 2


def test_a_story_without_a_title_takes_the_suggested_one(picked_up, edda):
    revise.save(picked_up.pk, at_console(edda), picked_up.version, {"title": ""})
    call = suggested(picked_up, Task.ARTICLE, edda)
    Generation.objects.filter(pk=call.pk).update(title="Ferry is back")
    decide.accept(call.pk, at_console(edda), 2)
    picked_up.refresh_from_db()
    assert picked_up.title == "Ferry is back"


def test_an_accepted_analysis_is_kept_and_the_text_stays(story, will):
    call = suggested(story, Task.ANALYSIS, will)
    decide.accept(call.pk, at_console(will), story.version)
    before = story.version, story.content
    story.refresh_from_db()
    assert (story.version, story.content) == before
    assert story.events.filter(what="ai_accepted", actor=will).exists()


def test_an_accepted_summary_of_a_wire_item_leaves_it_as_received(wire_item, edda):
    item = wire_item()
    call = suggested(item, Task.SUMMARY, edda)
    decide.accept(call.pk, at_console(edda), item.version)
    version = item.version
    item.refresh_from_db()
    assert (item.version, item.summary) == (version, "")
    assert item.events.filter(what="ai_accepted", actor=edda).exists()


def test_a_rejected_suggestion_changes_nothing_and_is_on_the_record(story, will):
    call = suggested(story, Task.SUMMARY, will)
    call = decide.reject(call.pk, at_console(will), reason="Misses the mayor.")
    story.refresh_from_db()
    assert (story.summary, story.version, call.state) == ("", 1, States.REJECTED)
    event = story.events.get(what="ai_rejected")
    assert (event.actor, event.reason) == (will, "Misses the mayor.")


def test_accepting_over_somebodys_newer_text_is_refused_and_stays_open(story, will, edda):
    call = suggested(story, Task.SUMMARY, will)
    revise.save(story.pk, at_console(edda), 1, {"summary": "Edda's own."})
    with pytest.raises(StaleVersion) as refusal:
        decide.accept(call.pk, at_console(will), 1)
    assert refusal.value.current.summary == "Edda's own."
    story.refresh_from_db()
    call.refresh_from_db()
    assert (story.summary, call.state) == ("Edda's own.", States.SUGGESTED)
    assert not story.events.filter(what="ai_accepted").exists()
    decide.accept(call.pk, at_console(will), 2)


def test_accepting_needs_the_version_that_was_read(story, will):
    call = suggested(story, Task.SUMMARY, will)
    with pytest.raises(WrongState, match="version"):
        decide.accept(call.pk, at_console(will), None)


def test_a_decision_is_made_once(story, will):
    call = suggested(story, Task.SUMMARY, will)
    decide.reject(call.pk, at_console(will))
    with pytest.raises(WrongState, match="rejected"):
        decide.accept(call.pk, at_console(will), 1)


@pytest.mark.parametrize("act", ["accept", "reject"])
def test_who_may_not_edit_the_story_may_not_decide(story, vera, will, paula, draft, act):
    def decided(call, by):
        if act == "accept":
            return decide.accept(call.pk, at_console(by), 1)
        return decide.reject(call.pk, at_console(by))

    own = suggested(story, Task.SUMMARY, will)
    with pytest.raises(NotAllowed):
        decided(own, vera)
    others = suggested(draft(paula, content=story.content), Task.SUMMARY, paula)
    with pytest.raises(NotAllowed):
        decided(others, will)
    with pytest.raises(NotAllowed):
        decide.reject(own.pk, Actor.desk())
    assert Generation.objects.filter(state=States.SUGGESTED).count() == 2


def test_accepting_into_an_approved_story_voids_the_approval(approved, paula):
    story = approved(content="<p>" + "The ferry sails again on Monday at six. " * 5 + "</p>")
    call = suggested(story, Task.SUMMARY, paula)
    decide.accept(call.pk, at_console(paula), story.version)
    story.refresh_from_db()
    assert (story.state, story.approved_revision) == (State.DRAFT, None)


def test_a_live_storys_text_takes_no_suggestion(approved, paula):
    story = approved(content="<p>" + "The ferry sails again on Monday at six. " * 5 + "</p>")
    call = suggested(story, Task.SUMMARY, paula)
    desk.went_live(story.pk, story.approved_revision_id, story.created_at)
    story.refresh_from_db()
    with pytest.raises(WrongState, match="Correct it"):
        decide.accept(call.pk, at_console(paula), story.version)


@pytest.mark.django_db(transaction=True)
def test_two_people_deciding_at_once_make_one_decision(picked_up, edda, paula):
    call = suggested(picked_up, Task.SUMMARY, edda)
    decides = [
        partial(decide.accept, call.pk, at_console(user), picked_up.version)
        for user in (edda, paula)
    ]
    refused = (WrongState, StaleVersion)
    outcomes = at_once(*decides, refusals=refused)
    assert [isinstance(each, refused) for each in outcomes].count(True) == 1
    assert picked_up.events.filter(what="ai_accepted").count() == 1
    assert picked_up.revisions.count() == 2
