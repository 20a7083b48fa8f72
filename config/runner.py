"""The processes of a desk on one machine: started together, watched, and ended together.

For `manage.py desk` (`make run`, `make demo`). In production an init system or a container engine
does this; honcho would do as well, but it neither ends its children when it is killed itself nor
starts one again.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.embedded.engine import die_with_parent

STOP_WITHIN = 6.0  # seconds for all to end, then they are killed; the engines need two more
_RESTARTS = 3  # within a minute
_ROOT = Path(__file__).resolve().parent.parent


class Ended(Exception):
    """A process keeps ending; the desk can't go on without it."""


@dataclass
class Process:
    """One process of the desk."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    running: "subprocess.Popen[str] | None" = None
    deaths: list[float] = field(default_factory=list)


class Runner:
    """Starts processes, shows their lines with their names, and ends them all."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._processes: list[Process] = []
        self._stopping = threading.Event()

    def start(self, process: Process) -> None:
        """Start a process as the leader of its own group; on Linux it ends when we do."""
        process.running = subprocess.Popen(  # noqa: S603 (our own commands)
            process.command,
            cwd=_ROOT,
            env={**os.environ, **process.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        if process not in self._processes:
            self._processes.append(process)
        if process.running.stdout is not None:
            arguments = (process.name, process.running.stdout)
            threading.Thread(target=self._show, args=arguments, daemon=True).start()

    def stop_on_signals(self) -> None:
        """Ctrl-C and SIGTERM end the desk, whatever it is doing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stopping.set())

    @property
    def stopping(self) -> bool:
        """Whether the desk was told to end."""
        return self._stopping.is_set()

    def watch(self) -> None:
        """Return when told to end; start again what ends. Raises `Ended` when that is no use."""
        while not self._stopping.wait(0.3):
            self.look()

    def look(self) -> None:
        """Start again what has ended since the last look. Raises `Ended` when that is no use."""
        for process in self._processes:
            if process.running is not None and process.running.poll() is not None:
                self._again(process)

    def stop(self) -> None:
        """End everything: a word first, a second word, then force."""
        self._stopping.set()
        for number, seconds in (
            (signal.SIGTERM, STOP_WITHIN * 0.6),
            (signal.SIGQUIT, STOP_WITHIN * 0.3),  # Celery's cold shutdown
            (signal.SIGKILL, 2.0),
        ):
            alive = [each for each in self._processes if _alive(each)]
            for process in alive:
                _signal(process, number)
            until = time.monotonic() + seconds
            while any(_alive(each) for each in alive) and time.monotonic() < until:
                time.sleep(0.05)
        for process in self._processes:
            _signal(process, signal.SIGKILL, group=True)  # what a process left of its own

    def _again(self, process: Process) -> None:
        now = time.monotonic()
        process.deaths = [death for death in process.deaths if now - death < 60] + [now]
        code = process.running.returncode if process.running else "?"
        # granian's workers outlive a killed granian: they would keep the port, and the engines up.
        _signal(process, signal.SIGKILL, group=True)
        if len(process.deaths) > _RESTARTS:
            raise Ended(f"{process.name} keeps ending (status {code}); the desk stops.")
        self._write(f"{process.name} ended with status {code} and is started again.")
        self.start(process)

    def _show(self, name: str, lines: IO[str]) -> None:
        with contextlib.suppress(ValueError):  # closed while we read
            for line in lines:
                self._write(f"{name:>9} | {line.rstrip()}")


def python(*arguments: str) -> list[str]:
    """A command for the interpreter that runs us."""
    return [sys.executable, *arguments]


def _alive(process: Process) -> bool:
    return process.running is not None and process.running.poll() is None


def _signal(process: Process, number: int, *, group: bool = False) -> None:
    if process.running is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group or number == signal.SIGKILL:
            os.killpg(process.running.pid, number)
        else:
            process.running.send_signal(number)
