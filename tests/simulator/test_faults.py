"""Every fault does what its name says, and the work is done or not as promised."""

import json
import subprocess
import sys
import time

import httpx
import pytest

from simulator.credentials import MASTODON_TOKEN
from simulator.testing import Simulator, running

STATUSES = "/mastodon/api/v1/statuses"
BEARER = {"Authorization": f"Bearer {MASTODON_TOKEN}"}


def post(http: httpx.Client, key: str = "", **more) -> httpx.Response:
    headers = BEARER | ({"Idempotency-Key": key} if key else {})
    return http.post(STATUSES, json={"status": "The ferry sails"}, headers=headers, **more)


def arrived(simulator: Simulator) -> int:
    return int(simulator.posts("mastodon")["public"])


@pytest.mark.parametrize(("mode", "status"), [("429", 429), ("503", 503), ("401", 401)])
def test_refusals_speak_the_wires_language(
    http: httpx.Client, simulator: Simulator, mode: str, status: int
) -> None:
    simulator.faults({"match": "/mastodon/", "mode": mode, "times": 1, "retry_after": 7})
    refused = post(http)
    assert refused.status_code == status
    assert refused.json()["error"]
    assert refused.headers.get("Retry-After") == (None if status == 401 else "7")
    assert arrived(simulator) == 0
    assert post(http).status_code == 200


@pytest.mark.parametrize(("mode", "done"), [("drop_before", 0), ("accept_then_drop", 1)])
def test_a_dropped_connection_gives_no_answer(
    http: httpx.Client, simulator: Simulator, mode: str, done: int
) -> None:
    simulator.faults({"match": STATUSES, "mode": mode, "times": 1})
    with pytest.raises(httpx.TransportError):
        post(http)
    assert arrived(simulator) == done


def test_accept_then_hang_keeps_silent_after_the_work(
    http: httpx.Client, simulator: Simulator
) -> None:
    simulator.faults({"match": STATUSES, "mode": "accept_then_hang", "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        post(http, key="k", timeout=0.2)
    assert arrived(simulator) == 1
    assert post(http, key="k").status_code == 200
    assert arrived(simulator) == 1


def test_a_truncated_answer_ends_in_the_middle(http: httpx.Client, simulator: Simulator) -> None:
    simulator.faults({"match": "/feeds/", "mode": "truncate", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/feeds/rss.xml")
    assert http.get("/feeds/rss.xml").text.rstrip().endswith("</rss>")


def test_latency_and_drip_take_their_time(http: httpx.Client, simulator: Simulator) -> None:
    whole = http.get("/feeds/feed.json").json()
    for mode in ("latency", "slow_drip"):
        simulator.faults({"match": "/feeds/", "mode": mode, "delay": 0.3})
        started = time.monotonic()
        assert http.get("/feeds/feed.json").json() == whole
        assert time.monotonic() - started >= 0.3


def test_a_share_hits_the_same_requests_every_time(
    http: httpx.Client, simulator: Simulator
) -> None:
    runs = []
    for _ in range(2):
        simulator.faults({"match": "/mastodon/", "mode": "503", "share": 0.3})
        runs.append([post(http).status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert 4 <= runs[0].count(503) <= 20


def test_method_and_path_narrow_a_rule(http: httpx.Client, simulator: Simulator) -> None:
    simulator.faults({"match": "/mastodon/", "method": "POST", "mode": "503"})
    assert http.get("/mastodon/api/v2/instance").status_code == 200
    assert http.get("/feeds/rss.xml").status_code == 200
    assert post(http).status_code == 503


def test_the_log_tells_what_was_asked_and_what_went_wrong(
    http: httpx.Client, simulator: Simulator
) -> None:
    simulator.faults({"match": STATUSES, "mode": "503", "times": 1})
    post(http, key="k")
    entry = simulator.log("/mastodon/")[0]
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", STATUSES, 503)
    assert (entry["fault"], entry["headers"]["idempotency-key"]) == ("503", "k")
    assert MASTODON_TOKEN not in str(entry)


def test_an_unknown_fault_is_refused_in_words(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="meteor"):
        simulator.faults({"mode": "meteor"})
    with pytest.raises(ValueError, match="Unknown: chance"):
        simulator.faults({"mode": "503", "chance": 1})


def test_the_front_page_shows_what_arrived(http: httpx.Client, simulator: Simulator) -> None:
    assert "Nothing has arrived yet" in http.get("/").text
    http.post("/bare/post", json={"title": "<script>alert(1)</script>"})
    page = http.get("/").text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    simulator.reset()
    assert simulator.posts("bare")["total"] == 0


def test_it_ends_at_once_also_while_an_answer_hangs() -> None:
    with running(seed=1) as simulator:
        simulator.faults({"match": "/feeds/", "mode": "accept_then_hang"})
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{simulator.url}/feeds/rss.xml", timeout=0.1)
        simulator.process.terminate()
        assert simulator.process.wait(2) == 0


def test_it_ends_with_its_parent() -> None:
    """A parent that dies without a word takes the simulator along."""
    script = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'simulator', '--with-parent'],"
        " stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ends(json.loads(parent.stdout)["url"], within=5)


def ends(url: str, within: float) -> bool:
    """Whether nobody answers there any more before the time is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=1)
        except httpx.TransportError:
            return True
        time.sleep(0.02)
    return False
