"""A world that is started again goes on where it ended."""

import httpx
import pytest

from simulator import credentials
from simulator.testing import Simulator, running

PATH = "/hn/api/v1/search_by_date?tags=story&hitsPerPage=100"


def titles(world: Simulator) -> list[str]:
    return [hit["title"] for hit in httpx.get(world.url + PATH).json()["hits"]]


def toot(world: Simulator, words: str, key: str) -> str:
    answer = httpx.post(
        f"{world.url}/mastodon/api/v1/statuses",
        json={"status": words},
        headers={"Authorization": f"Bearer {credentials.MASTODON_TOKEN}", "Idempotency-Key": key},
    )
    return str(answer.raise_for_status().json()["id"])


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory"


def test_old_news_stay_and_new_ones_are_new(memory):
    with running(memory=memory) as world:
        world.publish_story(outlet="hackernews")
        before = titles(world)
    with running(memory=memory) as world:
        assert titles(world) == before
        world.publish_story(outlet="hackernews")
        new, *others = titles(world)
        assert others == before
        assert new not in before


def test_what_was_posted_is_still_there_and_known_by_its_key(memory):
    with running(memory=memory) as world:
        first = toot(world, "The ferry is back", "one")
        httpx.post(f"{world.url}/bare/post", json={"title": "x"}).raise_for_status()
    with running(memory=memory) as world:
        assert toot(world, "The ferry is back", "one") == first
        assert toot(world, "And gone again", "two") != first
        assert world.posts("mastodon")["total"] == 2
        assert world.posts("bare")["total"] == 1


@pytest.mark.parametrize("spoilt", [b"", b"no pickle", b"\x80\x05}."])
def test_a_memory_that_is_not_understood_is_none(memory, spoilt):
    memory.write_bytes(spoilt)
    with running(memory=memory) as world:
        assert titles(world)
