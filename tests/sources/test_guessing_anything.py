"""Whatever a site sends, looking at it ends soon and in a value or a sentence."""

import json
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.connectors import page_selectors
from sources.connectors.base import checked
from sources.connectors.json_api import JsonApi
from sources.connectors.json_guess import guess
from sources.connectors.json_mapping import FIELDS, JsonMapping
from sources.connectors.json_paths import BadDocument, BadPath, Path, read_json
from sources.connectors.web_page import WebPageSource
from sources.errors import SourceError
from sources.webpages import BadPage, challenge, feed_links, read_page

SOON = 5.0  # seconds, on a machine that does other things, too

NAMES = st.sampled_from(
    ["items", "data", "node", "title", "url", "id", "date", "body", "author", "tags", "next", "",
     "a b", "\u00e4", "rendered", "created_at", "7"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, width=32),
    st.text(max_size=20),
    st.sampled_from(["https://x.example/1", "/x", "2026-11-20", "<p>x", "http://[h"]),
)  # fmt: skip
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=60,
)
TAGS = st.sampled_from(
    ["<article>", "</article>", "<li class='a b'>", "<a href='/x'>A title that is long</a>",
     "<a href='http://[h'>Another long title</a>", "<h2>", "</h2>", "<time datetime='x'>",
     "<base href='http://[h'>", "<link rel=alternate type=application/rss+xml href=/r>", "<p>",
     "<table><tr><td>", "</tr>", "\x00", "<img srcset=','>", "<!-- ", "-->",
     "<div class='1 nav'>", "\ufffe", "<a>", "<svg><a href=x>"]
)  # fmt: skip


def tried(act: Callable[[], Any], refusal: type[Exception]) -> Any:
    """What it comes to; None when it was refused, which takes a sentence."""
    try:
        return act()
    except refusal as problem:
        words = str(problem)
    assert words.endswith(".")
    return None


def read_by(options: dict[str, Any], document: Any) -> Any:
    mapping = JsonMapping(checked(options, JsonApi.options))
    return mapping.read(document, "https://x.example/")


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_any_document_is_guessed_or_not_and_what_is_guessed_can_be_read(document: Any):
    found = guess(document)
    if found is None:
        return
    read = tried(lambda: read_by(found, document), SourceError)
    for copy in read.copies if read else ():
        copy.fingerprint()
        assert copy.external_id
        assert copy.published_at is None or copy.published_at.tzinfo is not None


@settings(max_examples=300, deadline=None)
@given(
    DOCUMENTS,
    st.sampled_from(["@", "*", "items", "data.*", "[].title", "values(@)", "items[*].url"]),
)
def test_any_expression_on_any_document_ends_in_a_value_or_a_sentence(document: Any, where: str):
    fields = dict.fromkeys([*FIELDS, "items"], where)
    tried(lambda: read_by(fields, document), SourceError)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.[]{}()*?|&!'`\"@:,-0 #=<>\\", max_size=25))
def test_any_text_is_an_expression_or_is_refused_with_its_place(text: str):
    path = tried(lambda: Path(text), BadPath)
    if path is not None:
        tried(lambda: path({"a": [{"b": 1}]}), BadPath)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | DOCUMENTS.map(lambda each: json.dumps(each).encode()))
def test_any_bytes_are_json_or_refused(body: bytes):
    tried(lambda: read_json(body), BadDocument)


@settings(max_examples=300, deadline=None)
@given(st.lists(TAGS, max_size=40).map("".join) | st.text(max_size=100))
def test_any_markup_is_a_page_or_is_refused(markup: str):
    body = markup.encode(errors="replace")
    challenge(200, {}, body)
    page = tried(lambda: read_page(body, "https://x.example/"), BadPage)
    if page is None:
        return
    assert all(link.url.startswith("http") for link in feed_links(page))
    if found := page_selectors.guess(page):
        chosen = page_selectors.Selectors(checked(found, WebPageSource.options))
        copies, _warnings = chosen.read(page)
        assert all(copy.url.startswith("http") for copy in copies)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.#[]():*>+~,='\" -0n", max_size=25))
def test_any_text_is_a_selector_or_is_refused(text: str):
    options = checked({"item": text or "li"}, WebPageSource.options)
    tried(lambda: WebPageSource().check(options), SourceError)


LINK = "<div class=c{n}><a href='/{n}'>A title that is long enough {n}</a></div>"


@pytest.mark.parametrize(
    "markup",
    [
        "<div class=a>" * 200 + LINK.format(n=1) * 2500,
        "".join(LINK.format(n=n) for n in range(2900)),
        "<a href=/x>" * 3000,
        "<article>" * 240 + "<a href='/x'>A title that is long enough</a>" * 2900,
        "<ul>" + "<li><a href='/feed/x'>RSS feed</a></li>" * 2900,
    ],
    ids=["deep", "of many kinds", "links in links", "articles in articles", "feeds"],
)
def test_looking_at_a_page_made_to_take_long_ends_soon(markup):
    began = time.process_time()
    page = read_page(markup.encode(), "https://x.example/")
    feed_links(page)
    page_selectors.guess(page)
    assert time.process_time() - began < SOON


@pytest.mark.parametrize(
    "document",
    [
        {f"k{n}": [{"title": "x"}] for n in range(30_000)},
        [{f"k{n}": n for n in range(2000)} for _ in range(100)],
        {f"id{n}": {"title": "x", "url": "/x"} for n in range(50_000)},
        {"items": [{"title": "x" * 5000, "date": "1 " * 2000}] * 500},
    ],
    ids=["many lists", "wide entries", "keyed", "long texts"],
)
def test_guessing_a_document_made_to_take_long_ends_soon(document):
    began = time.process_time()
    guess(read_json(orjson.dumps(document)))
    assert time.process_time() - began < SOON
