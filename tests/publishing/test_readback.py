"""What is out is read back: how it does, and whether it still stands there unchanged."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from articles.errors import WrongState
from publishing import deliver, readback
from publishing.afterwards import WATCHED_FOR, is_foreign, until_count, until_look, words_hash
from publishing.errors import Reauthorise, Wait
from publishing.lifecycle import Status
from publishing.models import Delivery, Reading, Watch
from publishing.post import Counts
from tests.publishing.bare import Watched
from tests.publishing.conftest import CHANNELS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def out(queued, channel, settings, monkeypatch):
    """A post that is out where it can be read back, and due to be."""
    settings.EXTRA_PLATFORMS = settings.EXTRA_PLATFORMS | {
        "watched": "tests.publishing.bare.Watched"
    }
    monkeypatch.setitem(CHANNELS, "watched", ("/bare/post", {}))
    for kept in (Watched.stands, Watched.asked, Watched.trouble):
        kept.clear()

    def put(**text):
        delivery = queued(channel("watched"), **text)
        deliver.drain()
        delivery.refresh_from_db()
        Watched.stands[delivery.remote_id] = ("It sails again.", Counts(reactions=3, replies=1))
        readback.begin()
        return delivery

    return put


def due():
    now = timezone.now()
    Watch.objects.exclude(count_at=None).update(count_at=now)
    Watch.objects.exclude(look_at=None).update(look_at=now)


def again():
    due()
    return readback.read_back()


def watch():
    return Watch.objects.get()


# --- when: pure ---


def test_the_older_a_post_the_rarer_it_is_asked_about():
    ages = [timedelta(minutes=5), timedelta(hours=3), timedelta(days=1), timedelta(days=5)]
    for until in (until_count, until_look):
        waits = [wait for age in ages if (wait := until(age)) is not None]
        assert len(waits) == len(ages)
        assert waits == sorted(waits)
        assert until(WATCHED_FOR) is None


def test_each_failure_doubles_the_wait_up_to_a_limit():
    age = timedelta(hours=3)
    assert until_count(age) == timedelta(minutes=30)
    assert until_count(age, failures=2) == timedelta(hours=2)
    assert until_count(age, failures=500) == until_count(age, failures=6)


def test_marks_and_spacing_are_the_platforms_own():
    assert words_hash("It  sails — again!") == words_hash("it sails again")
    assert words_hash("it sails") != words_hash("it sails again")
    assert words_hash(" … ") == ""


# --- counts ---


def test_counts_come_into_the_table_and_to_the_story(out, client, ada):
    delivery = out()
    assert again() == 1
    assert (watch().reactions, watch().replies, watch().views) == (3, 1, None)
    assert readback.in_words(watch()) == "3 reactions, 1 reply"
    client.force_login(ada)
    page = client.get(reverse("admin:articles_story_change", args=(delivery.article_id,)))
    assert "3 reactions, 1 reply" in page.content.decode()


def test_only_a_count_that_moved_makes_a_reading(out):
    delivery = out()
    again()
    again()
    Watched.stands[delivery.remote_id] = ("It sails again.", Counts(reactions=4, replies=1))
    again()
    assert list(Reading.objects.values_list("reactions", flat=True)) == [4, 3]


def test_a_second_tick_asks_nothing_twice(out):
    out()
    again()
    asked = list(Watched.asked)
    assert readback.read_back() == 0
    assert Watched.asked == asked


def test_what_cannot_be_read_back_is_not_watched(queued, channel):
    queued(channel("bare"))
    deliver.drain()
    assert readback.begin() == 0


def test_a_platform_in_trouble_is_asked_more_rarely_and_nothing_else_happens(out):
    delivery = out()
    for problem in (Wait("Later."), Reauthorise("May not read."), ValueError("a bug")):
        Watched.trouble.append(problem)
        again()
    assert watch().failures == 3
    delivery.refresh_from_db()
    assert delivery.status == Status.PUBLISHED
    assert delivery.channel.paused_reason == ""
    assert watch().finding == ""


def test_counts_that_cannot_be_had_take_nothing_from_the_look(out, monkeypatch):
    delivery = out()

    async def no_counts(*_):
        raise Wait("There is nobody here who counts.")

    monkeypatch.setattr(Watched, "counts", no_counts)
    again()
    assert watch().words_hash == words_hash("It sails again.")
    assert watch().failures == 1
    del Watched.stands[delivery.remote_id]
    again()
    again()
    assert watch().finding == Watch.Findings.GONE


def test_a_paused_channel_is_not_asked(out):
    out().channel.__class__.objects.update(paused_reason="The token is dead.")
    assert again() == 0


# --- drift ---


def test_a_post_that_is_gone_is_looked_for_twice_and_then_told(out):
    delivery = out()
    again()
    Watched.stands.clear()
    again()
    assert watch().finding == ""
    assert watch().look_at - timezone.now() < timedelta(minutes=6)
    again()
    assert watch().finding == "gone"
    event = delivery.article.events.get(what="drifted")
    assert event.reason == f"The post on {delivery.channel} is gone."
    assert again() == 0  # nothing more to ask


def test_a_post_that_comes_back_at_the_second_look_was_never_gone(out):
    delivery = out()
    kept = dict(Watched.stands)
    again()
    Watched.stands.clear()
    again()
    Watched.stands.update(kept)
    again()
    assert (watch().missed, watch().finding) == (0, "")
    assert not delivery.article.events.filter(what="drifted").exists()


def test_a_post_that_says_something_else_is_told_once(out):
    delivery = out()
    again()
    Watched.stands[delivery.remote_id] = ("It never sails again.", Counts())
    again()
    again()
    assert watch().finding == "changed"
    assert delivery.article.events.filter(what="drifted").count() == 1


def test_what_the_desk_changed_itself_is_no_drift(out, by):
    delivery = out()
    again()
    Delivery.objects.create(
        article=delivery.article, channel=delivery.channel, platform="watched",
        revision=delivery.revision, slot=1, act="edit", of=delivery, wish="correct",
        status="published", scheduled_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip
    Watched.stands[delivery.remote_id] = ("A corrected text.", Counts())
    again()
    assert watch().finding == ""


def test_what_was_withdrawn_is_not_missed(out):
    delivery = out()
    Delivery.objects.create(
        article=delivery.article, channel=delivery.channel, platform="watched",
        revision=delivery.revision, slot=1, act="delete", of=delivery, wish="withdraw",
        status="published", scheduled_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip
    Watched.stands.clear()
    again()
    again()
    assert watch().finding == ""
    assert (watch().look_at, watch().count_at) == (None, None)


def test_the_dashboard_tells_until_a_person_has_seen_it(out, client, paula, by):
    delivery = out()
    again()
    Watched.stands.clear()
    again()
    again()
    client.force_login(paula)
    told = "What is out is not what was sent"
    assert told in client.get(reverse("admin:index")).content.decode()
    readback.noted(delivery.pk, by)
    assert told not in client.get(reverse("admin:index")).content.decode()
    with pytest.raises(WrongState):
        readback.noted(delivery.pk, by)


def test_a_dead_credential_is_one_alert_on_the_dashboard(queued, channel, client, paula):
    to = channel("dryrun", paused_reason="The token is not accepted any more.")
    for _ in range(3):
        queued(to)
    client.force_login(paula)
    page = client.get(reverse("admin:index")).content.decode()
    assert page.count("The token is not accepted any more.") == 1


# --- held against what was last confirmed as sent ---


LONG = "The ferry between Lindholm and Northmark sails again on Monday at seven in the morning."
OTHER = "Buy cheap watches here today, best prices in all of the town"


def corrected(delivery, status="published", act="edit"):
    text = LONG.replace("Monday", "Tuesday")
    revision = delivery.article.revisions.create(number=99, title="Ferry", content=f"<p>{text}</p>")
    return text, Delivery.objects.create(
        article=delivery.article, channel=delivery.channel, platform="watched", revision=revision,
        slot=1, act=act, of=delivery, wish="correct", status=status,
        scheduled_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip


def stands(delivery, text):
    Watched.stands[delivery.remote_id] = (text, Counts())
    again()
    return watch().finding


def test_other_words_are_told_from_cut_marked_and_linked_ones():
    sent = ("Ferry returns", LONG, "", "harbour")
    assert not is_foreign(f"**{LONG[:60]}…** https://lindholm.example/17?utm=x #harbour", sent)
    assert not is_foreign("It stands elsewhere now", sent)  # too few words to say anything
    assert is_foreign(OTHER, sent)
    assert is_foreign(f"https://watches.example/ {OTHER}", sent)


def test_a_post_that_never_said_what_was_sent_is_found_at_the_first_look(out):
    delivery = out(content=f"<p>{LONG}</p>")
    assert stands(delivery, OTHER) == "changed"
    assert delivery.article.events.filter(what="drifted").count() == 1
    assert stands(delivery, LONG) == ""  # put right


def test_a_platform_that_cuts_and_marks_has_not_changed_anything(out):
    delivery = out(content=f"<p>{LONG}</p>")
    assert stands(delivery, f"{LONG[:50]}… https://lindholm.example/17") == ""
    assert stands(delivery, f"{LONG[:50]} … https://lindholm.example/17") == ""


def test_after_a_correction_the_corrected_text_has_to_stand(out):
    delivery = out(content=f"<p>{LONG}</p>")
    assert stands(delivery, LONG) == ""
    text, edit = corrected(delivery)
    assert stands(delivery, text) == ""
    assert watch().said == edit
    assert stands(delivery, LONG) == "changed"  # somebody has put the old text back
    assert stands(delivery, text) == ""  # and it is right again


def test_a_correction_of_ours_ends_what_was_changed(out):
    delivery = out(content=f"<p>{LONG}</p>")
    stands(delivery, LONG)
    assert stands(delivery, OTHER) == "changed"
    text, _ = corrected(delivery)
    assert stands(delivery, text) == ""


def test_a_correction_that_does_not_stand_there_is_found(out):
    delivery = out(content=f"<p>{LONG}</p>")
    stands(delivery, LONG)
    text, _ = corrected(delivery)
    assert stands(delivery, OTHER) == "changed"
    assert stands(delivery, text) == ""


def test_while_a_correction_is_on_its_way_nothing_is_compared(out):
    delivery = out(content=f"<p>{LONG}</p>")
    stands(delivery, LONG)
    text, edit = corrected(delivery, status="sending")
    assert stands(delivery, text) == ""
    Delivery.objects.filter(pk=edit.pk).update(status="published")
    assert stands(delivery, text) == ""


def test_what_a_person_corrected_by_hand_is_in_their_words(out):
    delivery = out(content=f"<p>{LONG}</p>")
    stands(delivery, LONG)
    corrected(delivery, act="by_hand")
    assert stands(delivery, f"We were wrong. {OTHER}") == ""
    assert stands(delivery, LONG) == "changed"


def test_the_queue_tells_on_top_and_on_the_row_until_somebody_has_seen_it(out, client, paula):
    delivery = out()
    again()
    Watched.stands.clear()
    again()
    again()
    client.force_login(paula)
    queue = reverse("admin:publishing_delivery_changelist")
    page = client.get(queue, {"state": "attention"}).content.decode()
    told = f"The post on {delivery.channel} is gone."
    assert page.count(told) == 2
    assert "What is out is not what was sent" in page
    seen = reverse("admin:publishing_delivery_act", args=(delivery.pk, "drift_noted"))
    client.post(seen, {"next": queue, "confirmed": "1"})
    assert "What is out is not" not in client.get(queue, {"state": "attention"}).content.decode()
    assert told in client.get(queue, {"state": "published"}).content.decode()
