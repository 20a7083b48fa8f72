"""The newcomer's path, all by clicking: from a source to the post on the platform.

The web server, the worker, PostgreSQL, Valkey and the wire are real; the source and the platform
are the simulator, on loopback.
"""

from collections.abc import Iterator

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connections

from config.celery import app
from publishing.models import Channel, Delivery
from simulator.credentials import WORDPRESS_APP_PASSWORD, WORDPRESS_USER
from simulator.testing import Simulator, running
from sources.models import Source


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running(seed=3) as simulated:
        yield simulated


@pytest.fixture
def worker(transactional_db) -> Iterator[None]:
    """A Celery worker on all queues, in a thread of this process."""
    queues = ("default", "fetch", "publish", "ai")
    app.control.purge()
    with start_worker(app, pool="solo", perform_ping_check=False, queues=queues):
        yield
    connections.close_all()


@pytest.mark.slow
def test_from_a_source_to_the_post_on_the_platform(simulator, worker, ada, at_the_browser):
    source = Source.objects.create(
        name="Northmark Courier", connector="feed", api_endpoint=f"{simulator.url}/feeds/rss.xml",
        rate_limit_per_minute=600,
    )  # fmt: skip
    channel = Channel.objects.create(
        name="Our blog", platform="wordpress", options={"url": f"{simulator.url}/wordpress"},
        credentials={"user": WORDPRESS_USER, "app_password": WORDPRESS_APP_PASSWORD},
    )  # fmt: skip
    someone = at_the_browser(ada)

    someone.follows("Sources")
    someone.follows("Northmark Courier")
    someone.clicks("Sync now")
    someone.waits_for("Pick up", "/admin/articles/wireitem/")
    source.refresh_from_db()
    assert source.last_success is not None
    assert source.health == 100

    someone.clicks("Pick up", saying="Picked up: a story was started.")
    someone.types("title", "The news in our own words")
    someone.writes("Our own first sentence. ")
    someone.saves()
    someone.sees("Saved.")
    someone.clicks("Submit for review", saying="Submitted for review.")
    someone.clicks("Approve", saying="Approved.")

    someone.presses("publish")
    someone.sees("The news in our own words")
    assert someone.finds(f"#channel-{channel.pk}").is_selected()  # the only one there is
    someone.finds("#publish-now").click()
    someone.sees("Queued to Our blog, now.")
    story = someone.window.current_url.split("#")[0]
    someone.waits_for("LIVE", story)

    delivery = Delivery.objects.get()
    assert delivery.status == "published"
    someone.opens("/admin/")
    someone.sees("Out today")
    link = someone.finds("a.desk-out").get_attribute("href")
    assert link == delivery.remote_url
    someone.opens(link)
    someone.sees("The news in our own words")
    someone.sees("Our own first sentence.")
    assert simulator.posts("wordpress")["public"] == 1
