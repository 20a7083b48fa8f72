"""The sweeper: publishing goes on when beat, the workers or Redis do not."""

import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connection

from publishing import deliver, reconcile
from publishing.alone import Only, alone
from publishing.feeds import pings

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = (
        "Send what is due and settle what a dead worker left, straight from the database, again "
        "and again. Any number may run: one sweeps, the others wait. SIGTERM ends it after the "
        "calls that are under way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Sweep once and end.")
        parser.add_argument(
            "--every", type=float, default=10.0, help="Seconds between sweeps (default 10)."
        )

    def handle(self, *_: Any, once: bool, every: float, **__: Any) -> None:
        stopping = threading.Event()
        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopping.set())
        while not stopping.is_set():
            try:
                with alone(Only.SWEEP) as mine:
                    if mine:
                        reconcile.expire()
                        deliver.drain(stopping=stopping.is_set)
                        pings.tell_hubs()
            except Error as problem:
                if once:
                    raise
                log.warning("sweep.no_database", error=type(problem).__name__)
                connection.close()
            if once:
                return
            stopping.wait(every)
