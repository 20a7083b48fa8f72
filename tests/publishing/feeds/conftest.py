"""A feed of ours, what puts a story into it, and a hub."""

import pytest

from articles.models import Article
from publishing import deliver, queue
from publishing.lifecycle import Status
from tests.publishing.conftest import CHANNELS
from tests.publishing.wire import Answer, speaking


@pytest.fixture
def feed(channel, monkeypatch, settings):
    """A channel to a feed of our own: `feed(hubs=…)`."""
    monkeypatch.setitem(CHANNELS, "feed", ("", {}))
    settings.PUBLIC_URL = "https://desk.example"

    def connect(name="Our news", **options):
        return channel("feed", name=name, options={"title": "Lindholm news", **options})

    return connect


@pytest.fixture
def out(approved, by):
    """A story in a feed: `out(feed(), title=…)`."""

    def put(to, *, authors=(), url="", **text):
        story = approved(**text)
        Article.objects.filter(pk=story.pk).update(authors=list(authors), url=url)
        [result] = queue.enqueue(story.pk, [to.pk], by, confirm_duplicates=True)
        delivery = result.delivery
        assert delivery is not None, result.problem
        deliver.drain()
        delivery.refresh_from_db()
        assert delivery.status == Status.PUBLISHED, delivery.error_message
        return delivery

    return put


@pytest.fixture
def hub():
    """A WebSub hub that takes every ping."""
    with speaking() as wire:
        wire.says("POST /hub", Answer(204))
        yield wire
