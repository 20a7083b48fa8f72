"""What a hostile or broken service may send to any connector: wrong types in every place.

Each connector reads archived answers without asking anybody, so its reading can be tried with
thousands of documents a second. `test_connectors.py` has the same on the wire.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.wire import WireCopy
from sources import connectors
from sources.connectors.base import Payload, ReadsAgain, Recognised, Recognises
from sources.errors import SourceError
from tests.sources.asking import request_for
from tests.sources.services import SERVICES, wire

WRONG: list[Any] = [
    None, True, 0, -1, 2**80, 1e308, "", "x", "\ud800", "\x00", "https://[half", "x" * 100_000, [],
    [None], [[]], ["x", 7, {}], {}, {"": None}, {"id": {}},
]  # fmt: skip

HN_HIT = {
    "objectID": "1", "title": "One", "url": "https://one.example/", "author": "ada",
    "created_at": "2026-11-22T10:00:00Z", "created_at_i": 1795341600, "points": 3,
    "num_comments": 1, "story_text": None,
}  # fmt: skip
HN = {"hits": [HN_HIT, HN_HIT | {"objectID": "2"}]}
HN_ITEM = {
    "id": 1, "title": "One", "by": "ada", "time": 1795341600, "score": 3, "descendants": 1,
    "url": "https://one.example/", "text": "<p>x", "dead": False, "deleted": False,
}  # fmt: skip
REDDIT_POST = {
    "name": "t3_a", "title": "One", "permalink": "/r/x/1/", "is_self": True,
    "url": "https://one.example/", "author": "ada", "created_utc": 1795341600.0, "score": 3,
    "num_comments": 1, "selftext": "x", "selftext_html": "<p>x</p>", "subreddit": "x",
    "link_flair_text": None, "edited": False, "over_18": False, "removed_by_category": None,
}  # fmt: skip
REDDIT = {
    "data": {
        "after": None,
        "children": [
            {"kind": "t3", "data": REDDIT_POST},
            {"kind": "t3", "data": REDDIT_POST | {"name": "t3_b"}},
        ],
    }
}

JSON: dict[str, tuple[str, dict[str, Any], Any]] = {
    "algolia": ("hackernews", {"list": "new"}, HN),
    "firebase": ("hackernews", {"backend": "firebase"}, HN_ITEM),
    "reddit": ("reddit", {"subreddit": "x"}, REDDIT),
    **{
        name: (service.connector, dict(service.options), json.loads(wire(file)))
        for name, service in SERVICES.items()
        for file in [next(iter(service.answers.values()))]
        if file.endswith(".json") and name != "bluesky search"
    },
    "bluesky search": (
        "bluesky", {"read": "search", "query": "x"}, json.loads(wire("bluesky_search.json")),
    ),
}  # fmt: skip


def read(name: str, document: Any) -> tuple[WireCopy, ...]:
    """What the connector reads in a document; () for one that it refuses in a sentence."""
    key, options, _ = JSON[name]
    connector = connectors.connector(key)
    assert isinstance(connector, ReadsAgain)
    url = "https://service.example/"
    payload = Payload(url, 200, (), json.dumps(document).encode())
    try:
        return connector.read_again(request_for(key, url, options), [payload]).copies
    except SourceError:
        return ()


def must_be_sound(piece: WireCopy) -> None:
    """Every field has its type, and the whole can be stored as JSON."""
    assert piece.external_id
    assert len(piece.external_id) <= 700
    for words in (piece.external_id, piece.title, piece.url, piece.content, piece.summary):
        assert isinstance(words, str)
        words.encode()
    assert all(isinstance(each, str) for each in (*piece.authors, *piece.tags))
    assert isinstance(piece.language, str)
    assert piece.url == "" or piece.url.startswith(("http://", "https://"))
    for moment in (piece.published_at, piece.updated_at):
        assert moment is None or moment.tzinfo is not None
    orjson.dumps(dict(piece.metadata))
    piece.fingerprint()


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, as the keys that lead to it."""
    yield path
    named = document.items() if isinstance(document, dict) else ()
    numbered = enumerate(document) if isinstance(document, list) else ()
    for key, value in (*named, *numbered):
        yield from places(value, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with `value` at that place."""
    if not path:
        return value
    whole = copy.deepcopy(document)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return whole


@pytest.mark.parametrize("name", JSON)
def test_a_wrong_value_at_any_place_costs_a_field_or_a_piece_and_no_more(name):
    document = JSON[name][2]
    assert read(name, document)
    for path in places(document):
        for value in WRONG:
            for piece in read(name, changed(document, path, value)):
                must_be_sound(piece)


@pytest.mark.parametrize("name", [name for name in JSON if name != "firebase"])
def test_a_wrong_value_in_one_piece_leaves_the_others(name):
    document = JSON[name][2]
    pieces = read(name, document)
    others = {piece.external_id for piece in pieces[1:]}
    assert others
    first = next(path for path in places(document) if path and path[-1] == 0)
    for path in places(document):
        if path[: len(first)] == first and len(path) > len(first):
            kept = {piece.external_id for piece in read(name, changed(document, path, []))}
            assert others <= kept


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("name", JSON)
@settings(max_examples=100, deadline=None)
@given(document=anything)
def test_any_json_is_read_or_refused(name, document):
    for piece in read(name, document):
        must_be_sound(piece)


# --- pasted addresses ---

RECOGNISING = [key for key, each in connectors.connectors().items() if isinstance(each, Recognises)]
HOSTS = [
    "www.reddit.com", "news.ycombinator.com", "arxiv.org", "github.com", "lobste.rs", "dev.to",
    "mastodon.social", "bsky.app", "www.youtube.com",
]  # fmt: skip


def recognise(key: str, url: str) -> Recognised | None:
    connector = connectors.connector(key)
    assert isinstance(connector, Recognises)
    found = connector.recognise(url)
    if found is not None:
        declared = {option.name for option in connector.options}
        assert set(found.options) <= declared
        request_for(key, found.endpoint, found.options)
        assert found.name
    return found


@pytest.mark.parametrize("key", RECOGNISING)
@settings(max_examples=200, deadline=None)
@given(host=st.sampled_from(HOSTS), path=st.text(max_size=60), words=st.text(max_size=60))
def test_any_address_is_recognised_or_not(key, host, path, words):
    recognise(key, f"https://{host}/{path}?{words}")
    recognise(key, path)


@pytest.mark.parametrize(
    "url",
    ["", "/", "//", "http://[half", "ftp://github.com/a/b", "x" * 9000,
     "https://github.com:port/a/b", "https://" + "a/" * 4000],
)  # fmt: skip
def test_what_is_no_address_is_nobodys_page(url):
    assert [key for key in RECOGNISING if recognise(key, url)] == []
