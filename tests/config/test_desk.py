"""`manage.py desk` as a newcomer runs it: real processes, a free port, a folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Desk:
    """A desk on a free port."""

    def __init__(self, var: Path, port: int, *arguments: str) -> None:
        self.var, self.url = var, f"http://127.0.0.1:{port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "desk", *arguments],
            cwd=HERE,
            env=kept | {"VAR_DIR": str(var), "PORT": str(port), "NEWSDESK_EPHEMERAL_ENGINES": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def reads_until(self, words: str, within: float = 90.0) -> str:
        """What it says until `words` appear; fails when it ends or takes too long."""
        until = time.monotonic() + within
        assert self.process.stdout is not None
        while words not in self.said and time.monotonic() < until:
            line = self.process.stdout.readline()
            assert line, f"It ended: {self.said}"
            self.said += line
        assert words in self.said, self.said
        return self.said

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            return answer.code

    def ends(self, number: int, within: float = 10.0) -> float:
        """How long it takes to end after a signal, in seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.communicate(timeout=within + 5)
        return time.monotonic() - began


def processes_of(var: Path) -> list[str]:
    """Every process on the machine that was started with this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                if words and (str(var) in words or f"VAR_DIR={var}" in environment):
                    found.append(f"{entry.name} {words}")
    return found


def all_gone(var: Path, within: float = 12.0) -> list[str]:
    until = time.monotonic() + within
    while processes_of(var) and time.monotonic() < until:
        time.sleep(0.2)
    return processes_of(var)


@pytest.fixture
def var() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="newsdesk ") as folder:
        yield Path(folder) / "var"
        for line in processes_of(Path(folder) / "var"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)


def test_a_desk_comes_up_tells_its_password_once_keeps_its_data_and_leaves_nothing(var):
    port = free_port()
    desk = Desk(var, port)
    assert "Sign in as admin with the password" in desk.reads_until("Ctrl-C stops everything")
    assert desk.url in desk.said
    assert desk.get("/livez") == 200
    assert desk.get("/readyz") == 200
    assert desk.get("/admin/login/") == 200

    second = subprocess.run(
        [sys.executable, "manage.py", "desk"], cwd=HERE, capture_output=True, text=True,
        env={**os.environ, "VAR_DIR": str(var), "PORT": str(free_port()),
             "DJANGO_SETTINGS_MODULE": "config.settings"},
        timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert f"already, at {desk.url}" in second.stderr

    assert desk.ends(signal.SIGTERM) < 10
    assert all_gone(var) == []

    again = Desk(var, port)
    again.reads_until("Ctrl-C stops everything")
    assert "password" not in again.said
    assert again.get("/livez") == 200
    assert again.ends(signal.SIGINT) < 10
    assert all_gone(var) == []


def test_a_first_start_that_is_given_up_leaves_the_password_to_the_next(var):
    port = free_port()
    hasty = Desk(var, port)
    until = time.monotonic() + 90
    while not any("granian" in line for line in processes_of(var)) and time.monotonic() < until:
        time.sleep(0.02)
    assert hasty.ends(signal.SIGTERM) < 10
    assert "password" not in hasty.said
    patient = Desk(var, port)
    assert "Sign in as admin with the password" in patient.reads_until("Ctrl-C stops everything")
    assert patient.ends(signal.SIGTERM) < 10
    assert all_gone(var) == []


def test_a_taken_port_is_one_sentence(var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        desk = Desk(var, taken.getsockname()[1])
        said, _ = desk.process.communicate(timeout=60)
    assert desk.process.returncode == 1
    assert "can't be listened on" in said
    assert "Traceback" not in said
    assert all_gone(var) == []


def test_a_port_that_nobody_could_find_is_refused(var):
    desk = Desk(var, 0)
    said, _ = desk.process.communicate(timeout=60)
    assert desk.process.returncode == 1
    assert said.strip() == "CommandError: PORT: the desk needs a port of its own, such as 8000."
    assert all_gone(var) == []


def test_a_demo_whose_simulator_lost_its_port_says_what_to_do(var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        var.mkdir()
        (var / "simulator-port").write_text(str(taken.getsockname()[1]))
        desk = Desk(var, free_port(), "--demo")
        said, _ = desk.process.communicate(timeout=60)
    assert desk.process.returncode == 1
    assert f"remove {var} to begin a new demo" in said
    assert "Traceback" not in said
    assert all_gone(var) == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_a_killed_web_server_comes_back_and_leaves_nothing_behind(var):
    desk = Desk(var, free_port())
    desk.reads_until("Ctrl-C stops everything")
    before = {line.split()[0] for line in processes_of(var) if "granian" in line}
    assert len(before) == 2, "granian and its worker"
    os.kill(min(map(int, before)), signal.SIGKILL)
    desk.reads_until("web ended with status -9 and is started again.")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if desk.get("/livez") == 200:
                break
        time.sleep(0.1)
    assert desk.get("/livez") == 200
    assert before.isdisjoint(line.split()[0] for line in processes_of(var))
    assert desk.ends(signal.SIGTERM) < 10
    assert all_gone(var) == []


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent"
)
def test_killing_the_runner_takes_everything_along(var):
    desk = Desk(var, free_port())
    desk.reads_until("Ctrl-C stops everything")
    assert len(processes_of(var)) > 6
    desk.process.kill()
    desk.process.wait()
    assert all_gone(var, within=25) == []


def test_the_demo_brings_copy_from_the_simulated_world(var):
    desk = Desk(var, free_port(), "--demo")
    desk.reads_until("The simulated outside world is at")
    probe = (
        "import time\n"
        "from articles.models import Article\n"
        "for _ in range(150):\n"
        "    if Article.objects.wire().values('source').distinct().count() == 5: break\n"
        "    time.sleep(.2)\n"
        "print('sources with items:', Article.objects.wire().values('source').distinct().count())"
    )
    answer = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", probe], cwd=HERE, capture_output=True,
        text=True, timeout=90, check=False,
        env={**os.environ, "VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    assert "sources with items: 5" in answer.stdout, answer.stdout + answer.stderr
    assert desk.ends(signal.SIGTERM) < 10
    assert all_gone(var) == []
