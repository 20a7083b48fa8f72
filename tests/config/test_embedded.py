"""The embedded engines, each test with a folder and processes of its own."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import EngineUnavailable, ensure
from config.embedded.engine import Room

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


def test_an_engine_that_dies_is_started_again_at_the_same_address(var):
    user = use(var, 15)
    _, broker = addresses(user)
    port = broker.rpartition(":")[2]
    server = next(pid for pid in processes_of(var) if is_server(pid))
    os.kill(server, signal.SIGKILL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(redis.RedisError):
            if redis.Redis.from_url(broker).ping():
                break
        time.sleep(0.1)
    assert redis.Redis.from_url(broker).ping(), port
    user.kill()
    user.communicate()


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
    nobody = pwd.getpwnam("nobody")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    site = next(path for path in sys.path if path.endswith("site-packages"))
    readable = all(place.stat().st_mode & 0o005 == 5 for place in (HERE, *HERE.parents))
    if python is None or not readable:
        pytest.skip("the checkout can't be read by another user on this machine")
    probe = subprocess.run(
        [python, "-c", "import psycopg, redis"],
        env={"PYTHONPATH": site}, user=nobody.pw_uid, group=nobody.pw_gid, check=False,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if probe.returncode:
        pytest.skip("no Python on this machine that another user can run with our packages")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        user = subprocess.run(
            [python, "-c", USE, f"{folder}/var", "0"],
            env={"PYTHONPATH": f"{HERE}:{site}", "HOME": folder, "PATH": "/usr/bin:/bin"},
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd=folder,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "postgres://" in user.stdout, user.stderr
        assert Path(folder, "var/postgres").stat().st_uid == nobody.pw_uid
        assert gone(Path(folder, "var"))


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


def is_keeper(pid: int) -> bool:
    return b"config.embedded.keeper" in Path(f"/proc/{pid}/cmdline").read_bytes()


def is_server(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().startswith("valkey")
