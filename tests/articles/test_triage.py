from datetime import timedelta

import pytest
from django.utils import timezone

from articles import intake, triage
from articles.errors import NotAllowed, WrongState
from articles.lifecycle import Kind, State
from articles.models import Article
from articles.record import Actor
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def items(db):
    """Three wire items of one source."""
    source = Source.objects.create(
        name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
    )
    intake.file(
        source.pk,
        [
            WireCopy(f"c{n}", f"Piece {n}", content=f"<p>Text {n}</p>", authors=("Jo Marsh",))
            for n in range(3)
        ],
    )
    return list(Article.objects.wire().order_by("external_id"))


def test_one_decision_over_many_items_is_one_batch(items, edda, at_the_console):
    decision = triage.decide([item.pk for item in items], "spike", at_the_console(edda))
    assert [item.state for item in decision.done] == [State.SPIKED] * 3
    batches = {event.batch for item in items for event in item.events.all()}
    assert len(batches) == 1
    assert None not in batches


def test_an_item_that_is_not_open_to_the_act_is_reported_and_the_rest_goes_through(
    items, edda, at_the_console
):
    triage.decide([items[0].pk], "spike", at_the_console(edda))
    decision = triage.decide([item.pk for item in items], "shortlist", at_the_console(edda))
    assert [item.pk for item in decision.done] == [items[1].pk, items[2].pk]
    assert decision.refused[0][0] == items[0].pk
    assert "spiked" in decision.refused[0][1]


def test_a_spiked_item_comes_back(items, edda, at_the_console):
    triage.decide([items[0].pk], "spike", at_the_console(edda))
    triage.decide([items[0].pk], "unspike", at_the_console(edda))
    items[0].refresh_from_db()
    assert items[0].state == State.NEW


def test_picking_up_copies_the_lead_and_keeps_every_origin(items, edda, at_the_console):
    story = triage.pick_up([items[1].pk, items[0].pk], at_the_console(edda))
    assert (story.kind, story.state, story.title) == (Kind.STORY, State.DRAFT, "Piece 1")
    assert story.assignee == edda
    assert story.current_revision.content == "<p>Text 1</p>"
    assert [(o.item, o.role, o.attribution) for o in story.origins.order_by("role", "id")] == [
        (items[0], "background", "Jo Marsh, Coast Wire"),
        (items[1], "lead", "Jo Marsh, Coast Wire"),
    ]
    assert set(Article.objects.wire().values_list("state", flat=True)) == {"picked_up", "new"}


def test_a_viewer_can_not_pick_up_and_nothing_is_started(items, vera, at_the_console):
    with pytest.raises(NotAllowed):
        triage.pick_up([items[0].pk], at_the_console(vera))
    assert not Article.objects.stories().exists()


def test_a_spiked_item_can_not_be_picked_up(items, edda, at_the_console):
    triage.decide([items[0].pk], "spike", at_the_console(edda))
    with pytest.raises(WrongState):
        triage.pick_up([items[1].pk, items[0].pk], at_the_console(edda))
    assert not Article.objects.stories().exists()
    items[1].refresh_from_db()
    assert items[1].state == State.NEW


def test_the_story_is_told_when_its_source_rewrites_the_piece(items, edda, at_the_console):
    story = triage.pick_up([items[0].pk], at_the_console(edda))
    assert not story.origins.get().source_changed
    intake.file(items[0].source_id, [WireCopy("c0", "Piece 0, corrected", content="<p>Other</p>")])
    story.refresh_from_db()
    assert story.origins.get().source_changed
    assert story.title == "Piece 0"


def test_items_nobody_wanted_expire_and_picked_up_ones_stay(items, edda, at_the_console):
    triage.pick_up([items[0].pk], at_the_console(edda))
    Article.objects.wire().update(created_at=timezone.now() - timedelta(days=15))
    assert triage.expire(timezone.now(), days=14) == 2
    states = Article.objects.wire().order_by("external_id").values_list("state", flat=True)
    assert list(states) == ["picked_up", "expired", "expired"]
    assert Actor.desk().user is None
