"""Guessing where pieces lie, on shapes that services really send (written by hand)."""

import pytest

from sources.connectors import connector
from sources.connectors.base import checked
from sources.connectors.json_guess import guess
from sources.connectors.json_mapping import JsonMapping

DAY = "2026-11-20T10:00:00Z"


def two(make):
    """Two entries of a list."""
    return [make(1), make(2)]


WORDPRESS = two(lambda n: {
    "id": n, "date": "2026-11-20T10:00:00", "date_gmt": "2026-11-20T09:00:00",
    "guid": {"rendered": f"https://blog.example/?p={n}"}, "modified_gmt": "2026-11-20T09:30:00",
    "slug": f"piece-{n}", "status": "publish", "link": f"https://blog.example/piece-{n}",
    "title": {"rendered": f"Bread &#038; roses {n}"},
    "content": {"rendered": "<p>Long.</p>", "protected": False},
    "excerpt": {"rendered": "<p>Short.</p>"}, "author": 7, "categories": [3],
})  # fmt: skip
GITHUB = two(lambda n: {
    "url": f"https://api.github.com/repos/a/b/releases/{n}", "id": n,
    "html_url": f"https://github.com/a/b/releases/tag/v{n}", "name": f"Version {n}",
    "tag_name": f"v{n}", "author": {"login": "ada", "id": 1}, "body": "## Changes\n\nMany.",
    "created_at": DAY, "published_at": DAY, "draft": False,
})  # fmt: skip
GUARDIAN = {"response": {"status": "ok", "pages": 9, "results": two(lambda n: {
    "id": f"world/2026/nov/20/piece-{n}", "type": "article", "sectionName": "World news",
    "webPublicationDate": DAY, "webTitle": f"Piece {n}",
    "webUrl": f"https://paper.example/world/{n}", "apiUrl": f"https://api.paper.example/{n}",
    "fields": {"headline": f"Piece {n}", "trailText": "In <b>short</b>.", "body": "<p>All.</p>",
               "byline": "Ada Lindholm"},
})}}  # fmt: skip
NEWSAPI = {"status": "ok", "totalResults": 2, "articles": two(lambda n: {
    "source": {"id": None, "name": "The Gazette"}, "author": "Bo Ek", "title": f"Piece {n}",
    "description": "In short.", "url": f"https://gazette.example/{n}",
    "urlToImage": "https://gazette.example/a.jpg", "publishedAt": DAY, "content": "All of [+12]",
})}  # fmt: skip
ALGOLIA = {"nbPages": 3, "page": 0, "hits": two(lambda n: {
    "objectID": str(n), "title": f"Story {n}", "url": f"https://site.example/{n}", "author": "pg",
    "points": 5, "created_at": DAY, "created_at_i": 1795168800,
    "_tags": ["story", "author_pg"], "_highlightResult": {"title": {"value": "x"}},
})}  # fmt: skip
REDDIT = {"kind": "Listing", "data": {"after": "t3_zz", "dist": 2, "children": two(lambda n: {
    "kind": "t3", "data": {
        "name": f"t3_{n}", "id": f"x{n}", "title": f"Post {n}", "author": "bob",
        "url": f"https://site.example/{n}", "permalink": f"/r/a/comments/{n}/",
        "selftext": "Text.", "created_utc": 1795168800.0, "score": 3,
    },
})}}  # fmt: skip
JSON_API_ORG = {"links": {"next": "https://cms.example/api/node?page=2"}, "data": two(lambda n: {
    "type": "node--article", "id": f"uuid-{n}", "attributes": {
        "title": f"Node {n}", "created": DAY, "changed": DAY,
        "body": {"value": "<p>Text</p>"}, "path": {"alias": f"/node/{n}"},
    },
})}  # fmt: skip
GRAPHQL = {"data": {"posts": {
    "pageInfo": {"endCursor": "abc"},
    "edges": two(lambda n: {"cursor": str(n), "node": {
        "id": str(n), "name": f"Launch {n}", "tagline": "x", "url": f"https://hunt.example/{n}",
        "createdAt": DAY, "description": "A thing that helps.",
    }}),
}}}  # fmt: skip
ELASTIC = {"took": 3, "hits": {"total": {"value": 2}, "hits": two(lambda n: {
    "_id": str(n), "_score": 1.0, "_source": {
        "headline": f"Doc {n}", "link": f"https://docs.example/{n}", "timestamp": 1795168800000,
        "text": "Plain words & more.",
    },
})}}  # fmt: skip
BY_ID = {"query": {"pages": {str(n): {
    "pageid": n, "title": f"Page {n}", "fullurl": f"https://wiki.example/{n}", "touched": DAY,
    "extract": "Words.",
} for n in (11, 12)}}}  # fmt: skip

SHAPES = {
    "WordPress": (WORDPRESS, {
        "id": "id", "title": "title.rendered", "url": "link", "content": "content.rendered",
        "summary": "excerpt.rendered", "published": "date_gmt", "updated": "modified_gmt",
        "text": "html"}),
    "GitHub releases": (GITHUB, {
        "id": "id", "title": "name", "url": "html_url", "content": "body", "authors": "author",
        "published": "published_at"}),
    "a newspaper's search": (GUARDIAN, {
        "items": "response.results", "id": "id", "title": "webTitle", "url": "webUrl",
        "content": "fields.body", "summary": "fields.trailText", "authors": "fields.byline",
        "published": "webPublicationDate", "text": "html"}),
    "a news index": (NEWSAPI, {
        "items": "articles", "title": "title", "url": "url", "content": "content",
        "summary": "description", "authors": "author", "published": "publishedAt"}),
    "Algolia": (ALGOLIA, {
        "items": "hits", "id": "objectID", "title": "title", "url": "url", "authors": "author",
        "published": "created_at"}),
    "Reddit": (REDDIT, {
        "items": "data.children[*].data", "id": "id", "title": "title", "authors": "author",
        "published": "created_utc", "content": "selftext", "paging": "cursor",
        "cursor": "data.after", "page_parameter": "after"}),
    "JSON:API": (JSON_API_ORG, {
        "items": "data", "id": "id", "title": "attributes.title",
        "published": "attributes.created", "paging": "cursor", "cursor": "links.next"}),
    "GraphQL": (GRAPHQL, {
        "items": "data.posts.edges[*].node", "id": "id", "title": "name", "url": "url",
        "summary": "description", "published": "createdAt"}),
    "Elasticsearch": (ELASTIC, {
        "items": "hits.hits", "id": "_id", "title": "_source.headline", "url": "_source.link",
        "content": "_source.text",
        "published": "_source.timestamp", "text": "plain"}),
    "an object keyed by id": (BY_ID, {"items": "values(query.pages)", "title": "title",
        "id": "pageid", "url": "fullurl"}),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_of_a_well_known_service_is_guessed(shape):
    document, expected = SHAPES[shape]
    found = guess(document)
    assert found is not None
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_guessed_can_be_read(shape):
    document, _expected = SHAPES[shape]
    options = checked(guess(document) or {}, connector("json_api").options)
    read = JsonMapping(options).read(document, "https://service.example/api")
    assert len({copy.external_id for copy in read.copies}) == 2
    assert all(copy.title for copy in read.copies)
    assert read.warnings == ()


@pytest.mark.parametrize(
    "document",
    [
        None, 7, "text", [], {}, [1, 2, 3], {"ok": True}, {"items": []}, [[{"title": "x"}]],
        {"rates": {"EUR": 1.0, "SEK": 11.2}}, [{"lat": 1.5, "lon": 2.5}] * 3,
        {"items": [{"title": ""}, {"title": None}]},
    ],
)  # fmt: skip
def test_a_document_without_pieces_is_not_guessed(document):
    assert guess(document) is None


def test_keys_that_are_no_plain_names_are_quoted():
    document = {"news list": two(lambda n: {"dc:title": "x", "title": f"T {n}", "pub-date": DAY})}
    found = guess(document) or {}
    assert (found["items"], found["published"]) == ('"news list"', '"pub-date"')
