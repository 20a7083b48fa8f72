"""Syncing sources, many at a time: claim what is due, ask, store, settle.

A message of the schedule only marks its source as due (`mark`); a person's wish does the same at
once and with a name (`request`). One drain asks many sources at once in one event loop, and any
number of drains in any number of processes share the work by their claims. A source that hangs
holds nothing but its own claim until its deadline.
"""

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from config.bell import ring
from config.outbound import Client, from_settings
from sources import claim, fetching, storing
from sources.errors import NotNow
from sources.fetching import Asked
from sources.models import Source, SyncRun
from sources.pace import Gate

OPEN_AT_ONCE = 100
SLOW_AFTER = 1.0  # seconds; a source that takes longer doesn't count for `OPEN_AT_ONCE` any more
MOST_OPEN = 400  # slow ones included
LONGEST_DRAIN = 240.0  # seconds that it takes on new ones; then it rings for the next drain
_MOST_OF_A_HOST = 32  # slow ones included
_STORED_AT_ONCE = 50  # answers in one transaction
_PIECES_AT_ONCE = 300
_MOST_UNSTORED = 100  # answers that wait to be stored; no source is asked meanwhile
_LINGER = timedelta(seconds=1)  # what is due within this is waited for
_GLANCE = 0.25  # seconds between looks at what is due while sources are open
_rng = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sync that did not happen, and why. That is no failure."""

    reason: str


def mark(source_id: int) -> bool:
    """Say that the schedule wants a sync; idempotent. False when it is off, or at it already."""
    return claim.mark(source_id)


def request(source_id: int, by: str) -> bool:
    """Have a source synced now because a person (`by`, a name) asked; False if it is at it already.

    Returns at once. How far it has come stands in the source's `stage` (requested, fetching,
    storing, and empty when it is done) and then in its newest run, whose `asked_by` is the name.
    Works also for sources that are off, paused or waiting. Without a broker the next tick does it.
    """
    wanted = claim.request(source_id, by)
    if wanted:
        ring("sources.drain")
    return wanted


def forget_validators(source_id: int) -> None:
    """Have the source's next sync ask for everything, and as soon as its schedule wants.

    For servers whose validators are wrong: a 304 for what has changed.
    """
    Source.objects.filter(pk=source_id).update(
        etag="", last_modified="", answer_digest="", last_whole=None,
        next_sync_at=None, next_sync_reason="",
    )  # fmt: skip


def sync(source_id: int, *, forced: bool = False) -> SyncRun | Skipped:
    """Sync one source here and now. One at a time for each source, however many workers try.

    A sync before the source's `next_sync_at` is skipped unless `forced` (a person asked). A
    failure is a run with its error, not an exception; nothing of it is stored.
    """
    source = Source.objects.get(pk=source_id)
    if not forced and (reason := _not_now(source)):
        return Skipped(reason)
    claimed = claim.claim_one(source_id, by="a command" if forced else "")
    if claimed is None:
        return Skipped("Another worker is at it.")
    try:
        asked = async_to_sync(_ask_alone)(claimed)
        if isinstance(asked.problem, NotNow):
            storing.store([asked])
            return Skipped(str(asked.problem))
        runs = storing.store([asked], forgiving=False)
    except BaseException:
        claim.let_go(source_id, claimed.claim_token)
        raise
    return runs[0] if runs else Skipped("Another worker has taken over.")


def drain(*, at_once: int = OPEN_AT_ONCE, stopping: Callable[[], bool] = lambda: False) -> int:
    """Sync what is due; how many runs were written.

    Takes on nothing new after `LONGEST_DRAIN`, or once `stopping` says so, and brings to an end
    what it has begun. Raises `DatabaseError` if the database is gone; the leases run out then.
    """
    runs, unfinished = async_to_sync(_drain)(at_once, stopping)
    if unfinished:
        ring("sources.drain")
    return runs


def _not_now(source: Source) -> str:
    if not source.is_active or source.paused_reason:
        return "The source is switched off."
    if source.next_sync_at and source.next_sync_at > timezone.now():
        return source.next_sync_reason or "It is not time yet."
    return ""


async def _ask_alone(source: Source) -> Asked:
    async with Client(from_settings()) as http:
        return await fetching.ask(source, timezone.now(), http, Gate())


async def _drain(at_once: int, stopping: Callable[[], bool]) -> tuple[int, bool]:
    drained = _Drain(at_once, stopping)
    await drained.run()
    return drained.runs, drained.unfinished


@dataclass(frozen=True, slots=True)
class _Open:
    """A source that is being asked."""

    source: Source
    host: str
    since: float  # on the loop's clock


class _Drain:
    """One drain: who is being asked, what waits to be stored, what came of it."""

    def __init__(self, at_once: int, stopping: Callable[[], bool]) -> None:
        self.runs = 0
        self.unfinished = False  # it has stopped taking on, and there may be more
        self._at_once = at_once
        self._stopping = stopping
        self._open: dict[asyncio.Task[None], _Open] = {}
        self._unstored: deque[Asked] = deque()
        self._look_at = 0.0  # when to look again for what is due
        self._news = asyncio.Event()  # an answer has come

    async def run(self) -> None:
        """Until nothing is due, or it has gone on for long enough."""
        # Drains that began together don't stop taking on together.
        until = self._now() + LONGEST_DRAIN * _rng.uniform(0.5, 1.0)
        gate = Gate()
        async with Client(from_settings()) as http:
            try:
                while await self._step(http, gate, self._now() < until and not self._stopping()):
                    pass
            finally:
                # Something has failed here: what is open is only read, and its leases run out.
                for task in self._open:
                    task.cancel()
                await asyncio.gather(*self._open, return_exceptions=True)

    async def _step(self, http: Client, gate: Gate, taking: bool) -> bool:
        """Visit the database once, then wait for news; False at the end."""
        self._news.clear()
        batch = self._batch()
        room = self._room() if taking and self._now() >= self._look_at else 0
        if batch or room:
            # The database is visited on another thread: answers go on coming meanwhile.
            runs, due = await sync_to_async(_visit)(batch, room, self._busy())
            self.runs += runs
            for source in due:
                self._begin(source, http, gate)
            if len(due) < room:
                self._look_at = self._now() + _GLANCE
        if self._unstored:
            return True
        if self._open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE if taking else None):
                    await self._news.wait()
            return True
        if not taking:
            self.unfinished = True
            return False
        soon = await sync_to_async(claim.seconds_to_next)(_LINGER)
        if soon is None:
            return False
        self._look_at = 0.0
        await asyncio.sleep(soon)
        return True

    def _begin(self, source: Source, http: Client, gate: Gate) -> None:
        task = asyncio.create_task(self._ask(source, http, gate))
        self._open[task] = _Open(source, claim.host_of(source), self._now())
        task.add_done_callback(self._open.pop)

    async def _ask(self, source: Source, http: Client, gate: Gate) -> None:
        began = timezone.now()
        try:
            asked = await fetching.ask(source, began, http, gate)
        except Exception as problem:  # noqa: BLE001 (a connector's mistake is its source's alone)
            asked = storing.crashed(Asked(source, began, 0), problem)
        self._unstored.append(asked)
        self._news.set()

    def _batch(self) -> list[Asked]:
        """What to store next: as many answers as make one transaction of a sensible size."""
        batch: list[Asked] = []
        pieces = 0
        while self._unstored and pieces < _PIECES_AT_ONCE and len(batch) < _STORED_AT_ONCE:
            asked = self._unstored.popleft()
            pieces += len(asked.fetched.copies) if asked.fetched else 0
            batch.append(asked)
        return batch

    def _room(self) -> int:
        """How many more may be asked now. Slow ones are patient; they hold nobody up."""
        if len(self._unstored) >= _MOST_UNSTORED:
            return 0
        return max(0, min(self._at_once - len(self._lively()), MOST_OPEN - len(self._open)))

    def _lively(self) -> list[_Open]:
        since = self._now() - SLOW_AFTER
        return [each for each in self._open.values() if each.since > since]

    def _busy(self) -> list[str]:
        """Hosts that are asked enough at the moment."""
        lively = Counter(each.host for each in self._lively())
        everything = Counter(each.host for each in self._open.values())
        return [
            host
            for host, count in everything.items()
            if lively[host] > claim.PER_HOST or count >= _MOST_OF_A_HOST
        ]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _visit(batch: Sequence[Asked], room: int, busy: Collection[str]) -> tuple[int, list[Source]]:
    """Store what has come and take what is due; the number of runs, and the sources."""
    watched = [each.source for each in batch if each.source.asked_by]
    if watched:
        claim.mark_stage(watched, Source.Stages.STORING)
    runs = storing.store(batch) if batch else []
    return len(runs), claim.claim(room, busy)
