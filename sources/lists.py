"""Lists of feeds: brought in as OPML, tried, and made sources when a person says so.

The rows are the truth. A line waits until a worker has asked its feed (`drain`); nothing becomes
a source before `add`. A worker that dies leaves a lease that runs out.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from articles.canonical import canonical_url
from articles.clean import one_line
from articles.errors import DeskError
from config import bell
from config.outbound import Client, from_settings
from sources import claim, connectors, detect, fetching, forecast, opml, timetable
from sources.connectors.answers import host_of
from sources.connectors.base import ChecksOptions, Fetched, checked
from sources.errors import NotNow, SourceError, Unreachable
from sources.fetching import Asked
from sources.models import ImportLine, ListImport, Source
from sources.naming import free_name
from sources.opml import BadOpml, Outline
from sources.pace import Gate

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)

_AT_ONCE, _PER_HOST = 20, 2
_LOOKED_AT = 400  # waiting lines at a time, to find enough hosts among them
_DEADLINE = 20.0  # seconds for one feed
_LEASE = timedelta(minutes=2)
_SECONDS = 25.0  # that one drain goes on
_LOCK = 0x6F706D6C  # keeps our lock apart from others in the same database
_MOST_TRIES = 3  # of a feed whose turn it never is

States = ImportLine.States


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the chosen lines."""

    added: tuple[Source, ...]
    left: tuple[ImportLine, ...]  # each with its reason in `words`


# --- bringing a list in ---


def take_in(document: bytes, name: str, by: "User | None") -> ListImport:
    """Keep a list's feeds as lines to be tried; raises `DeskError` for what is no list.

    Nothing is fetched here, and nothing is a source yet.
    """
    try:
        outlines, warnings = opml.read(document)
    except BadOpml as problem:
        raise DeskError(str(problem)) from problem
    here = {_same(each): each for each in Source.objects.all()}
    seen: dict[tuple[str, str, str], int] = {}
    lines = []
    for position, outline in enumerate(outlines, 1):
        line = _line(outline, position)
        if line.state == States.WAITING:
            key = _same(line)
            if known := here.get(key):
                line.state, line.source, line.words = States.HERE, known, f"It is “{known}”."
            elif key in seen:
                line.state, line.words = States.TWICE, f"The same as line {seen[key]}."
            seen.setdefault(key, position)
        lines.append(line)
    with transaction.atomic():
        found = ListImport.objects.create(
            name=one_line(name, 200) or "A list", warnings=warnings, created_by=by
        )
        for line in lines:
            line.of = found
        ImportLine.objects.bulk_create(lines, batch_size=500)
        transaction.on_commit(lambda: bell.ring("sources.try_lists"))
    return found


def _line(outline: Outline, position: int) -> ImportLine:
    line = ImportLine(
        position=position, name=outline.name, section=outline.section, url=outline.url,
        connector=outline.connector, options=dict(outline.options),
    )  # fmt: skip
    try:
        line.connector, line.url = _reached(outline)
        _check(line)
    except SourceError as problem:
        line.state, line.words = States.BAD, one_line(str(problem), 500)
    return line


def _reached(outline: Outline) -> tuple[str, str]:
    """Connector and address; raises `SourceError` for what can't be fetched."""
    adapter = fetching.connector_of(Source(connector=outline.connector))
    url = outline.url or adapter.endpoint
    return adapter.key, detect.address_of(url)[0]


def _check(line: ImportLine) -> None:
    """The options as the connector wants them; raises `SourceError`."""
    adapter = connectors.connector(line.connector)
    line.options = checked(line.options, adapter.options)
    if isinstance(adapter, ChecksOptions):
        adapter.check(line.options)


def _same(each: Source | ImportLine) -> tuple[str, str, str]:
    """What two lines, or a line and a source, have in common if they read the same."""
    url = each.api_endpoint if isinstance(each, Source) else each.url
    try:
        options = checked(each.options, connectors.connector(each.connector).options)
    except (KeyError, SourceError):
        options = each.options
    address = (canonical_url(url) or url).partition("://")[2].rstrip("/")
    return each.connector, address, repr(sorted(options.items()))


# --- trying its feeds ---


def drain() -> int:
    """Ask the feeds of lines that wait, many at a time; how many answers came.

    Goes on for half a minute at most; any number of workers at once do no harm.
    """
    until = time.monotonic() + _SECONDS
    tried = 0
    while time.monotonic() < until and (lines := _claim()):
        tried += _try(lines)
    if ImportLine.objects.filter(state=States.WAITING, due_at__lte=timezone.now()).exists():
        bell.ring("sources.try_lists")
    return tried


def try_all(of: ListImport) -> None:
    """Ask every feed of a list here and now, and wait for those whose turn is later."""
    while of.lines.filter(state=States.WAITING).exists():
        if lines := _claim(of):
            _try(lines)
        else:
            time.sleep(0.2)


def _try(lines: Sequence[ImportLine]) -> int:
    return sum(async_to_sync(_ask_all)(lines))


def _claim(of: ListImport | None = None) -> list[ImportLine]:
    now = timezone.now()
    due = ImportLine.objects.filter(state=States.WAITING, due_at__lte=now)
    if of is not None:
        due = due.filter(of=of)
    with transaction.atomic():
        first = due.select_for_update(skip_locked=True).order_by("due_at", "id")[:_LOOKED_AT]
        lines = _few_of_each_host(first)
        ImportLine.objects.filter(pk__in=[line.pk for line in lines]).update(due_at=now + _LEASE)
    return lines


def _few_of_each_host(lines: Iterable[ImportLine]) -> list[ImportLine]:
    hosts: Counter[str] = Counter()
    chosen = []
    for line in lines:
        host = host_of(line.url)
        hosts[host] += 1
        if hosts[host] <= _PER_HOST:
            chosen.append(line)
    return chosen[:_AT_ONCE]


async def _ask_all(lines: Sequence[ImportLine]) -> list[bool]:
    """Ask all of them at once; each answer is stored when it comes."""
    gate = Gate()
    async with Client(from_settings()) as http:

        async def noted(line: ImportLine) -> bool:
            return await sync_to_async(_note)(line, await _ask(line, http, gate))

        return await asyncio.gather(*(noted(line) for line in lines))


async def _ask(line: ImportLine, http: Client, gate: Gate) -> Asked:
    trial = Source(connector=line.connector, api_endpoint=line.url, options=line.options)
    now = timezone.now()
    try:
        async with asyncio.timeout(_DEADLINE):
            return await fetching.ask(trial, now, http, gate)
    except TimeoutError:
        words = f"It was not through within {_DEADLINE:g} seconds."
        return Asked(trial, now, 0, problem=Unreachable(words))
    except Exception as problem:  # noqa: BLE001 (a connector's mistake is its line's alone)
        log.warning("list.crashed", line=line.pk, error=type(problem).__name__)
        return Asked(trial, now, 0, problem=SourceError("The desk could not read its answer."))


def _note(line: ImportLine, asked: Asked) -> bool:
    """Store how a feed answered; False when it has to be asked again later."""
    this = ImportLine.objects.filter(pk=line.pk, state=States.WAITING)
    if isinstance(asked.problem, NotNow) and line.attempts + 1 < _MOST_TRIES:
        wait = timedelta(seconds=asked.problem.retry_after or 1.0)
        this.update(attempts=line.attempts + 1, due_at=timezone.now() + wait)
        return False
    if asked.fetched is None:
        this.update(state=States.FAILS, words=one_line(str(asked.problem), 500))
        return True
    found = asked.fetched
    if found.moved_to and (known := _at(line, found.moved_to)):
        words = f"It has moved for good to what is “{known}”."
        this.update(state=States.HERE, source=known, words=words)
        return True
    volume = forecast.per_day(found.copies, asked.began)
    usual = connectors.connector(line.connector).minutes
    rhythm = forecast.rhythm(volume, usual, found.pace.fresh_for, len(found.copies))
    dates = [each.published_at for each in found.copies if each.published_at]
    this.update(
        state=States.ANSWERS,
        words=_health(line, found, asked.began),
        title=one_line(found.title, 120),
        pieces=len(found.copies),
        newest=max((each for each in dates if each <= asked.began), default=None),
        minutes=rhythm.minutes,
    )
    return True


def _at(line: ImportLine, url: str) -> Source | None:
    """The source that reads the same as the line would at another address, if there is one."""
    there = _same(ImportLine(connector=line.connector, url=url, options=line.options))
    alike = Source.objects.filter(connector=line.connector)
    return next((each for each in alike if _same(each) == there), None)


def _health(line: ImportLine, found: Fetched, now: datetime) -> str:
    """The volume and what to know, in words."""
    doubts = forecast.doubts(found.copies, line.url, found.moved_to, now)
    volume = forecast.said(forecast.per_day(found.copies, now))
    return one_line(" ".join([f"{volume[:1].upper()}{volume[1:]}.", *doubts]), 500)


# --- adding what was chosen ---


def add(of: ListImport, chosen: Collection[int], *, active: bool) -> Outcome:
    """Make sources of the chosen lines (their keys), each with its schedule, or none at all.

    Lines that are here already, or that no source can be made of, are left with their reason. The
    rights are the caller's to check.
    """
    added: list[Source] = []
    left: list[ImportLine] = []
    with transaction.atomic():
        with connection.cursor() as cursor:  # two lists at once must not add one feed twice
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
        lines = list(
            ImportLine.objects.select_for_update().filter(of=of, pk__in=chosen).order_by("position")
        )
        here = {_same(each): each for each in Source.objects.all()}
        for line in lines:
            source = _made(line, here, active=active)
            if source is None:
                left.append(line)
                continue
            here[_same(source)] = source
            added.append(source)
        if active:
            transaction.on_commit(lambda: _begin(added))
    return Outcome(tuple(added), tuple(left))


def _made(
    line: ImportLine, here: dict[tuple[str, str, str], Source], *, active: bool
) -> Source | None:
    if line.state not in ImportLine.OPEN:
        return None
    if known := here.get(_same(line)):
        line.state, line.source, line.words = States.HERE, known, f"It is “{known}”."
        line.save()
        return None
    source = Source(
        name=free_name(line.name or line.title or line.url),
        connector=line.connector,
        api_endpoint=line.url,
        options=line.options,
        section=line.section,
        is_active=active,
    )
    try:
        source.full_clean(exclude=["credentials", "memory", "schedule"])
    except ValidationError as problem:
        line.state, line.words = States.BAD, one_line(" ".join(problem.messages), 500)
        line.save()
        return None
    source.save()
    timetable.keep(source, line.minutes)
    line.state, line.source = States.ADDED, source
    line.save()
    return source


def _begin(sources: Sequence[Source]) -> None:
    """Their first syncs, paced as all are."""
    for source in sources:
        claim.mark(source.pk)
    bell.ring("sources.drain")


# --- and out again ---


def outlines(sources: Sequence[Source]) -> Iterator[Outline]:
    """The sources as lines of a list, without anything secret."""
    for source in sources:
        yield Outline(
            url=source.api_endpoint,
            name=source.name,
            section=source.section,
            connector=source.connector,
            options=source.options,
        )


def export(sources: Sequence[Source]) -> bytes:
    """The sources as an OPML document. What needs a login is listed without it."""
    return opml.write("Newsdesk", outlines(sources), timezone.now())
