"""Mastodon's statuses, its key and its counting."""

import httpx
import pytest

from simulator.credentials import MASTODON_TOKEN
from simulator.readers import audience
from simulator.testing import Simulator

STATUSES = "/mastodon/api/v1/statuses"


@pytest.fixture
def desk(simulator: Simulator):
    bearer = {"Authorization": f"Bearer {MASTODON_TOKEN}"}
    with httpx.Client(base_url=simulator.url, headers=bearer, timeout=5) as client:
        yield client


def test_the_instance_tells_its_limits(http: httpx.Client) -> None:
    limits = http.get("/mastodon/api/v2/instance").json()["configuration"]["statuses"]
    assert (limits["max_characters"], limits["characters_reserved_per_url"]) == (500, 23)


def test_a_status_has_a_page_at_its_url(desk: httpx.Client) -> None:
    made = desk.post(STATUSES, json={"status": "The ferry sails #Lindholm\n\n<b>soon</b>"})
    status = made.json()
    assert made.status_code == 200
    assert status["content"].startswith("<p>The ferry sails")
    assert "&lt;b&gt;" in status["content"]
    assert [tag["name"] for tag in status["tags"]] == ["lindholm"]
    assert status["content"] in desk.get(status["url"]).text


def test_the_same_key_is_the_same_status(desk: httpx.Client, simulator: Simulator) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (
        desk.post(STATUSES, data={"status": "once"}, headers=key).json() for _ in range(2)
    )
    other = desk.post(STATUSES, data={"status": "once"}).json()
    assert first["id"] == second["id"] != other["id"]
    assert simulator.posts("mastodon")["by_marker"] == {"one": 1}


def test_length_counts_graphemes_and_a_link_as_23(desk: httpx.Client) -> None:
    link = "https://example.org/" + "a" * 400
    assert desk.post(STATUSES, json={"status": "x" * 476 + " " + link}).status_code == 200
    assert desk.post(STATUSES, json={"status": "👩‍👩‍👧‍👦" * 500}).status_code == 200
    too_long = desk.post(STATUSES, json={"status": "x" * 501})
    assert too_long.status_code == 422
    assert "500" in too_long.json()["error"]
    assert desk.post(STATUSES, json={"status": "  "}).status_code == 422


def test_a_wrong_token_is_401_and_rates_are_told(http: httpx.Client, desk: httpx.Client) -> None:
    assert http.post(STATUSES, json={"status": "x"}).status_code == 401
    answer = desk.get("/mastodon/api/v1/accounts/verify_credentials")
    assert answer.json()["acct"] == "newsdesk"
    assert answer.headers["X-RateLimit-Reset"].endswith("Z")
    left = int(answer.headers["X-RateLimit-Remaining"])
    assert 0 < left < int(answer.headers["X-RateLimit-Limit"])


def test_edit_then_delete(desk: httpx.Client) -> None:
    made = desk.post(STATUSES, json={"status": "teh ferry"}).json()
    edited = desk.put(f"{STATUSES}/{made['id']}", json={"status": "the ferry"}).json()
    assert edited["edited_at"]
    assert "the ferry" in edited["content"]
    assert desk.delete(f"{STATUSES}/{made['id']}").json()["text"] == "the ferry"
    assert desk.get(f"{STATUSES}/{made['id']}").status_code == 404


def test_the_accounts_statuses_come_newest_first_in_pages(desk: httpx.Client) -> None:
    ids = [desk.post(STATUSES, json={"status": f"number {n}"}).json()["id"] for n in range(5)]
    account = desk.get("/mastodon/api/v1/accounts/verify_credentials").json()["id"]
    mine = f"/mastodon/api/v1/accounts/{account}/statuses"
    first = desk.get(mine, params={"limit": 2})
    assert [status["id"] for status in first.json()] == ids[:2:-1]
    assert 'rel="next"' in first.headers["Link"]
    older = desk.get(mine, params={"limit": 2, "max_id": ids[3]}).json()
    assert [status["id"] for status in older] == [ids[2], ids[1]]


def test_readers_come_with_time_and_the_same_ones_to_the_same_status() -> None:
    assert audience("118", 30) == (0, 0)
    early, late = audience("118", 600), audience("118", 7 * 86_400)
    assert 0 < early[0] <= late[0]
    assert late[0] >= 4
    assert audience("118", 600) == early


def test_a_drill_says_how_many_readers_a_status_has(desk: httpx.Client) -> None:
    number = desk.post("/mastodon/api/v1/statuses", data={"status": "It sails."}).json()["id"]
    told = {"id": number, "favourites": 30, "boosts": 4}
    assert desk.post("/_control/readers", json=told).json() == {"found": True}
    status = desk.get(f"/mastodon/api/v1/statuses/{number}").json()
    assert (status["favourites_count"], status["reblogs_count"]) == (30, 4)
    assert desk.post("/_control/readers", json={"id": "1"}).status_code == 404
