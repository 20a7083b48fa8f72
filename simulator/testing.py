"""Starts the simulator as a child process, for tests, drills and benchmarks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Simulator:
    """A running simulator and its handle."""

    url: str  # without a slash at the end
    process: subprocess.Popen[str]

    def faults(self, *rules: dict[str, Any]) -> None:
        """These rules from now on, and no others; see `simulator.faults.Fault`. None: no faults."""
        self._ask("DELETE", "/_control/faults")
        for rule in rules:
            self._ask("POST", "/_control/faults", rule)

    def posts(self, platform: str = "") -> Any:
        """What arrived: `{total, public, by_marker, posts}` of one platform, or all by name."""
        arrived = self._ask("GET", "/_control/posts")
        return arrived[platform] if platform else arrived

    def log(self, path: str = "") -> list[dict[str, Any]]:
        """The requests seen, oldest first, of paths that start so."""
        return [
            entry for entry in self._ask("GET", "/_control/log") if entry["path"].startswith(path)
        ]

    def reset(self, *, newsroom: bool = False) -> None:
        """Forgets posts, requests and faults; the news goes on unless it is to begin anew."""
        self._ask("POST", f"/_control/reset{'?newsroom=1' if newsroom else ''}")

    def publish_story(self, **wanted: Any) -> dict[str, Any]:
        """A new report now (`outlet`, `title`, `html` …), or a new version of one (`update`)."""
        report: dict[str, Any] = self._ask("POST", "/_control/publish_story", wanted)
        return report

    def hub(self, **habits: Any) -> list[dict[str, Any]]:
        """The hub's subscribers; with habits (`simulator.hub.Habits`) it behaves so from now on."""
        if habits:
            self._ask("POST", "/_control/hub", habits)
        subscribers: list[dict[str, Any]] = self._ask("GET", "/_control/hub")["subscribers"]
        return subscribers

    def push(self, topic: str, **more: str) -> list[int]:
        """Let the hub push a topic to its subscribers now; what they answered."""
        statuses: list[int] = self._ask("POST", "/_control/hub/publish", {"topic": topic, **more})[
            "statuses"
        ]
        return statuses

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400:
            raise ValueError(f"The simulator refused {method} {path}: {text}")
        return json.loads(text)


@contextmanager
def running(seed: int = 1, pace: float = 0, memory: Path | None = None) -> Iterator[Simulator]:
    """A simulator on a free port of its own, ended on the way out.

    Raises RuntimeError when it doesn't start. With `pace` 0 only `publish_story` makes news; with
    `memory` it goes on where that file ends.
    """
    command = [sys.executable, "-m", "simulator", "--with-parent"]
    arguments = ["--seed", str(seed), "--pace", str(pace)]
    arguments += ["--memory", str(memory)] if memory else []
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"The simulator ended with {process.wait(10)} before it listened.")
        yield Simulator(json.loads(line)["url"], process)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
