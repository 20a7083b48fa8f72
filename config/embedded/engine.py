"""What the two engines have in common: where their files are, and what starting one means."""

import contextlib
import ctypes
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path


class EngineUnavailable(Exception):
    """An embedded engine can't be had here. The text says what to do instead."""


class Room:
    """The files of one engine under a `var` folder."""

    def __init__(self, var: Path, kind: str) -> None:
        self.var = var.resolve()
        self.kind = kind
        self.data = self.var / kind
        self.run = self.var / "run" / kind
        self.log = self.run / "log"
        self.address = self.run / "address.json"  # there while the engine answers
        self.failure = self.run / "failure"  # there when it could not be started
        self.users_lock = self.run / "users.lock"  # shared by all who use the engine
        self.keeper_lock = self.run / "keeper.lock"  # held by the one who keeps it
        self.start_lock = self.run / "start.lock"  # held while somebody looks whether to start

    def kept(self) -> bool:
        """Whether a keeper is alive."""
        return _refused(self.keeper_lock, fcntl.LOCK_SH)

    def engaged(self) -> bool:
        """Whether a keeper is alive, or has the users' lock to itself while it stops."""
        return self.kept() or _refused(self.users_lock, fcntl.LOCK_SH)

    def in_use(self) -> bool:
        """Whether any user is left; false while a keeper has the lock to itself, to stop."""
        return _refused(self.users_lock, fcntl.LOCK_EX) and not _refused(
            self.users_lock, fcntl.LOCK_SH
        )

    def log_tail(self, lines: int = 15) -> str:
        """The engine's last words."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Engine(ABC):
    """One engine as its keeper handles it."""

    variable: str  # which variable names a server of one's own instead

    def __init__(self, room: Room) -> None:
        self.room = room

    @cached_property
    def password(self) -> str:
        """Made up at the first start, and kept: the data of later starts were made with it."""
        kept = self.room.run / "password"
        if not kept.exists():
            handle, draft = tempfile.mkstemp(dir=self.room.run)  # 0600; appears whole or not at all
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(24))
            os.rename(draft, kept)
        return kept.read_text(encoding="ascii")

    @abstractmethod
    def prepare(self) -> None:
        """Make what the engine needs before its first start; clear what a crash left behind."""

    @abstractmethod
    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the server as our child."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers now."""

    @abstractmethod
    def url(self) -> str:
        """Where it answers, in the form of its variable."""

    @abstractmethod
    def stop_signal(self) -> int:
        """The signal that ends it quickly without losing anything."""

    def tidy(self) -> None:  # noqa: B027 (most have nothing to tidy)
        """Remove what it needs outside `var` while it runs."""


def die_with_parent(sig: int) -> Callable[[], None]:
    """A function for the child to run: on Linux it is ended by `sig` when its parent dies.

    Elsewhere it does nothing; there the next start finds the orphan and ends it.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    parent = os.getpid()
    # Looked up before the child gives up its rights: it may not be able to read our libraries.
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arrange() -> None:
        prctl(1, sig)  # PR_SET_PDEATHSIG, see prctl(2)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def end_orphan(pid_file: Path, mark: str) -> None:
    """End a server that outlived its keeper: the process of the pid file, if it is ours.

    It is ours if its command line has `mark` in it: pids are used again after a crash.
    """
    try:
        pid = int(pid_file.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        until = time.monotonic() + 5
        while mark in _command_line(pid) and time.monotonic() < until:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            time.sleep(0.1)


def _refused(lock: Path, how: int) -> bool:
    """Whether the lock could not be had in this way just now."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _command_line(pid: int) -> str:
    """What a process was started with; empty when it has ended, even if nobody has noticed yet."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return words.replace(b"\0", b" ").decode(errors="replace")
    answer = subprocess.run(  # noqa: S603 (a fixed command)
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout
