"""What goes out: a story's revision, or a note on it, as a post."""

from html import escape

from django.conf import settings
from django.utils.text import slugify

from articles.models import Article, Revision
from publishing import links
from publishing.compose import compose
from publishing.models import Channel, Delivery
from publishing.post import Post


def post_of(story: Article, revision: Revision, channel: Channel, marker: str = "") -> Post:
    """What would go out to a channel: the revision's text with the story's details."""
    ours = public_page(story, revision)
    link = links.link(
        channel.link, ours=ours, theirs=story.url, source=channel.utm_source,
        medium=channel.utm_medium, campaign=channel.utm_campaign,
    )  # fmt: skip
    return compose(
        title=revision.title,
        summary=revision.summary,
        content=revision.content,
        url=link,
        canonical_url=ours or story.url,
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
    return post_of(delivery.article, delivery.revision, delivery.channel, marker)


def public_page(story: Article, revision: Revision) -> str:
    """Where the public reads the story (`settings.STORY_URL`); "" where no such place is known."""
    slug = slugify(story.slugline or revision.title)[:80].strip("-")
    return settings.STORY_URL.replace("{id}", str(story.pk)).replace("{slug}", slug or "story")


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
