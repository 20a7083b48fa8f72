"""From rows to a feed as it is served: one query to know whether it has changed, two to read it."""

import hashlib
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from publishing.feeds import addresses
from publishing.feeds.edition import (
    Edition,
    Entry,
    Image,
    Withdrawn,
    clean,
    hubs_of,
    is_address,
    is_language,
    length_of,
    short_summary,
)
from publishing.models import Channel, Feed, FeedEntry

_WRITTEN_AS = 1  # raise it when the same rows are written as another document
_TOMBSTONES = 50


def find(slug: str) -> Feed | None:
    """The feed with its channel; `touched_at` is when it or its channel's settings changed."""
    settings_changed = (
        Channel.history.filter(id=OuterRef("channel_id"))
        .order_by("-history_date")
        .values("history_date")[:1]
    )
    return (
        Feed.objects.select_related("channel")
        .annotate(touched_at=_later("changed_at", settings_changed))
        .filter(slug=slug)
        .first()
    )


def mark(feed: Feed, form: str) -> str:
    """A hash of all that the document of this form follows from, for an ETag."""
    channel = feed.channel
    basis = [
        _WRITTEN_AS, form, str(feed.mark), feed.slug, feed.version, channel.name, channel.options,
        settings.PUBLIC_URL, settings.LANGUAGE_CODE,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def edition(feed: Feed, form: str) -> Edition:
    """The feed as it stands now, its address that of `form`."""
    options = feed.channel.options
    home = str(options.get("home") or "")
    return Edition(
        id=feed.mark.urn,
        title=title_of(feed),
        description=clean(str(options.get("description") or "")),
        home=home if is_address(home) else addresses.of_front(feed),
        address=addresses.of_feed(feed, form),
        language=language_of(feed),
        hubs=hubs_of(options),
        changed_at=feed.changed_at.replace(microsecond=0),
        entries=tuple(_entry(feed, each, whole=is_whole(feed)) for each in newest(feed)),
        withdrawn=_withdrawn(feed),
    )


def newest(feed: Feed) -> list[FeedEntry]:
    """As many of the newest entries as the feed brings."""
    standing = FeedEntry.objects.filter(feed=feed, withdrawn_at=None)
    return list(standing.order_by("-published_at", "-id")[: length_of(feed.channel.options)])


def is_whole(feed: Feed) -> bool:
    """Whether it brings whole stories, not summaries only."""
    return str(feed.channel.options.get("form")) != "summary"


def title_of(feed: Feed) -> str:
    """As readers see it."""
    return clean(str(feed.channel.options.get("title") or feed.channel.name))


def language_of(feed: Feed) -> str:
    """Its language tag."""
    named = str(feed.channel.options.get("language") or "")
    return named if is_language(named) else settings.LANGUAGE_CODE


def _entry(feed: Feed, row: FeedEntry, *, whole: bool) -> Entry:
    html = row.html if whole else ""
    return Entry(
        id=row.marker.urn,
        link=row.url if is_address(row.url) else addresses.of_entry(feed, row.marker),
        title=row.title,
        html=html,
        summary=row.summary if html else short_summary(row.summary, row.html) or row.title,
        authors=tuple(row.authors),
        tags=tuple(row.tags),
        language=row.language or language_of(feed),
        images=tuple(Image(each["src"], each["alt"]) for each in row.pictures),
        published_at=row.published_at.replace(microsecond=0),
        updated_at=row.updated_at.replace(microsecond=0),
    )


def _withdrawn(feed: Feed) -> tuple[Withdrawn, ...]:
    gone = (
        FeedEntry.objects.filter(feed=feed, withdrawn_at__isnull=False)
        .order_by("-withdrawn_at")
        .values_list("marker", "withdrawn_at")[:_TOMBSTONES]
    )
    return tuple(
        Withdrawn(marker.urn, at.replace(microsecond=0))
        for marker, at in gone
        if isinstance(at, datetime)
    )


def _later(column: str, moment: QuerySet[Any, Any]) -> Greatest:
    """The later of a column and a subquery; PostgreSQL's GREATEST passes over what isn't there."""
    return Greatest(column, Subquery(moment), output_field=DateTimeField())
