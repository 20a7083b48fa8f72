"""The runner with small real processes: what it does when one of them ends."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.runner import Ended, Process, Runner, python

STAYS = "import time\nprint('here', flush=True)\ntime.sleep(60)"
LEAVES_A_CHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('child', child.pid, flush=True)\n"
    "time.sleep(60)"
)
DEAF = (
    "import signal, time\n"
    "for number in (signal.SIGTERM, signal.SIGQUIT): signal.signal(number, signal.SIG_IGN)\n"
    "print('deaf', flush=True)\n"
    "time.sleep(60)"
)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def runner(said: list[str]) -> Iterator[Runner]:
    runner = Runner(said.append)
    yield runner
    runner.stop()


def wait_for(said: list[str], words: str, times: int = 1) -> str:
    """The last of so many lines with `words`; fails after ten seconds without."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        lines = [line for line in said if words in line]
        if len(lines) >= times:
            return lines[-1]
        time.sleep(0.02)
    raise AssertionError(f"{words!r} was not said {times} times: {said}")


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def child_of(line: str) -> int:
    found = re.search(r"child (\d+)", line)
    assert found is not None
    return int(found.group(1))


def killed(process: Process) -> "subprocess.Popen[str]":
    """The process, killed behind the runner's back."""
    assert process.running is not None
    dead = process.running
    dead.kill()
    dead.wait()
    return dead


def test_a_process_that_ends_is_started_again_and_said_so(runner, said):
    process = Process("web", python("-c", STAYS))
    runner.start(process)
    assert wait_for(said, "here") == "      web | here"
    dead = killed(process)
    runner.look()
    assert "web ended with status -9 and is started again." in said
    wait_for(said, "here", times=2)
    assert process.running is not dead


def test_a_process_that_keeps_ending_ends_the_watch_with_a_sentence(runner, said):
    runner.start(Process("worker", python("-c", "raise SystemExit(3)")))
    with pytest.raises(Ended, match=r"worker keeps ending \(status 3\); the desk stops\."):
        runner.watch()
    assert sum("is started again" in line for line in said) == 3


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_what_a_killed_process_left_behind_is_gone_before_it_starts_again(runner, said):
    process = Process("web", python("-c", LEAVES_A_CHILD))
    runner.start(process)
    orphan = child_of(wait_for(said, "child"))
    killed(process)
    assert running(orphan)
    runner.look()
    until = time.monotonic() + 5
    while running(orphan) and time.monotonic() < until:
        time.sleep(0.02)
    assert not running(orphan)
    assert child_of(wait_for(said, "child", times=2)) != orphan


def test_a_process_deaf_to_every_word_is_ended_in_time(runner, said):
    process = Process("beat", python("-c", DEAF))
    runner.start(process)
    wait_for(said, "deaf")
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 10
    assert process.running is not None
    assert process.running.returncode == -signal.SIGKILL


def test_a_signal_ends_the_watch(runner, said):
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        runner.stop_on_signals()
        runner.start(Process("web", python("-c", STAYS)))
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        runner.watch()
        assert runner.stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
