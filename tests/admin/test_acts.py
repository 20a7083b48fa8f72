"""Every change of state is a POST with a CSRF token, by somebody who may, on what they saw."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from articles.lifecycle import State
from config.admin_acts import Acting


def act_url(story, name):
    return reverse("admin:articles_story_act", args=(story.pk, name))


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_a_get_on_any_act_is_refused_and_changes_nothing(draft, paula, console):
    story = draft(paula)
    for act in ("submit", "approve", "spike", "kill", "no-such-act"):
        assert console(paula).get(act_url(story, act)).status_code == 405
    story.refresh_from_db()
    assert story.state == State.DRAFT


def test_who_signs_in_again_at_an_act_is_shown_the_way_back(draft, paula, console):
    story = draft(paula)
    page = console(paula).get(act_url(story, "submit"))
    assert page["Allow"] == "POST"
    assert "Nothing was done" in page.content.decode()
    assert reverse("admin:articles_story_change", args=(story.pk,)) in page.content.decode()


def test_every_page_with_acts_refuses_get(ada, console):
    pages = [page for page in admin.site._registry.values() if isinstance(page, Acting)]
    assert len(pages) > 5
    for page in pages:
        url = reverse(
            f"admin:{page.opts.app_label}_{page.opts.model_name}_act", args=("1", "anything")
        )
        assert console(ada).get(url).status_code == 405, page


def test_a_post_without_csrf_token_is_refused(draft, paula, console):
    story = draft(paula)
    answer = console(paula, checks_csrf=True).post(act_url(story, "submit"), {"version": 1})
    assert answer.status_code == 403
    story.refresh_from_db()
    assert story.state == State.DRAFT


def test_submitting_and_approving_by_button(draft, paula, console):
    story = draft(paula)
    browser = console(paula)
    answer = browser.post(act_url(story, "submit"), {"version": 1}, follow=True)
    assert messages_of(answer) == ["Submitted for review."]
    answer = browser.post(act_url(story, "approve"), {"version": 2}, follow=True)
    assert messages_of(answer) == ["Approved."]
    story.refresh_from_db()
    assert story.state == State.APPROVED
    assert story.approved_revision == story.current_revision


def test_a_stale_button_is_told_and_does_nothing(draft, paula, console):
    story = draft(paula)
    console(paula).post(act_url(story, "submit"), {"version": 1})
    answer = console(paula).post(act_url(story, "approve"), {"version": 1}, follow=True)
    assert "Somebody saved this after you had opened it" in messages_of(answer)[0]
    story.refresh_from_db()
    assert story.state == State.IN_REVIEW


def test_an_act_that_asks_comes_as_a_page_without_javascript(draft, paula, console):
    story = draft(paula)
    browser = console(paula)
    browser.post(act_url(story, "submit"), {"version": 1})

    asked = browser.post(act_url(story, "return"), {"version": 2})
    assert asked.status_code == 200
    assert 'name="reason"' in asked.content.decode()

    empty = browser.post(act_url(story, "return"), {"version": 2, "confirmed": 1, "reason": " "})
    assert "This field is required." in empty.content.decode()
    story.refresh_from_db()
    assert story.state == State.IN_REVIEW

    done = browser.post(
        act_url(story, "return"),
        {"version": 2, "confirmed": 1, "reason": "A second source, please."},
        follow=True,
    )
    assert messages_of(done) == ["Returned to the writer."]
    assert story.events.first().reason == "A second source, please."


def test_the_way_back_stays_in_the_house(draft, paula, console):
    story = draft(paula)
    answer = console(paula).post(
        act_url(story, "submit"), {"version": 1, "next": "https://evil.example/"}
    )
    assert answer.url == reverse("admin:articles_story_change", args=(story.pk,))


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("vera", []),
        ("will", ["submit"]),
        ("edda", ["submit", "spike"]),
        ("paula", ["submit", "spike"]),
    ],
)
def test_the_buttons_follow_the_rights(request, draft, will, console, who, offered):
    story = draft(will)
    user: User = request.getfixturevalue(who)
    page = console(user).get(reverse("admin:articles_story_change", args=(story.pk,)))
    lifecycle = {"submit", "return", "approve", "spike", "unspike", "correct", "kill"}
    assert [o.act.name for o in page.context["offers"] if o.act.name in lifecycle] == offered


def test_a_hidden_button_can_not_be_pressed_anyway(draft, will, console):
    story = draft(will)
    console(will).post(act_url(story, "submit"), {"version": 1})
    answer = console(will).post(act_url(story, "approve"), {"version": 2}, follow=True)
    assert "not open to you" in messages_of(answer)[0]
    story.refresh_from_db()
    assert story.state == State.IN_REVIEW
