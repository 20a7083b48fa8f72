"""Fetching the whole text from the pages of new wire items, where sources send openings only.

Two acts over rows, never inside a sync: `want` finds the items, `drain` fetches their pages.
Whatever goes wrong, the source's own text stays.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from statistics import median
from urllib.parse import urlsplit

import structlog
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from articles import full_text
from articles.clean import one_line, plain_text
from articles.lifecycle import Kind, State
from articles.models import Article, WireItem
from config.limits import take
from config.outbound import Client, OutboundError, Response, from_settings
from sources import connectors, robots
from sources.errors import Unreachable
from sources.extraction import Extractor, Page, TooCostly
from sources.models import PageFetch, Source

log = structlog.get_logger(__name__)

SHORT = 500  # characters: below it, a source's pieces are openings
PER_HOST = 12  # pages a minute
_JUDGED = 50  # of its last pieces
_LOOKED_BACK = 20_000  # articles
_CHANGED_WITHIN = timedelta(days=1)
_AT_ONCE = 20
_LEASE = timedelta(minutes=5)
_DEADLINE = 20.0
_LARGEST = 2 * 1024 * 1024  # bytes of a page
_SECONDS = 25.0  # that one drain goes on
_MOST_TRIES = 3
_KEEP_OUT = "The site asks programs to stay away from this page (robots.txt)."

States = PageFetch.States


# --- which pages ---


def pages_needed(setting: str, own: Sequence[int]) -> bool:
    """Whether a source's pages are fetched; `own` are its last texts' lengths in characters."""
    if setting == Source.FullTexts.AUTO:
        return bool(own) and median(own) < SHORT
    return setting == Source.FullTexts.ALWAYS


def want() -> int:
    """Note the pages of new items of sources that send openings; how many.

    Items that their source has rewritten since are noted again. Backfilled ones are left alone,
    and those that a person or a rule has decided on.
    """
    newest = WireItem.objects.aggregate(Max("id"))["id__max"] or 0
    after = max(0, newest - _LOOKED_BACK)
    fresh = WireItem.objects.filter(id__gt=after, state__in=(State.NEW, State.SHORTLISTED))
    waiting = fresh.filter(id__gt=F("source__pages_noted_to")).exclude(
        Q(source__full_text=Source.FullTexts.NEVER) | Q(source__is_active=False)
    )
    noted = 0
    for source_id in list(waiting.order_by().values_list("source_id", flat=True).distinct()):
        source = Source.objects.get(pk=source_id)
        noted += _note(source, list(waiting.filter(source=source).order_by("id")))
    return noted + _note_again(after)


def _note(source: Source, items: Sequence[WireItem]) -> int:
    lengths = {item.pk: len(plain_text(item.content)) for item in items}
    wanted = []
    if _pages_tell_more(source) and pages_needed(source.full_text, _own_lengths(source)):
        always = source.full_text == Source.FullTexts.ALWAYS
        wanted = [
            _row(item, lengths[item.pk])
            for item in items
            if item.url and not item.backfilled and (always or lengths[item.pk] < SHORT)
        ]
    with transaction.atomic():
        PageFetch.objects.bulk_create(wanted, ignore_conflicts=True)
        Source.objects.filter(pk=source.pk).update(pages_noted_to=items[-1].pk)
    return len(wanted)


def _note_again(after: int) -> int:
    """Pages of items whose source has rewritten them: its new text is an opening again."""
    changed = (
        PageFetch.objects.exclude(state=States.WANTED)
        .exclude(raw_hash=F("item__raw_hash"))
        .filter(
            item_id__gt=after,
            item__kind=Kind.WIRE,
            item__updated_at__gt=timezone.now() - _CHANGED_WITHIN,
        )
        .exclude(item__source__full_text=Source.FullTexts.NEVER)
        .select_related("item__source")
    )
    noted = 0
    for row in changed[:500]:
        own = len(plain_text(row.item.content))
        source = row.item.source
        always = source is not None and source.full_text == Source.FullTexts.ALWAYS
        if row.item.metadata.get("full_text") or not (always or own < SHORT):
            # Only noise around the same opening (`full_text.kept`), or a whole text by now.
            PageFetch.objects.filter(pk=row.pk).update(raw_hash=row.item.raw_hash)
            continue
        again = _row(row.item, own)
        again.pk = row.pk
        again.save(force_update=True)
        noted += 1
    return noted


def _row(item: Article, own: int) -> PageFetch:
    host = urlsplit(item.url).hostname or ""
    return PageFetch(
        item_id=item.pk, raw_hash=item.raw_hash, own_characters=own, url=item.url, host=host[:255]
    )


def _own_lengths(source: Source) -> list[int]:
    """How long the last texts are that the source itself sent."""
    last = WireItem.objects.filter(source=source).order_by("-id")
    found = last.values_list("content", "metadata__full_text", "page_fetch__own_characters")
    return [
        own if taken and own is not None else len(plain_text(content[:4000]))
        for content, taken, own in found[:_JUDGED]
    ]


def _pages_tell_more(source: Source) -> bool:
    try:
        return connectors.connector(source.connector).pages_tell_more
    except KeyError:
        return False


# --- fetching them ---


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a page's text could not be had."""

    sentence: str
    retry: bool = False
    wait: float | None = None  # seconds, if the site named them


def drain() -> int:
    """Fetch what is due, one page of each host at a time; how many texts were taken.

    Goes on for half a minute at most; any number of workers at once do no harm.
    """
    until = time.monotonic() + _SECONDS
    taken = 0
    with Extractor() as extractor:
        while time.monotonic() < until:
            rows = _claim()
            if rows:
                taken += _work(rows, extractor)
                continue
            pause = _seconds_to_next()
            if pause is None or time.monotonic() + pause > until:
                break
            time.sleep(pause)
    return taken


def _work(rows: Sequence[PageFetch], extractor: Extractor) -> int:
    taken = 0
    for row, came in zip(rows, async_to_sync(_fetch_all)(rows), strict=True):
        if isinstance(came, _Trouble):
            _put_off(row, came)
        else:
            taken += _take(row, came, extractor)
    return taken


def _claim() -> list[PageFetch]:
    """The oldest due page of each host that may be asked now; leased to us."""
    now = timezone.now()
    due = PageFetch.objects.filter(state=States.WANTED, due_at__lte=now)
    first = due.order_by("host", "due_at", "id").distinct("host").values("pk")
    with transaction.atomic():
        rows = list(
            due.select_for_update(skip_locked=True)
            .filter(pk__in=list(first.values_list("pk", flat=True)[:200]))
            .order_by("due_at")[:_AT_ONCE]
        )
        ours = []
        for row in rows:
            wait = take(f"page:{row.host}", PER_HOST)
            if wait:
                due.filter(host=row.host).update(due_at=now + timedelta(seconds=wait))
                continue
            PageFetch.objects.filter(pk=row.pk).update(due_at=now + _LEASE)
            ours.append(row)
    return ours


def _seconds_to_next() -> float | None:
    soon = PageFetch.objects.filter(state=States.WANTED).order_by("due_at").first()
    if soon is None or soon.due_at is None:
        return None
    return max(0.1, (soon.due_at - timezone.now()).total_seconds())


async def _fetch_all(rows: Sequence[PageFetch]) -> "list[Page | _Trouble]":
    async with Client(from_settings()) as http:
        return await asyncio.gather(*(_fetch(row.url, http) for row in rows))


async def _fetch(url: str, http: Client) -> "Page | _Trouble":
    try:
        if not await robots.allowed(url, http):
            return _Trouble(_KEEP_OUT)
        answer = await http.get(
            url, headers={"Accept": "text/html"}, deadline=_DEADLINE, max_bytes=_LARGEST
        )
        if answer.redirects and not await robots.allowed(answer.url, http):
            return _Trouble(_KEEP_OUT)
    except OutboundError as problem:
        return _Trouble(str(problem), retry=not problem.permanent)
    except Unreachable as problem:  # its robots.txt
        return _Trouble(str(problem), retry=True, wait=problem.retry_after)
    return _judged(answer)


def _judged(answer: Response) -> "Page | _Trouble":
    kind = Message()
    kind["content-type"] = answer.headers.get("content-type", "text/html")
    if answer.status == 429 or answer.status >= 500:
        words = f"The page answered {answer.status}."
        return _Trouble(words, retry=True, wait=answer.retry_after)
    if not answer.ok:
        return _Trouble(f"The page answered {answer.status}.")
    if kind.get_content_type() not in ("text/html", "application/xhtml+xml"):
        return _Trouble("The address leads to something else than a page.")
    return Page(answer.url, answer.body, kind.get_content_charset("") or "")


def _take(row: PageFetch, page: Page, extractor: Extractor) -> bool:
    try:
        text = extractor.text(page)
    except TooCostly as problem:
        _put_off(row, _Trouble(str(problem)))
        return False
    taken = bool(text) and full_text.fill_in(
        row.item_id, raw_hash=row.raw_hash, content=text, page=page.url
    )
    if taken:
        _end(row, States.DONE, "")
    else:
        _end(row, States.FAILED, "The page says no more than what the source sent.")
    return taken


def _put_off(row: PageFetch, trouble: _Trouble) -> None:
    attempts = row.attempts + 1
    if not trouble.retry or attempts >= _MOST_TRIES:
        _end(row, States.FAILED, trouble.sentence)
        return
    least = min(trouble.wait or 0.0, 24 * 3600.0)
    wait = max(timedelta(seconds=least), timedelta(minutes=10) * attempts)
    PageFetch.objects.filter(pk=row.pk, state=States.WANTED).update(
        attempts=attempts, due_at=timezone.now() + wait, reason=one_line(trouble.sentence, 300)
    )


def _end(row: PageFetch, state: PageFetch.States, reason: str) -> None:
    now: datetime = timezone.now()
    PageFetch.objects.filter(pk=row.pk, state=States.WANTED, raw_hash=row.raw_hash).update(
        state=state, due_at=None, ended_at=now, reason=one_line(reason, 300)
    )
    if reason:
        log.info("page.not_taken", item=row.item_id, reason=reason)
