"""What anybody may ask for: a feed in its forms, its page, an entry's page. No login.

A feed that is paused is served as it stands; one whose channel was deleted is not found.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from publishing.feeds import addresses, atom, jsonfeed, reading, rss
from publishing.feeds.edition import Edition, hubs_of, is_address
from publishing.models import Feed, FeedEntry

_WRITERS: Mapping[str, tuple[Callable[[Edition], bytes], str]] = {
    "rss": (rss.written, rss.CONTENT_TYPE),
    "atom": (atom.written, atom.CONTENT_TYPE),
    "json": (jsonfeed.written, jsonfeed.CONTENT_TYPE),
}
_ONE_SECOND = timedelta(seconds=1)
_POLICY = "default-src 'none'; img-src 'self' https: http:; style-src 'self'; base-uri 'none'"


@require_safe
def feed(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """The feed in one of its forms; 304 for who has it already."""
    found = _found(slug)
    written, content_type = _WRITERS[form]
    etag = f'"{reading.mark(found, form)}"'
    modified = _modified(found)
    stamp = int(modified.timestamp()) if modified else None
    answer = get_conditional_response(request, etag=etag, last_modified=stamp)
    if answer is None:
        answer = HttpResponse(written(reading.edition(found, form)), content_type=content_type)
    answer["ETag"] = etag
    if stamp is not None:
        answer["Last-Modified"] = http_date(stamp)
    # Caches may keep it but must ask: a hub that was told of news must never be shown an old copy.
    answer["Cache-Control"] = "public, no-cache"
    answer["Content-Language"] = reading.language_of(found)
    answer["Link"] = _links(found, form)
    return answer


@require_safe
def front(request: HttpRequest, slug: str) -> HttpResponse:
    """The feed for people: its titles, and where to subscribe."""
    found = _found(slug)
    entries = [
        {"row": row, "address": addresses.of_entry(found, row.marker)}
        for row in reading.newest(found)
    ]
    return _page(request, "newsdesk/feed_front.html", found, {"entries": entries})


@require_safe
def entry(request: HttpRequest, slug: str, marker: UUID) -> HttpResponse:
    """One story; 410 when it was withdrawn."""
    found = _found(slug)
    row = FeedEntry.objects.filter(feed=found, marker=marker).first()
    if row is None:
        raise Http404("There is no such entry.")
    gone = row.withdrawn_at is not None
    elsewhere = row.url if is_address(row.url) else ""
    about = {
        "entry": row,
        "gone": gone,
        "elsewhere": elsewhere,
        # A feed of summaries sends its readers elsewhere for the rest: it isn't given away here.
        "whole": reading.is_whole(found) or not elsewhere,
        "canonical": row.canonical_url if is_address(row.canonical_url) else "",
    }
    return _page(request, "newsdesk/feed_entry.html", found, about, status=410 if gone else 200)


def _found(slug: str) -> Feed:
    found = reading.find(slug)
    if found is None or found.channel.platform != "feed":
        raise Http404("There is no such feed.")
    return found


def _modified(found: Feed) -> datetime | None:
    """When it changed; None while it may change again within the same second (RFC 9110, 8.8.2)."""
    touched: datetime = getattr(found, "touched_at", found.changed_at)
    return touched if timezone.now() - touched > _ONE_SECOND else None


def _links(found: Feed, form: str) -> str:
    """How a subscriber finds the hub and the topic (WebSub, 4)."""
    links = [f'<{hub}>; rel="hub"' for hub in hubs_of(found.channel.options)]
    return ", ".join([*links, f'<{addresses.of_feed(found, form)}>; rel="self"'])


def _page(
    request: HttpRequest, template: str, found: Feed, about: dict[str, object], status: int = 200
) -> HttpResponse:
    forms = [
        {"name": name, "address": addresses.of_feed(found, form), "type": _type(form)}
        for form, name in addresses.FORMS.items()
    ]
    shown = {
        "title": reading.title_of(found),
        "description": found.channel.options.get("description") or "",
        "language": reading.language_of(found),
        "front": addresses.of_front(found),
        "forms": forms,
    }
    answer = render(request, template, {**shown, **about}, status=status)
    answer["Content-Security-Policy"] = _POLICY
    answer["Cache-Control"] = "public, no-cache"
    return answer


def _type(form: str) -> str:
    return _WRITERS[form][1].partition(";")[0]
