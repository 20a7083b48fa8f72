"""A source rewrites its piece: the story made from it is marked, told once, and left as it is."""

from datetime import UTC, datetime

import pytest

from articles import desk, intake, origins, triage
from articles.errors import NotAllowed, WrongState
from articles.models import Article, Event
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def coast(db):
    return Source.objects.create(
        name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
    )


@pytest.fixture
def sends(coast):
    """Coast Wire sends its piece in this wording."""
    return lambda text: intake.file(coast.pk, [WireCopy("1", "Ferry returns", content=text)])


@pytest.fixture
def story(sends, edda, at_the_console):
    """Edda's story, picked up from Coast Wire's piece."""
    sends("<p>It sails at noon.</p>")
    return triage.pick_up([Article.objects.wire().get().pk], at_the_console(edda))


def told(story):
    return story.events.filter(what="source_changed")


def test_a_rewrite_marks_the_story_and_tells_it_once(story, sends):
    sends("<p>It sails at one.</p>")
    sends("<p>It sails at one.</p>")
    origin = story.origins.get()
    assert origin.source_changed
    assert origin.revision_seen.content == "<p>It sails at noon.</p>"
    event = told(story).get()
    assert event.reason == "Coast Wire rewrote “Ferry returns”"
    assert event.data["live"] is False


def test_each_rewrite_is_told_and_the_difference_is_still_to_what_was_used(story, sends):
    sends("<p>It sails at one.</p>")
    sends("<p>It sails at two.</p>")
    assert told(story).count() == 2
    assert story.origins.get().revision_seen.content == "<p>It sails at noon.</p>"


def test_a_source_that_takes_its_change_back_leaves_no_mark(story, sends):
    sends("<p>It sails at one.</p>")
    sends("<p>It sails at noon.</p>")
    assert not story.origins.get().source_changed


def test_other_markup_marks_nothing(story, sends):
    sends('<p class="lead">It sails at noon.</p>')
    assert not story.origins.get().source_changed
    assert not told(story).exists()


def test_the_event_and_the_items_new_text_are_one_transaction(story, sends, monkeypatch):
    monkeypatch.setattr("articles.intake._upsert", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sends("<p>It sails at one.</p>")
    assert not told(story).exists()
    assert Article.objects.wire().get().content == "<p>It sails at noon.</p>"


def test_whoever_has_seen_the_change_takes_the_mark_away(story, sends, edda, at_the_console):
    sends("<p>It sails at one.</p>")
    item = Article.objects.wire().get()
    origins.seen(story.pk, item.pk, item.raw_hash, at_the_console(edda))
    origin = story.origins.get()
    assert (origin.source_changed, origin.revision_seen) == (False, None)
    assert story.events.get(what="source_seen").actor == edda
    sends("<p>It sails at two.</p>")
    assert story.origins.get().revision_seen.content == "<p>It sails at one.</p>"


def test_seen_counts_only_for_the_wording_that_was_shown(story, sends, edda, at_the_console):
    sends("<p>It sails at one.</p>")
    shown = Article.objects.wire().get()
    sends("<p>It sails at two.</p>")
    with pytest.raises(WrongState, match="Look once more"):
        origins.seen(story.pk, shown.pk, shown.raw_hash, at_the_console(edda))
    assert story.origins.get().source_changed


def test_a_writer_marks_changes_as_seen_in_own_stories_only(story, sends, will, at_the_console):
    sends("<p>It sails at one.</p>")
    item = Article.objects.wire().get()
    with pytest.raises(NotAllowed):
        origins.seen(story.pk, item.pk, item.raw_hash, at_the_console(will))


def test_a_silent_edit_after_publication_is_told_as_such(approved, sends, coast):
    sends("<p>It sails at noon.</p>")
    item = Article.objects.wire().get()
    story = approved()
    story.origins.create(item=item, raw_hash_seen=item.raw_hash)
    desk.went_live(story.pk, story.current_revision_id, datetime.now(UTC))
    sends("<p>It sails at one.</p>")
    assert told(story).get().data["live"] is True
    assert list(Article.objects.public().whose_source_changed()) == [story]


def test_a_killed_story_is_not_told(story, sends, edda, at_the_console):
    desk.perform(story.pk, "spike", at_the_console(edda))
    sends("<p>It sails at one.</p>")
    assert not Event.objects.filter(what="source_changed").exists()
