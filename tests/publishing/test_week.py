"""Slots, quiet hours and lateness of real deliveries."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from articles.models import Article
from publishing import amend, deliver, planning, queue
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms.dryrun import DryRun
from publishing.post import Receipt
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def around(moment, minutes):
    """Quiet hours from so many minutes before the moment until as many after it, in UTC."""
    begins, ends = moment - timedelta(minutes=minutes), moment + timedelta(minutes=minutes)
    return f"{begins:%a %H:%M}-{ends:%H:%M}"


@pytest.fixture
def put(approved, by):
    def put(to, number=0, **terms):
        story = approved(title=f"Story {number}", content=f"<p>Text {number}.</p>")
        return queue.enqueue(story.pk, [to.pk], by, **terms)[0]

    return put


# --- slots ---


def test_each_story_gets_a_slot_of_its_own(put, channel):
    to = channel("dryrun", slots="daily 09:00 18:00", time_zone="Asia/Tokyo")
    times = [put(to, number, next_slot=True).delivery.scheduled_at for number in range(4)]
    assert len(set(times)) == 4
    assert {moment.astimezone(to.plan.zone).hour for moment in times} == {9, 18}
    assert times == sorted(times)
    assert times[-1] - times[0] < timedelta(days=2)


def test_a_slot_that_was_given_back_is_free_again(put, channel, by):
    to = channel("dryrun", slots="daily 09:00")
    first = put(to, 1, next_slot=True).delivery
    queue.cancel(first.pk, by)
    assert put(to, 2, next_slot=True).delivery.scheduled_at == first.scheduled_at


def test_a_slot_is_not_before_the_time_that_was_asked(put, channel):
    to = channel("dryrun", slots="daily 09:00")
    at = timezone.now() + timedelta(days=3)
    assert timedelta() < put(to, next_slot=True, at=at).delivery.scheduled_at - at <= timedelta(1)


def test_a_slot_lies_after_the_embargo(approved, by, channel):
    to = channel("dryrun", slots="daily 09:00")
    story = approved()
    until = timezone.now() + timedelta(days=3)
    Article.objects.filter(pk=story.pk).update(embargo_until=until)
    [result] = queue.enqueue(story.pk, [to.pk], by, next_slot=True)
    assert result.delivery.scheduled_at > until


def test_a_channel_without_a_plan_says_so_and_others_take_it(approved, by, channel):
    without, planned = channel("dryrun"), channel("dryrun", slots="Mon 09:00")
    refused, taken = queue.enqueue(approved().pk, [without.pk, planned.pk], by, next_slot=True)
    assert "no weekly plan" in refused.problem
    assert taken.delivery is not None


def test_many_at_once_never_get_the_same_slot(approved, by, channel):
    to = channel("dryrun", slots="daily 09:00")
    stories = [approved(title=f"Story {number}", content=f"<p>{number}</p>") for number in range(6)]

    puts = [partial(queue.enqueue, story.pk, [to.pk], by, next_slot=True) for story in stories]
    at_once(*puts)
    assert len(set(Delivery.objects.values_list("scheduled_at", flat=True))) == 6


def test_the_next_slots_tell_who_has_them(put, channel):
    to = channel("dryrun", slots="daily 09:00")
    mine = put(to, next_slot=True).delivery
    first, second = planning.places(to, 2)
    assert (first.delivery, second.delivery) == (mine, None)
    assert second.at - first.at == timedelta(days=1)


# --- quiet hours ---


def test_what_falls_into_quiet_hours_waits_and_says_so(put, channel):
    now = timezone.now()
    to = channel("dryrun", quiet_hours=around(now, 30))
    delivery = put(to).delivery
    assert "keeps quiet hours; it waits until" in delivery.error_message
    assert deliver.drain() == 0
    delivery = fresh(delivery)
    assert (delivery.status, delivery.attempts) == (Status.PENDING, 0)
    assert timedelta(minutes=28) < delivery.next_attempt_at - now < timedelta(minutes=31)


def test_quiet_hours_that_were_set_later_keep_what_is_due_too(put, channel):
    to = channel("dryrun")
    one, two = put(to, 1).delivery, put(to, 2).delivery
    Channel.objects.update(quiet_hours=around(timezone.now(), 30))
    assert deliver.drain() == 0
    for each in (one, two):
        assert "keeps quiet hours" in fresh(each).error_message


def test_when_the_week_changes_what_waited_is_looked_at_anew(put, channel):
    to = channel("dryrun", quiet_hours=around(timezone.now(), 30))
    delivery = put(to).delivery
    to.quiet_hours = ""
    to.save()
    planning.replan(to)
    assert deliver.drain() == 1
    assert fresh(delivery).status == Status.PUBLISHED


def test_a_withdrawal_waits_for_no_quiet_hours(put, channel):
    to = channel("wordpress")
    delivery = put(to).delivery
    deliver.drain()
    Channel.objects.update(quiet_hours=around(timezone.now(), 30))
    Article.objects.filter(pk=delivery.article_id).update(state="killed")
    amend.withdraw()
    assert deliver.drain() == 1


def test_waiting_for_quiet_hours_is_not_late(put, channel):
    to = channel("dryrun", lateness_minutes=10)
    delivery = put(to).delivery
    now = timezone.now()
    begins, ends = now - timedelta(hours=2), now - timedelta(minutes=2)
    Channel.objects.update(quiet_hours=f"{begins:%a %H:%M}-{ends:%H:%M}")
    Delivery.objects.update(scheduled_at=now - timedelta(minutes=100), next_attempt_at=None)
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED


# --- lateness ---


@pytest.mark.parametrize(
    ("policy", "becomes"),
    [("send", Status.PUBLISHED), ("held", Status.HELD), ("missed", Status.MISSED)],
)
def test_a_delivery_may_have_a_late_policy_of_its_own(put, channel, policy, becomes):
    to = channel("dryrun", lateness_minutes=30)
    delivery = put(to, when_late=policy).delivery
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(hours=5))
    deliver.drain()
    assert fresh(delivery).status == becomes


@pytest.fixture
def sent(monkeypatch):
    titles: list[str] = []

    async def publish(_self, job, http):
        titles.append(job.post.title)
        return Receipt(job.post.marker)

    monkeypatch.setattr(DryRun, "publish", publish)
    return titles


def test_after_an_outage_the_oldest_goes_first_and_the_next_waits(put, channel, sent):
    to = channel("dryrun", catch_up_minutes=10)
    first, second, third = (put(to, number).delivery for number in range(3))
    now = timezone.now()
    for hours, each in ((1, first), (3, second), (2, third)):
        Delivery.objects.filter(pk=each.pk).update(scheduled_at=now - timedelta(hours=hours))
    assert deliver.drain() == 1
    assert sent == ["Story 1"]
    to.refresh_from_db()
    assert timedelta(minutes=9) < to.waits_until - now < timedelta(minutes=11)


def test_after_an_outage_nothing_goes_out_in_a_burst(put, channel, sent):
    to = channel("dryrun", rate_limit_per_minute=12)
    for number in range(3):
        put(to, number)
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(hours=1))
    assert deliver.drain() == 1


def test_a_time_zone_of_the_channel_holds_for_its_quiet_hours():
    tokyo = Channel(quiet_hours="daily 22:00-06:00", time_zone="Asia/Tokyo").plan
    assert tokyo.quiet_until(datetime(2026, 5, 8, 14, tzinfo=UTC)) == datetime(
        2026, 5, 8, 21, tzinfo=UTC
    )
