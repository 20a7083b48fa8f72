"""What the two engines have in common: where their files are, and what starting one means."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
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
        return self._taken(self.keeper_lock)

    def in_use(self) -> bool:
        """Whether anybody holds the users' lock."""
        return self._taken(self.users_lock)

    def log_tail(self, lines: int = 15) -> str:
        """The engine's last words."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    @staticmethod
    def _taken(lock: Path) -> bool:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


class Engine(ABC):
    """One engine as its keeper handles it."""

    variable: str  # which variable names a server of one's own instead

    def __init__(self, room: Room) -> None:
        self.room = room

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


def end_orphan(pid_file: Path, program: str) -> None:
    """End a server that outlived its keeper, and drop the pid file of one that is gone."""
    try:
        pid = int(pid_file.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        until = time.monotonic() + 5
        while is_running(pid, program) and time.monotonic() < until:
            os.kill(pid, sig)
            time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def is_running(pid: int, program: str) -> bool:
    """Whether `pid` is alive and runs `program`: pids are used again after a crash."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    comm = Path(f"/proc/{pid}/comm")
    if comm.exists():
        return comm.read_text().strip().startswith(program[:15])
    if Path("/proc/self").exists():
        return False
    answer = subprocess.run(  # noqa: S603 (a fixed command)
        ["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return program in answer.stdout
