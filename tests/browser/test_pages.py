"""Every page, in light and dark, wide and narrow: no complaint of the browser, nothing cut off."""

import os
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from articles import intake, regroup, rulebook, triage
from articles.models import Rule, WireItem
from articles.wire import WireCopy
from publishing.models import Channel
from sources.models import Source

PICTURES = os.environ.get("SCREENSHOTS")
"""A folder to leave a picture of every page in, for people who work on the console's looks."""


@pytest.fixture
def busy_desk(transactional_db, ada, draft, at_the_console):
    gazette = Source.objects.create(
        name="Harbour Gazette", connector="feed", api_endpoint="https://gazette.example/feed"
    )
    intake.file(
        gazette.pk,
        [
            WireCopy(
                external_id=str(number), title=f"Tide table number {number}",
                url=f"https://gazette.example/{number}", content=f"<p>High water at {number}.</p>",
            )
            for number in range(12)
        ],
    )  # fmt: skip
    courier = Source.objects.create(
        name="Courier", connector="feed", api_endpoint="https://courier.example/feed"
    )
    intake.file(courier.pk, [WireCopy("1", "Tide table number 3", content="<p>High water.</p>")])
    items = list(WireItem.objects.values_list("pk", flat=True))
    cluster = regroup.unite([items[3], items[0]], at_the_console(ada))
    story = triage.pick_up(items[:2], at_the_console(ada))
    type(story).objects.filter(pk=story.pk).update(url=f"https://x.example/{'long_address_' * 12}")
    draft(ada)
    lead = story.origins.get(role="lead").item
    rewritten = WireCopy(lead.external_id, f"{lead.title}, corrected", content="<p>Low water.</p>")
    intake.file(gazette.pk, [rewritten])
    rule = Rule.objects.create(name="Tides", spike=True, tags=["tides"])
    rule.conditions.create(field="title", operator="contains", value="tide table")
    channel = Channel.objects.create(
        name="Blog", platform="mastodon", options={"url": "https://m.example"}, credentials={}
    )
    run = rulebook.try_out(rule, 7, at_the_console(ada), timezone.now())
    return {
        "today": reverse("admin:index"),
        "item": reverse("admin:articles_wireitem_change", args=(items[3],)),
        "story": reverse("admin:articles_story_change", args=(story.pk,)),
        "new-story": reverse("admin:articles_story_add"),
        "revision": reverse("admin:articles_story_revision", args=(story.pk, 1)),
        "rule": reverse("admin:articles_rule_change", args=(rule.pk,)),
        "rule-run": reverse("admin:articles_rulerun_change", args=(run.pk,)),
        "new-rule": reverse("admin:articles_rule_add"),
        "source": reverse("admin:sources_source_change", args=(gazette.pk,)),
        "cluster": reverse("admin:articles_cluster_change", args=(cluster.pk,)),
        "coverage": reverse("admin:sources_source_coverage"),
        "queue-day": reverse("admin:publishing_delivery_timeline"),
        "queue-week": reverse("admin:publishing_delivery_timeline") + "?view=week",
        "publish": reverse("admin:publishing_delivery_publish", args=(story.pk,)),
        "platforms": reverse("admin:publishing_channel_add"),
        "new-channel": reverse("admin:publishing_channel_add") + "?platform=email",
        "channel": reverse("admin:publishing_channel_change", args=(channel.pk,)),
        "import-subscribers": reverse("admin:publishing_subscriber_import"),
        "person": reverse("admin:auth_user_change", args=(ada.pk,)),
        **{
            f"list-{page.opts.model_name}": reverse(
                f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"
            )
            for page in admin.site._registry.values()
        },
    }


@pytest.mark.parametrize(
    ("look", "width", "dark"), [("wide", 1280, False), ("dark", 1280, True), ("phone", 390, False)]
)
def test_pages_are_clean(busy_desk, ada, at_the_browser, look, width, dark):
    person = at_the_browser(ada, width=width, height=900, dark=dark)
    person.complaints()
    for name, path in busy_desk.items():
        person.opens(path)
        person.finds("#main")
        if name in ("story", "new-story"):
            person.finds(".tiptap")
        if PICTURES:
            person.window.save_screenshot(str(Path(PICTURES) / f"{look}-{name}.png"))
        assert person.complaints() == [], name
        assert "Server Error" not in person.page(), name
        too_wide = person.window.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth"
        )
        assert too_wide <= 0, f"{name} is {too_wide} pixels wider than the window"


def test_nothing_comes_from_outside(busy_desk, ada, at_the_browser, live_server):
    person = at_the_browser(ada)
    for name in ("today", "list-wireitem", "story"):
        person.opens(busy_desk[name])
        person.finds("#main")
        loaded = person.window.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert loaded
        assert [each for each in loaded if not each.startswith(live_server.url)] == [], name
