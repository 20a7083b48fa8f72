"""Acts on stories, on a real database: what moves, what is refused, what goes on the record."""

from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from articles import desk, revise
from articles.errors import Incomplete, NeedsReason, NotAllowed, StaleVersion, WrongState
from articles.lifecycle import State
from articles.models import Article, Event
from articles.record import Actor, Door
from tests.together import at_once

pytestmark = pytest.mark.django_db


def test_a_story_goes_from_draft_to_approved_with_a_record_of_each_step(
    draft, will, paula, at_the_console
):
    story = draft(will)
    desk.submit(story.pk, at_the_console(will), version=1)
    story = desk.approve(story.pk, at_the_console(paula), version=2)
    assert story.state == State.APPROVED
    assert story.approved_revision == story.current_revision
    assert list(story.events.values_list("what", "actor__username", "version").order_by("id")) == [
        ("started", "will", 1),
        ("submit", "will", 2),
        ("approve", "paula", 3),
    ]


def test_a_writer_can_not_approve_and_the_refusal_is_on_the_record(draft, will, at_the_console):
    story = draft(will)
    desk.submit(story.pk, at_the_console(will))
    with pytest.raises(NotAllowed):
        desk.approve(story.pk, at_the_console(will))
    story.refresh_from_db()
    assert story.state == State.IN_REVIEW
    assert story.events.filter(what="refused", actor=will, data={"act": "approve"}).exists()


def test_a_writer_can_not_submit_somebody_elses_story(draft, paula, will, at_the_console):
    story = draft(paula)
    with pytest.raises(NotAllowed):
        desk.submit(story.pk, at_the_console(will))


def test_an_act_on_an_older_version_is_refused_with_what_stands_now(draft, will, at_the_console):
    story = draft(will)
    revise.save(story.pk, at_the_console(will), 1, {"title": "Ferry back at Lindholm"})
    with pytest.raises(StaleVersion) as refusal:
        desk.submit(story.pk, at_the_console(will), version=1)
    assert refusal.value.current.title == "Ferry back at Lindholm"


@pytest.mark.parametrize("text", [{"title": ""}, {"content": "<p> </p>"}])
def test_an_unfinished_story_can_not_be_submitted(draft, will, at_the_console, text):
    story = draft(will, **text)
    with pytest.raises(Incomplete) as refusal:
        desk.submit(story.pk, at_the_console(will))
    assert set(refusal.value.problems) == set(text)


def test_returning_asks_for_a_note(draft, will, edda, at_the_console):
    story = draft(will)
    desk.submit(story.pk, at_the_console(will))
    with pytest.raises(NeedsReason):
        desk.perform(story.pk, "return", at_the_console(edda))
    desk.perform(story.pk, "return", at_the_console(edda), reason="Who says so?")
    assert story.events.get(what="return").reason == "Who says so?"


def test_an_act_that_the_state_does_not_allow_is_refused(draft, paula, at_the_console):
    story = draft(paula)
    with pytest.raises(WrongState):
        desk.approve(story.pk, at_the_console(paula))


def test_nobody_but_the_desk_makes_a_story_live(approved, paula, at_the_console):
    with pytest.raises(NotAllowed):
        desk.perform(approved().pk, "go_live", at_the_console(paula))


def test_the_first_success_makes_a_story_live_and_the_second_changes_nothing(approved):
    story = approved()
    at = timezone.now()
    for _ in range(2):
        desk.went_live(story.pk, story.approved_revision_id, at)
    story.refresh_from_db()
    assert (story.state, story.published_at) == (State.LIVE, at)
    assert story.live_revision == story.approved_revision
    assert story.events.filter(what="go_live").count() == 1


def test_a_killed_story_stays_killed_when_a_late_answer_comes_in(approved, paula, at_the_console):
    story = approved()
    revision = story.approved_revision_id
    desk.went_live(story.pk, revision, timezone.now())
    desk.perform(story.pk, "kill", at_the_console(paula), reason="Wrong person named")
    Article.objects.filter(pk=story.pk).update(live_revision=None)
    desk.went_live(story.pk, revision, timezone.now())
    story.refresh_from_db()
    assert story.state == State.KILLED
    assert story.events.filter(what="went_live_late").exists()


def test_a_correction_opens_a_draft_while_the_published_text_stays(approved, paula, at_the_console):
    story = approved()
    desk.went_live(story.pk, story.approved_revision_id, timezone.now())
    story = desk.perform(story.pk, "correct", at_the_console(paula), reason="Name misspelt")
    story = revise.save(story.pk, at_the_console(paula), story.version, {"title": "New title"})
    assert story.state == State.DRAFT
    assert story.live_revision.title != story.current_revision.title == "New title"


def test_the_record_can_not_be_rewritten(draft, will):
    draft(will)
    for rewrite in (
        lambda: Event.objects.update(reason="nothing happened"),
        lambda: Event.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rewrite()


def test_a_state_that_does_not_fit_the_kind_is_refused_by_the_database(draft, will):
    story = draft(will)
    with pytest.raises(DatabaseError, match="state_fits_kind"), transaction.atomic():
        Article.objects.filter(pk=story.pk).update(state=State.SHORTLISTED)


@pytest.mark.django_db(transaction=True)
def test_of_many_approvals_at_once_exactly_one_wins(draft, paula):
    by = Actor(paula, Door.ADMIN)
    story = draft(paula)
    story = desk.submit(story.pk, by)
    told = (StaleVersion, WrongState)
    approve = partial(desk.approve, story.pk, by, version=story.version)
    outcomes = at_once(*[approve] * 8, refusals=told)
    assert [isinstance(each, told) for each in outcomes].count(True) == 7
    assert Event.objects.filter(what="approve").count() == 1
