"""WebSub hubs are told what is new, and made up for when they could not be."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from publishing import deliver, receipts
from publishing.feeds import entries, pings
from publishing.lifecycle import Status
from publishing.models import Channel, Feed, HubPing
from tests.publishing.feeds.asking import corrected, killed
from tests.publishing.wire import Answer

pytestmark = pytest.mark.django_db(transaction=True)


# --- hubs ---


def pinged(hub):
    """The addresses that the hub was told of."""
    from urllib.parse import parse_qs

    told = [parse_qs(asked.body.decode()) for asked in hub.to("POST /hub")]
    assert all(each["hub.mode"] == ["publish"] for each in told)
    return [each["hub.url"][0].rpartition("/")[2] for each in told]


ALL = ["our-news.rss", "our-news.atom", "our-news.json"]


def test_a_hub_is_told_once_after_a_burst_and_again_after_a_change(feed, queued, hub, by):
    to = feed(hubs=f"{hub.url}/hub")
    first, *_others = [queued(to, title=f"Story {number}") for number in range(3)]
    deliver.drain()
    assert pinged(hub) == []
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL
    assert pings.tell_hubs() == 0
    corrected(first, by, title="Better")
    deliver.drain()
    pings.tell_hubs()
    killed(first, by)
    pings.tell_hubs()
    pings.tell_hubs()
    assert pinged(hub) == ALL * 3


@pytest.mark.parametrize("answer", [Answer(503), Answer(403, text="<b>Who</b> are you?")])
def test_a_hub_that_refuses_fails_no_delivery_and_is_told_later(feed, out, hub, answer):
    hub.says("POST /hub", answer)
    delivery = out(feed(hubs=f"{hub.url}/hub"))
    assert pings.tell_hubs() == 0
    row = HubPing.objects.get()
    assert str(answer.status) in row.said
    assert row.due_at > timezone.now() + timedelta(seconds=50)
    assert pings.tell_hubs() == 0  # not yet
    assert len(hub.to("POST /hub")) == 1
    [told] = receipts.receipt(delivery)["feed"]["hubs"]
    assert (told["told"], told["said"]) == (False, row.said)
    hub.says("POST /hub", Answer(202))
    HubPing.objects.update(due_at=timezone.now())
    assert pings.tell_hubs() == 1
    [told] = receipts.receipt(delivery)["feed"]["hubs"]
    assert (told["told"], told["said"]) == (True, "")
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED


def test_a_hub_that_cannot_be_reached_is_noted_and_waits_longer_each_time(feed, out):
    out(feed(hubs="http://localhost:1/hub"))
    waits = []
    for _ in range(3):
        HubPing.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        pings.tell_hubs()
        waits.append(HubPing.objects.get().due_at - timezone.now())
    assert waits == sorted(waits)
    assert waits[-1] > 3 * waits[0]
    assert HubPing.objects.get().said


def test_a_hub_that_asks_for_patience_gets_it(feed, out, hub):
    hub.says("POST /hub", Answer(429, headers={"Retry-After": "1800"}))
    out(feed(hubs=f"{hub.url}/hub"))
    pings.tell_hubs()
    assert HubPing.objects.get().due_at > timezone.now() + timedelta(minutes=29)


def test_one_hub_in_trouble_holds_up_no_other(feed, out, hub):
    out(feed(hubs=f"http://localhost:1/hub, {hub.url}/hub"))
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL


def test_a_worker_that_died_while_telling_is_made_up_for(feed, out, hub):
    out(feed(hubs=f"{hub.url}/hub"))
    pings._claimed(10)  # and then it was killed
    assert pings.tell_hubs() == 0  # somebody is at it
    HubPing.objects.update(due_at=timezone.now())  # its lease has run out
    assert pings.tell_hubs() == 1


def test_what_changes_while_a_hub_is_told_is_told_next(feed, out, hub):
    to = feed(hubs=f"{hub.url}/hub")
    out(to)
    [ping] = pings._claimed(10)
    out(to, title="Another")
    pings._settle(ping, None)
    assert pings.tell_hubs() == 1
    assert pinged(hub) == ALL


def test_a_hub_that_the_channel_no_longer_names_is_told_nothing(feed, out, hub):
    to = feed(hubs=f"{hub.url}/hub")
    out(to)
    Channel.objects.update(options={})
    assert pings.tell_hubs() == 0
    assert (pinged(hub), HubPing.objects.count()) == ([], 0)


def test_the_sweeper_tells_hubs_when_redis_is_down(feed, queued, hub):
    queued(feed(hubs=f"{hub.url}/hub"))
    call_command("sweep", "--once")
    assert pinged(hub) == ALL


def test_many_feeds_are_told_in_one_go(feed, hub):
    for number in range(25):
        opened = entries.opened(feed(f"Feed {number}", hubs=f"{hub.url}/hub"))
        HubPing.objects.create(feed=opened, hub=f"{hub.url}/hub")
    Feed.objects.update(version=1)
    assert pings.tell_hubs() == 25
    assert len(hub.to("POST /hub")) == 75
