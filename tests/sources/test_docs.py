"""The connector that docs/adding-a-source.md shows works as it stands there."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from sources import connectors, fetching
from sources.checks import check_table
from sources.errors import NotAFeed
from sources.models import Source
from tests.config.far_end import http

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"
STORIES = [
    {
        "short_id": "abc123", "created_at": "2026-05-04T10:00:00.000-05:00", "title": "Ferries",
        "url": "https://ferries.example/", "score": 7, "comment_count": 2, "description": "",
        "comments_url": "https://lobste.rs/s/abc123/ferries", "submitter_user": "ada",
        "tags": ["networking"],
    },
]  # fmt: skip


@pytest.fixture
def lobsters(settings, tmp_path, monkeypatch):
    """The guide's example, installed as an installation's own connector."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    (tmp_path / "mydesk_lobsters.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    settings.EXTRA_CONNECTORS = {"lobsters": "mydesk_lobsters.Lobsters"}
    assert importlib.util.find_spec("mydesk_lobsters")
    return connectors.connector("lobsters")


def test_the_guides_connector_reads_its_service(lobsters, site):
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(head.split()[1])
        return http(body=json.dumps(STORIES).encode())

    source = Source(connector="lobsters", api_endpoint=site(answer), options={"tag": "networking"})
    (copy,) = fetching.fetch(source, timezone.now()).copies
    assert (copy.external_id, copy.title, copy.authors) == ("abc123", "Ferries", ("ada",))
    assert copy.published_at.isoformat() == "2026-05-04T15:00:00+00:00"
    assert asked == [b"/t/networking.json"]
    assert check_table() == []


def test_the_guides_connector_names_an_answer_that_is_none(lobsters, site):
    source = Source(connector="lobsters", api_endpoint=site(http(body=b"{}")))
    with pytest.raises(NotAFeed, match="no list of stories"):
        fetching.fetch(source, timezone.now())
