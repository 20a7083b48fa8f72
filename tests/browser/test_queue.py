"""The queue in a browser: dragging on the timeline, answering a doubt, rows that stay live."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from articles import desk
from articles.record import Actor, Door
from publishing import deliver, queue
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery

LIST = reverse("admin:publishing_delivery_changelist")


@pytest.fixture
def by(ada):
    return Actor(ada, Door.ADMIN)


@pytest.fixture
def tomorrow():
    at = timezone.localtime() + timedelta(days=1)
    return at.replace(hour=10, minute=25, second=0, microsecond=0)


@pytest.fixture
def delivery(transactional_db, ada, by, draft, tomorrow):
    story = draft(ada)
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    channel = Channel.objects.create(name="Dry run 1", platform="dryrun", credentials={})
    Channel.objects.create(name="Dry run 2", platform="dryrun", credentials={})
    found = queue.enqueue(story.pk, [channel.pk], by, at=tomorrow)[0].delivery
    assert found is not None
    return found


def timeline(moment):
    return f"{reverse('admin:publishing_delivery_timeline')}?day={moment:%Y-%m-%d}"


def cell(person, moment, lane):
    hour = moment.replace(minute=0).isoformat()
    return person.finds(f'td[data-to="hour:{hour}"][data-lane="{lane}"]')


def drag(person, chip, target):
    person.window.execute_script("arguments[0].scrollIntoView({block: 'center'})", chip)
    ActionChains(person.window, duration=50).click_and_hold(chip).move_by_offset(
        0, 12
    ).move_to_element(target).release().perform()


def test_a_delivery_is_dragged_to_another_hour_and_only_on_its_channel(
    delivery, ada, tomorrow, at_the_browser
):
    person = at_the_browser(ada)
    person.complaints()
    person.opens(timeline(tomorrow))
    chip = person.finds(f"#tl-{delivery.pk}")
    drag(person, chip, cell(person, tomorrow + timedelta(hours=3), delivery.channel_id))
    person.sees("at 13:25")
    assert Delivery.objects.get().scheduled_at == tomorrow + timedelta(hours=3)

    other = Channel.objects.exclude(pk=delivery.channel_id).get()
    chip = person.finds(f"#tl-{delivery.pk}")
    drag(person, chip, cell(person, tomorrow + timedelta(hours=4), other.pk))
    assert "timeline" in person.window.current_url  # nor is it opened by the click of the drop
    assert Delivery.objects.get().scheduled_at == tomorrow + timedelta(hours=3)
    assert person.complaints() == []


def test_the_keyboard_moves_it_too_and_keeps_the_focus(delivery, ada, tomorrow, at_the_browser):
    person = at_the_browser(ada)
    person.opens(timeline(tomorrow))
    person.finds(f"#tl-{delivery.pk}").send_keys(Keys.SHIFT, Keys.ARROW_DOWN)
    person.sees("at 11:25")
    focused = person.window.switch_to.active_element
    assert focused.get_attribute("id") == f"tl-{delivery.pk}"
    focused.send_keys(Keys.SHIFT, Keys.ARROW_UP)
    person.sees("at 10:25")
    assert Delivery.objects.get().scheduled_at == tomorrow


def test_a_drag_that_comes_too_late_says_how_it_stands(delivery, ada, by, tomorrow, at_the_browser):
    person = at_the_browser(ada)
    person.opens(timeline(tomorrow))
    chip = person.finds(f"#tl-{delivery.pk}")
    queue.cancel(delivery.pk, by)
    drag(person, chip, cell(person, tomorrow + timedelta(hours=2), delivery.channel_id))
    person.sees("Too late to reschedule: the delivery to Dry run 1 is cancelled.")


def test_rows_and_timeline_change_while_somebody_looks(delivery, ada, by, tomorrow, at_the_browser):
    person, colleague = at_the_browser(ada), at_the_browser(ada)
    person.opens(LIST)
    person.sees("Pending")
    colleague.opens(timeline(tomorrow))
    colleague.finds(f"#tl-{delivery.pk}.tl-pending")
    box = person.finds(f"input.action-select[value='{delivery.pk}']")
    box.click()
    queue.hold(delivery.pk, by, reason="The lawyer reads it")
    person.sees("It is held until somebody releases it.")
    assert box.is_selected()
    colleague.finds(f"#tl-{delivery.pk}.tl-held")


def test_a_doubt_is_answered_with_a_link_on_the_queues_page(delivery, ada, at_the_browser):
    for status in (Status.CLAIMED, Status.SENDING, Status.IN_DOUBT):
        Delivery.objects.update(status=status, next_attempt_at=None)
    person = at_the_browser(ada)
    person.opens(LIST)
    person.finds(".qd-url").send_keys("https://blog.example/ferry")
    person.clicks("It is there", saying="Noted: the story is on Dry run 1.")
    assert Delivery.objects.get().remote_url == "https://blog.example/ferry"


def test_an_approved_story_is_two_clicks_from_its_readers(
    transactional_db, ada, by, draft, at_the_browser
):
    channel = Channel.objects.create(name="Our blog", platform="dryrun", credentials={})
    story = draft(ada)
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    person = at_the_browser(ada)
    person.complaints()
    person.opens(reverse("admin:articles_story_change", args=(story.pk,)))
    person.presses("publish", saying="What you see is what goes out")
    assert person.finds(f"#channel-{channel.pk}").is_selected()
    person.finds("#publish-now").click()
    person.sees("Queued to Our blog, now.")
    assert Delivery.objects.get().channel == channel
    assert "is due" in person.finds("#deliveries-group .q-words").text
    deliver.drain()
    person.sees("It went to Our blog")  # by itself, without a reload
    assert person.complaints() == []


def test_in_the_week_a_delivery_is_dragged_to_another_day(delivery, ada, tomorrow, at_the_browser):
    start = tomorrow + timedelta(days=7 - tomorrow.weekday())  # Monday, so that days follow
    Delivery.objects.update(scheduled_at=start)
    person = at_the_browser(ada)
    person.complaints()
    person.opens(f"{timeline(start)}&view=week")
    wednesday = start + timedelta(days=2)
    css = f'td[data-to="day:{wednesday:%Y-%m-%d}"][data-lane="{delivery.channel_id}"]'
    drag(person, person.finds(f"#tl-{delivery.pk}"), person.finds(css))
    person.sees(f"on {wednesday.day} {wednesday:%b %Y} at 10:25")
    assert Delivery.objects.get().scheduled_at == wednesday
    assert person.complaints() == []


def in_doubt(delivery):
    for status in (Status.CLAIMED, Status.SENDING, Status.IN_DOUBT):
        Delivery.objects.filter(pk=delivery.pk).update(status=status, next_attempt_at=None)


def test_a_doubt_is_sent_again_after_one_more_question(delivery, ada, at_the_browser):
    in_doubt(delivery)
    person = at_the_browser(ada)
    person.opens(LIST)
    person.finds("#doubts").find_elements("css selector", "form button")[1].click()
    person.sees("readers get it twice")
    assert Delivery.objects.get().status == Status.IN_DOUBT
    person.clicks("Send again", saying="It is sent to Dry run 1 again.")
    assert Delivery.objects.get().status == Status.RETRY


@pytest.fixture
def several(delivery, ada, by, draft, tomorrow):
    """Three deliveries of Dry run 1."""
    for number in range(2):
        story = draft(ada, title=f"Tide table {number}", content=f"<p>Water {number}.</p>")
        desk.submit(story.pk, by)
        desk.approve(story.pk, by)
        [queued] = queue.enqueue(story.pk, [delivery.channel_id], by, at=tomorrow)
        assert queued.delivery is not None
    return list(Delivery.objects.order_by("pk"))


def choose(person, act, *deliveries):
    for each in deliveries:
        person.finds(f"input.action-select[value='{each.pk}']").click()
    person.window.execute_script(
        "const menu = document.querySelector('select[name=action]');"
        "menu.value = arguments[0]; menu.dispatchEvent(new Event('change', {bubbles: true}));",
        act,
    )
    person.clicks("Run")


def test_several_are_cancelled_together_after_a_question(several, ada, at_the_browser):
    person = at_the_browser(ada)
    person.opens(LIST)
    choose(person, "cancel", several[0], several[2])
    person.sees("Cancel: 2 deliveries")
    assert Delivery.objects.filter(status=Status.CANCELLED).count() == 0
    person.clicks("Cancel", saying="2 deliveries cancelled.")
    assert [each.status for each in Delivery.objects.order_by("pk")] == [
        Status.CANCELLED, Status.PENDING, Status.CANCELLED,
    ]  # fmt: skip


def test_several_that_failed_are_tried_again_together(several, ada, at_the_browser):
    for each in several[:2]:
        for status in (Status.CLAIMED, Status.SENDING, Status.FAILED):
            Delivery.objects.filter(pk=each.pk).update(status=status)
    person = at_the_browser(ada)
    person.opens(f"{LIST}?state=failed")
    choose(person, "retry", *several[:2])
    person.sees("Try again: 2 deliveries")
    person.clicks("Try again", saying="2 deliveries tried again.")
    assert Delivery.objects.filter(status=Status.FAILED).count() == 2
    assert Delivery.objects.filter(status=Status.PENDING).count() == 3


def test_what_is_stuck_on_a_channel_goes_on_together(several, ada, at_the_browser):
    for each in several:
        for status in (Status.CLAIMED, Status.HELD):
            Delivery.objects.filter(pk=each.pk).update(
                status=status, error_message="Not sent: the channel's settings changed."
            )
    person = at_the_browser(ada)
    person.complaints()
    person.opens(reverse("admin:publishing_channel_change", args=(several[0].channel_id,)))
    person.sees("Stuck here: 3 held.")
    person.finds("#go-on-link").click()
    person.sees("Held by the desk: 3")
    person.clicks("Release and try again", saying="3 deliveries released.")
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.PENDING}
    assert person.complaints() == []


def test_a_deliverys_page_changes_while_somebody_looks(delivery, ada, by, at_the_browser):
    person = at_the_browser(ada)
    person.opens(reverse("admin:publishing_delivery_change", args=(delivery.pk,)))
    person.sees("It goes to Dry run 1")
    queue.cancel(delivery.pk, by)
    person.sees("Cancelled")
