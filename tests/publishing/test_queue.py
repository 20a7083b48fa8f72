"""The queue on a real database: claims, leases, races, and what people do with it."""

import time
import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from articles import desk, revise
from articles.errors import Incomplete, NotAllowed, WrongState
from articles.models import Article
from articles.record import Actor, Door
from publishing import begin, claim, deliver, queue, reconcile
from publishing.errors import LostClaim
from publishing.lifecycle import TERMINAL, WAYS, Status, may_become
from publishing.models import Attempt, Channel, Delivery
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


# --- putting in ---


def test_a_story_that_is_not_approved_can_not_be_queued(draft, paula, by, channel):
    with pytest.raises(WrongState, match="draft"):
        queue.enqueue(draft(paula).pk, [channel("dryrun").pk], by)


def test_an_editor_can_not_queue(approved, edda, channel):
    with pytest.raises(NotAllowed):
        queue.enqueue(approved().pk, [channel("dryrun").pk], Actor(edda, Door.ADMIN))


def test_a_time_that_has_passed_is_refused(approved, by, channel):
    with pytest.raises(Incomplete) as refusal:
        queue.enqueue(
            approved().pk, [channel("dryrun").pk], by, at=timezone.now() - timedelta(hours=1)
        )
    assert list(refusal.value.problems) == ["scheduled_at"]
    assert not Delivery.objects.exists()


def test_a_time_under_embargo_is_refused(queued, approved, by, channel):
    until = timezone.now() + timedelta(hours=2)
    story = approved()
    Article.objects.filter(pk=story.pk).update(embargo_until=until)
    to = [channel("dryrun").pk]
    for at in (None, until - timedelta(minutes=1)):
        with pytest.raises(Incomplete, match="embargo"):
            queue.enqueue(story.pk, to, by, at=at)
    delivery = queue.enqueue(story.pk, to, by, at=until)[0].delivery
    with pytest.raises(Incomplete, match="embargo"):
        queue.reschedule(delivery.pk, by, until - timedelta(minutes=1))


def test_each_channel_stands_alone(approved, by, channel):
    good, off = channel("dryrun"), channel("dryrun", is_active=False)
    unset = channel("mastodon", options={})
    results = queue.enqueue(approved().pk, [good.pk, off.pk, unset.pk], by)
    assert [bool(each.delivery) for each in results] == [True, False, False]
    assert "switched off" in results[1].problem
    assert "Instance" in results[2].problem


def test_a_story_goes_to_a_channel_once(queued, by, channel):
    delivery = queued(channel("dryrun"))
    again = queue.enqueue(delivery.article_id, [delivery.channel_id], by)[0]
    assert again.delivery is None
    deliver.drain()
    again = queue.enqueue(delivery.article_id, [delivery.channel_id], by)[0]
    assert "published" in again.problem


def test_a_correction_does_not_become_a_second_post(queued, channel, by):
    delivery = queued(channel("dryrun"))
    deliver.drain()
    story = desk.perform(delivery.article_id, "correct", by, reason="A name was wrong")
    revise.save(story.pk, by, story.version, {"content": "<p>Corrected.</p>"})
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    again = queue.enqueue(story.pk, [delivery.channel_id], by)[0].delivery
    assert again is not None
    assert (again.of, again.wish) == (delivery, Delivery.Wishes.CORRECT)
    assert again.act != Delivery.Acts.PUBLISH


def test_of_many_clicks_at_once_one_makes_a_delivery(approved, by, channel):
    story, to = approved(), channel("dryrun")
    at_once(*[lambda: queue.enqueue(story.pk, [to.pk], by)] * 8)
    assert Delivery.objects.count() == 1


# --- going out ---


def test_what_is_due_goes_out_and_the_story_is_live(queued, channel, world):
    delivery = queued(channel("wordpress"))
    assert deliver.drain() == 1
    delivery = fresh(delivery)
    assert (delivery.status, delivery.attempts) == (Status.PUBLISHED, 1)
    assert delivery.remote_url.startswith(world.url)
    story = Article.objects.get(pk=delivery.article_id)
    assert (story.state, story.distribution) == ("live", "live")
    assert story.events.filter(what="published", channel="task").exists()


def test_what_is_not_due_waits(queued, channel):
    delivery = queued(channel("dryrun"), at=timezone.now() + timedelta(hours=1))
    assert deliver.drain() == 0
    assert fresh(delivery).status == Status.PENDING


def test_an_attempt_is_on_record_before_the_call(queued, channel, monkeypatch):
    seen: list[tuple[str, int]] = []

    async def look(_self, job, http):
        from asgiref.sync import sync_to_async

        def read():
            row = Delivery.objects.get()
            seen.append((row.status, row.tries.filter(outcome="").count()))

        await sync_to_async(read)()
        raise AssertionError("never sent")

    monkeypatch.setattr("publishing.platforms.dryrun.DryRun.publish", look)
    delivery = queued(channel("dryrun"))
    deliver.drain()
    assert seen == [("sending", 1)]
    assert fresh(delivery).status == Status.IN_DOUBT  # an adapter's bug: nobody knows


def test_one_channels_deliveries_keep_their_order(queued, channel, world):
    to = channel("mastodon")
    for number in range(4):
        queued(to, title=f"Story {number}")
    deliver.drain()
    posted = sorted(world.posts("mastodon")["posts"], key=lambda post: post["at"])
    assert [post["html"].count(f"Story {n}") for n, post in enumerate(posted)] == [1] * 4


def test_a_channel_never_has_two_leases(queued, channel):
    to = channel("dryrun")
    for _ in range(5):
        queued(to)
    claimed: list[claim.Claim] = []
    at_once(*[lambda: claimed.extend(claim.claim(10))] * 6)
    assert len(claimed) == 1


def test_no_delivery_is_claimed_twice(queued, channel):
    for _ in range(20):
        queued(channel("dryrun"))
    claimed: list[claim.Claim] = []
    at_once(*[lambda: claimed.extend(claim.claim(5))] * 6)
    ids = [each.delivery_id for each in claimed]
    assert len(ids) == len(set(ids))


def test_two_drains_at_once_send_everything_once(queued, channel, world):
    for _ in range(3):
        to = channel("mastodon")
        for _ in range(5):
            queued(to)
    at_once(*[lambda: deliver.drain()] * 2)
    deliver.drain()
    assert list(world.posts("mastodon")["by_marker"].values()) == [1] * 15


def test_a_paused_channels_deliveries_wait(queued, channel):
    delivery = queued(channel("dryrun", paused_reason="Token expired"))
    assert deliver.drain() == 0
    assert fresh(delivery).status == Status.PENDING


def test_a_killed_story_does_not_go_out(queued, channel, by):
    first, second = channel("dryrun"), channel("dryrun")
    delivery = queued(first)
    queue.enqueue(delivery.article_id, [second.pk], by, at=timezone.now() + timedelta(hours=1))
    deliver.drain()
    desk.perform(delivery.article_id, "kill", by, reason="Wrong person named")
    Delivery.objects.filter(channel=second).update(scheduled_at=timezone.now())
    deliver.drain()
    waiting = Delivery.objects.get(channel=second)
    assert waiting.status == Status.CANCELLED
    assert waiting.tries.count() == 0


def test_a_text_that_was_changed_after_approval_does_not_go_out(queued, channel, by):
    delivery = queued(channel("dryrun"))
    story = Article.objects.get(pk=delivery.article_id)
    revise.save(story.pk, by, story.version, {"content": "<p>Other.</p>"})
    deliver.drain()
    assert fresh(delivery).status == Status.HELD
    assert "approve" in fresh(delivery).error_message


def test_what_goes_out_is_what_was_approved(queued, channel, by, world):
    delivery = queued(channel("wordpress"), title="As approved")
    story = Article.objects.get(pk=delivery.article_id)
    Article.objects.filter(pk=story.pk).update(title="Slipped in past the desk")
    deliver.drain()
    assert [post["title"] for post in world.posts("wordpress")["posts"]] == ["As approved"]


def test_an_embargo_is_kept(queued, channel, by):
    delivery = queued(channel("dryrun"))
    story = Article.objects.get(pk=delivery.article_id)
    until = timezone.now() + timedelta(hours=2)
    revise.save(story.pk, by, story.version, {"embargo_until": until})
    deliver.drain()
    delivery = fresh(delivery)
    assert delivery.status == Status.RETRY
    assert abs(delivery.next_attempt_at - until) < timedelta(seconds=10)


def test_what_is_later_than_its_channel_allows_is_missed(queued, channel):
    delivery = queued(channel("dryrun", lateness_minutes=30))
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(minutes=31))
    deliver.drain()
    assert fresh(delivery).status == Status.MISSED
    assert "30 minutes" in fresh(delivery).error_message


# --- going wrong ---


def test_a_platform_that_asks_for_patience_gets_it(queued, channel, world):
    world.faults(
        {
            "match": "/mastodon",
            "method": "POST",
            "mode": "429",
            "times": 1,
            "retry_after": 120,
        }
    )
    delivery = queued(channel("mastodon"))
    deliver.drain()
    delivery = fresh(delivery)
    wait = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert delivery.status == Status.RETRY
    assert 115 < wait < 125


def test_a_dead_credential_pauses_the_channel_and_burns_no_delivery(queued, channel, world):
    to = channel("mastodon", credentials={"token": "revoked"})
    deliveries = [queued(to) for _ in range(3)]
    deliver.drain()
    to.refresh_from_db()
    assert "credentials" in to.paused_reason
    assert {fresh(each).status for each in deliveries} == {Status.RETRY, Status.PENDING}
    assert sum(fresh(each).attempts for each in deliveries) == 1


def test_a_refusal_fails_for_good_and_says_why(queued, channel):
    to = channel("webhook")
    to.options = {"url": to.options["url"] + "/nothing-here"}
    to.save()
    delivery = queued(to)
    deliver.drain()
    assert fresh(delivery).status == Status.FAILED
    assert "405" in fresh(delivery).error_message


def test_an_address_inside_the_house_is_refused(queued, channel, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    delivery = queued(channel("webhook"))
    deliver.drain()
    assert fresh(delivery).status == Status.FAILED
    assert fresh(delivery).tries.get().outcome == Attempt.Outcomes.NOT_SENT


def test_nobody_listening_is_tried_again(queued, channel):
    delivery = queued(channel("webhook", options={"url": "http://127.0.0.1:1/"}))
    deliver.drain()
    assert fresh(delivery).status in (Status.RETRY, Status.FAILED)
    assert fresh(delivery).tries.get().outcome != Attempt.Outcomes.UNKNOWN


@pytest.mark.parametrize("platform", ["wordpress", "mastodon", "webhook"])
def test_a_lost_answer_is_found_out_without_a_person(queued, channel, world, platform):
    world.faults(
        {"match": f"/{platform}", "method": "POST", "mode": "accept_then_drop", "times": 1}
    )
    delivery = queued(channel(platform))
    deliver.drain()
    assert fresh(delivery).status == Status.IN_DOUBT
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    assert list(world.posts(platform)["by_marker"].values()) == [1]


def test_where_nobody_can_find_out_a_person_is_asked(queued, channel, world, by):
    world.faults({"match": "/bare", "method": "POST", "mode": "accept_then_drop", "times": 1})
    delivery = queued(channel("bare"))
    for _ in range(3):
        deliver.drain()
    delivery = fresh(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert world.posts("bare")["total"] == 1
    queue.was_posted(delivery.pk, by, "https://bare.example/1")
    assert fresh(delivery).status == Status.PUBLISHED
    assert Article.objects.get(pk=delivery.article_id).state == "live"


def test_a_person_may_have_it_sent_again(queued, channel, world, by):
    world.faults({"match": "/bare", "method": "POST", "mode": "drop_before", "times": 1})
    delivery = queued(channel("bare"))
    deliver.drain()
    assert fresh(delivery).status == Status.IN_DOUBT
    queue.send_again(delivery.pk, by)
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    assert world.posts("bare")["total"] == 1


# --- crashing ---


def claimed_one(delivery):
    (mine,) = claim.claim(1)
    assert mine.delivery_id == delivery.pk
    return mine


def run_out():
    Delivery.objects.exclude(lease_expires_at=None).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )


def test_a_claim_whose_worker_died_before_sending_waits_again(queued, channel):
    delivery = queued(channel("dryrun"))
    claimed_one(delivery)
    run_out()
    assert reconcile.expire() == 1
    assert fresh(delivery).status == Status.PENDING
    assert deliver.drain() == 1


@pytest.mark.parametrize(("platform", "by_itself"), [("mastodon", True), ("bare", False)])
def test_a_worker_that_died_while_sending_leaves_a_doubt(queued, channel, platform, by_itself):
    delivery = queued(channel(platform))
    assert begin.begin([claimed_one(delivery)])
    run_out()
    reconcile.expire()
    delivery = fresh(delivery)
    assert delivery.status == Status.IN_DOUBT
    assert (delivery.next_attempt_at is not None) is by_itself
    assert delivery.tries.get().outcome == Attempt.Outcomes.UNKNOWN


def test_a_worker_that_overslept_its_lease_sends_nothing(queued, channel, world, monkeypatch):
    def oversleep(claims):
        begun = begin.begin(claims)
        run_out()
        reconcile.expire()
        return begun

    monkeypatch.setattr(deliver, "begin", oversleep)
    delivery = queued(channel("bare"))
    deliver.drain()
    assert world.posts("bare")["total"] == 0
    assert fresh(delivery).status == Status.IN_DOUBT


@pytest.mark.parametrize("platform", ["wordpress", "mastodon", "webhook", "searchable"])
def test_a_worker_that_died_before_it_wrote_the_answer_down_leaves_one_post(
    queued, channel, world, monkeypatch, platform
):
    def die(*_):
        raise OperationalError("the power is gone")

    delivery = queued(channel(platform))
    with monkeypatch.context() as patch:
        patch.setattr("publishing.outcome.published", die)
        with pytest.raises(OperationalError):
            deliver.drain()
    assert fresh(delivery).status == Status.SENDING
    run_out()
    reconcile.expire()
    deliver.drain()
    assert fresh(delivery).status == Status.PUBLISHED
    where = "bare" if platform == "searchable" else platform
    assert list(world.posts(where)["by_marker"].values()) == [1]
    assert world.posts(where)["total"] == 1


def test_a_lease_that_runs_is_left_alone(queued, channel):
    claimed_one(queued(channel("dryrun")))
    assert reconcile.expire() == 0


def test_whoever_lost_the_claim_can_neither_renew_nor_settle(queued, channel):
    delivery = queued(channel("dryrun"))
    mine = claimed_one(delivery)
    run_out()
    reconcile.expire()
    theirs = claimed_one(delivery)
    assert theirs.token != mine.token
    for late in (
        lambda: claim.renew(mine),
        lambda: claim.keep_draft(mine, "7"),
        lambda: claim.settle(mine, Status.FAILED),
    ):
        with pytest.raises(LostClaim):
            late()
    assert claim.renew_all([mine, theirs]) == {theirs}
    with transaction.atomic():
        assert list(claim.all_locked([mine, theirs])) == [theirs]
    claim.settle(theirs, Status.RETRY)


def test_a_forged_token_settles_nothing(queued, channel):
    delivery = queued(channel("dryrun"))
    claimed_one(delivery)
    with pytest.raises(LostClaim):
        claim.settle(claim.Claim(delivery.pk, uuid.uuid4(), Status.PENDING), Status.PUBLISHED)


@pytest.mark.parametrize("ended", sorted(TERMINAL))
def test_what_has_ended_never_reopens_whoever_tries(queued, channel, ended):
    delivery = queued(channel("dryrun"))
    Delivery.objects.filter(pk=delivery.pk).update(status=ended)
    for status in set(WAYS) - {ended}:
        with pytest.raises(DatabaseError, match="can not become"), transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(status=status)


# --- changing one's mind ---


def test_a_waiting_delivery_is_cancelled(queued, channel, by):
    delivery = queued(channel("dryrun"), at=timezone.now() + timedelta(hours=1))
    queue.cancel(delivery.pk, by)
    assert fresh(delivery).status == Status.CANCELLED
    assert fresh(delivery).cancelled_by == by.user


def test_too_late_to_cancel_says_what_stands(queued, channel, by):
    delivery = queued(channel("dryrun"))
    deliver.drain()
    with pytest.raises(WrongState, match="published"):
        queue.cancel(delivery.pk, by)


def test_cancelled_is_never_sent_and_sent_is_never_cancelled(queued, channel, by, world):
    """200 deliveries; three people always cancel the very one that two drains claim next."""
    channels = [channel("bare") for _ in range(4)]
    for number in range(200):
        queued(channels[number % 4])
    ids = list(Delivery.objects.values_list("pk", flat=True))
    cancelled: list[int] = []
    too_late: list[int] = []

    def race(number):
        if number < 2:
            deliver.drain()
            return
        waiting = Delivery.objects.filter(status=Status.PENDING).order_by("scheduled_at", "id")
        while pks := list(waiting.values_list("pk", flat=True)[:4]):
            pk = pks[number % len(pks)]
            time.sleep(0.02)
            try:
                queue.cancel(pk, by)
                cancelled.append(pk)
            except WrongState:
                too_late.append(pk)

    at_once(*[partial(race, number) for number in range(5)])
    deliver.drain()
    rows = Delivery.objects.in_bulk(ids)
    sent = world.posts("bare")["by_marker"]
    assert {pk for pk in ids if rows[pk].status == Status.CANCELLED} == set(cancelled)
    assert set(sent.values()) == {1}
    assert not {str(rows[pk].marker) for pk in cancelled} & set(sent)
    assert len(sent) + len(cancelled) == 200
    assert min(len(sent), len(cancelled), len(too_late)) > 10, "hardly a race"


def test_a_delivery_is_moved_to_another_time(queued, channel, by):
    delivery = queued(channel("dryrun"))
    at = timezone.now() + timedelta(hours=3)
    queue.reschedule(delivery.pk, by, at)
    assert deliver.drain() == 0
    assert fresh(delivery).scheduled_at == at


def test_what_waits_to_be_tried_again_is_moved_too_and_waits_like_new(queued, channel, by):
    delivery = queued(channel("dryrun"))
    Delivery.objects.update(status=Status.RETRY, next_attempt_at=timezone.now())
    queue.reschedule(delivery.pk, by, timezone.now() + timedelta(hours=3))
    assert fresh(delivery).status == Status.PENDING
    assert may_become(Status.RETRY, Status.PENDING)  # and the table of states says so


def test_a_failed_delivery_is_tried_again_as_a_new_one(queued, channel, by):
    to = channel("webhook")
    good = to.options["url"]
    Channel.objects.filter(pk=to.pk).update(options={"url": good + "/wrong"})
    delivery = queued(Channel.objects.get(pk=to.pk))
    deliver.drain()
    Channel.objects.filter(pk=to.pk).update(options={"url": good})
    new = queue.retry(delivery.pk, by)
    deliver.drain()
    assert (fresh(delivery).status, fresh(new).status) == (Status.FAILED, Status.PUBLISHED)
    assert new.marker == delivery.marker
    assert Article.objects.get(pk=delivery.article_id).distribution == "live"


def test_a_held_delivery_goes_on_when_it_is_released(queued, channel, by):
    delivery = queued(channel("dryrun"))
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.HELD)
    assert deliver.drain() == 0
    queue.release(delivery.pk, by)
    assert deliver.drain() == 1
