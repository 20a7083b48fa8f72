"""The sweeper: publishing goes on when beat, the workers or Redis do not."""

import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from publishing import deliver, reconcile

log = structlog.get_logger(__name__)
_LOCK = 0x6E657773  # any number of ours; one sweeper at a time holds it


class Command(BaseCommand):
    help = (
        "Send what is due and settle what a dead worker left, straight from the database, again "
        "and again. Any number may run: one sweeps, the others wait."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Sweep once and end.")
        parser.add_argument(
            "--every", type=float, default=10.0, help="Seconds between sweeps (default 10)."
        )

    def handle(self, *_: Any, once: bool, every: float, **__: Any) -> None:
        while True:
            try:
                if self._alone():
                    reconcile.expire()
                    deliver.drain()
            except DatabaseError as problem:
                if once:
                    raise
                log.warning("sweep.no_database", error=type(problem).__name__)
                connection.close()
            if once:
                return
            time.sleep(every)

    def _alone(self) -> bool:
        """Whether we are the one who sweeps; the lock goes with our connection."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            return bool(cursor.fetchone()[0])
