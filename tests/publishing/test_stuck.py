"""After a channel was put right: what was held or failed there goes on together, asked first."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from publishing import approval, deliver, queue, stuck
from publishing.admin import going_on
from publishing.lifecycle import Status
from publishing.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:publishing_delivery_changelist")


@pytest.fixture
def to(channel):
    return channel("dryrun")


@pytest.fixture
def at(client, paula):
    client.force_login(paula)
    return client


@pytest.fixture
def held(to, queued):
    """Two that the desk held because the channel's settings changed after they were approved."""
    held = [queued(to, title=f"Held {number}") for number in range(2)]
    configure(to, section="wrong")
    deliver.drain()
    assert set(states()) == {Status.HELD}
    return held


@pytest.fixture
def failed(to, queued):
    delivery = queued(to, title="It failed", at=timezone.now() + timedelta(hours=1))
    settle(delivery, Status.CLAIMED, Status.SENDING, Status.FAILED)
    return delivery


def settle(delivery, *statuses):
    for status in statuses:
        Delivery.objects.filter(pk=delivery.pk).update(status=status)


def configure(to, **options):
    to.options = options
    to.save(update_fields=["options"])


def states():
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


def page(at, to):
    return " ".join(at.get(going_on.address(to)).content.decode().split())


def go_on(at, to, *kinds):
    seen = at.get(going_on.address(to)).context["settings"]
    sent = {"kinds": kinds, "settings": seen}
    answer = at.post(going_on.address(to), sent, follow=True)
    return " ".join(map(str, answer.context["messages"]))


def test_the_page_says_how_many_there_are_of_each_kind(at, to, held, failed, queued, by):
    kept = queued(to, title="The lawyer reads it", at=timezone.now() + timedelta(hours=2))
    queue.hold(kept.pk, by, reason="The lawyer reads it")
    shown = page(at, to)
    assert "Held by the desk: 2" in shown
    assert "Failed in the last 7 days: 1" in shown
    assert "Held by people: 1" in shown
    assert 'id="kind-held" checked' in shown
    assert 'id="kind-by_a_person" checked' not in shown
    found = stuck.on(to, timezone.now())
    assert found.words == "2 held, 1 failed, 1 held by people"


def test_looking_changes_nothing(at, to, held):
    page(at, to)
    assert states() == [Status.HELD, Status.HELD]


def test_what_was_held_goes_out_with_the_settings_as_they_were_put_right(at, to, held):
    configure(to, section="right")  # neither what was approved nor what was refused
    assert go_on(at, to, "held") == "2 deliveries released."
    deliver.drain()
    assert states() == [Status.PUBLISHED, Status.PUBLISHED]


def test_released_one_by_one_a_third_setting_is_held_again(to, held, by):
    configure(to, section="right")
    queue.release(held[0].pk, by)
    deliver.drain()
    assert states() == [Status.HELD, Status.HELD]


def test_settings_that_change_while_somebody_looks_are_not_approved(at, to, held):
    seen = at.get(going_on.address(to)).context["settings"]
    configure(to, section="changed meanwhile")
    answer = at.post(going_on.address(to), {"kinds": ["held"], "settings": seen})
    assert "changed since you looked" in answer.content.decode()
    assert states() == [Status.HELD, Status.HELD]


def test_a_text_that_changed_is_not_approved_by_the_way(to, held, by):
    Delivery.objects.update(payload_parts={**Delivery.objects.all()[0].payload_parts, "text": "x"})
    configure(to, section="right")
    for each in held:
        queue.release(each.pk, by, settings=approval.settings_hash(to))
    deliver.drain()
    assert states() == [Status.HELD, Status.HELD]


def test_what_failed_is_tried_again_once(at, to, failed):
    assert go_on(at, to, "failed") == "1 delivery tried again."
    assert go_on(at, to, "failed") == ""
    deliver.drain()
    assert states() == [Status.FAILED, Status.PUBLISHED]


def test_what_failed_long_ago_is_history(to, failed):
    then = timezone.now() - stuck.FAILED_LATELY - timedelta(hours=1)
    Delivery.objects.update(updated_at=then)
    assert not stuck.on(to, timezone.now()).words


def test_nothing_ticked_does_nothing_and_says_so(at, to, held):
    assert "Tick what should go on." in go_on(at, to)
    assert states() == [Status.HELD, Status.HELD]


def test_channel_page_and_queue_lead_there(at, to, held, client, ada):
    assert going_on.address(to) in at.get(LIST).content.decode()
    assert (
        going_on.address(to)
        in at.get(reverse("admin:publishing_delivery_timeline")).content.decode()
    )
    client.force_login(ada)
    shown = client.get(reverse("admin:publishing_channel_card", args=(to.pk,))).content.decode()
    assert going_on.address(to) in shown
    assert "2 held" in shown


def test_what_people_keep_back_alone_is_no_alarm(at, to, queued, by):
    kept = queued(to, at=timezone.now() + timedelta(hours=2))
    queue.hold(kept.pk, by)
    assert "Held or failed" not in at.get(LIST).content.decode()


def test_a_paused_channel_says_that_they_wait(at, to, held):
    to.paused_reason = "Its password was refused."
    to.save(update_fields=["paused_reason"])
    assert "is paused. Its password was refused. They wait" in page(at, to).replace("</strong>", "")


def test_whoever_may_not_queue_is_turned_away(client, will, to, held):
    client.force_login(will)
    assert client.get(going_on.address(to)).status_code == 403
    assert client.post(going_on.address(to), {"kinds": ["held"]}).status_code == 403
    assert states() == [Status.HELD, Status.HELD]
