"""Sources in the console: what can't be reached is refused in words, and nothing is written."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from simulator import credentials
from sources.assess import assess
from sources.models import Source
from sources.sync import drain, sync
from tests.config.far_end import http, server_tls
from tests.sources.conftest import REDDIT, item, reddit_options, rss

LIST = "/admin/sources/source/"
ADD = f"{LIST}add/"


def page(source: Source) -> str:
    return reverse("admin:sources_source_change", args=(source.pk,))


def act(console: Client, source: Source, name: str, **data: str) -> str:
    """Press a button; the message that it leaves."""
    url = reverse("admin:sources_source_act", args=(source.pk, name))
    answer = console.post(url, data | ({"confirmed": "1"} if data else {}), follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def typed(url: str, **more: Any) -> dict[str, Any]:
    """What an administrator types into the form."""
    runs = {"runs-TOTAL_FORMS": 0, "runs-INITIAL_FORMS": 0}
    plain = {"name": "Gazette", "section": "", "trust": "normal", "is_active": "on"}
    return {
        **runs, **plain, "api_endpoint": url, "minutes": 15, "rate_limit_per_minute": 10, **more,
    }  # fmt: skip


def errors(answer: Any) -> dict[str, Any]:
    """The form's refusals by field; empty when it was stored."""
    return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)


def add(console: Client, url: str, connector: str = "feed", **more: Any) -> dict[str, Any]:
    return errors(console.post(f"{ADD}?connector={connector}", typed(url, **more)))


# --- adding ---


def test_the_kind_of_source_may_be_chosen_by_hand(console):
    assert "?by_hand" in console.get(ADD).content.decode()
    shown = console.get(f"{ADD}?by_hand").content.decode()
    for label in ("Feed (RSS, Atom, JSON Feed)", "Hacker News", "Reddit"):
        assert label in shown
    assert "?connector=reddit" in shown


def test_the_form_asks_for_what_the_connector_declares(console):
    form = console.get(f"{ADD}?connector=reddit").context["adminform"].form
    assert form["api_endpoint"].initial == "https://oauth.reddit.com"
    assert {"option_subreddit", "option_access", "secret_client_secret"} <= set(form.fields)
    assert form["minutes"].initial == 30
    shown = console.get(f"{ADD}?connector=reddit").content.decode()
    assert "approved applications only" in shown


def test_a_new_source_is_tried_then_stored_with_its_schedule(console, world):
    answer = console.post(
        f"{ADD}?connector=feed", typed(f"{world.url}/feeds/rss.xml", minutes=7), follow=True
    )
    source = Source.objects.get()
    assert source.schedule.interval.every == 7
    assert source.schedule.enabled
    assert "The Lindholm Courier answers with" in answer.content.decode()
    assert not source.items.exists()


def test_a_new_reddit_source_keeps_its_credentials_to_itself(console, world):
    options = {f"option_{name}": value for name, value in reddit_options(world.url).items()}
    secrets = {f"secret_{name}": value for name, value in REDDIT.items()}
    more = {**options, **secrets, "option_access": "oauth", "option_limit": 10}
    assert add(console, f"{world.url}/reddit", "reddit", **more) == {}
    source = Source.objects.get()
    assert source.credentials.reveal() == REDDIT
    assert source.auth_type == "oauth2"
    shown = console.get(page(source)).content.decode()
    assert credentials.REDDIT_CLIENT_SECRET not in shown
    assert "leave empty to keep it" in shown
    assert sync(source.pk).new > 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(body=b"<!doctype html><p>Hi"), "web page, not a feed"),
        (http("404 Not Found"), "Check the address"),
        (http("429 Slow down"), "patience"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "larger than"),
    ],
)
def test_an_address_that_brings_no_feed_is_refused_at_its_field(console, site, answer, words):
    found = add(console, site(answer))
    assert words in str(found["api_endpoint"])
    assert not Source.objects.exists()
    assert not PeriodicTask.objects.filter(task="sources.sync").exists()


def test_a_private_address_is_refused(console, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    assert "api_endpoint" in add(console, "http://127.0.0.1:8000/feed")
    assert not Source.objects.exists()


def test_a_bad_certificate_is_refused(console, site, tmp_path):
    tls, _certificate = server_tls(tmp_path, "localhost")
    assert "certificate" in str(add(console, site(rss(item(1)), tls=tls))["api_endpoint"])


def test_a_wrong_credential_is_refused_at_its_field(console, world):
    options = {f"option_{name}": value for name, value in reddit_options(world.url).items()}
    more = {**options, "option_access": "oauth", "option_limit": 10}
    more |= {"secret_client_id": REDDIT["client_id"], "secret_client_secret": "wrong"}
    found = add(console, f"{world.url}/reddit", "reddit", **more)
    assert "does not know this application" in str(found["secret_client_secret"])
    assert not Source.objects.exists()


def test_an_option_that_is_none_is_refused_at_its_field(console, world):
    more = {"option_backend": "algolia", "option_list": "newest", "option_points": -1}
    found = add(console, f"{world.url}/hn/api/v1", "hackernews", **more)
    assert {"option_list", "option_points"} <= set(found)
    assert world.log("/hn") == []


def test_a_desk_without_a_way_out_can_save_without_checking(console):
    assert add(console, "https://gazette.invalid/feed", unchecked="on") == {}
    assert Source.objects.get().schedule is not None


def test_two_sources_of_one_name_are_refused(console, source):
    source("https://gazette.example/feed", name="Gazette")
    assert "name" in add(console, "https://other.example/feed", unchecked="on")


# --- changing ---


def test_a_change_of_the_rhythm_needs_no_try_and_reaches_the_schedule(console, source):
    gazette = source("https://gazette.invalid/feed", name="Gazette")
    assert errors(console.post(page(gazette), typed(gazette.api_endpoint, minutes=5))) == {}
    assert PeriodicTask.objects.get(pk=gazette.schedule_id).interval.every == 5


def test_a_new_address_is_tried_and_nothing_is_written_when_it_is_wrong(console, source, site):
    gazette = source(site(rss(item(1))), name="Gazette", etag='"1"')
    bad = site(http("404 Not Found"))
    found = errors(console.post(page(gazette), typed(bad, minutes=5, section="sea")))
    assert "Check the address" in str(found["api_endpoint"])
    kept = Source.objects.get(pk=gazette.pk)
    assert (kept.api_endpoint, kept.section, kept.etag) == (gazette.api_endpoint, "", '"1"')
    assert kept.schedule.interval.every == 30
    good = site(rss(item(2)))
    assert errors(console.post(page(gazette), typed(good))) == {}
    assert Source.objects.get(pk=gazette.pk).etag == ""


def test_a_sync_that_ended_meanwhile_is_not_undone_by_saving(console, source, monkeypatch):
    gazette = source("https://gazette.invalid/feed", name="Gazette")
    validate = Source.full_clean

    def meanwhile(self, *given, **more):
        Source.objects.filter(pk=gazette.pk).update(failures=3, last_error="It broke.", etag='"2"')
        validate(self, *given, **more)

    monkeypatch.setattr(Source, "full_clean", meanwhile)
    assert errors(console.post(page(gazette), typed(gazette.api_endpoint, section="sea"))) == {}
    kept = Source.objects.get(pk=gazette.pk)
    assert (kept.section, kept.failures, kept.etag) == ("sea", 3, '"2"')


def test_credentials_left_empty_stay(console, source, world):
    northmark = source(
        f"{world.url}/reddit", "reddit", name="Gazette",
        options=reddit_options(world.url), credentials=REDDIT,
    )  # fmt: skip
    options = {f"option_{name}": value for name, value in northmark.options.items()}
    more = {**options, "option_access": "oauth", "option_limit": 5}
    assert errors(console.post(page(northmark), typed(northmark.api_endpoint, **more))) == {}
    kept = Source.objects.get(pk=northmark.pk)
    assert kept.options["limit"] == 5
    assert kept.credentials.reveal() == REDDIT


def test_stored_credentials_are_not_sent_to_another_host(console, source, site):
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(head)
        return rss(item(1))

    gazette = source("https://gazette.invalid/", name="Gazette", credentials={"token": "t0ken"})
    elsewhere = site(answer)
    found = errors(console.post(page(gazette), typed(elsewhere)))
    assert "Enter the credentials again" in str(found["api_endpoint"])
    assert asked == []
    assert errors(console.post(page(gazette), typed(elsewhere, secret_token="n3w"))) == {}
    assert b"Bearer n3w" in asked[0]
    assert Source.objects.get(pk=gazette.pk).auth_type == "bearer"


def test_credentials_that_cannot_be_read_are_said_so_and_kept(console, source):
    gazette = source("https://gazette.invalid/", name="Gazette", credentials={"token": "t0ken"})
    other = source("https://other.invalid/", credentials={"token": "x"})
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE data_sources SET credentials = 'damaged' WHERE id = %s", [gazette.pk]
        )
    assert console.get(LIST).status_code == 200
    assert console.get(page(gazette)).status_code == 200
    assert errors(console.post(page(gazette), typed(gazette.api_endpoint, section="s"))) == {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM data_sources WHERE id = %s", [gazette.pk])
        assert cursor.fetchone() == ("damaged",)
    act(console, gazette, "sync")
    drain()
    assert "enter them anew" in console.get(page(gazette)).content.decode()
    assert other.credentials.reveal() == {"token": "x"}


@pytest.mark.parametrize(
    "schedule",
    [
        lambda: {"interval": None, "crontab": CrontabSchedule.objects.create(hour="6")},
        lambda: {"interval": IntervalSchedule.objects.create(every=30, period="seconds")},
    ],
    ids=["crontab", "30 seconds"],
)
def test_a_schedule_that_is_no_number_of_minutes_stays(console, source, schedule):
    gazette = source("https://gazette.invalid/feed", name="Gazette")
    wanted = schedule()
    task = gazette.schedule
    for name, value in wanted.items():
        setattr(task, name, value)
    task.save()
    assert console.get(page(gazette)).context["adminform"].form["minutes"].initial is None
    assert errors(console.post(page(gazette), typed(gazette.api_endpoint, minutes=""))) == {}
    kept = PeriodicTask.objects.get(pk=task.pk)
    assert {name: getattr(kept, name) for name in wanted} == wanted


def test_the_form_of_one_source_does_not_show_the_rhythm_of_another(console, source):
    from sources import timetable

    quick, slow = source("https://a.invalid/"), source("https://b.invalid/")
    timetable.keep(quick, 2)
    timetable.keep(slow, 90)
    shown = [console.get(page(each)).context["adminform"].form for each in (quick, slow)]
    assert [form["minutes"].initial for form in shown] == [2, 90]


# --- looking and acting ---


def test_the_list_says_how_every_source_is(console, source, site):
    good, bad = source(site(rss(item(1)))), source(site(http("410 Gone")), name="Broken")
    sync(good.pk)
    sync(bad.pk)
    source("https://off.invalid/", is_active=False)
    assess([good.pk, bad.pk])
    shown = console.get(LIST).content.decode()
    for words in ("Health 100", "Health 0", "nothing for good (410)", "not before", "Off"):
        assert words in shown
    assert "every 30 min" in shown
    assert "Sources | Newsdesk" in " ".join(shown.split())


def test_a_page_names_the_outcome_of_a_sync_in_words(console, source, site):
    gazette = source(site(rss(item(1))))
    assert "Not assessed yet" in console.get(page(gazette)).content.decode()
    sync(gazette.pk)
    shown = console.get(page(gazette)).content.decode()
    assert "New or changed items" in shown
    assert "(&#x27;ok&#x27;" not in shown
    assert "last syncs" not in console.get(f"{ADD}?connector=feed").content.decode().lower()


def test_a_page_shows_its_trouble_and_its_last_ten_runs(console, source, site):
    gazette = source(site(http("500 Oops")))
    for _ in range(12):
        sync(gazette.pk, forced=True)
    answer = console.get(page(gazette))
    shown = answer.content.decode()
    assert "has trouble of its own (500)" in shown
    (formset,) = answer.context["inline_admin_formsets"]
    assert len(formset.formset.forms) == 10


def test_a_preview_shows_titles_and_stores_nothing(console, source, site):
    gazette = source(site(rss(item(1), item(2, "<script>alert(1)</script>"))))
    said = act(console, gazette, "preview")
    assert "The Gazette answers with 2 pieces, 0 of them known already." in said
    assert "Piece 1" in said
    assert not gazette.items.exists()
    assert not gazette.runs.exists()


def test_titles_from_outside_are_text_in_a_preview(console, source, site):
    hostile = item(1).replace("Piece 1", "&lt;img src=x onerror=alert(1)&gt;x &amp;lt;b&amp;gt;")
    assert "<img" not in act(console, source(site(rss(hostile))), "preview")


def test_pausing_asks_why_and_stops_the_schedule(console, source):
    gazette = source("https://gazette.invalid/")
    assert "is paused" in act(console, gazette, "pause", reason="They asked us to.")
    paused = Source.objects.get(pk=gazette.pk)
    assert "They asked us to." in paused.paused_reason
    assert not paused.schedule.enabled
    assert "They asked us to." in console.get(page(gazette)).content.decode()
    Source.objects.filter(pk=gazette.pk).update(next_sync_at=timezone.now())
    assert "goes on" in act(console, paused, "resume")
    resumed = Source.objects.get(pk=gazette.pk)
    assert (resumed.paused_reason, resumed.next_sync_at) == ("", None)
    assert resumed.schedule.enabled


def test_a_source_that_brought_copy_is_not_deleted_but_switched_off(console, source, site):
    gazette = source(site(rss(item(1))))
    sync(gazette.pk)
    answer = console.post(f"{LIST}{gazette.pk}/delete/", {"post": "yes"}, follow=True)
    assert "Switch it off instead" in answer.content.decode()
    assert Source.objects.filter(pk=gazette.pk).exists()


def test_a_source_that_brought_nothing_goes_with_its_schedule(console, source):
    gazette = source("https://gazette.invalid/")
    console.post(f"{LIST}{gazette.pk}/delete/", {"post": "yes"})
    assert not Source.objects.filter(pk=gazette.pk).exists()
    assert not PeriodicTask.objects.filter(pk=gazette.schedule_id).exists()


def test_a_source_whose_connector_is_gone_still_has_a_page(console, source):
    lost = source("https://pigeon.invalid/", "carrier-pigeon")
    assert "carrier-pigeon (not installed)" in console.get(LIST).content.decode()
    assert console.get(page(lost)).status_code == 200
    act(console, lost, "sync")
    drain()
    assert "not installed" in console.get(page(lost)).content.decode()


@pytest.mark.parametrize("somebody", ["vera", "will", "edda", "paula"])
def test_only_an_administrator_changes_sources(request, source, somebody):
    gazette = source("https://gazette.invalid/")
    client = Client()
    client.force_login(request.getfixturevalue(somebody))
    assert client.get(f"{ADD}?connector=feed").status_code == 403
    client.post(page(gazette), typed("https://evil.invalid/", unchecked="on"))
    client.post(reverse("admin:sources_source_act", args=(gazette.pk, "sync")))
    kept = Source.objects.get(pk=gazette.pk)
    assert kept.api_endpoint == "https://gazette.invalid/"
    assert kept.last_sync is None


# --- how it is doing ---


def overview(console: Client, source: Source) -> str:
    return console.get(reverse("admin:sources_source_overview", args=(source.pk,))).content.decode()


def test_the_overview_says_what_came_and_what_health_is_made_of(console, site, source):
    gazette = source(site(rss(item(1), item(2))), name="Gazette")
    assert "Not synced yet" in overview(console, gazette)
    sync(gazette.pk)
    assess()
    shown = overview(console, gazette)
    assert "2 new, 0 changed, 0 known" in shown
    assert "1 of the last 1 syncs worked." in shown
    assert 'height="40"' in shown  # today's bar


def test_the_overview_says_what_is_wrong_and_when_it_tries_again(console, site, source):
    gazette = source(site(http("500 Oops")), name="Gazette")
    sync(gazette.pk)
    shown = overview(console, gazette)
    assert "Failed once" in shown
    assert "trouble of its own (500)" in shown
    assert "Not before" in shown
    assert "waits longer each time" in shown


def test_the_overview_is_for_those_who_may_see_sources(site, source, django_user_model):
    visitor = Client()
    visitor.force_login(django_user_model.objects.create_user("bob", is_staff=True))
    gazette = source(site(rss(item(1))))
    url = reverse("admin:sources_source_overview", args=(gazette.pk,))
    assert visitor.get(url).status_code == 403
    assert Client().get(url).status_code == 302
