"""A worker killed with SIGKILL at each point of a delivery: the next one brings it to its end."""

import time

import pytest

from articles import desk
from publishing import amend, platforms
from publishing.lifecycle import Status
from publishing.models import Attempt, Delivery
from tests.publishing.processes import start
from tests.servers.going_on import settled, to_the_end
from tests.servers.proxy import Fault, Mode
from tests.servers.worker import POINTS

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the worker never came to this point"
        time.sleep(0.05)


def killed(worker):
    """Nothing of the worker's own runs any more: no handler, no rollback, no goodbye."""
    assert worker.poll() is None, "the worker ended by itself"
    worker.kill()
    assert worker.wait(10) == -9


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_point_of_its_own(venue, delivery, story, point, tmp_path):
    reached = tmp_path / "reached"
    worker = start("-m", "tests.servers.worker", point, str(reached))
    wait_for(reached.exists)
    killed(worker)
    delivery.refresh_from_db()
    open_attempts = delivery.tries.filter(outcome=Attempt.Outcomes.OPEN).count()
    assert open_attempts == (0 if point == "before the attempt row" else 1)
    arrived = len(venue.posts(story.title))
    assert arrived == (1 if point in ("after the answer", "before the commit") else 0)
    settled(delivery, venue)


@pytest.mark.parametrize("step", [0, 1])
def test_a_worker_killed_between_sending_and_its_answer(
    venue, proxy, delivery, story, step, tmp_path
):
    fault = Fault(Mode.HUNG, venue.meant, skip=step)
    proxy.spoil(fault)
    worker = start("-m", "tests.servers.worker", "", str(tmp_path / "never"))
    wait_for(fault.hit.is_set)
    killed(worker)
    delivery.refresh_from_db()
    assert delivery.status == Status.SENDING
    settled(delivery, venue)


@pytest.mark.parametrize("point", [each for each in POINTS if each != "before the attempt row"])
def test_a_worker_killed_while_it_takes_a_post_away(venue, delivery, story, by, point, tmp_path):
    if amend.way(platforms.platform(venue.key), "withdraw") != Delivery.Acts.DELETE:
        pytest.skip(f"{venue.key} can't take a post away")
    to_the_end(delivery)
    desk.perform(story.pk, "kill", by, reason="It was wrong.")
    assert amend.withdraw() == 1
    reached = tmp_path / "reached"
    worker = start("-m", "tests.servers.worker", point, str(reached))
    wait_for(reached.exists)
    killed(worker)
    row = to_the_end(Delivery.objects.get(of=delivery))
    assert row.status == Status.PUBLISHED, row.error_message
    assert venue.posts(story.title) == []
