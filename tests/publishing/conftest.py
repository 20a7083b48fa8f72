from collections.abc import Callable, Iterator
from typing import Any

import pytest

from articles.models import Article
from articles.record import Actor, Door
from publishing import queue
from publishing.models import Channel, Delivery
from simulator import credentials
from simulator.testing import Simulator, running

CHANNELS: dict[str, Any] = {
    "wordpress": (
        "/wordpress",
        {"user": credentials.WORDPRESS_USER, "app_password": credentials.WORDPRESS_APP_PASSWORD},
    ),
    "mastodon": ("/mastodon", {"token": credentials.MASTODON_TOKEN}),
    "webhook": ("/webhook", {"secret": credentials.WEBHOOK_SECRET}),
    "bare": ("/bare/post", {}),
    "searchable": ("/bare/post", {}),
    "dryrun": ("", {}),
}


@pytest.fixture(scope="session")
def outside() -> Iterator[Simulator]:
    """The simulated outside world, one for the whole run."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def world(outside: Simulator, settings: Any) -> Simulator:
    """The world with nothing posted and no faults."""
    outside.reset()
    outside.faults()
    settings.EXTRA_PLATFORMS = {
        "bare": "tests.publishing.bare.Bare",
        "searchable": "tests.publishing.bare.Searchable",
    }
    return outside


@pytest.fixture
def channel(world: Simulator, db: None) -> Callable[..., Channel]:
    """Connects a channel into the world: `channel("wordpress")`."""

    def connect(platform: str, **more: Any) -> Channel:
        path, secrets = CHANNELS[platform]
        number = Channel.objects.count()
        fields: dict[str, Any] = {
            "name": f"{platform} {number}",
            "platform": platform,
            "options": {"url": world.url + path},
            "credentials": secrets,
            "rate_limit_per_minute": 6000,
        }
        return Channel.objects.create(**{**fields, **more})

    return connect


@pytest.fixture
def by(paula: Any) -> Actor:
    """Paula at the console."""
    return Actor(paula, Door.ADMIN)


@pytest.fixture
def queued(approved: Callable[..., Article], by: Actor) -> Callable[..., Delivery]:
    """An approved story in a channel's queue: `queued(channel("mastodon"))`."""

    def put(to: Channel, *, at: Any = None, **text: Any) -> Delivery:
        story = approved(**text)
        result = queue.enqueue(story.pk, [to.pk], by, at=at, confirm_duplicates=True)[0]
        assert result.delivery is not None, result.problem
        return result.delivery

    return put
