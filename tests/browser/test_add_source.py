"""Adding a source as a person does: paste, look, choose, save."""

from typing import Any

import pytest

from simulator.testing import Simulator
from sources.models import Source
from tests.sources.conftest import outside, site, world  # noqa: F401 (fixtures)

LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"dark": True}, "phone": {"width": 390}}


@pytest.mark.slow
def test_a_pasted_address_becomes_a_source(world: Simulator, ada, at_the_browser):  # noqa: F811
    someone = at_the_browser(ada)
    someone.opens("/admin/sources/source/add/")
    someone.types("address", "nothing at all")
    someone.clicks("Look", saying="That is no web address.")
    someone.types("address", f"{world.url}/feeds/atom.xml")
    someone.clicks("Look", saying="Northmark Wire answers with")
    someone.sees("pieces a day")
    assert not Source.objects.exists()
    someone.saves()
    someone.sees("Not synced yet")
    source = Source.objects.get()
    assert (source.name, source.connector) == ("Northmark Wire", "feed")
    assert source.schedule is not None
    assert someone.complaints() == []


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_another_of_the_feeds_of_a_page_is_chosen(world, ada, at_the_browser, look):  # noqa: F811
    someone = at_the_browser(ada, **LOOKS[look])
    someone.opens("/admin/sources/source/add/")
    someone.types("address", world.url)
    someone.clicks("Look", saying="ways to read it")
    someone.clicks("Signal & Field", saying="Signal & Field answers with")
    assert someone.finds("[name=name]").get_attribute("value") == "Signal & Field"
    assert someone.finds("[name=api_endpoint]").get_attribute("value").endswith("/feed.json")
    wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert someone.window.execute_script(wide)
    assert someone.complaints() == []
