"""Who acts, through which door, and how it is written down."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from articles.errors import NotAllowed
from articles.models import Article, Event, Revision

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Door = Revision.Vias


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the desk itself (`user` None), and the door through which they came."""

    user: "User | None"
    door: str  # one of Door: admin, api, task, ai

    @classmethod
    def desk(cls) -> "Actor":
        """The desk acting by itself: a worker, a schedule."""
        return cls(None, Door.TASK)

    def may(self, right: str) -> bool:
        """Whether the actor holds a right; the desk itself holds them all."""
        return self.user is None or self.user.has_perm(right)

    def must(self, right: str, doing: str) -> None:
        """Raise `NotAllowed` naming what the person may not do."""
        if not self.may(right):
            raise NotAllowed(f"You don't have the right to {doing}.")


def note(
    article: Article,
    what: str,
    by: Actor,
    *,
    from_state: str = "",
    reason: str = "",
    batch: uuid.UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Write one event on the record, in the caller's transaction."""
    event = prepared(
        article, what, by, from_state=from_state, reason=reason, batch=batch, data=data
    )
    event.save(force_insert=True)
    return event


def prepared(
    article: Article,
    what: str,
    by: Actor,
    *,
    from_state: str = "",
    reason: str = "",
    batch: uuid.UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """An event that isn't written yet, for many at once (`Event.objects.bulk_create`)."""
    return Event(
        article_id=article.pk,
        what=what,
        from_state=from_state,
        to_state=article.state,
        actor=by.user,
        channel=by.door,
        reason=reason,
        version=article.version,
        batch=batch,
        data=dict(data or {}),
    )
