"""A worker of the measured world, in a process of its own: `python -m sources.bench.worker`.

It syncs as a Celery worker does (`sources.sync.drain`), with watches on what it does. For each
line on its input it drains once and writes a line of JSON: what that took.
"""

import functools
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Taken:
    """What one drain took, in one process."""

    runs: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # seconds, of this process
    database_cpu: float = 0.0  # seconds, of the server's process behind our connection
    rss: int = 0  # bytes, at most until now
    phases: dict[str, float] = field(default_factory=dict)  # seconds of CPU


class Watch:
    """CPU by phase; what one phase does inside another counts for the inner one only."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def on(self, module: Any, name: str, phase: str) -> None:
        """From now on what this function takes belongs to this phase."""
        function: Callable[..., Any] = getattr(module, name)

        @functools.wraps(function)
        def watched(*given: Any, **more: Any) -> Any:
            began = time.thread_time()
            self._inside.append(0.0)
            try:
                return function(*given, **more)
            finally:
                took = time.thread_time() - began
                self.spent[phase] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        setattr(module, name, watched)


def main() -> None:
    """Drain whenever told to."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from sources.sync import drain

    on_loop, on_database = _watches()
    print("{}", flush=True)
    while sys.stdin.readline():
        for watch in (on_loop, on_database):
            watch.spent.clear()
        began, cpu, database = time.perf_counter(), time.process_time(), _database_cpu()
        runs = drain()
        taken = Taken(
            runs=runs,
            seconds=time.perf_counter() - began,
            cpu=time.process_time() - cpu,
            database_cpu=_database_cpu() - database,
            rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
        taken.phases = {**on_loop.spent, **on_database.spent}
        taken.phases["HTTP and the rest"] = taken.cpu - sum(taken.phases.values())
        print(json.dumps(asdict(taken)), flush=True)


def _watches() -> tuple[Watch, Watch]:
    """One for each thread: what the loop does, and what is done with the database."""
    from articles import intake
    from config import turns
    from sources import archive, claim, feedparsing, storing

    on_loop, on_database = Watch(), Watch()
    on_loop.on(feedparsing, "parse", "parsing")
    on_database.on(claim, "claim", "claiming")
    on_database.on(intake, "file", "filing")
    on_database.on(archive, "keep", "archiving")
    on_database.on(storing, "store", "settling")
    asking_redis = Watch()  # a third thread
    asking_redis.on(turns, "take_from", "turns (Redis)")
    on_loop.spent = asking_redis.spent = on_loop.spent
    return on_loop, on_database


def _database_cpu() -> float:
    """Seconds of CPU that the server's process behind our connection has used; 0 if it is far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number = cursor.fetchone()[0]
    try:
        with open(f"/proc/{number}/stat") as stat:
            name, fields = stat.read().rsplit(") ", 1)
    except OSError:
        return 0.0
    if "postgres" not in name:
        return 0.0
    ticks = sum(int(each) for each in fields.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
