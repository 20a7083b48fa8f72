"""The true servers, a proxy before each, and a story's way to them.

A server that can't be had is skipped with a loud line; where CI is set it is a failure.
"""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from articles.models import Article
from articles.record import Actor, Door
from publishing import platforms, queue
from publishing.models import Channel, Delivery
from tests.servers.installing import Missing
from tests.servers.proxy import Mode, Proxy
from tests.servers.venue import Venue

_VENUES = {
    "webhook": "receiver.Receiver",
    "matrix": "matrix.Matrix",
    "email": "mail.Mail",
    "nostr": "nostr.Notes",
    "nostr_article": "nostr.Articles",
    "bluesky": "pds.Bluesky",
    "wordpress": "wordpress.WordPress",
}
VENUES = {key: path for key, path in _VENUES.items() if key in platforms.TABLE}
_missing: dict[str, str] = {}


def _venue(key: str) -> type[Venue]:
    module, _, name = VENUES[key].rpartition(".")
    kind: type[Venue] = getattr(import_module(f"tests.servers.{module}"), name)
    return kind


@pytest.fixture(scope="session", params=VENUES)
def venue(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Venue]:
    """Each true server in turn, started for its tests and ended after them."""
    kind = _venue(request.param)
    starting = kind.running(tmp_path_factory.mktemp(kind.key))
    try:
        server = starting.__enter__()
    except Missing as problem:
        _missing[kind.label] = str(problem)
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"{kind.label} can't be had: {problem}")
    try:
        yield server
    finally:
        starting.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _standing(venue: Venue) -> Iterator[Proxy]:
    with venue.proxied() as proxy:
        yield proxy


@pytest.fixture
def proxy(_standing: Proxy) -> Iterator[Proxy]:
    """The proxy before the server, with no faults yet."""
    _standing.spoil()
    yield _standing
    _standing.spoil()


@pytest.fixture
def by(paula: Any) -> Actor:
    """Paula at the console."""
    return Actor(paula, Door.ADMIN)


def connected(venue: Venue, proxy: Proxy, name: str = "") -> Channel:
    """A new channel to a server, by its proxy."""
    made = Channel.objects.create(
        name=name or venue.label,
        platform=venue.key,
        options=venue.options(proxy.url),
        credentials=venue.credentials,
        rate_limit_per_minute=6000,
    )
    venue.prepare(made)
    return made


@pytest.fixture
def channel(venue: Venue, proxy: Proxy, db: None) -> Channel:
    """A channel to the server, by the proxy."""
    return connected(venue, proxy)


@pytest.fixture
def story(approved: Callable[..., Article]) -> Article:
    """An approved story; no other on any server has its title."""
    word = os.urandom(4).hex()
    return approved(
        title=f"Ferry {word} returns",
        summary=f"The {word} sails again, says its owner.",
        content="<p>It sails again.</p><p>The <strong>harbour</strong> is glad.</p>",
    )


@pytest.fixture
def delivery(story: Article, channel: Channel, by: Actor) -> Delivery:
    """The story in the channel's queue."""
    result = queue.enqueue(story.pk, [channel.pk], by)[0]
    assert result.delivery is not None, result.problem
    return result.delivery


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what says nothing of a venue: what is `only` for others, steps it doesn't take."""
    items[:] = [each for each in items if _is_possible(each)]


def _is_possible(test: pytest.Item) -> bool:
    given = getattr(test, "callspec", None)
    only = test.get_closest_marker("only")
    if given is None or "venue" not in given.params:
        return True
    if only is not None and given.params["venue"] not in only.args:
        return False
    venue = _venue(given.params["venue"])
    modes = {each for each in given.params.values() if isinstance(each, Mode)}
    return modes <= set(venue.modes) and given.params.get("step", 0) < venue.writes


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what was not tried."""
    for label, why in _missing.items():
        terminalreporter.write_line(f"NOT TRIED: {label}: {why}", red=True, bold=True)
