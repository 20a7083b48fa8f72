"""A worker killed with SIGKILL at each point of a delivery: the next one brings it to its end."""

import time

import pytest

from publishing.lifecycle import Status
from publishing.models import Attempt
from tests.publishing.processes import start
from tests.servers.going_on import asks_a_person, to_the_end
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
    one_post(delivery, venue, story)


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
    one_post(delivery, venue, story)


def one_post(delivery, venue, story):
    row = to_the_end(delivery)
    there = venue.posts(story.title)
    if asks_a_person(row):
        assert len(there) <= 1
    else:
        assert row.status == Status.PUBLISHED, row.error_message
        assert len(there) == 1
