"""Changing a story's text: compare-and-set on the version, a revision for every saved state."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from articles import record
from articles.clean import LONGEST_HTML, clean_html, strip_invisible
from articles.errors import Incomplete, NotAllowed, StaleVersion, WrongState
from articles.lifecycle import EDITABLE, Kind, State
from articles.models import Article, Revision
from articles.record import Actor

TEXT = ("title", "summary", "content")
"""What a revision holds and an approval covers."""
DETAILS = (
    "section", "slugline", "urgency", "tags", "language", "url", "assignee",
    "planned_for", "embargo_until",
)  # fmt: skip
"""What may change besides, without voiding an approval."""


def save(
    article_id: int, by: Actor, version: int, changes: Mapping[str, Any], *, note: str = ""
) -> Article:
    """Save `changes` (fields of `TEXT` and `DETAILS`) made to `version` of a story.

    Returns the story as it stands then; unchanged input changes nothing. A changed text of an
    approved story voids the approval and makes it a draft again. Raises `StaleVersion` when
    another save came first, `WrongState` for a story that can't be edited, `NotAllowed`,
    `Incomplete` for a value that can't be stored.
    """
    fields = checked(changes)
    with transaction.atomic():
        story = Article.objects.select_for_update().get(pk=article_id, kind=Kind.STORY)
        _may_edit(story, by)
        changed = [name for name, value in fields.items() if getattr(story, name) != value]
        if not changed:
            return story
        if story.version != version:
            raise StaleVersion(story, version)
        before = story.state
        for name in changed:
            setattr(story, name, fields[name])
        story.version += 1
        stamp(story)
        if any(name in TEXT for name in changed):
            keep(story, by, note=note)
            _void_approval(story)
        story.save()
        record.note(
            story, "edited", by, from_state=before, reason=note, data={"fields": sorted(changed)}
        )
    return story


def restore(article_id: int, by: Actor, version: int, revision: Revision) -> Article:
    """Make an older revision's text the current one, as a new revision."""
    return save(
        article_id,
        by,
        version,
        {name: getattr(revision, name) for name in TEXT},
        note=f"Text of revision {revision.number} restored",
    )


def keep(article: Article, by: Actor, *, note: str = "") -> Revision:
    """Store the article's text as its next revision and make that the current one.

    The caller saves the article.
    """
    latest = article.revisions.order_by("-number").values_list("number", flat=True).first() or 0
    revision = Revision.objects.create(
        article=article,
        number=latest + 1,
        author=by.user,
        via=by.door,
        base=article.current_revision,
        note=note[:500],
        **{name: getattr(article, name) for name in TEXT},
    )
    article.current_revision = revision
    return revision


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` cleaned for storing; raises `Incomplete` naming each field that can't be."""
    unknown = set(changes) - {*TEXT, *DETAILS}
    if unknown:
        raise Incomplete({name: f"A story has no field “{name}”." for name in sorted(unknown)})
    fields = dict(changes)
    problems: dict[str, str] = {}
    for name in ("title", "summary", "section", "slugline"):
        if name in fields:
            fields[name] = strip_invisible(str(fields[name])).replace("\r\n", "\n").strip()
    if "content" in fields:
        if len(fields["content"]) > LONGEST_HTML:
            problems["content"] = f"The text is longer than {LONGEST_HTML:,} characters."
        else:
            fields["content"] = clean_html(fields["content"])
    for name, value in fields.items():
        if name in problems:
            continue
        try:
            Article._meta.get_field(name).clean(_key(value), None)  # type: ignore[union-attr]
        except ValidationError as problem:
            if not (name == "title" and not value):  # an untitled draft is fine until submitted
                problems[name] = " ".join(problem.messages)
    if problems:
        raise Incomplete(problems)
    return fields


def stamp(article: Article) -> None:
    """Note when the article was last changed."""
    article.updated_at = timezone.now()


def _key(value: Any) -> Any:
    """A model's key instead of the model: what a foreign key's `clean` takes."""
    return getattr(value, "pk", value)


def _may_edit(story: Article, by: Actor) -> None:
    if by.user is not None and not story.opened_by(by.user):
        raise NotAllowed("You can edit your own stories only.")
    if story.state not in EDITABLE:
        way_out = " Correct it to open the next version." if story.state == State.LIVE else ""
        raise WrongState(f"A {story.get_state_display().lower()} story can't be edited.{way_out}")


def _void_approval(story: Article) -> None:
    if story.state == State.APPROVED:
        story.state = State.DRAFT
        story.approved_revision = None
