"""What the `bench_*` commands share: a database and a Redis apart, and processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from redis import Redis

_HERE = Path(__file__).resolve().parents[1]
_PATIENCE = 10  # seconds for a process to end


@contextmanager
def database_apart(name: str) -> Iterator[None]:
    """This process's connection leads to a new, migrated database, which is gone after."""
    connection.settings_dict["TEST"]["NAME"] = name
    desk = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(desk, verbosity=0)


@contextmanager
def redis_apart(number: int) -> Iterator[Redis]:
    """Another of the Redis server's databases, emptied at the end.

    Raises `CommandError` when somebody uses it.
    """
    store = Redis.from_url(redis_url(number))
    if store.dbsize():
        raise CommandError(f"Redis's database {number} is in use; the bench needs it empty.")
    try:
        yield store
    finally:
        store.flushdb()
        store.close()


def redis_url(number: int) -> str:
    """The desk's Redis, and another of its databases."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query)) | {"db": str(number)}
        return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))


class Child:
    """A process of a bench. It greets with a line of JSON and answers each line with one."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.greeting = self.hears()

    def tell(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None  # noqa: S101 (a pipe, see `children`)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hears(self) -> dict[str, Any]:
        """Its next line; raises `RuntimeError` when it has ended."""
        assert self._process.stdout is not None  # noqa: S101 (a pipe, see `children`)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("A process of the bench has ended; its words stand above.")
        told: dict[str, Any] = json.loads(line)
        return told

    def asks(self, line: str) -> dict[str, Any]:
        """Send a line and hear the answer."""
        self.tell(line)
        return self.hears()


@contextmanager
def child(arguments: Sequence[str], redis: str) -> Iterator[Child]:
    """`python -m *arguments` on our connection's database and that Redis; ends with its input."""
    process = subprocess.Popen(  # noqa: S603 (our own modules)
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_HERE,
        env=os.environ | _environment(redis),
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(redis: str) -> Mapping[str, str]:
    database = urlsplit(settings.DATABASE_URL)
    path = f"/{quote(str(connection.settings_dict['NAME']))}"
    return {
        "DATABASE_URL": urlunsplit(database._replace(path=path)),
        "REDIS_URL": redis,
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "LOG_LEVEL": "ERROR",  # hostile feeds fail by the hundred
    }
