"""What a person makes of a suggestion: accept or reject. Nothing is applied in any other way."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from ai.models import Generation, Task
from articles import record, revise
from articles.errors import NotAllowed, WrongState
from articles.lifecycle import Kind, Right
from articles.models import Article
from articles.record import Actor, Door

_DONE = {Generation.States.ACCEPTED: "ai_accepted", Generation.States.REJECTED: "ai_rejected"}


def accept(generation_id: int, by: Actor, version: int | None) -> Generation:
    """Take a suggestion over, as this person's editorial act through the door `ai`.

    On a story a summary becomes its summary and an article its text (and its title, where it has
    none); `version` is the story's version that the person had before them. An analysis, and a
    summary of a wire item, which nobody edits, are kept beside the article and on its record.
    Raises `StaleVersion`, `WrongState`, `NotAllowed` or `Incomplete`; nothing is changed then.
    """
    person = Actor(by.user, Door.AI)
    with transaction.atomic():
        generation, article = _open(generation_id, person)
        changes = _changes(generation, article)
        if changes:
            if version is None:
                raise WrongState("The page does not say which version you were reading.")
            article = revise.save(
                article.pk, person, version, changes, note=f"AI suggestion: {generation}"
            )
        return _decided(generation, article, person, Generation.States.ACCEPTED, "")


def reject(generation_id: int, by: Actor, *, reason: str = "") -> Generation:
    """Put a suggestion aside; the record keeps it, with the reason if one is given."""
    person = Actor(by.user, Door.AI)
    with transaction.atomic():
        generation, article = _open(generation_id, person)
        return _decided(generation, article, person, Generation.States.REJECTED, reason)


def _open(generation_id: int, by: Actor) -> tuple[Generation, Article]:
    by.must(Right.ASK_AI, "decide on AI suggestions")
    if by.user is None:
        raise NotAllowed("Only a person decides on a suggestion.")
    generation = Generation.objects.select_for_update().get(pk=generation_id)
    if generation.article_id is None:
        raise WrongState("This suggestion belongs to no article.")
    if not generation.is_open:
        raise WrongState(
            f"This suggestion is not open any more: {generation.get_state_display().lower()}."
        )
    article = Article.objects.get(pk=generation.article_id)
    if article.kind == Kind.STORY and not article.opened_by(by.user):
        raise NotAllowed("You can decide on suggestions for your own stories only.")
    return generation, article


def _changes(generation: Generation, article: Article) -> Mapping[str, str]:
    """What accepting changes in the article; nothing where a suggestion is only kept."""
    if article.kind != Kind.STORY:
        return {}
    if generation.task == Task.SUMMARY:
        return {"summary": generation.text}
    if generation.task == Task.ARTICLE:
        title = {} if article.title.strip() else {"title": generation.title}
        return {"content": generation.text, **title}
    return {}


def _decided(
    generation: Generation, article: Article, by: Actor, state: Generation.States, reason: str
) -> Generation:
    generation.state = state
    generation.decided_by = by.user
    generation.decided_at = timezone.now()
    generation.save(update_fields=["state", "decided_by", "decided_at"])
    record.note(
        article,
        _DONE[state],
        by,
        reason=reason.strip(),
        data={"generation": generation.pk, "task": generation.task},
    )
    return generation
