"""Older pieces, page by page: how far, how it ends, and that they flood nobody's desk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.errors import DeskError
from articles.models import Article, WireItem
from articles.wire import WireCopy
from sources import alone, backfill, filing, reach
from sources.models import Backfill, Source, SyncRun
from sources.sync import sync
from tests.config.far_end import http

DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 22, tzinfo=UTC)


# --- decisions ---


def copies(*days: int | None) -> list[WireCopy]:
    """Pieces that are so many days old; None is a piece without a date."""
    return [
        WireCopy(
            external_id=f"{n}", title="x", published_at=None if days is None else TODAY - days * DAY
        )
        for n, days in enumerate(days)
    ]


@pytest.mark.parametrize(
    ("page", "following", "aim", "wanted", "ended"),
    [
        (copies(1, 2), "2", reach.Aim(None, 10), 2, ""),
        (copies(1, 2), "", reach.Aim(None, 10), 2, "nothing older"),
        (copies(1, 2, 3), "2", reach.Aim(None, 2), 2, "as many pieces"),
        (copies(1, 9), "2", reach.Aim(TODAY - 5 * DAY, 10), 1, ""),
        (copies(8, 9), "2", reach.Aim(TODAY - 5 * DAY, 10), 0, "the day"),
        (copies(8, None), "2", reach.Aim(TODAY - 5 * DAY, 10), 1, ""),
        (copies(), "2", reach.Aim(TODAY, 10), 0, ""),
        (copies(1), "1", reach.Aim(None, 10), 1, "in a circle"),
        (copies(1), "x" * 5001, reach.Aim(None, 10), 1, "in a circle"),
    ],
)
def test_a_page_says_what_is_wanted_and_whether_to_go_on(page, following, aim, wanted, ended):
    step = reach.step(page, following, [reach.digest("1")], 1, aim)
    assert len(step.wanted) == wanted
    assert ended in step.ended
    assert bool(ended) == bool(step.ended)


def test_a_thousand_pages_are_enough():
    step = reach.step(copies(1), "next", [], reach.MOST_PAGES, reach.Aim(None, 10**6))
    assert "1000 pages" in step.ended


def test_a_source_in_trouble_is_left_alone_longer_and_as_long_as_it_asks():
    minutes = [reach.wait_after(n, None).total_seconds() / 60 for n in (1, 2, 3, 60)]
    assert minutes == [2, 4, 8, 360]
    assert reach.wait_after(1, 3600.0) == timedelta(hours=1)


# --- through a real feed with an archive (RFC 5005) ---

FIRST_PAGE = "/feed"


class Paper:
    """A feed of ten pieces, two on a page, each page linking to the one before it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: bytes = b""  # answered instead

    def answer(self, head: bytes) -> bytes:
        path = head.split(b" ")[1].decode()
        self.asked.append(path)
        if self.trouble:
            return self.trouble
        page = int(path.partition("page=")[2] or 1)
        host = head.lower().partition(b"host: ")[2].partition(b"\r\n")[0].decode()
        older = f'<link rel="prev-archive" href="http://{host}/feed?page={page + 1}"/>'
        entries = "".join(self.entry(n) for n in (12 - 2 * page, 11 - 2 * page))
        body = (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Gazette</title><id>urn:gazette</id>'
            f"{older if page < 5 else ''}{entries}</feed>"
        )
        return http(body=body.encode(), Content_Type="application/atom+xml")

    def entry(self, number: int) -> str:
        """Piece 10 is of today, piece 1 nine days old."""
        day = TODAY - (10 - number) * DAY
        return (
            f"<entry><id>urn:{number}</id><title>Piece {number}</title>"
            f"<updated>{day:%Y-%m-%dT%H:%M:%SZ}</updated>"
            f"<published>{day:%Y-%m-%dT%H:%M:%SZ}</published>"
            f'<link href="https://gazette.example/{number}"/><content>Text {number}.</content>'
            "</entry>"
        )


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def gazette(site, source, paper, no_limits_used, monkeypatch) -> Source:
    """A source of that paper, synced once: its two newest pieces are on the wire."""
    monkeypatch.setattr(backfill, "PAUSE", timedelta(0))
    made: Source = source(f"{site(paper.answer)}/feed")
    assert sync(made.pk).new == 2
    made.refresh_from_db()
    return made


def start(source: Source, **aim: Any) -> Backfill:
    return backfill.start(source, None, **({"until": None, "most": 1000} | aim))


def pages(most: int = 20) -> int:
    """Read pages until nothing is due; how many were read."""
    read = 0
    for _ in range(most):
        job = backfill._claim()
        if job is None:
            break
        read += backfill._step(job)
    return read


def claimed() -> Backfill:
    """The job that is due, leased to us."""
    job = backfill._claim()
    assert job is not None
    return job


def on_the_wire() -> dict[str, bool]:
    """External ids, and whether the item is old news."""
    return dict(WireItem.objects.values_list("external_id", "backfilled"))


def test_everything_older_comes_marked_as_old_news(gazette):
    job = start(gazette)
    assert backfill.drain() == 5
    job.refresh_from_db()
    assert (job.state, job.pages, job.pieces, job.new) == ("done", 5, 10, 8)
    assert job.reason == "The source has nothing older."
    assert job.oldest == TODAY - 9 * DAY
    old = on_the_wire()
    assert len(old) == 10
    assert {key for key, backfilled in old.items() if not backfilled} == {"urn:10", "urn:9"}
    assert gazette.runs.filter(cause=SyncRun.Causes.BACKFILL).count() == 5


def test_it_ends_at_the_day_that_was_asked_for(gazette):
    job = start(gazette, until=TODAY - 4 * DAY)
    pages()
    job.refresh_from_db()
    assert (job.state, job.pages) == ("done", 4)  # the fourth page holds nothing so young
    assert set(on_the_wire()) == {f"urn:{n}" for n in range(6, 11)}


def test_it_ends_at_the_number_that_was_asked_for(gazette):
    job = start(gazette, most=5)
    pages()
    job.refresh_from_db()
    assert (job.state, job.pieces) == ("done", 5)
    assert len(on_the_wire()) == 5


def test_a_restart_goes_on_where_it_was(gazette, paper):
    job = start(gazette)
    backfill._step(claimed())
    backfill._claim()  # and dies
    assert backfill._claim() is None
    Backfill.objects.update(due_at=timezone.now())  # its lease is over
    paper.asked.clear()
    assert pages() == 4
    assert paper.asked == [f"/feed?page={n}" for n in (2, 3, 4, 5)]
    job.refresh_from_db()
    assert (job.state, len(on_the_wire())) == ("done", 10)


def test_a_worker_that_was_overtaken_stores_nothing(gazette):
    start(gazette)
    slow = claimed()
    Backfill.objects.update(due_at=timezone.now())
    backfill._step(claimed())  # another one was quicker
    before = gazette.runs.count()
    assert backfill._step(slow) is False
    assert gazette.runs.count() == before
    assert Backfill.objects.get().pages == 1


def test_a_job_cancelled_under_way_files_no_more(gazette):
    start(gazette)
    backfill._step(claimed())
    under_way = claimed()
    assert backfill.cancel(gazette)
    assert backfill._step(under_way) is False
    assert Backfill.objects.get().state == "cancelled"
    assert len(on_the_wire()) == 2
    assert not backfill.cancel(gazette)


def test_a_former_wording_in_the_archive_does_not_replace_what_is_on_the_wire(gazette):
    WireItem.objects.filter(external_id="urn:10").update(content="Newer.", raw_hash="newer")
    start(gazette)
    pages()
    assert WireItem.objects.get(external_id="urn:10").content == "Newer."


def test_a_source_in_trouble_is_asked_again_later_and_given_up_in_the_end(gazette, paper):
    job = start(gazette)
    paper.trouble = http("503 Busy", Retry_After="1800")
    assert pages() == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("running", 1)
    assert "trouble of its own (503)" in job.reason
    assert job.due_at > timezone.now() + timedelta(minutes=29)
    for _ in range(reach.MOST_FAILURES - 1):
        Backfill.objects.update(due_at=timezone.now())
        pages()
    job.refresh_from_db()
    assert (job.state, job.ended_at is None) == ("failed", False)
    assert gazette.runs.filter(outcome="failed").count() == 0  # no word on the source itself


def test_a_page_that_works_again_forgets_the_trouble(gazette, paper):
    job = start(gazette)
    paper.trouble = http("503 Busy")
    pages()
    paper.trouble = b""
    Backfill.objects.update(due_at=timezone.now())
    pages()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 0)


def test_a_source_that_refuses_is_given_up_at_once(gazette, paper):
    job = start(gazette)
    paper.trouble = http("403 Forbidden")
    pages()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 1)
    assert "refuses access" in job.reason


def test_a_paused_source_is_left_alone_until_it_goes_on(gazette, paper):
    start(gazette)
    Source.objects.update(paused_reason="They asked us.")
    paper.asked.clear()
    assert pages() == 0
    assert paper.asked == []
    assert "switched off" in Backfill.objects.get().reason
    Source.objects.update(paused_reason="")
    Backfill.objects.update(due_at=timezone.now())
    assert pages() == 5


def test_the_source_s_limit_a_minute_holds_for_older_pieces_too(gazette):
    Source.objects.update(rate_limit_per_minute=1)
    start(gazette)
    assert pages() == 0  # its sync has taken this minute's request
    assert Backfill.objects.get().due_at > timezone.now() + timedelta(seconds=40)


def test_between_two_pages_there_is_a_pause(gazette, monkeypatch):
    monkeypatch.setattr(backfill, "PAUSE", timedelta(seconds=5))
    start(gazette)
    assert pages() == 1
    wait = Backfill.objects.get().due_at - timezone.now()
    assert timedelta(seconds=4) < wait <= timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_a_sync_under_way_is_waited_for(gazette):
    import threading

    from django.db import connection

    start(gazette)
    held, done = threading.Event(), threading.Event()

    def syncing() -> None:
        with alone.alone(gazette.pk):
            held.set()
            done.wait(10)
        connection.close()

    worker = threading.Thread(target=syncing)
    worker.start()
    assert held.wait(10)
    assert pages() == 0
    done.set()
    worker.join()
    Backfill.objects.update(due_at=timezone.now())
    assert pages() == 5


def test_many_pages_do_not_push_the_syncs_out_of_the_record(gazette, monkeypatch):
    monkeypatch.setattr(filing, "_KEPT", 2)
    start(gazette)
    assert pages() == 5
    assert gazette.runs.filter(cause=SyncRun.Causes.BACKFILL).count() == 2
    assert gazette.runs.filter(cause=SyncRun.Causes.POLLED).count() == 1


# --- starting ---


def test_there_is_one_job_of_a_source_at_a_time(gazette):
    start(gazette)
    with pytest.raises(DeskError, match="being fetched already"):
        start(gazette)
    backfill.cancel(gazette)
    start(gazette)


def test_what_a_source_has_now_is_synced_first(source):
    with pytest.raises(DeskError, match="Sync the source first"):
        start(source("https://gazette.example/feed"))


def test_a_connector_that_does_not_reach_back_says_so(source):
    with pytest.raises(DeskError, match="offers no older pieces"):
        start(source("https://pigeon.invalid/", "carrier-pigeon"))


# --- at the console ---


@pytest.fixture
def console(ada) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def press(console: Client, source: Source, act: str, **data: str) -> str:
    url = reverse("admin:sources_source_act", args=(source.pk, act))
    return console.post(url, {"confirmed": "1"} | data, follow=True).content.decode()


def test_it_is_started_watched_and_stopped_on_the_source_s_page(console, gazette, ada):
    day = (timezone.localdate() - timedelta(days=3650)).isoformat()
    shown = press(console, gazette, "older", until=day, most="500")
    assert "being fetched, page by page" in shown
    job = Backfill.objects.get()
    assert (job.most, job.started_by) == (500, ada)
    assert job.until.date().isoformat() == day
    backfill._step(claimed())
    shown = console.get(reverse("admin:sources_source_overview", args=(gazette.pk,)))
    assert "Under way: 1 page, 2 pieces, 0 of them new" in shown.content.decode()
    assert "No more older pieces are fetched." in press(console, gazette, "older-stop")
    assert Backfill.objects.get().state == "cancelled"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"until": "2999-01-01", "most": "5"}, "Choose a day in the past."),
        ({"until": "soon", "most": "5"}, "Enter a valid date."),
        ({"until": "", "most": "0"}, "greater than or equal to 1"),
        ({"until": "", "most": ""}, "This field is required."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(console, gazette, typed, words):
    assert words in press(console, gazette, "older", **typed)
    assert not Backfill.objects.exists()


def test_a_source_without_older_pieces_has_no_such_button(console, source):
    page = console.get(
        reverse("admin:sources_source_change", args=(source("https://x.invalid/", "pigeon").pk,))
    )
    assert "Fetch older pieces" not in page.content.decode()


def test_old_news_is_under_a_tab_of_its_own(console, gazette):
    start(gazette)
    pages()

    def shown(tab: str) -> set[str]:
        listing = console.get(reverse("admin:articles_wireitem_changelist"), {"state": tab})
        return {row.external_id for row in listing.context["cl"].result_list}

    assert shown("new") == {"urn:9", "urn:10"}
    assert shown("older") == {f"urn:{n}" for n in range(1, 9)}
    assert len(shown("all")) == 10
    assert Article.objects.untriaged().count() == 2
