"""From a story to its channels: previews that tell the truth, problems first, two clicks."""

import asyncio
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from articles import desk, revise
from config.outbound import Client, from_settings
from publishing import deliver, dry_run, platforms, preview
from publishing.admin.publishing_page import address
from publishing.compose import compose
from publishing.counting import Ruler
from publishing.models import Channel, Delivery
from publishing.post import Capabilities, Job, Once, Post
from tests.publishing.wire import Answer, speaking

LONG = " ".join(f"Sentence number {number} tells what happened." for number in range(80))
PICTURE = '<p><img src="https://example.org/f.jpg" alt="The old pier"></p>'


def short(**more):
    return Capabilities(once=Once.NONE, in_words="", ruler=Ruler(120), **more)


# --- what is shown, pure ---


def seen(post, capabilities, **options):
    sent = preview.texts(post, capabilities, options)
    return preview.preview(post, sent, capabilities, options)


def test_a_short_text_is_counted_as_the_platform_counts():
    capabilities = Capabilities(once=Once.NONE, in_words="", ruler=Ruler(100, url_counts=23))
    shown = seen(Post("Ferry", "", "", url=f"https://example.org/{'x' * 90}"), capabilities)
    (part,) = shown.parts
    assert (part.length, part.limit, part.full) == (len("Ferry\n\n") + 23, 100, 30)
    assert shown.card
    assert shown.host == "example.org"


def test_a_thread_is_shown_part_by_part_and_none_is_too_long():
    shown = seen(Post("Ferry", "", LONG), short(), form="thread")
    assert len(shown.parts) > 3
    assert shown.parts[1].text.startswith("2/")
    assert all(part.length <= part.limit for part in shown.parts)
    assert not shown.card


def test_a_whole_story_has_no_parts_and_says_how_long_it_is():
    shown = seen(Post("Ferry", "", LONG), Capabilities(once=Once.NONE, in_words=""))
    assert shown.whole
    assert "The whole story: 480 words, about 2 min to read." in shown.remarks


def test_what_is_lost_on_the_way_is_said():
    post = compose(
        title="Ferry", summary=LONG, content=PICTURE * 3 + "<p>It sails.</p>", tags=["harbour" * 12]
    )
    said = " ".join(seen(post, short(pictures=1)).remarks)
    assert "No link goes along" in said
    assert "The summary is cut short to fit." in said
    assert "Left out: #harbour" in said
    assert "2 pictures stay behind." in said


def test_a_picture_without_a_description_is_noticed():
    content = '<p><img src="https://example.org/f.jpg"></p>'
    post = compose(title="Ferry", summary="", content=content)
    for knows, notices in ((True, 1), (False, 0)):
        remarks = seen(post, short(pictures=1, alt_text=knows)).remarks
        assert sum("no description" in each for each in remarks) == notices


# --- the preview is what is sent ---

STORY = compose(
    title="Ferry returns", summary=f"It sails again. {LONG}", content=f"<p>{LONG}</p>{PICTURE}",
    url="https://example.org/ferry", tags=["ferry"], marker="0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11",
)  # fmt: skip
MESSAGE = {"ok": True, "result": {"message_id": 5, "chat": {"id": -100, "username": "harbour"}}}
SENT = {
    "telegram": (
        "POST /bot12:ab/sendPhoto", {"chat": "@harbour"}, {"token": "12:ab"}, MESSAGE,
        lambda body: body["caption"].replace("<b>", "").replace("</b>", ""),
    ),
    "discord": (
        "POST /api/webhooks/1/tok", {"pictures": False}, {}, {"id": "9", "channel_id": "7"},
        lambda body: body["content"],
    ),
    "matrix": (
        "PUT /_matrix/client/v3/rooms/*", {"room": "!a:b.example", "pictures": False},
        {"token": "t"}, {"event_id": "$1"}, lambda body: body["body"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", SENT)
def test_what_is_shown_is_what_is_sent(key):
    route, options, credentials, answer, words = SENT[key]
    with speaking() as wire:
        wire.says(route, Answer(json=answer))
        options = options | {"url": wire.url}
        hook = {"webhook": f"{wire.url}/api/webhooks/1/tok"} if key == "discord" else {}
        platform = platforms.platform(key)

        async def go():
            async with Client(from_settings()) as http:
                await platform.publish(Job(STORY, options, credentials | hook), http)

        asyncio.run(go())
        sent = words(wire.to(route)[0].json)
    channel = Channel(platform=key, options=options)
    assert dry_run.sent_texts(platform, STORY, channel).parts == (sent,)


# --- the page ---


@pytest.fixture
def at(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def published(browser, story, *channels, when="now", **more):
    data = {
        "revision": story.approved_revision_id or "", "when": when,
        "channels": [each.pk for each in channels], **more,
    }  # fmt: skip
    return browser.post(address(story.pk), data, follow=True).content.decode()


@pytest.mark.django_db(transaction=True)
class TestPage:
    def test_the_channels_of_last_time_are_ticked(self, approved, channel, at, paula):
        first, second = channel("dryrun"), channel("dryrun")
        browser = at(paula)
        story = approved()
        assert " checked" not in browser.get(address(story.pk)).content.decode()
        assert f"Queued to {second.name}, now." in published(browser, story, second)
        shown = browser.get(address(approved(title="Another").pk)).content.decode()
        assert f'id="channel-{second.pk}" checked' in shown
        assert f'id="channel-{first.pk}" checked' not in shown

    def test_an_only_channel_is_ticked_at_once(self, approved, channel, at, paula):
        only = channel("dryrun")
        shown = at(paula).get(address(approved().pk)).content.decode()
        assert f'id="channel-{only.pk}" checked' in shown

    def test_a_story_is_queued_for_a_time(self, approved, channel, at, paula):
        story, to = approved(), channel("dryrun")
        said = published(
            at(paula), story, to, when="at", scheduled_at_0="2027-02-03", scheduled_at_1="08:15"
        )
        assert "for 03 Feb 2027, 08:15" in said
        assert Delivery.objects.get().scheduled_at.isoformat() == "2027-02-03T08:15:00+00:00"

    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ({"when": "at"}, "Enter the date and the time"),
            ({"revision": "1"}, "The text was changed meanwhile."),
            ({"channels": []}, "Choose at least one channel."),
            ({"when": "at", "scheduled_at_0": "2020-01-01", "scheduled_at_1": "08:00"},
             "This time has passed"),
        ],
    )  # fmt: skip
    def test_what_is_missing_is_said_and_nothing_is_lost(
        self, approved, channel, at, paula, more, says
    ):
        story, to = approved(), channel("dryrun")
        channel("dryrun")
        shown = published(at(paula), story, to, **more)
        assert says in shown
        assert not Delivery.objects.exists()
        if "channels" not in more:
            assert f'id="channel-{to.pk}" checked' in shown

    def test_a_story_goes_out_at_each_channels_next_free_slot(self, approved, channel, at, paula):
        story, to = approved(), channel("dryrun", slots="daily 09:00 18:00")
        shown = at(paula).get(address(story.pk)).content.decode()
        assert "Next free slot:" in shown
        assert f"Queued to {to.name} (" in published(at(paula), story, to, when="slot")
        assert timezone.localtime(Delivery.objects.get().scheduled_at).hour in (9, 18)

    def test_a_duplicate_is_shown_and_asked_about(self, approved, channel, at, paula):
        to, browser = channel("dryrun"), at(paula)
        published(browser, approved(), to)
        other = approved()
        shown = browser.get(address(other.pk)).content.decode()
        assert "has the same text" in shown
        assert f'id="channel-{to.pk}" checked' not in shown
        assert "Confirm to send it all the same." in published(browser, other, to)
        assert "Queued to" in published(browser, other, to, confirm_duplicates="on")

    def test_what_changed_since_the_preview_is_not_queued(self, approved, channel, at, paula):
        story, to = approved(), channel("dryrun")
        shown = at(paula).get(address(story.pk)).content.decode()
        seen = shown.split(f'name="seen-{to.pk}" value="')[1][:64]
        to.options = {"url": "https://elsewhere.example"}
        to.save()
        said = published(at(paula), story, to, **{f"seen-{to.pk}": seen})
        assert "changed since you looked" in said

    def test_a_channel_that_has_it_says_so_and_takes_no_second(self, approved, channel, at, paula):
        story, to = approved(), channel("dryrun")
        browser = at(paula)
        published(browser, story, to)
        deliver.drain()
        shown = browser.get(address(story.pk)).content.decode()
        assert "the platform confirmed it" in shown
        assert f'id="channel-{to.pk}" disabled' in shown
        assert "on dryrun 0 already" in published(browser, story, to)
        assert Delivery.objects.count() == 1

    def test_a_correction_says_what_becomes_of_the_post(self, approved, channel, at, paula, by):
        story, to = approved(), channel("dryrun")
        published(at(paula), story, to)
        deliver.drain()
        story = desk.perform(story.pk, "correct", by, reason="A wrong name")
        text = {"title": story.title, "summary": "", "content": "<p>It sails on Friday.</p>"}
        revise.save(story.pk, by, story.version, text)
        desk.submit(story.pk, by)
        story = desk.approve(story.pk, by)
        shown = at(paula).get(address(story.pk)).content.decode()
        assert "It is there in an earlier version: a person has to change it." in shown

    def test_before_approval_it_is_a_dry_run_without_buttons(
        self, draft, channel, at, paula, will, world
    ):
        story = draft(will)
        channel("mastodon", options={})
        shown = at(paula).get(address(story.pk)).content.decode()
        assert "A dry run of revision 1: nothing is sent." in shown
        assert "“Instance” is missing" in shown
        assert "publish-now" not in shown
        assert "Only an approved story can be queued" in published(at(paula), story)

    def test_the_storys_page_leads_there_before_and_after_approval(
        self, draft, approved, channel, at, paula
    ):
        for story, act in ((draft(paula), "preview"), (approved(), "publish")):
            page = reverse("admin:articles_story_change", args=(story.pk,))
            assert f'id="act-{act}"' in at(paula).get(page).content.decode()
            there = reverse("admin:articles_story_act", args=(story.pk, act))
            assert at(paula).post(there).url == address(story.pk)

    def test_an_editor_reads_and_does_not_publish(self, approved, channel, at, edda):
        story, to = approved(), channel("dryrun")
        shown = at(edda).get(address(story.pk)).content.decode()
        assert "Ferry returns to Lindholm" in shown
        assert "publish-now" not in shown
        published(at(edda), story, to)
        assert not Delivery.objects.exists()

    def test_publishing_needs_a_token(self, approved, channel, client, paula):
        story = approved()
        strict = type(client)(enforce_csrf_checks=True)
        strict.force_login(paula)
        assert strict.post(address(story.pk), {"when": "now"}).status_code == 403
        assert client.get(address(story.pk)).status_code == 302  # nobody is signed in
        assert strict.get(address(999_999)).status_code == 404

    def test_an_embargo_is_named_before_anybody_presses(self, approved, channel, at, paula):
        channel("dryrun")
        story = approved()
        type(story).objects.filter(pk=story.pk).update(
            embargo_until=timezone.now() + timedelta(days=1)
        )
        assert "Under embargo until" in at(paula).get(address(story.pk)).content.decode()

    def test_many_channels_cost_no_more_queries_than_few(
        self, approved, channel, at, paula, django_assert_max_num_queries
    ):
        story, browser = approved(), at(paula)
        for _ in range(2):
            channel("dryrun")
        browser.get(address(story.pk))
        with django_assert_max_num_queries(22) as many:
            browser.get(address(story.pk))
        for _ in range(8):
            channel("dryrun")
        with django_assert_max_num_queries(len(many)):
            browser.get(address(story.pk))

    def test_a_text_of_hostile_words_stays_text(self, approved, channel, at, paula, world):
        channel("mastodon")
        story = approved(
            title="<script>alert(1)</script>", summary="<b>&amp;</b> javascript:alert(1)"
        )
        shown = at(paula).get(address(story.pk)).content.decode()
        assert "<script>alert(1)" not in shown
        assert 'href="javascript' not in shown


def test_a_platform_that_went_away_is_a_sentence(db, draft, will):
    story = draft(will)
    gone = Channel.objects.create(name="Old", platform="gone", credentials={})
    (trial,) = dry_run.dry_run(story, story.current_revision, [gone], timezone.now())
    assert not trial.possible
    assert trial.preview is None
    assert "not installed" in trial.problems[0]
