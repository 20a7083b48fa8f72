"""Acts on wire items: shortlist, spike, pick up, expire. One decision may cover many items."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from articles import desk, record, revise
from articles.errors import DeskError, WrongState
from articles.lifecycle import Kind, Right, State
from articles.models import Article, Event, StoryOrigin
from articles.record import Actor


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one bulk decision."""

    done: list[Article] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)  # item's id, why


def decide(item_ids: Iterable[int], act: str, by: Actor, *, reason: str = "") -> Decision:
    """Do one act of the wire's lifecycle on each item; each stands alone.

    Their events share a batch. An item that is no longer open to the act is reported, not raised.
    """
    batch = Event.new_batch()
    decision = Decision()
    for item_id in item_ids:
        try:
            decision.done.append(desk.perform(item_id, act, by, reason=reason, batch=batch))
        except DeskError as refusal:
            decision.refused.append((item_id, str(refusal)))
    return decision


def pick_up(item_ids: Sequence[int], by: Actor) -> Article:
    """Start a story from one or more wire items; the first is its lead.

    The story takes the lead's text as its first revision and keeps every item as an origin.
    Raises `WrongState` when an item can't be picked up, `NotAllowed` without the right; nothing
    is started then.
    """
    by.must(Right.TRIAGE, "pick up wire items")
    with transaction.atomic():
        items = {
            item.pk: item
            for item in Article.objects.select_for_update()
            .filter(pk__in=item_ids, kind=Kind.WIRE)
            .order_by("pk")
        }
        missing = [item_id for item_id in item_ids if item_id not in items]
        if missing or not item_ids:
            raise WrongState("The wire item is gone.")
        lead = items[item_ids[0]]
        story = _story_from(lead, by)
        batch = Event.new_batch()
        for item_id in dict.fromkeys(item_ids):
            item = items[item_id]
            _keep_origin(story, item, lead)
            desk.perform(item.pk, "pick_up", by, batch=batch)
        record.note(
            story, "started", by, batch=batch, data={"origins": sorted(items)},
            reason=f"Picked up from {lead.source}",
        )  # fmt: skip
    return story


def expire(now: datetime, *, days: int, most: int = 1000) -> int:
    """Expire wire items that nobody wanted for `days` days; how many, at most `most` at a time."""
    stale = Article.objects.stale(now, days).order_by("created_at")[:most]
    return len(decide(stale.values_list("pk", flat=True), "expire", Actor.desk()).done)


def _story_from(lead: Article, by: Actor) -> Article:
    story = Article.objects.create(
        kind=Kind.STORY,
        state=State.DRAFT,
        created_by=by.user,
        assignee=by.user,
        **{
            name: getattr(lead, name)
            for name in (
                "title", "summary", "content", "url", "canonical_url", "language",
                "tags", "section", "urgency", "cluster",
            )
        },
    )  # fmt: skip
    revise.keep(story, by, note=f"As received from {lead.source}")
    story.save(update_fields=["current_revision"])
    return story


def _keep_origin(story: Article, item: Article, lead: Article) -> None:
    StoryOrigin.objects.create(
        story=story,
        item=item,
        role=StoryOrigin.Roles.LEAD if item == lead else StoryOrigin.Roles.BACKGROUND,
        attribution=", ".join([*item.authors, str(item.source)])[:300],
        raw_hash_seen=item.raw_hash,
    )
