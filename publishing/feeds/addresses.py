"""Where feeds and their entries are found by the world."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from publishing.models import Feed

FORMS = {"rss": "RSS 2.0", "atom": "Atom 1.0", "json": "JSON Feed 1.1"}
"""The forms that a feed is served in, as they stand in its addresses, with their names."""


def of_feed(feed: Feed, form: str) -> str:
    """The feed in one of the `FORMS`."""
    return absolute(reverse(f"feed-{form}", args=(feed.slug,)))


def of_front(feed: Feed) -> str:
    """The feed's own page, for people."""
    return absolute(reverse("feed-front", args=(feed.slug,)))


def of_entry(feed: Feed, marker: UUID) -> str:
    """An entry's own page."""
    return absolute(reverse("feed-entry", args=(feed.slug, marker)))


def absolute(path: str) -> str:
    """A path of ours as the world writes it."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
