"""Many stories on a true server while a third of its answers go wrong and workers are killed."""

import random
from collections import Counter

import pytest

from articles.record import Actor, Door
from config.bell import ring
from publishing import queue
from publishing.lifecycle import Status
from publishing.models import Delivery
from tests.publishing.test_drill import Worker, leases_run_out, open_rows, wait_for
from tests.servers.conftest import connected
from tests.servers.going_on import asks_a_person
from tests.servers.proxy import Fault, Mode

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

STORIES, CHANNELS, KILLS = 24, 4, 2
WRONG = (Mode.LOST, Mode.CUT_SHORT, Mode.DONE_503, Mode.NEVER, Mode.BUSY)


@pytest.fixture
def stories(venue, proxy, approved, paula):
    """Every story queued to one of the channels; the dice are the same in every run."""
    channels = [connected(venue, proxy, f"{venue.label} {number}") for number in range(CHANNELS)]
    dice = random.Random(4)
    proxy.spoil(
        *(
            Fault(mode, lambda *asked: venue.meant(*asked) and dice.random() < 0.07, times=100_000)
            for mode in WRONG
            if mode in venue.modes
        )
    )
    made = []
    for number in range(STORIES):
        word = f"{dice.getrandbits(32):08x}"
        story = approved(title=f"Drill {word}", summary=f"Story {word}.", content="<p>Body.</p>")
        to = channels[number % CHANNELS].pk
        assert queue.enqueue(story.pk, [to], Actor(paula, Door.ADMIN))[0].delivery
        made.append(story)
    return made


def test_every_story_is_there_once(venue, proxy, stories):
    for kill in range(KILLS):
        left = STORIES * (KILLS - kill) // (KILLS + 1)
        with Worker():
            ring("publishing.tick")
            assert wait_for(lambda left=left: open_rows().count() <= left, 120)
        leases_run_out()
    with Worker():
        leases_run_out()
        assert wait_for(lambda: not open_rows().exists(), 120), Counter(
            open_rows().values_list("status", flat=True)
        )
    spoilt = Counter(each.mode for each in proxy.log if each.mode)
    assert sum(spoilt.values()) >= 3, "hardly anything went wrong: the drill proved little"
    there = {story.pk: len(venue.posts(story.title)) for story in stories}
    for row in Delivery.objects.all():
        assert row.status in (Status.PUBLISHED, Status.IN_DOUBT), row.error_message
        assert row.status == Status.PUBLISHED or asks_a_person(row)
        assert there[row.article_id] <= 1
        assert there[row.article_id] == 1 or row.status == Status.IN_DOUBT
    if venue.finds_out:
        assert set(Delivery.objects.values_list("status", flat=True)) == {Status.PUBLISHED}, spoilt
