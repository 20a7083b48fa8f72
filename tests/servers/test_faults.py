"""An answer that is lost, late, broken or a refusal: still one post, or the row says in doubt."""

import pytest

from articles import desk
from publishing import amend, deliver, platforms
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from tests.servers.going_on import go_on, settled, to_the_end
from tests.servers.proxy import Fault, Mode

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = (0, 1)
"""Which of the requests that one publication makes goes wrong (see `Venue.writes`)."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", Mode)
def test_one_fault_leaves_one_post(venue, proxy, delivery, story, mode, step, monkeypatch):
    monkeypatch.setattr(deliver, "CALL_DEADLINE", 4.0 if mode is Mode.HUNG else 45.0)
    fault = Fault(mode, venue.meant, skip=step)
    proxy.spoil(fault)
    row = go_on(delivery)
    assert fault.hit.is_set(), "the fault met no request: the test proved nothing"
    assert row.status in (Status.RETRY, Status.IN_DOUBT), row.error_message
    assert bool(Channel.objects.get().paused_reason) == (mode is Mode.SHUT)
    monkeypatch.setattr(deliver, "CALL_DEADLINE", 45.0)
    row = settled(delivery, venue)
    assert row.attempts >= 2


@pytest.mark.parametrize("first", [Mode.LOST, Mode.NEVER, Mode.CUT_SHORT])
@pytest.mark.parametrize("then", [Mode.LOST, Mode.BUSY, Mode.WAIT, Mode.SHUT])
def test_trouble_upon_trouble_leaves_one_post(venue, proxy, delivery, story, first, then):
    proxy.spoil(Fault(first, venue.meant), Fault(then, venue.meant, times=2))
    settled(delivery, venue)


@pytest.mark.parametrize("mode", [Mode.LOST, Mode.CUT_SHORT, Mode.DONE_503, Mode.NEVER, Mode.WAIT])
def test_a_withdrawal_in_trouble_is_brought_to_its_end(venue, proxy, delivery, story, by, mode):
    if amend.way(platforms.platform(venue.key), "withdraw") != Delivery.Acts.DELETE:
        pytest.skip(f"{venue.key} can't take a post away")
    to_the_end(delivery)
    desk.perform(story.pk, "kill", by, reason="It was wrong.")
    fault = Fault(mode, venue.meant)
    proxy.spoil(fault)
    go_on(delivery)
    assert fault.hit.is_set()
    row = to_the_end(Delivery.objects.get(of=delivery))
    assert row.status == Status.PUBLISHED, row.error_message
    assert venue.posts(story.title) == []
