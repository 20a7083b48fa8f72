"""What a person does to a source on its page, and to what it brought all at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import WireItem
from sources import burst, claim
from sources.models import Burst, Source
from sources.sync import drain, sync
from tests.config.far_end import http
from tests.conftest import person
from tests.sources.conftest import item, rss
from tests.sources.test_console import act, overview, page

HELD = "/admin/sources/burst/"


def test_sync_now_asks_and_the_page_tells_how_far_it_has_come(console, source, site, ada):
    gazette = source(site(rss(item(1), item(2))), is_active=False)
    assert "Sync requested" in act(console, gazette, "sync")
    shown = overview(console, gazette)
    assert "A worker takes it up. ada asked for it." in shown
    assert 'data-live-seconds="1"' in shown
    Source.objects.filter(pk=gazette.pk).update(stage="fetching")
    assert "Asking the source" in overview(console, gazette)
    Source.objects.filter(pk=gazette.pk).update(stage="storing")
    assert "Storing what came" in overview(console, gazette)
    drain()
    shown = overview(console, gazette)
    assert "2 new, 0 changed, 0 known" in shown
    assert "ada asked for it." in shown
    assert 'data-live-seconds="20"' in shown
    assert gazette.items.count() == 2


def test_sync_now_says_what_went_wrong(console, source, site):
    gazette = source(site(http("410 Gone")))
    act(console, gazette, "sync")
    drain()
    assert "nothing for good (410)" in overview(console, gazette)


def test_a_sync_that_is_going_on_is_not_asked_for_again(console, source):
    gazette = source("https://gazette.invalid/")
    assert claim.claim_one(gazette.pk) is not None
    assert "being synced at this moment" in act(console, gazette, "sync")


def test_validators_are_reset_by_a_button(console, source, site):
    heads: list[bytes] = []

    def answer(head: bytes) -> bytes:
        heads.append(head)
        return rss(item(1)).replace(b"\r\n", b'\r\nETag: "a"\r\n', 1)

    gazette = source(site(answer))
    sync(gazette.pk)
    Source.objects.filter(pk=gazette.pk).update(next_sync_at=timezone.now() + timedelta(days=1))
    assert "whole answer" in act(console, gazette, "reset", sure="yes")
    reset = Source.objects.get(pk=gazette.pk)
    assert (reset.etag, reset.answer_digest, reset.next_sync_at) == ("", "", None)
    sync(gazette.pk)
    assert b"If-None-Match" not in heads[-1]
    assert gazette.runs.latest("id").http_status == 200


def test_a_notice_is_shown_until_it_is_read(console, source):
    gazette = source("https://gazette.invalid/")
    assert "act-dismiss" not in console.get(page(gazette)).content.decode()
    Source.objects.filter(pk=gazette.pk).update(notice="It has moved for good.")
    assert "It has moved for good." in console.get(page(gazette)).content.decode()
    act(console, gazette, "dismiss")
    assert "It has moved for good." not in console.get(page(gazette)).content.decode()


# --- bursts ---


@pytest.fixture
def flood(source, site) -> Burst:
    """A source of a few pieces a day that sends thirty new ones."""
    gazette = source(site(rss(item(0))), name="Gazette")
    sync(gazette.pk)
    gazette.refresh_from_db()
    gazette.pieces_per_day = 1.0
    gazette.save()
    gazette.api_endpoint = site(rss(*(item(n, f"Text {n} &lt;b&gt;") for n in range(100, 160))))
    gazette.last_success = timezone.now() - timedelta(hours=1)
    gazette.save()
    sync(gazette.pk, forced=True)
    return Burst.objects.get()


def test_a_burst_is_one_decision_on_todays_page_and_the_sources(console, flood):
    today = console.get("/admin/").content.decode()
    assert "far more than usual came at once" in today
    assert f"{HELD}{flood.pk}/change/" in today
    assert "60 pieces are held" in overview(console, flood.source)
    shown = console.get(f"{HELD}{flood.pk}/change/").content.decode()
    assert "Piece 100" in shown
    assert "60 pieces of" in console.get(HELD).content.decode()
    assert WireItem.objects.count() == 1


def press(client: Client, flood: Burst, name: str, **data: str) -> str:
    answer = client.post(f"{HELD}{flood.pk}/act/{name}/", {"confirmed": "1", **data}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_burst_is_let_in(console, flood):
    assert "60 new items are on the wire." in press(console, flood, "release")
    assert WireItem.objects.count() == 61
    assert "not open to you here" in press(console, flood, "release")
    assert not burst.held().exists()


def test_a_burst_is_dropped_with_a_reason_and_does_not_come_back(console, flood):
    assert "don't come back" in press(console, flood, "drop", reason="Their archive, again.")
    shown = console.get(f"{HELD}?state=dropped").content.decode()
    assert "Their archive, again." in shown
    sync(flood.source_id, forced=True)
    assert WireItem.objects.count() == 1


def test_who_only_reads_decides_nothing(flood):
    vera = Client()
    vera.force_login(person("vera", "Viewer"))
    assert vera.get(f"{HELD}{flood.pk}/change/").status_code == 200
    assert "not open to you here" in press(vera, flood, "release")
    assert WireItem.objects.count() == 1
