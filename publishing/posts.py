"""What goes out: a story's revision, or a note on it, as a post."""

from html import escape

from articles.models import Article, Revision
from publishing.compose import compose
from publishing.models import Delivery
from publishing.post import Post


def post_of(story: Article, revision: Revision, marker: str = "") -> Post:
    """What would go out: the revision's text with the story's details."""
    return compose(
        title=revision.title,
        summary=revision.summary,
        content=revision.content,
        url=story.url,
        tags=story.tags,
        authors=story.authors,
        language=story.language,
        marker=marker,
    )


def of_delivery(delivery: Delivery) -> Post:
    """What a delivery says: the story, or a note on it where that is all that can be done.

    The marker is the first post's, for its place on the platform carries it.
    """
    first = delivery.of or delivery
    marker = str(first.marker if delivery.act != Delivery.Acts.REPLY else delivery.marker)
    if delivery.wish == Delivery.Wishes.WITHDRAW:
        return _notice(delivery, marker, "Withdrawn", _reason(delivery.article, "kill"))
    if delivery.act == Delivery.Acts.REPLY:
        reason = delivery.revision.note or _reason(delivery.article, "correct")
        return _notice(delivery, marker, "Correction", reason)
    return post_of(delivery.article, delivery.revision, marker)


def _notice(delivery: Delivery, marker: str, word: str, reason: str) -> Post:
    title = f"{word}: {delivery.revision.title}"
    content = f"<p>{escape(reason)}</p>" if reason else ""
    return compose(
        title=title, summary=reason, content=content or f"<p>{escape(title)}</p>",
        language=delivery.article.language, marker=marker,
    )  # fmt: skip


def _reason(article: Article, what: str) -> str:
    found = article.events.filter(what=what).order_by("-at", "-id").first()
    return found.reason if found is not None else ""
