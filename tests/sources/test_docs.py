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
QUAKE = {
    "type": "Feature",
    "properties": {
        "mag": 4.7, "place": "31 km W of Northmark", "time": 1795341600000,
        "updated": 1795341900000,
        "url": "https://earthquake.usgs.gov/earthquakes/eventpage/us7000abcd", "felt": 12,
        "tsunami": 0, "type": "earthquake", "title": "M 4.7 - 31 km W of Northmark",
    },
    "geometry": {"type": "Point", "coordinates": [5.1, 60.2, 10.0]},
    "id": "us7000abcd",
}  # fmt: skip


@pytest.fixture
def earthquakes(settings, tmp_path, monkeypatch):
    """The guide's example, installed as an installation's own connector."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    (tmp_path / "mydesk_earthquakes.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    settings.EXTRA_CONNECTORS = {"earthquakes": "mydesk_earthquakes.Earthquakes"}
    assert importlib.util.find_spec("mydesk_earthquakes")
    return connectors.connector("earthquakes")


def test_the_guides_connector_reads_its_service(earthquakes, site):
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(head.split()[1])
        return http(body=json.dumps({"type": "FeatureCollection", "features": [QUAKE]}).encode())

    source = Source(connector="earthquakes", api_endpoint=site(answer), options={"size": "4.5"})
    (copy,) = fetching.fetch(source, timezone.now()).copies
    assert (copy.external_id, copy.title) == ("us7000abcd", "M 4.7 - 31 km W of Northmark")
    assert copy.published_at.isoformat() == "2026-11-22T10:00:00+00:00"
    assert copy.metadata == {"felt_by": 12, "tsunami": False}
    assert asked == [b"/summary/4.5_day.geojson"]
    assert check_table() == []


def test_the_guides_connector_names_an_answer_that_is_none(earthquakes, site):
    source = Source(connector="earthquakes", api_endpoint=site(http(body=b"{}")))
    with pytest.raises(NotAFeed, match="no list of earthquakes"):
        fetching.fetch(source, timezone.now())
