"""One simulator for all tests of its wires; each test finds it empty."""

from collections.abc import Iterator

import httpx
import pytest

from simulator.testing import Simulator, running


@pytest.fixture(scope="session")
def world() -> Iterator[Simulator]:
    with running(seed=7) as simulator:
        yield simulator


@pytest.fixture
def simulator(world: Simulator) -> Simulator:
    world.reset()
    return world


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url, timeout=5) as client:
        yield client
