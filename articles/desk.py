"""Acts on a story's fate: start, submit, return, approve, spike, correct, kill.

Console, API and tasks all come through here, so the same checks hold at every door: right,
state, version, reason, completeness. Each act and its event are one transaction.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from articles import record, revise
from articles.clean import is_blank, plain_text
from articles.errors import Incomplete, NeedsReason, NotAllowed, StaleVersion, WrongState
from articles.lifecycle import Kind, Right, State, Transition
from articles.lifecycle import transition as step_for
from articles.models import Article, Distribution
from articles.record import Actor


def start(by: Actor, text: Mapping[str, Any], *, note: str = "") -> Article:
    """A new draft with `text` (any of `revise.TEXT` and `revise.DETAILS`) as its first revision.

    Raises `NotAllowed` without the right to write, `Incomplete` for text that can't be stored.
    """
    by.must(Right.WRITE, "write stories")
    fields = revise.checked(text)
    with transaction.atomic():
        story = Article.objects.create(
            kind=Kind.STORY, state=State.DRAFT, created_by=by.user, **fields
        )
        revise.keep(story, by, note=note)
        story.save(update_fields=["current_revision"])
        record.note(story, "started", by, reason=note)
    return story


def perform(
    article_id: int,
    act: str,
    by: Actor,
    *,
    version: int | None = None,
    reason: str = "",
    batch: uuid.UUID | None = None,
) -> Article:
    """Move an article by one act of `lifecycle.TRANSITIONS` and return it as it stands then.

    `version` is what the person had before them; None means "whatever stands now" and is for
    the desk itself and for bulk decisions. Raises `WrongState`, `NotAllowed` (which goes on the
    record), `StaleVersion`, `NeedsReason` or `Incomplete`; nothing is changed then.
    """
    try:
        with transaction.atomic():
            article = Article.objects.select_for_update().get(pk=article_id)
            step = _check(article, act, by, version, reason)
            _move(article, step, by, reason, batch)
    except NotAllowed as refusal:
        record.note(
            Article.objects.get(pk=article_id), "refused", by, data={"act": act},
            reason=str(refusal),
        )  # fmt: skip
        raise
    return article


def submit(article_id: int, by: Actor, *, version: int | None = None) -> Article:
    """Hand a draft to the editors."""
    return perform(article_id, "submit", by, version=version)


def approve(article_id: int, by: Actor, *, version: int | None = None) -> Article:
    """Approve exactly the revision that stands now; a later edit voids it."""
    return perform(article_id, "approve", by, version=version)


def went_live(article_id: int, revision_id: int, at: datetime) -> None:
    """A delivery of this revision has succeeded, at `at`: the story is live.

    Called by the desk itself, any number of times. A story that was meanwhile killed stays
    killed; one under correction keeps its state and only notes what the public has.
    """
    by = Actor.desk()
    with transaction.atomic():
        story = Article.objects.select_for_update().get(pk=article_id)
        if story.live_revision_id == revision_id and story.state != State.APPROVED:
            return
        story.live_revision_id = revision_id
        story.published_at = story.published_at or at
        story.save(update_fields=["live_revision", "published_at"])
        if story.state in (State.APPROVED, State.LIVE):
            _move(story, step_for(Kind.STORY, "go_live"), by, "", None)
        else:
            record.note(story, "went_live_late", by, data={"revision": revision_id})


def note_distribution(article_id: int, distribution: Distribution) -> None:
    """How far the story has come over its channels, as the queue sums it up.

    Not an editorial change: the version stays.
    """
    Article.objects.filter(pk=article_id).exclude(distribution=distribution).update(
        distribution=distribution
    )


def _check(article: Article, act: str, by: Actor, version: int | None, reason: str) -> Transition:
    try:
        step = step_for(article.kind, act)
    except KeyError:
        raise WrongState(f"A {article.get_kind_display().lower()} has no act “{act}”.") from None
    if step.right is None and by.user is not None:
        raise NotAllowed("Only the desk itself does this.")
    if step.right is not None:
        by.must(step.right, f"{step.label.lower()} this")
    if step.right is Right.WRITE and by.user is not None and not article.opened_by(by.user):
        raise NotAllowed("You can submit your own stories only.")
    if version is not None and version != article.version:
        raise StaleVersion(article, version)
    if article.state not in step.sources:
        raise WrongState(
            f"“{step.label}” is not possible: this {article.get_kind_display().lower()} "
            f"is {article.get_state_display().lower()}."
        )
    if step.needs_reason and not reason.strip():
        raise NeedsReason(f"“{step.label}” needs a reason; it goes on the record.")
    if step.needs_text:
        must_be_ready(article)
    return step


def must_be_ready(article: Article) -> None:
    """Raise `Incomplete` naming each field that keeps the story from going to its readers."""
    problems = {}
    if is_blank(article.title):
        problems["title"] = "The story needs a title."
    if is_blank(plain_text(article.content)):
        problems["content"] = "The story has no text yet."
    if problems:
        raise Incomplete(problems)


def _move(
    article: Article, step: Transition, by: Actor, reason: str, batch: uuid.UUID | None
) -> None:
    before = article.state
    article.state = step.target
    article.version += 1
    if step.act == "approve":
        article.approved_revision = article.current_revision
    elif step.act in ("return", "correct", "kill"):
        article.approved_revision = None
    revise.stamp(article)
    article.save(update_fields=["state", "version", "approved_revision", "updated_at"])
    record.note(article, step.act, by, from_state=before, reason=reason.strip(), batch=batch)
