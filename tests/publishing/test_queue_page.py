"""The queue's page: doubts first, timeline, moving, acts on many, live rows."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse
from django.utils import timezone

from publishing import deliver, queue
from publishing.lifecycle import Status
from publishing.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:publishing_delivery_changelist")
TIMELINE = reverse("admin:publishing_delivery_timeline")
MOVE = reverse("admin:publishing_delivery_move")


@pytest.fixture
def at(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def tomorrow():
    return (timezone.now() + timedelta(days=1)).replace(hour=10, minute=25, second=0, microsecond=0)


@pytest.fixture
def in_doubt(queued, channel, world):
    world.faults({"match": "/bare", "method": "POST", "mode": "drop_before", "times": 1})
    delivery = queued(channel("bare"), title="Did it go out?")
    deliver.drain()
    return Delivery.objects.get(pk=delivery.pk)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def dropped(browser, delivery, hours=0, days=0):
    """What the script sends when a delivery is dropped so far from where it stands."""
    there = delivery.scheduled_at + timedelta(hours=hours, days=days)
    to = f"day:{there:%Y-%m-%d}" if days else f"hour:{there.replace(minute=0).isoformat()}"
    data = {"delivery": delivery.pk, "to": to, "seen": delivery.scheduled_at.isoformat()}
    return browser.post(f"{MOVE}?day={delivery.scheduled_at:%Y-%m-%d}", data).content.decode()


# --- doubts ---


@pytest.mark.parametrize("page", [LIST, TIMELINE])
def test_what_only_a_person_can_tell_stands_first_and_is_answered_there(in_doubt, at, paula, page):
    browser = at(paula)
    shown = browser.get(page).content.decode()
    assert shown.index(f'id="doubt-{in_doubt.pk}"') < shown.index("tl-ways")
    answer = reverse("admin:publishing_delivery_act", args=(in_doubt.pk, "was_posted"))
    data = {"confirmed": 1, "url": "https://bare.example/7", "next": page}
    assert browser.post(answer, data).url == page
    assert fresh(in_doubt).remote_url == "https://bare.example/7"
    assert f'id="doubt-{in_doubt.pk}"' not in browser.get(page).content.decode()


def test_sending_again_asks_once_more_before_it_does(in_doubt, at, paula):
    again = reverse("admin:publishing_delivery_act", args=(in_doubt.pk, "send_again"))
    asked = at(paula).post(again, {"next": LIST}).content.decode()
    assert "If it is, readers get it twice." in asked
    assert fresh(in_doubt).status == Status.IN_DOUBT


def test_who_may_not_answer_gets_no_buttons(in_doubt, at, edda):
    shown = at(edda).get(TIMELINE).content.decode()
    assert in_doubt.article.title in shown
    assert "It is there" not in shown


# --- the timeline ---


def test_a_delivery_stands_in_its_hour_on_its_channel(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow, title="Ferry times")
    day = f"{timezone.localtime(tomorrow):%Y-%m-%d}"
    shown = at(paula).get(TIMELINE, {"day": day}).content.decode()
    assert f'id="tl-{delivery.pk}"' in shown
    assert f'data-moves="{delivery.pk}"' in shown
    assert f'id="tl-{delivery.pk}"' not in at(paula).get(TIMELINE).content.decode()
    week = at(paula).get(TIMELINE, {"day": day, "view": "week"}).content.decode()
    assert f'id="tl-{delivery.pk}"' in week


def test_what_is_overdue_stands_at_now_until_it_goes(queued, channel, at, paula):
    to = channel("dryrun", paused_reason="Wrong password")
    delivery = queued(to)
    Delivery.objects.update(scheduled_at=timezone.now() - timedelta(days=3))
    shown = at(paula).get(TIMELINE).content.decode()
    assert f'id="tl-{delivery.pk}"' in shown
    assert "tl-overdue" in shown


def test_the_timeline_is_filtered_by_channel_and_state(queued, channel, at, paula):
    soon = timezone.now() + timedelta(seconds=30)
    here, there = channel("dryrun"), channel("dryrun")
    one, other = queued(here, at=soon), queued(there, at=soon, title="Elsewhere")
    shown = at(paula).get(TIMELINE, {"channel": here.pk, "view": "week"}).content.decode()
    assert f'id="tl-{one.pk}"' in shown
    assert f'id="tl-{other.pk}"' not in shown
    out = at(paula).get(TIMELINE, {"shown": "out", "view": "week"}).content.decode()
    assert f'id="tl-{one.pk}"' not in out


@pytest.mark.parametrize("wrong", ["?day=yes", "?channel=1%27", "?day=0001-01-01", "?view=x"])
def test_a_wrong_address_shows_a_timeline_all_the_same(db, at, paula, wrong):
    assert at(paula).get(TIMELINE + wrong).status_code == 200


@pytest.mark.parametrize("page", [LIST, TIMELINE, f"{TIMELINE}?view=week"])
def test_the_pages_ask_as_often_for_many_deliveries_as_for_few(
    queued, channel, at, paula, page, django_assert_max_num_queries
):
    soon = timezone.now() + timedelta(seconds=40)
    for number in range(6):
        queued(channel("dryrun"), at=soon, title=f"Number {number}")
    browser = at(paula)
    browser.get(page)
    with django_assert_max_num_queries(20) as many:
        browser.get(page)
    for number in range(8):
        queued(channel("dryrun"), at=soon, title=f"More {number}")
    with django_assert_max_num_queries(len(many)):
        browser.get(page)


# --- moving ---


def test_a_delivery_is_dropped_on_another_hour(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    said = dropped(at(paula), delivery, hours=3)
    assert fresh(delivery).scheduled_at == tomorrow + timedelta(hours=3)
    assert "It goes to dryrun 0 on" in said
    assert delivery.article.events.filter(what="reschedule").exists()


def test_a_delivery_is_dropped_on_another_day(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    dropped(at(paula), delivery, days=2)
    assert fresh(delivery).scheduled_at == tomorrow + timedelta(days=2)


def test_a_move_that_comes_too_late_says_how_it_stands(queued, channel, at, paula, by, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    queue.cancel(delivery.pk, by)
    said = dropped(at(paula), delivery, hours=1)
    assert "Too late to reschedule: the delivery to dryrun 0 is cancelled." in said
    assert fresh(delivery).scheduled_at == tomorrow


def test_two_people_do_not_move_over_each_other(queued, channel, at, paula, by, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    queue.reschedule(delivery.pk, by, tomorrow + timedelta(hours=5))
    said = dropped(at(paula), delivery, hours=1)
    assert "Somebody has moved it meanwhile" in said
    assert fresh(delivery).scheduled_at == tomorrow + timedelta(hours=5)


def test_nothing_is_moved_into_the_past(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    assert "This time has passed" in dropped(at(paula), delivery, days=-3)
    assert fresh(delivery).scheduled_at == tomorrow


def test_an_exact_time_needs_no_script(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    data = {"delivery": delivery.pk, "scheduled_at_0": "2027-02-03", "scheduled_at_1": "08:15"}
    done = at(paula).post(MOVE, data, follow=True).content.decode()
    assert "It goes to dryrun 0 on 3 Feb 2027" in done
    wrong = at(paula).post(MOVE, {**data, "scheduled_at_1": "soon"}, follow=True).content.decode()
    assert "Enter the new date and time" in wrong


def test_moving_needs_the_right_a_post_and_a_token(queued, channel, at, edda, tomorrow, client):
    delivery = queued(channel("dryrun"), at=tomorrow)
    dropped(at(edda), delivery, hours=3)
    assert fresh(delivery).scheduled_at == tomorrow
    assert client.get(MOVE).status_code == 405
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(edda)
    assert strict.post(MOVE, {"delivery": delivery.pk}).status_code == 403


def test_a_move_without_sense_is_a_sentence(queued, channel, at, paula, tomorrow):
    delivery = queued(channel("dryrun"), at=tomorrow)
    for data in (
        {}, {"delivery": "x"},
        {"delivery": delivery.pk, "to": "hour:never", "seen": "x"},
        {"delivery": delivery.pk, "to": "day:9999-12-31", "seen": "2026-01-01"},
    ):  # fmt: skip
        assert at(paula).post(MOVE, data, follow=True).status_code == 200
    assert fresh(delivery).scheduled_at == tomorrow


# --- many at once ---


def chosen(browser, act, deliveries, **more):
    data = {"action": act, "index": 0, ACTION_CHECKBOX_NAME: [each.pk for each in deliveries]}
    return browser.post(LIST, {**data, **more}, follow=True).content.decode()


def test_many_are_cancelled_at_once_after_one_question(queued, channel, at, paula, tomorrow):
    rows = [queued(channel("dryrun"), at=tomorrow, title=f"Row {n}") for n in range(3)]
    asked = chosen(at(paula), "cancel", rows)
    assert "Cancel: 3 deliveries" in asked
    assert all(fresh(row).status == Status.PENDING for row in rows)
    assert "3 deliveries cancelled." in chosen(at(paula), "cancel", rows, confirmed=1)
    assert all(fresh(row).status == Status.CANCELLED for row in rows)


def test_what_is_left_of_many_is_said_why(queued, channel, at, paula, by, tomorrow):
    rows = [queued(channel("dryrun"), at=tomorrow, title=f"Row {n}") for n in range(2)]
    queue.cancel(rows[0].pk, by)
    data = {"confirmed": 1, "scheduled_at_0": "2027-02-03", "scheduled_at_1": "08:15"}
    said = chosen(at(paula), "move", rows, **data)
    assert "1 delivery moved." in said
    assert "is cancelled." in said


def test_an_act_on_many_needs_the_right(queued, channel, at, edda, tomorrow):
    row = queued(channel("dryrun"), at=tomorrow)
    chosen(at(edda), "cancel", [row], confirmed=1)
    assert fresh(row).status == Status.PENDING


# --- live ---


def test_rows_tell_how_they_stand_now(queued, channel, at, paula):
    delivery = queued(channel("dryrun"))
    rows = reverse("admin:publishing_delivery_rows")
    assert "Pending" in at(paula).get(rows, {"ids": f"{delivery.pk},x,1e9"}).content.decode()
    deliver.drain()
    shown = at(paula).get(rows, {"ids": delivery.pk}).content.decode()
    assert "Published" in shown
    assert "the platform confirmed it" in shown
    assert f'data-live-part="standing-{delivery.pk}"' in shown


def test_a_deliverys_page_tells_its_attempts_and_leads_to_its_receipt(queued, channel, at, paula):
    delivery = queued(channel("dryrun"))
    deliver.drain()
    card = reverse("admin:publishing_delivery_card", args=(delivery.pk,))
    for page in (reverse("admin:publishing_delivery_change", args=(delivery.pk,)), card):
        shown = at(paula).get(page).content.decode()
        assert "Published: Dry run has it" in shown
        assert reverse("admin:publishing_delivery_receipt", args=(delivery.pk,)) in shown
    assert at(paula).get(card.replace(str(delivery.pk), "999999")).status_code == 404


# --- the list itself ---


def test_what_comes_next_stands_first_and_of_what_is_over_the_newest(at, paula, queued, channel):
    to = channel("dryrun")
    now = timezone.now()
    later = queued(to, title="Later", at=now + timedelta(hours=5))
    sooner = queued(to, title="Sooner", at=now + timedelta(hours=2))
    shown = at(paula).get(LIST).context["cl"].result_list
    assert [each.pk for each in shown] == [sooner.pk, later.pk]
    shown = at(paula).get(LIST, {"state": "all"}).context["cl"].result_list
    assert [each.pk for each in shown] == [later.pk, sooner.pk]


def test_the_page_is_named_the_queue_and_counts_deliveries(at, paula, queued, channel):
    queued(channel("dryrun"), at=timezone.now() + timedelta(hours=5))
    queued(channel("dryrun"), at=timezone.now() + timedelta(hours=5))
    page = at(paula).get(LIST).content.decode()
    assert "Publishing queue" in page
    assert "Deliveries</" not in "".join(page.split())
    assert "2 deliveries" in " ".join(page.split())


def test_an_empty_queue_says_once_what_to_do(at, paula, db):
    page = at(paula).get(LIST).content.decode()
    assert page.count("Nothing here.") == 1
    assert "No results found" not in page


def test_a_deliverys_details_are_those_that_there_are(at, paula, queued, channel):
    queued(channel("dryrun"))
    deliver.drain()
    delivery = Delivery.objects.get()
    page = at(paula).get(reverse("admin:publishing_delivery_change", args=(delivery.pk,)))
    shown = page.content.decode()
    assert "by paula" in shown
    assert "Next attempt" not in shown
    assert "Cancelled" not in shown.split("Details")[-1]
    assert "Confirmed by answer" not in shown
