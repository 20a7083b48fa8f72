"""WordPress's REST interface, with its surprises."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator.credentials import WORDPRESS_APP_PASSWORD, WORDPRESS_USER
from simulator.testing import Simulator

POSTS = "/wordpress/wp-json/wp/v2/posts"
DESK = (WORDPRESS_USER, WORDPRESS_APP_PASSWORD)


@pytest.fixture
def desk(simulator: Simulator):
    with httpx.Client(base_url=simulator.url, auth=DESK, timeout=5) as client:
        yield client


def test_a_post_gets_a_page_at_its_link(desk: httpx.Client) -> None:
    text = {"title": "Ferry returns", "content": "<p>It sails.</p>", "status": "publish"}
    answer = desk.post(POSTS, json=text)
    post = answer.json()
    assert answer.status_code == 201
    assert (post["slug"], post["status"]) == ("ferry-returns", "publish")
    assert post["title"]["rendered"] == "Ferry returns"
    assert "<p>It sails.</p>" in desk.get(post["link"]).text


def test_a_used_slug_gets_a_number_also_for_drafts(desk: httpx.Client) -> None:
    slugs = [
        desk.post(POSTS, json={"title": "x", "slug": "ferry", "status": status}).json()["slug"]
        for status in ("draft", "publish", "draft")
    ]
    assert slugs == ["ferry", "ferry-2", "ferry-3"]


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "rest_cannot_create"),
        ((WORDPRESS_USER, "wrong"), "incorrect_password"),
        (("nobody", "wrong"), "invalid_username"),
    ],
)
def test_without_the_password_nothing_is_made(http: httpx.Client, auth, code: str) -> None:
    answer = http.post(POSTS, json={"title": "x"}, auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.json()["data"]["status"] == 401


def test_a_draft_is_found_by_slug_only_when_signed_in(
    http: httpx.Client, desk: httpx.Client
) -> None:
    made = desk.post(POSTS, json={"title": "x", "slug": "quiet", "status": "draft"}).json()
    query = {"slug": "quiet", "status": "any"}
    assert [post["id"] for post in desk.get(POSTS, params=query).json()] == [made["id"]]
    assert http.get(POSTS, params=query).status_code == 400
    assert http.get(POSTS, params={"slug": "quiet"}).json() == []
    assert http.get(f"{POSTS}/{made['id']}").status_code == 401


def test_a_draft_goes_live_by_an_update_that_may_be_repeated(desk: httpx.Client) -> None:
    made = desk.post(POSTS, json={"title": "x", "slug": "two-phase", "status": "draft"}).json()
    for _ in range(2):
        live = desk.post(f"{POSTS}/{made['id']}", json={"status": "publish"}).json()
        assert (live["id"], live["slug"], live["status"]) == (made["id"], "two-phase", "publish")
    assert len(desk.get(POSTS, params={"slug": "two-phase"}).json()) == 1


def test_unregistered_meta_is_dropped_silently(desk: httpx.Client) -> None:
    made = desk.post(POSTS, json={"title": "x", "meta": {"desk_key": "1"}})
    assert made.status_code == 201
    assert "desk_key" not in made.json()["meta"]


def test_a_date_ahead_makes_it_future_and_unread(http: httpx.Client, desk: httpx.Client) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    text = {"title": "Later", "slug": "later", "status": "publish", "date_gmt": ahead}
    made = desk.post(POSTS, json=text).json()
    assert made["status"] == "future"
    assert http.get("/wordpress/later/").status_code == 404


def test_trash_frees_the_slug_and_force_erases(desk: httpx.Client) -> None:
    first = desk.post(POSTS, json={"title": "x", "slug": "gone", "status": "publish"}).json()
    trashed = desk.delete(f"{POSTS}/{first['id']}").json()
    assert (trashed["status"], trashed["slug"]) == ("trash", "gone__trashed")
    assert desk.delete(f"{POSTS}/{first['id']}").status_code == 410
    again = desk.post(POSTS, json={"title": "x", "slug": "gone", "status": "publish"}).json()
    assert again["slug"] == "gone"
    erased = desk.delete(f"{POSTS}/{again['id']}", params={"force": "true"}).json()
    assert erased["deleted"] is True
    assert desk.get(f"{POSTS}/{again['id']}").json()["code"] == "rest_post_invalid_id"


def test_bad_fields_are_named(desk: httpx.Client) -> None:
    wrong = desk.post(POSTS, json={"title": "x", "status": "live"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "rest_invalid_param")
    assert "status" in wrong.json()["data"]["params"]
    assert desk.post(POSTS, json={}).json()["code"] == "empty_content"


def test_a_tag_exists_once(desk: httpx.Client) -> None:
    made = desk.post("/wordpress/wp-json/wp/v2/tags", json={"name": "Ferries"})
    again = desk.post("/wordpress/wp-json/wp/v2/tags", json={"name": "ferries"})
    assert again.status_code == 400
    assert again.json()["data"]["term_id"] == made.json()["id"]


def test_a_picture_is_served_as_it_came(desk: httpx.Client) -> None:
    head = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a.png"'}
    made = desk.post("/wordpress/wp-json/wp/v2/media", content=b"\x89PNG", headers=head)
    assert made.status_code == 201
    assert desk.get(made.json()["source_url"]).content == b"\x89PNG"


def test_the_site_says_where_its_interface_is(http: httpx.Client) -> None:
    front = http.get("/wordpress/")
    link = front.headers["Link"].partition(">")[0].lstrip("<")
    assert "wp/v2" in http.get(link).json()["namespaces"]
    me = http.get("/wordpress/wp-json/wp/v2/users/me", auth=DESK).json()
    assert me["name"] == WORDPRESS_USER
