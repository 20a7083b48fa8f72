"""A mailing on a true mail server: everybody once, though the line breaks in its middle."""

from collections import Counter

import pytest

from publishing import queue, subscribing
from publishing.lifecycle import Status
from publishing.models import Delivery
from tests.servers.going_on import asks_a_person, to_the_end
from tests.servers.proxy import Fault, Mode

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only("email")]

READERS = ("rita", "robin", "ruth", "rolf")


@pytest.fixture
def mailing(channel, delivery):
    """A delivery to five readers, the venue's own among them."""
    subscribing.import_list(
        channel, "\n".join(f"{name}{delivery.pk}@readers.example" for name in READERS), agreed=True
    )
    return delivery


def got(venue, story):
    """How many letters about the story each reader has."""
    ours = [each for each in venue.letters() if story.title in str(each["subject"])]
    return Counter(str(each["x-rcptto"] or each["to"]) for each in ours)


def test_every_reader_gets_one_letter_that_can_be_unsubscribed_from(venue, mailing, story):
    row = to_the_end(mailing)
    assert row.status == Status.PUBLISHED, row.error_message
    assert sorted(got(venue, story).values()) == [1] * 5
    ours = [each for each in venue.letters() if story.title in str(each["subject"])]
    assert len({each["message-id"] for each in ours}) == 5
    for each in ours:
        assert each["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert each["list-unsubscribe"].startswith("<http")


@pytest.mark.parametrize("mode", [Mode.LOST, Mode.CUT_SHORT, Mode.NEVER])
def test_a_line_that_breaks_in_the_middle_leaves_the_others_one_letter(
    venue, proxy, mailing, story, by, mode
):
    proxy.spoil(Fault(mode, venue.meant, skip=2))
    row = to_the_end(mailing)
    assert asks_a_person(row), row.error_message
    arrived = got(venue, story)
    assert set(arrived.values()) == {1}
    assert len(arrived) == (4 if mode is Mode.NEVER else 5)
    if mode is not Mode.NEVER:
        return
    queue.send_again(row.pk, by)
    row = to_the_end(Delivery.objects.get(pk=row.pk))
    assert row.status == Status.PUBLISHED, row.error_message
    assert sorted(got(venue, story).values()) == [1] * 5


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.WAIT])
def test_a_letter_that_was_put_off_arrives_later(venue, proxy, mailing, story, mode):
    proxy.spoil(Fault(mode, venue.meant, skip=2))
    row = to_the_end(mailing)
    assert row.status == Status.PUBLISHED, row.error_message
    assert sorted(got(venue, story).values()) == [1] * 5
