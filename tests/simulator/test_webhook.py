"""The webhook verifies as Standard Webhooks says, and counts each message once."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import httpx
import pytest

from simulator.credentials import WEBHOOK_SECRET
from simulator.testing import Simulator

BODY = json.dumps({"type": "story.published", "data": {"title": "Ferry returns"}}).encode()


def signed(message_id: str, body: bytes = BODY, at: float | None = None) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    content = f"{message_id}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }


def test_a_signed_message_is_accepted_once(http: httpx.Client, simulator: Simulator) -> None:
    answers = [http.post("/webhook", content=BODY, headers=signed("msg_1")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]
    arrived = simulator.posts("webhook")
    assert (arrived["received"], arrived["by_marker"]) == (2, {"msg_1": 1})
    assert "Ferry returns" in http.get(answers[0].json()["url"]).text


@pytest.mark.parametrize(
    "headers",
    [  # made when the test runs, which may be long after it was collected
        dict,
        lambda: signed("msg_1") | {"webhook-signature": "v1,AAAA"},
        lambda: signed("msg_2") | {"webhook-id": "msg_1"},
        lambda: signed("msg_1", b"another body"),
        lambda: signed("msg_1", at=time.time() - 1000),
        lambda: signed("msg_1", at=time.time() + 1000),
        lambda: signed("msg_1") | {"webhook-timestamp": "noon"},
    ],
)
def test_what_is_not_rightly_signed_is_refused(
    http: httpx.Client, simulator: Simulator, headers: Callable[[], dict[str, str]]
) -> None:
    assert http.post("/webhook", content=BODY, headers=headers()).status_code == 401
    arrived = simulator.posts("webhook")
    assert (arrived["received"], arrived["total"]) == (1, 0)


def test_one_good_signature_among_several_is_enough(http: httpx.Client) -> None:
    headers = signed("msg_1")
    headers["webhook-signature"] = f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"
    assert http.post("/webhook", content=BODY, headers=headers).status_code == 200


def test_the_bare_platform_makes_a_post_of_every_request(
    http: httpx.Client, simulator: Simulator
) -> None:
    for _ in range(2):
        made = http.post("/bare/post", json={"title": "x", "marker": "m"})
        assert made.status_code == 201
        assert http.get(made.json()["url"]).status_code == 200
    assert simulator.posts("bare")["by_marker"] == {"m": 2}
    assert http.post("/bare/post", content=b"{").status_code == 400
