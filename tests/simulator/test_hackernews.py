"""Both interfaces of Hacker News speak of the same stories."""

from typing import Any

import httpx

from simulator.testing import Simulator


def search(http: httpx.Client, **query: str) -> Any:
    return http.get("/hn/api/v1/search_by_date", params=query).json()


def test_hits_have_algolias_fields_newest_first(http: httpx.Client) -> None:
    found = search(http, tags="story", hitsPerPage="5")
    assert (found["page"], found["hitsPerPage"], len(found["hits"])) == (0, 5, 5)
    assert found["nbPages"] == -(-found["nbHits"] // 5)
    times = [hit["created_at_i"] for hit in found["hits"]]
    assert times == sorted(times, reverse=True)
    for hit in found["hits"]:
        assert {"objectID", "title", "author", "points", "num_comments", "_tags"} <= hit.keys()
        assert ("url" in hit) != ("story_text" in hit)


def test_paging_reaches_every_hit_once(http: httpx.Client) -> None:
    everything = [hit["objectID"] for hit in search(http, hitsPerPage="1000")["hits"]]
    paged = []
    for page in range(search(http, hitsPerPage="4")["nbPages"]):
        paged += [h["objectID"] for h in search(http, hitsPerPage="4", page=str(page))["hits"]]
    assert paged == everything


def test_numeric_filters_and_tags_narrow_the_search(
    http: httpx.Client, simulator: Simulator
) -> None:
    simulator.publish_story(outlet="hackernews", title="Ask HN: Which gauge?", html="<p>x</p>")
    simulator.publish_story(outlet="hackernews", title="Show HN: A gauge")
    hits = search(http, hitsPerPage="1000")["hits"]
    middle = hits[len(hits) // 2]["created_at_i"]
    later = search(http, numericFilters=f"created_at_i>{middle}", hitsPerPage="1000")["hits"]
    assert len(later) == sum(hit["created_at_i"] > middle for hit in hits)
    either = search(http, tags="story,(ask_hn,show_hn)", hitsPerPage="1000")["hits"]
    assert len(either) >= 2
    assert all({"ask_hn", "show_hn"} & set(hit["_tags"]) for hit in either)
    refused = http.get("/hn/api/v1/search", params={"numericFilters": "age>many"})
    assert refused.status_code == 400


def test_firebase_knows_the_same_ids(http: httpx.Client) -> None:
    hit = search(http, tags="story", hitsPerPage="1")["hits"][0]
    assert int(hit["objectID"]) in http.get("/hn/v0/newstories.json").json()
    item = http.get(f"/hn/v0/item/{hit['objectID']}.json").json()
    assert (item["title"], item["by"]) == (hit["title"], hit["author"])
    assert http.get(f"/hn/api/v1/items/{hit['objectID']}").json()["id"] == item["id"]
    assert http.get("/hn/v0/maxitem.json").json() >= item["id"]


def test_the_lists_hold_what_a_reader_must_step_over(
    http: httpx.Client, simulator: Simulator
) -> None:
    simulator.publish_story(outlet="hackernews", title="Ask HN: Which gauge?", html="<p>x</p>")
    ids = http.get("/hn/v0/newstories.json").json()
    items = [http.get(f"/hn/v0/item/{number}.json").json() for number in ids]
    assert None in items
    assert any(item and item.get("deleted") for item in items)
    assert any(item and item.get("dead") for item in items)
    assert any(item and item.get("text") and "url" not in item for item in items)
    assert http.get("/hn/v0/jobstories.json").json()
