"""The queue in a browser: dragging on the timeline, answering a doubt, rows that stay live."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from articles import desk
from articles.record import Actor, Door
from publishing import queue
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
    assert person.complaints() == []
