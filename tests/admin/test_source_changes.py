"""What a source changed, on the story's page and in the list."""

import pytest
from django.urls import reverse

from articles import desk, intake, triage
from articles.models import WireItem
from articles.wire import WireCopy

LIST = "/admin/articles/story/"


def rewrite(gazette, words):
    intake.file(gazette.pk, [WireCopy("0", "Tide table number 0", content=f"<p>{words}</p>")])


@pytest.fixture
def story(wire, edda, at_the_console):
    """Edda's story, picked up from the Gazette's only item."""
    (item,) = wire(1)
    return triage.pick_up([item.pk], at_the_console(edda))


def test_the_list_marks_stories_whose_source_changed(story, gazette, edda, console):
    assert "Source changed" not in console(edda).get(LIST).content.decode()
    rewrite(gazette, "High water at 7.")
    assert "Source changed" in console(edda).get(LIST).content.decode()
    shown = console(edda).get(f"{LIST}?state=all&source=changed").context["cl"].result_list
    assert [each.pk for each in shown] == [story.pk]


def test_the_page_shows_the_words_that_changed_and_seen_takes_them_away(
    story, gazette, edda, console
):
    rewrite(gazette, "High water at 7 sharp.")
    url = reverse("admin:articles_story_change", args=(story.pk,))
    page = console(edda).get(url).content.decode()
    assert "Harbour Gazette has changed its piece" in page
    assert '<ins class="desk-added">' in page
    item = WireItem.objects.get()
    seen = reverse("admin:articles_story_source_seen", args=(story.pk, item.pk))
    assert seen in page
    answer = console(edda).post(seen, {"raw_hash": item.raw_hash}, follow=True)
    assert "has changed its piece" not in answer.content.decode()
    assert story.events.filter(what="source_seen", actor=edda).exists()


def test_seen_needs_a_post_with_its_token_and_the_right(story, gazette, edda, vera, console):
    rewrite(gazette, "High water at 7.")
    item = WireItem.objects.get()
    seen = reverse("admin:articles_story_source_seen", args=(story.pk, item.pk))
    assert console(edda).get(seen).status_code == 405
    assert console(edda, checks_csrf=True).post(seen).status_code == 403
    console(vera).post(seen, {"raw_hash": item.raw_hash})
    assert story.origins.get().source_changed
    page = console(vera).get(reverse("admin:articles_story_change", args=(story.pk,)))
    assert "has changed its piece" in page.content.decode()
    assert seen not in page.content.decode()


def test_a_change_after_publication_is_louder(wire, gazette, approved, paula, console):
    (item,) = wire(1)
    story = approved()
    story.origins.create(item=item, raw_hash_seen=item.raw_hash)
    desk.went_live(story.pk, story.current_revision_id, item.created_at)
    rewrite(gazette, "High water at 7.")
    page = console(paula).get(reverse("admin:articles_story_change", args=(story.pk,)))
    assert "after this story was published" in page.content.decode()
    listed = console(paula).get(f"{LIST}?state=live").content.decode()
    assert "Source changed after publication" in listed
    assert (
        "The source changed what is already out" in console(paula).get("/admin/").content.decode()
    )
