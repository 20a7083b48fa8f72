"""`manage.py desk`: the whole desk on one machine, for `make run` and `make demo`."""

import contextlib
import fcntl
import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import bootstrap, embedded
from config.bell import ring
from config.runner import Ended, Process, Runner, python

READY_WITHIN = 60.0  # seconds until the web process must answer


class Command(BaseCommand):
    help = "Run the whole desk: web, worker, beat and sweeper, on engines of its own if need be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Beside a simulated outside world on loopback."
        )

    def handle(self, *_: Any, demo: bool, **__: Any) -> None:
        address = _address(settings.HOST, settings.PORT)
        lock = self._only_desk(address)
        _must_be_free(settings.HOST, settings.PORT, "choose another, such as PORT=8010 make run.")
        runner = Runner(self._say)
        runner.stop_on_signals()
        try:
            self._run(runner, address, demo)
        except Ended as problem:
            raise CommandError(str(problem)) from None
        finally:
            self._say("Stopping.")
            runner.stop()
            os.close(lock)
            embedded.leave(settings.VAR_DIR, wait=6.0)

    def _run(self, runner: Runner, address: str, demo: bool) -> None:
        world = _start_world(runner) if demo else None
        outside = _outside(world) if world else {}
        if _migrations_wait():
            call_command("migrate", verbosity=0, interactive=False)
        bootstrap.samples(world)
        if runner.stopping:
            return
        web, *others = _processes(outside)
        # One after the other: each takes seconds of processor to load, and people wait for the web.
        runner.start(web)
        if self._answers(runner, address):
            for process in others:
                runner.start(process)
            # Only now: a start that is given up before must not swallow the one password.
            self._banner(address, bootstrap.first_administrator(), world)
            _sync_at_once()
            runner.watch()

    def _only_desk(self, address: str) -> int:
        """Hold the desk's lock; a second desk on the same folder is told about the first."""
        path = settings.VAR_DIR / "run" / "desk.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = os.read(handle, 200).decode() or "another address"
            raise CommandError(f"A desk is running here already, at {running}.") from None
        os.truncate(handle, 0)
        os.write(handle, address.encode())
        return handle

    def _answers(self, runner: Runner, address: str) -> bool:
        """Wait for the web process; False when the desk was told to end meanwhile."""
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if runner.stopping:
                return False
            runner.look()
            try:
                with urllib.request.urlopen(f"{address}/livez", timeout=2):  # noqa: S310 (our own)
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise CommandError("The web process does not answer; its lines above say why.")

    def _banner(self, address: str, password: str, world: str | None) -> None:
        lines = [f"{settings.SITE_NAME} is up at {address}"]
        if password:
            lines.append(f"Sign in as {bootstrap.ADMINISTRATOR} with the password {password}")
            lines.append("(It is shown this once: change it, or note it down.)")
        if world:
            lines.append(f"The simulated outside world is at {world}")
        lines.append("Ctrl-C stops everything.")
        rule = "─" * max(map(len, lines))
        self._say("\n".join(["", rule, *lines, rule, ""]))

    def _say(self, text: str) -> None:
        # Whoever reads us may be gone (`make run | head`): that must not keep us from ending well.
        with contextlib.suppress(OSError):
            self.stdout.write(text)
            self.stdout.flush()


def _migrations_wait() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _processes(outside: dict[str, str]) -> list[Process]:
    web = python(
        "-m", "granian", "--interface", "wsgi", "--host", settings.HOST,
        "--port", str(settings.PORT), "--workers", "1", "--blocking-threads", "4",
        "--log-level", "warning", "--no-ws", "config.wsgi:application",
    )  # fmt: skip
    # As root (a container, a trial) Celery warns at length; the desk's tasks run no foreign code.
    celery = python("-W", "ignore:You're running", "-m", "celery", "-q", "-A", "config.celery")
    worker = [
        *celery, "worker", "--queues", "fetch,publish,ai,default", "--concurrency", "4",
        "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]
    return [
        Process("web", web, outside),
        Process("worker", worker, outside),
        Process("beat", beat, outside),
        Process("sweeper", python("manage.py", "sweep"), outside),
    ]


def _start_world(runner: Runner) -> str:
    """Start the simulator at the port of last time, so that channels keep leading to it."""
    kept = Path(settings.VAR_DIR) / "simulator-port"
    port = kept.read_text().strip() if kept.exists() else str(_free_port())
    _must_be_free(
        "127.0.0.1", int(port),
        f"the demo's sources and channels lead there: free it, or remove {settings.VAR_DIR} "
        "to begin a new demo.",
    )  # fmt: skip
    kept.write_text(port)
    memory = str(Path(settings.VAR_DIR) / "simulator-memory")
    command = python("-m", "simulator", "--with-parent", "--port", port, "--memory", memory)
    runner.start(Process("outside", command))
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return url
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise CommandError("The simulator does not answer; its lines above say why.")


def _outside(world: str) -> dict[str, str]:
    """What the desk's processes need to reach the simulated world."""
    from simulator import credentials

    return {
        "DEMO": "yes",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "AI_PROVIDER": "openai",
        "OPENAI_API_KEY": credentials.OPENAI_KEY,
        "OPENAI_BASE_URL": f"{world}/openai/v1",
        "ANTHROPIC_API_KEY": credentials.ANTHROPIC_KEY,
        "ANTHROPIC_BASE_URL": f"{world}/anthropic",
        "OLLAMA_BASE_URL": f"{world}/ollama",
    }


def _sync_at_once() -> None:
    """Ring for every source that was never synced: beat would wait a whole interval."""
    from sources.models import Source

    fresh = Source.objects.filter(is_active=True, last_sync__isnull=True)
    for source_id in fresh.values_list("pk", flat=True):
        ring("sources.sync", source_id)


def _address(host: str, port: int) -> str:
    """Where a browser on this machine reaches the desk."""
    if port == 0:
        raise CommandError("PORT: the desk needs a port of its own, such as 8000.")
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (read, not listened on)
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def _must_be_free(host: str, port: int, advice: str) -> None:
    """Raises `CommandError` with the advice, in one sentence, when nobody can listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise CommandError(
                f"{host}:{port} can't be listened on ({problem.strerror}); {advice}"
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
