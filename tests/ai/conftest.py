"""A wire item and a story on real rows, and the simulator that speaks the providers' wires."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from articles import desk, triage
from articles.intake import file
from articles.models import Article
from articles.record import Actor, Door
from articles.wire import WireCopy
from simulator import credentials, testing
from sources.models import Source

FERRY = (
    "<p>The ferry between Lindholm and Easter Quay returns to service on Monday after nine weeks "
    "of repairs, the harbour office said. The repairs to the ferry cost 2.4 million crowns, twice "
    "what the harbour office had planned. Commuters from Lindholm had to travel 40 minutes by bus "
    "while the ferry was in the yard. The mayor of Lindholm, Ines Talbot, called the repairs of "
    "the ferry long overdue. Tickets for the ferry stay at their old price until the summer. A "
    "second ferry is to join the crossing between Lindholm and Easter Quay next year.</p>"
)
BUSES = (
    "<p>Bus line 14 between Lindholm and Easter Quay ends on Monday, when the ferry returns. The "
    "bus company carried 1,900 commuters a day while the ferry was being repaired. Its drivers "
    "go back to their regular lines. The company said that it would keep the night bus.</p>"
)


@pytest.fixture(scope="session")
def simulator() -> Iterator[testing.Simulator]:
    """One simulator for the whole run; its faults are cleared by `sim`."""
    with testing.running() as simulator:
        yield simulator


@pytest.fixture
def sim(simulator: testing.Simulator) -> testing.Simulator:
    """The simulator without faults or a past."""
    simulator.reset()
    return simulator


@pytest.fixture
def all_providers(sim: testing.Simulator, settings: Any) -> testing.Simulator:
    """Every provider set up, all of them the simulator."""
    settings.OPENAI_API_KEY = credentials.OPENAI_KEY
    settings.OPENAI_BASE_URL = f"{sim.url}/openai/v1"
    settings.OPENAI_MODEL = credentials.OPENAI_MODEL
    settings.ANTHROPIC_API_KEY = credentials.ANTHROPIC_KEY
    settings.ANTHROPIC_BASE_URL = f"{sim.url}/anthropic"
    settings.ANTHROPIC_MODEL = credentials.ANTHROPIC_MODEL
    settings.OLLAMA_BASE_URL = f"{sim.url}/ollama"
    settings.OLLAMA_MODEL = credentials.OLLAMA_MODEL
    return sim


@pytest.fixture
def source(db: None) -> Source:
    """Where the wire items come from."""
    return Source.objects.create(name="Northmark Radio", api_endpoint="https://radio.example/feed")


@pytest.fixture
def wire_item(source: Source) -> Callable[..., Article]:
    """Files a wire item: `wire_item(content=…)`."""

    def filed(**text: Any) -> Article:
        number = Article.objects.wire().count()
        given = {"external_id": f"ferry-{number}", "title": "Ferry returns", "content": FERRY}
        file(source.pk, [WireCopy(**(given | text))])
        return Article.objects.wire().latest("pk")

    return filed


@pytest.fixture
def picked_up(wire_item: Callable[..., Article], edda: Any) -> Article:
    """Edda's story, picked up from two wire items."""
    items = [wire_item(), wire_item(title="Bus line 14 ends", content=BUSES)]
    return triage.pick_up([item.pk for item in items], Actor(edda, Door.ADMIN))


@pytest.fixture
def story(will: Any) -> Article:
    """Will's own story, from scratch."""
    return desk.start(Actor(will, Door.ADMIN), {"title": "Ferry returns", "content": FERRY})
