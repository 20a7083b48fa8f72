"""Real engines without installing any: PostgreSQL 18 and Valkey 9 out of two Python wheels.

``ensure(var)`` finds the engines of a `var` folder or starts them, and keeps them running for as
long as this process lives. Every process that uses them holds a shared lock; a *keeper* per
engine (`config.embedded.keeper`) starts it, restarts it if it dies, and stops it a moment after
the last lock is gone. Locks belong to the kernel, so a ``kill -9`` of anything leaves nothing
that needs a hand.

Nothing here imports Django: settings call it.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded.engine import EngineUnavailable, Room

__all__ = ["EngineUnavailable", "Engines", "ensure", "leave"]

START_WITHIN = 90.0  # seconds; initdb on a slow disk takes some
_SUCCESSORS = 3  # of a keeper that died without a word, before we give up
_LOG_LIMIT = 5_000_000  # bytes; the log of before is kept once
_VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
_held: dict[Path, int] = {}  # users' lock files that this process holds open, for its life


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the engines answer; empty for one that was not asked for."""

    database_url: str = ""
    redis_url: str = ""


def ensure(var: Path, *, postgres: bool = True, valkey: bool = True) -> Engines:
    """Find or start the engines asked for, with their data under `var`.

    Safe to call from any number of processes at once. Raises `EngineUnavailable` with a sentence
    that names the variable to set instead.
    """
    wanted = [kind for kind, yes in zip(_VARIABLES, (postgres, valkey), strict=True) if yes]
    rooms = {kind: Room(var, kind) for kind in wanted}
    try:
        for room in rooms.values():  # both, before waiting for either
            _have_kept(room)
        addresses = {kind: _wait_for(room) for kind, room in rooms.items()}
    except OSError as problem:
        raise EngineUnavailable(
            f"The embedded engines can't use {problem.filename or var} ({problem.strerror}): "
            f"make it writable, or set {' and '.join(_VARIABLES[kind] for kind in wanted)} "
            "to servers of your own."
        ) from problem
    return Engines(addresses.get("postgres", ""), addresses.get("valkey", ""))


def leave(var: Path, *, wait: float = 10.0) -> None:
    """Stop using the engines now, and wait until they are gone if nobody else uses them."""
    for kind in _VARIABLES:
        room = Room(var, kind)
        handle = _held.pop(room.users_lock, None)
        if handle is not None:
            os.close(handle)
    until = time.monotonic() + wait
    for kind in _VARIABLES:
        room = Room(var, kind)
        while room.engaged() and not room.in_use() and time.monotonic() < until:
            time.sleep(0.05)


def _have_kept(room: Room) -> None:
    """Use the engine from here on, and see that a keeper is at work."""
    room.run.mkdir(parents=True, exist_ok=True)
    _hold(room.users_lock)
    with _locked(room.start_lock):
        if not room.kept():
            room.address.unlink(missing_ok=True)
            room.failure.unlink(missing_ok=True)
            _start_keeper(room)


def _hold(lock: Path) -> None:
    """Take a shared lock for the life of this process; forked children share it."""
    if lock in _held:
        return
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_SH)  # waits while a keeper is stopping its engine
    _held[lock] = handle


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _start_keeper(room: Room) -> None:
    """Start the keeper as a process of its own, not as our child: it outlives us if others stay."""
    if room.log.exists() and room.log.stat().st_size > _LOG_LIMIT:
        room.log.rename(room.log.with_suffix(".before"))
    with open(room.log, "ab") as log:
        subprocess.run(  # noqa: S603 (our own module)
            [sys.executable, "-m", "config.embedded.keeper", room.kind, str(room.var)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,  # the first process forks the keeper and ends
        )


def _wait_for(room: Room) -> str:
    """Where the engine answers. A keeper that has gone without a word gets successors.

    One that was ending as we came, or was killed, may have looked alive for a moment longer: the
    kernel lets go of a dying process's locks one by one.
    """
    until = time.monotonic() + START_WITHIN
    pause = 0.01
    successors = 0
    while time.monotonic() < until:
        kept = room.kept()
        if kept and room.address.exists():
            return str(json.loads(room.address.read_text(encoding="utf-8"))["url"])
        if room.failure.exists():
            raise EngineUnavailable(room.failure.read_text(encoding="utf-8"))
        if not kept:
            if successors == _SUCCESSORS:
                break
            successors += 1
            _have_kept(room)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    raise EngineUnavailable(
        f"The embedded {room.kind} did not start:\n{room.log_tail()}\n"
        f"Set {_VARIABLES[room.kind]} to a server of your own to do without it."
    )
