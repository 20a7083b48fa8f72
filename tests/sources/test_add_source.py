"""Adding a source in the console: paste an address, look, save."""

import json
from typing import Any

import pytest

from sources.models import Source
from tests.config.far_end import http
from tests.sources.test_console import ADD, errors, typed

PIECES = {"items": [{"id": n, "headline": f"Piece {n}", "link": f"/p/{n}"} for n in (1, 2)]}


def json_site(document: Any) -> bytes:
    return http(body=json.dumps(document).encode(), Content_Type="application/json")


def mapped(url: str, **options: str) -> dict[str, Any]:
    """What is typed to add a JSON source by hand."""
    fields = {"items": "items", "id": "id", "title": "headline", "url": "link", **options}
    choices = {"text": "html", "dates": "auto", "paging": "none", "login": "none"}
    return typed(url, **{f"option_{name}": value for name, value in {**choices, **fields}.items()})


# --- the kind chosen by hand ---


def test_a_json_source_is_added_by_its_expressions(console, site):
    answer = console.post(f"{ADD}?connector=json_api", mapped(site(json_site(PIECES))))
    assert errors(answer) == {}
    source = Source.objects.get()
    assert (source.connector, source.options["title"]) == ("json_api", "headline")


@pytest.mark.parametrize("unchecked", [{}, {"unchecked": "on"}])
def test_a_wrong_expression_is_shown_at_its_field_with_its_place(console, site, unchecked):
    data = mapped(site(json_site(PIECES)), title="head..line") | unchecked
    found = errors(console.post(f"{ADD}?connector=json_api", data))
    assert list(found) == ["option_title"]
    assert "at character 6, before \u201c.line\u201d" in str(found)
    assert not Source.objects.exists()
