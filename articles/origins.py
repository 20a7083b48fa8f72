"""When a source rewrites its piece: the former text is kept, and stories made from it are told."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import Max

from articles import record
from articles.errors import NotAllowed, WrongState
from articles.fair_copy import FairCopy
from articles.lifecycle import Kind, State
from articles.models import Article, Revision, StoryOrigin
from articles.record import Actor

TEXT = ("title", "summary", "content")


def rewritten(item: Article, copy: FairCopy) -> bool:
    """Whether a reader would see another text; markup and links alone don't count."""
    return any(getattr(item, name) != getattr(copy, name) for name in TEXT)


def keep_former_texts(copies: Mapping[int, FairCopy], former: Mapping[int, Article]) -> list[int]:
    """Keep what `copies` (by item) are about to replace; the items that are rewritten.

    `former` are the items as they stand, locked. Each story that used the text as it was is
    marked, and told once for each change. A copy that only came in other markup leaves no trace.
    """
    changed = {pk: copy for pk, copy in copies.items() if rewritten(former[pk], copy)}
    _follow_quietly({pk: copy for pk, copy in copies.items() if pk not in changed}, former)
    if changed:
        kept = _kept([former[pk] for pk in changed])
        _mark_stories(changed, former, kept)
    return list(changed)


def seen(story_id: int, item_id: int, raw_hash: str, by: Actor) -> Article:
    """A person has read what the source changed, in the wording with this fingerprint.

    The story is no longer marked for it. Raises `WrongState` when the source has changed it once
    more since, `NotAllowed` for somebody who can't open the story.
    """
    with transaction.atomic():
        story = Article.objects.select_for_update().get(pk=story_id, kind=Kind.STORY)
        if by.user is not None and not story.opened_by(by.user):
            raise NotAllowed("You can mark changes as seen in your own stories only.")
        origin = (
            story.origins.select_related("item")
            .select_for_update(of=("self",))
            .get(item_id=item_id)
        )
        if origin.item.raw_hash != raw_hash:
            raise WrongState("The source has changed it again meanwhile. Look once more.")
        if origin.source_changed:
            origin.raw_hash_seen, origin.revision_seen = raw_hash, None
            origin.save(update_fields=["raw_hash_seen", "revision_seen"])
            record.note(story, "source_seen", by, reason=origin.item.title, data={"item": item_id})
    return story


def _kept(items: Collection[Article]) -> dict[int, Revision]:
    """The items' texts as their next revisions."""
    latest = dict(
        Revision.objects.filter(article__in=items).values_list("article_id").annotate(Max("number"))
    )
    kept = Revision.objects.bulk_create(
        [
            Revision(
                article=item,
                number=latest.get(item.pk, 0) + 1,
                via=Revision.Vias.TASK,
                note="As received before the source changed it",
                **{name: getattr(item, name) for name in TEXT},
            )
            for item in items
        ]
    )
    return {revision.article_id: revision for revision in kept}


def _follow_quietly(copies: Mapping[int, FairCopy], former: Mapping[int, Article]) -> None:
    """Whoever has seen this text has seen it in the new markup, too."""
    for pk, copy in copies.items():
        StoryOrigin.objects.filter(item_id=pk, raw_hash_seen=former[pk].raw_hash).update(
            raw_hash_seen=copy.raw_hash
        )


def _mark_stories(
    changed: Mapping[int, FairCopy],
    former: Mapping[int, Article],
    kept: Mapping[int, Revision],
) -> None:
    used = StoryOrigin.objects.filter(item_id__in=changed).select_related("story", "item__source")
    for origin in used.defer("story__content", "item__content"):
        item = former[origin.item_id]
        if origin.raw_hash_seen == item.raw_hash:
            origin.revision_seen = kept[item.pk]
            origin.save(update_fields=["revision_seen"])
        story = origin.story
        if story.state in (State.SPIKED, State.KILLED):
            continue
        record.note(
            story,
            "source_changed",
            Actor.desk(),
            reason=f"{origin.item.source} rewrote “{item.title}”",
            data={
                "item": item.pk,
                "former": kept[item.pk].number,
                "live": story.is_out,
            },
        )
