"""Bringing in a list of feeds as a person does: choose a file, watch, tick, add."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.testing import Simulator
from sources import lists, opml
from sources.models import Source
from sources.opml import Outline
from tests.sources.conftest import outside, site, world  # noqa: F401 (fixtures)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_list_is_brought_in(world: Simulator, ada, at_the_browser, tmp_path, width):  # noqa: F811
    file = Path(tmp_path) / "theirs.opml"
    file.write_bytes(
        opml.write(
            "Theirs",
            [
                Outline(f"{world.url}/feeds/rss.xml", "Courier", "Region"),
                Outline(f"{world.url}/nothing", "Nothing"),
            ],
            datetime(2026, 3, 1, tzinfo=UTC),
        )
    )
    someone = at_the_browser(ada, width=width)
    someone.opens("/admin/sources/source/")
    someone.follows("Import OPML")
    someone.clicks("Look at its feeds", saying="Choose a file.")
    someone.window.find_element("css selector", "input[type=file]").send_keys(str(file))
    someone.clicks("Look at its feeds", saying="0 of 2 looked at")
    lists.drain()
    someone.sees("All looked at")  # without a reload
    someone.sees("has nothing at this address (404)")
    assert len(someone.window.find_elements("css selector", "[name=line]:checked")) == 1
    someone.clicks("Add the ticked feeds", saying="1 source was added.")
    assert Source.objects.get().section == "Region"
    wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert someone.window.execute_script(wide)
    assert someone.complaints() == []
