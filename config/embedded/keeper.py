"""Keeps one engine for as long as anybody uses it: ``python -m config.embedded.keeper KIND VAR``.

Started by `config.embedded.ensure`, ends by itself. It holds `keeper.lock` for its life, so there
is one keeper at most; a new start waits on the users' lock while it is stopping.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from config.embedded.engine import Engine, EngineUnavailable, Room
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

ENGINES: dict[str, type[Engine]] = {"postgres": Postgres, "valkey": Valkey}
READY_WITHIN = 60.0
GRACE = 1.5  # seconds without any user before stopping: one command often follows another
_TRIES = 3  # to start: a killed server's last session may still be ending, a port be taken
_RESTARTS = 5  # within a minute; then something is wrong that a restart won't mend


def main(kind: str, var: str) -> None:
    """Detach, keep the engine, stop it when nobody is left."""
    room = Room(Path(var), kind)
    lock = _the_only_one(room)
    if lock is None:
        return
    if os.fork():
        os._exit(0)  # whoever started us is not our parent, and finds the lock taken already
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keeper = Keeper(ENGINES[kind](room))
    try:
        keeper.start()
        keeper.watch()
    except EngineUnavailable as problem:
        room.failure.write_text(str(problem), encoding="utf-8")
        _wait_until_read(room)
    finally:
        keeper.stop()
        os.close(lock)  # before the users' lock goes: who waits for that must find no keeper


class Keeper:
    """One engine and the server process that runs now."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.room = engine.room
        self.server: Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, wait until it answers, and write down where."""
        until = time.monotonic() + READY_WITHIN
        for _ in range(_TRIES):
            self.engine.prepare()
            self.server = self.engine.launch()
            if self._comes_up(self.server, until):
                draft = self.room.address.with_suffix(".draft")
                draft.touch(mode=0o600)
                draft.write_text(json.dumps({"url": self.engine.url()}))
                draft.rename(self.room.address)
                return
            time.sleep(0.5)
        raise EngineUnavailable(
            f"The embedded {self.room.kind} does not start. Its last words:\n"
            f"{self.room.log_tail()}\n"
            f"Set {self.engine.variable} to a server of your own to do without it."
        )

    def _comes_up(self, server: "Popen[bytes]", until: float) -> bool:
        while server.poll() is None and time.monotonic() < until:
            if self.engine.ready():
                return True
            time.sleep(0.05)
        return False

    def watch(self) -> None:
        """Restart the server when it dies; return once nobody has used it for a while.

        The users' lock is held from then on: a new user waits until the server has stopped.
        """
        deaths: list[float] = []
        users = os.open(self.room.users_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        unused_since: float | None = None
        while True:
            now = time.monotonic()
            if self.server is None or self.server.poll() is not None:
                deaths = [death for death in deaths if now - death < 60] + [now]
                if len(deaths) > _RESTARTS:
                    raise EngineUnavailable(f"The embedded {self.room.kind} keeps dying.")
                self.start()
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                unused_since = None
            else:
                unused_since = unused_since or now
                if now - unused_since >= GRACE:
                    return
                fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the server, with force if it takes longer than it should."""
        self.room.address.unlink(missing_ok=True)
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(self.engine.stop_signal())
            try:
                self.server.wait(8)
            except TimeoutExpired:
                self.server.kill()
                self.server.wait()
        self.engine.tidy()


def _the_only_one(room: Room) -> int | None:
    """Take the keeper's lock, or None if there is a keeper.

    Several tries: somebody who only looks at the lock holds it for a moment.
    """
    lock = os.open(room.keeper_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return lock
    os.close(lock)
    return None


def _wait_until_read(room: Room) -> None:
    """Stay until whoever waits for the engine has gone, so that no second start repeats this."""
    until = time.monotonic() + 5
    while room.in_use() and time.monotonic() < until:
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
