"""Reddit's sign-in, listing and feed."""

import httpx
import pytest
from lxml import etree

from simulator.credentials import REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def bearer(http: httpx.Client) -> dict[str, str]:
    answer = http.post(
        "/reddit/api/v1/access_token", data=GRANT, auth=(REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET)
    ).json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 86400)
    return {"Authorization": f"Bearer {answer['access_token']}"}


def test_a_wrong_secret_gets_no_token(http: httpx.Client) -> None:
    answer = http.post("/reddit/api/v1/access_token", data=GRANT, auth=(REDDIT_CLIENT_ID, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, 401)


def test_the_listing_wants_a_token(http: httpx.Client) -> None:
    assert http.get("/reddit/r/northmark/new").status_code == 401


def test_pages_follow_one_another_by_fullname(http: httpx.Client, bearer: dict[str, str]) -> None:
    names: list[str] = []
    after = None
    while True:
        query = {"limit": "3", "raw_json": "1"} | ({"after": after} if after else {})
        answer = http.get("/reddit/r/northmark/new", params=query, headers=bearer)
        assert int(answer.headers["X-Ratelimit-Used"]) > 0
        assert float(answer.headers["X-Ratelimit-Remaining"]) < 1000
        data = answer.json()["data"]
        names += [child["data"]["name"] for child in data["children"]]
        after = data["after"]
        if not after:
            break
    assert len(names) == len(set(names)) >= 5
    assert all(name.startswith("t3_") for name in names)


def test_without_raw_json_texts_arrive_as_entities(
    http: httpx.Client, simulator, bearer: dict[str, str]
) -> None:
    simulator.publish_story(outlet="reddit", section="Local", title="Fish & chips", html="<p>a</p>")
    for raw, title in (("1", "Fish & chips"), ("0", "Fish &amp; chips")):
        query = {"limit": "1", "raw_json": raw}
        data = http.get("/reddit/r/all/new", params=query, headers=bearer).json()["data"]
        assert data["children"][0]["data"]["title"] == title


def test_an_unknown_subreddit_is_404(http: httpx.Client, bearer: dict[str, str]) -> None:
    assert http.get("/reddit/r/nowhere/new", headers=bearer).status_code == 404


def test_the_feed_needs_no_token_and_links_to_readable_pages(http: httpx.Client) -> None:
    feed = etree.fromstring(http.get("/reddit/r/northmark/.rss").content)
    space = {"a": "http://www.w3.org/2005/Atom"}
    entries = feed.findall("a:entry", space)
    assert len(entries) >= 5
    link = entries[0].find("a:link", space)
    assert link is not None
    assert http.get(link.get("href", "")).status_code == 200
