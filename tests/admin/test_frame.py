"""The console's frame: every list opens with few queries, every page for those who may."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config import console as frame
from config.admin_base import DeskAdmin, DeskStackedInline, DeskTabularInline


def lists():
    return [
        reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        for page in admin.site._registry.values()
    ]


def test_every_page_stands_on_our_base():
    strangers = [page for page in admin.site._registry.values() if not isinstance(page, DeskAdmin)]
    assert strangers == []


def test_no_field_of_a_page_asks_for_a_badge_that_only_lists_draw():
    """Unfold draws `display(label=…)` in lists; on a page the bare value would stand there."""
    rows = [*DeskTabularInline.__subclasses__(), *DeskStackedInline.__subclasses__()]
    assert len(rows) > 5
    places: list[Any] = [*admin.site._registry.values(), *rows]
    bare = [
        (place, field)
        for place in places
        for field in place.readonly_fields
        if getattr(getattr(place, field, None), "label", None)
    ]
    assert bare == []


def test_every_list_and_the_first_page_open_for_an_administrator(ada, wire, draft, console):
    wire(2)
    draft(ada)
    browser = console(ada)
    for url in [reverse("admin:index"), *lists()]:
        answer = browser.get(url)
        assert answer.status_code == 200, url


@pytest.mark.parametrize("page", ["wireitem", "story"])
def test_a_longer_list_costs_no_more_queries(ada, wire, draft, console, page):
    browser = console(ada)
    url = reverse(f"admin:articles_{page}_changelist")

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            browser.get(url)
        return len(captured)

    wire(1)
    draft(ada)
    few = queries()
    wire(30)
    for number in range(10):
        draft(ada, title=f"Story {number}")
    assert queries() == few
    assert few <= 15


def test_no_list_takes_more_than_15_queries(ada, wire, draft, console):
    wire(5)
    draft(ada)
    browser = console(ada)
    for url in lists():
        with CaptureQueriesContext(connection) as captured:
            browser.get(url)
        assert len(captured) <= 15, (url, [q["sql"][:120] for q in captured.captured_queries])


def test_the_first_page_is_bounded_too(ada, wire, draft, console):
    wire(5)
    draft(ada)
    browser = console(ada)
    with CaptureQueriesContext(connection) as captured:
        browser.get(reverse("admin:index"))
    assert len(captured) <= 26, "\n".join(q["sql"][:230] for q in captured.captured_queries)


def test_badges_stop_counting(wire, edda, monkeypatch):
    wire(5)
    assert frame.capped(frame.new_on_the_wire()) == "5"
    monkeypatch.setattr(frame, "CAP", 3)
    assert frame.capped(frame.new_on_the_wire()) == "2+"


def sidebar_of(user, console):
    page = console(user).get(reverse("admin:index"))
    return [
        item["title"] for group in page.context["sidebar_navigation"] for item in group["items"]
    ]


def test_the_sidebar_stands_in_the_order_an_editor_works(ada, console):
    assert sidebar_of(ada, console)[:13] == [
        "Today", "Wire", "Clusters", "Stories", "Publishing queue", "Sources", "Coverage",
        "Rules", "Channels", "Subscribers", "Schedules", "Users", "Groups",
    ]  # fmt: skip


def test_the_sidebar_shows_a_writer_no_settings(will, console):
    shown = sidebar_of(will, console)
    assert {"Wire", "Stories", "Publishing queue"} <= set(shown)
    assert not {"Schedules", "Users", "Groups"} & set(shown)


def test_the_first_page_names_what_waits(draft, edda, will, console, at_the_console):
    from articles import desk

    story = draft(will, title="Night buses stay")
    desk.submit(story.pk, at_the_console(will))
    page = console(edda).get(reverse("admin:index")).content.decode()
    assert "Waiting for review" in page
    assert "Night buses stay" in page
