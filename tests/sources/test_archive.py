"""The archive of answers: kept as they came, without secrets, and read again on a click."""

import hashlib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from articles.models import ItemAlias, Revision, WireItem
from sources import archive, compare
from sources.connectors.base import Payload
from sources.errors import Misconfigured
from sources.models import ArchivedAnswer, Source, SyncRun
from sources.sync import sync
from tests.config.far_end import http
from tests.sources.conftest import item, rss


@pytest.fixture
def console(ada) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def run_of(source: Source) -> SyncRun:
    return SyncRun.objects.create(source=source, outcome="ok")


def keep(source: Source, *bodies: bytes, **more: Any) -> None:
    found = [Payload("https://gazette.example/feed", 200, (), body) for body in bodies]
    archive.keep(run_of(source), found, **more)


def kept(source: Source) -> list[bytes]:
    """The bodies in the archive, the last that came first."""
    return [b"".join(p.body for p in archive.payloads(a)) for a in source.answers.all()]


# --- keeping ---


def test_a_sync_archives_the_answer_as_it_came(site, source):
    answer = rss(item(1), title="Gazette & Söhne")
    gazette = source(site(answer))
    sync(gazette.pk)
    (archived,) = gazette.answers.all()
    (payload,) = archive.payloads(archived)
    assert payload.body == answer.partition(b"\r\n\r\n")[2]
    assert payload.status == 200
    assert ("content-type", "application/rss+xml") in payload.headers
    assert archived.run == gazette.runs.get()
    assert not archived.failed


def test_cookies_and_tokens_of_an_answer_are_not_archived(site, source):
    secrets = {
        "Set_Cookie": "session=s3cret", "X_Auth_Token": "s3cret", "Authorization": "s3cret",
        "X_Api_Key": "s3cret",
    }  # fmt: skip
    gazette = source(site(http(body=b"<rss version='2.0'><channel/></rss>", ETag='"1"', **secrets)))
    sync(gazette.pk)
    (archived,) = gazette.answers.all()
    assert "s3cret" not in str(archived.parts)
    assert ["etag", '"1"'] in archived.parts[0]["headers"]


def test_credentials_that_a_service_repeats_are_taken_out_everywhere(source):
    token = "t/k n+4711"
    gazette = source("https://gazette.example/feed", credentials={"token": token})
    spelled = "t%2Fk%20n%2B4711"
    archive.keep(
        run_of(gazette),
        [
            Payload(
                f"https://x.example/?k={spelled}", 200, (("Link", token),), token.encode() + b"!"
            )
        ],
    )
    (archived,) = gazette.answers.all()
    assert archived.parts[0]["url"] == "https://x.example/?k=[removed]"
    assert archived.parts[0]["headers"] == [["Link", "[removed]"]]
    assert kept(gazette) == [b"[removed]!"]


def test_the_same_answer_again_is_not_stored_twice(source):
    gazette = source("https://gazette.example/feed")
    for body in (b"one", b"two", b"one"):
        keep(gazette, body)
    assert kept(gazette) == [b"one", b"two"]
    assert [answer.times for answer in gazette.answers.all()] == [2, 1]


def test_only_the_last_answers_are_kept(source):
    gazette = source("https://gazette.example/feed", answers_kept=3)
    for number in range(6):
        keep(gazette, b"%d" % number)
    assert kept(gazette) == [b"5", b"4", b"3"]


def test_unreadable_answers_do_not_push_out_the_readable_ones(source):
    gazette = source("https://gazette.example/feed", answers_kept=2)
    keep(gazette, b"good")
    for number in range(9):
        keep(gazette, b"bad %d" % number, failed=True)
    assert kept(gazette) == [b"bad 8", b"bad 7", b"bad 6", b"good"]


def test_a_source_that_keeps_none_has_no_archive(source):
    gazette = source("https://gazette.example/feed", answers_kept=0)
    keep(gazette, b"one")
    assert kept(gazette) == []


def test_the_archive_of_a_source_is_bounded_in_bytes(source, monkeypatch):
    monkeypatch.setattr(archive, "MOST", 5000)
    gazette = source("https://gazette.example/feed")
    for number in range(6):  # incompressible, 2 KB each
        keep(gazette, b"".join(hashlib.sha256(b"%d.%d" % (number, i)).digest() for i in range(64)))
    assert len(kept(gazette)) == 2
    assert sum(gazette.answers.values_list("stored", flat=True)) <= 5000


def test_an_answer_too_long_leaves_its_headers_only(source, monkeypatch):
    monkeypatch.setattr(archive, "LONGEST", 10)
    gazette = source("https://gazette.example/feed")
    keep(gazette, b"12345678901")
    (archived,) = gazette.answers.all()
    assert (archived.bodies, archived.length, len(archived.parts)) == (None, 11, 1)
    with pytest.raises(Misconfigured, match="too long to be kept"):
        archive.payloads(archived)


def test_a_fetch_of_several_responses_is_one_answer(source):
    gazette = source("https://gazette.example/feed")
    keep(gazette, b"first", b"", b"third")
    assert [p.body for p in archive.payloads(gazette.answers.get())] == [b"first", b"", b"third"]


def test_what_was_no_feed_is_archived_for_the_bug_report(site, source):
    gazette = source(site(http(body=b"<html><body>Please wait</body></html>")))
    assert sync(gazette.pk).outcome == "failed"
    (archived,) = gazette.answers.all()
    assert archived.failed
    assert b"Please wait" in kept(gazette)[0]


def test_an_answer_that_says_unchanged_is_no_payload(site, source):
    gazette = source(site(http("304 Not Modified")), etag='"1"')
    assert sync(gazette.pk).outcome == "unchanged"
    assert kept(gazette) == []


def test_what_cannot_be_stored_with_the_copy_is_not_stored_at_all(site, source, monkeypatch):
    gazette = source(site(rss(item(1))))

    def broken(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(archive, "_prune", broken)
    with pytest.raises(RuntimeError):
        sync(gazette.pk)
    assert not gazette.items.exists()
    assert not gazette.answers.exists()


# --- reading again ---


def after_a_fix(gazette: Source, **stored: str) -> ArchivedAnswer:
    """An answer whose piece was stored wrongly by a former parser."""
    sync(gazette.pk)
    WireItem.objects.filter(external_id="g1").update(raw_hash="of a former parser", **stored)
    return gazette.answers.get()


def test_reading_again_tells_new_changed_and_gone_pieces_and_stores_nothing(site, source):
    gazette = source(site(rss(item(1), item(2), item(3))))
    answer = after_a_fix(gazette, title="Piece one")
    WireItem.objects.filter(external_id="g2").update(
        external_id="wrong", title="Wrong", url="", canonical_url=""
    )
    ItemAlias.objects.filter(item__external_id="wrong").delete()
    before = list(WireItem.objects.order_by("pk").values())
    found = archive.read_again(gazette, archive.payloads(answer))
    compared = compare.compare(gazette, found.copies, answer.run)
    assert [piece.title for piece in compared.new] == ["Piece 2"]
    assert [piece.title for piece in compared.gone] == ["Wrong"]
    assert compared.same == 1
    (changed,) = compared.changed
    assert [(c.field, c.stored, c.read) for c in changed.changes] == [
        ("title", "Piece one", "Piece 1")
    ]
    assert list(WireItem.objects.order_by("pk").values()) == before
    assert not Revision.objects.exists()


def test_a_piece_that_got_another_identity_is_compared_as_the_piece_it_is(site, source):
    gazette = source(site(rss(item(1), item(2))))
    sync(gazette.pk)
    renamed = rss(item(1).replace(">g1<", ">other<").replace("Piece 1", "Piece 1, again"))
    copies = archive.read_again(
        gazette, [Payload("https://x.example/", 200, (), renamed.partition(b"\r\n\r\n")[2])]
    ).copies
    compared = compare.compare(gazette, copies)
    assert [piece.title for piece in compared.changed] == ["Piece 1"]
    assert compared.new == ()


def test_storing_what_it_reads_now_files_it_as_a_run_of_its_own(site, source):
    gazette = source(site(rss(item(1))))
    answer = after_a_fix(gazette, title="Piece one")
    before = Source.objects.get(pk=gazette.pk)
    run = archive.store(answer)
    assert (run.cause, run.updated, run.outcome) == ("read_again", 1, "ok")
    piece = WireItem.objects.get(external_id="g1")
    assert piece.title == "Piece 1"
    assert piece.revisions.get().title == "Piece one"
    after = Source.objects.get(pk=gazette.pk)
    assert (after.last_sync, after.etag, after.next_sync_at) == (
        before.last_sync, before.etag, before.next_sync_at
    )  # fmt: skip


# --- in the console ---


def test_the_page_of_a_source_leads_to_its_answers(console, source):
    gazette, other = source("https://a.example/"), source("https://b.example/")
    keep(gazette, b"ours")
    keep(other, b"theirs")
    url = reverse("admin:sources_source_act", args=(gazette.pk, "answers"))
    listing = console.post(url, follow=True)
    assert [row.source for row in listing.context["cl"].result_list] == [gazette]


def test_an_answer_is_shown_as_text(console, source):
    gazette = source("https://gazette.example/feed")
    keep(gazette, b"<script>alert(1)</script>\xff")
    shown = console.get(
        reverse("admin:sources_archivedanswer_change", args=(gazette.answers.get().pk,))
    ).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\ufffd" in shown
    assert "<script>alert(1)" not in shown


def test_a_body_is_downloaded_as_it_came_and_never_shown_as_a_page(console, source):
    gazette = source("https://gazette.example/feed")
    keep(gazette, b"first", b"<script>alert(1)</script>\xff")
    pk = gazette.answers.get().pk
    saved = console.get(reverse("admin:sources_archivedanswer_body", args=(pk, 1)))
    assert saved.content == b"<script>alert(1)</script>\xff"
    assert saved["Content-Type"] == "application/octet-stream"
    assert saved["Content-Disposition"].startswith("attachment")
    missing = console.get(reverse("admin:sources_archivedanswer_body", args=(pk, 2)))
    assert missing.status_code == 404


def test_parsing_again_shows_the_difference_and_a_second_click_stores_it(console, site, source):
    gazette = source(site(rss(item(1, "A <b>bright</b> morning."), item(2))))
    answer = after_a_fix(gazette, content="<p>A dark morning.</p>")
    again = console.post(
        reverse("admin:sources_archivedanswer_act", args=(answer.pk, "again")), follow=True
    )
    shown = again.content.decode()
    assert '<del class="desk-gone">dark </del><ins class="desk-added">bright </ins>' in shown
    assert "2 pieces read: 0 new, 1 changed, 1 as stored" in shown
    assert "dark" in WireItem.objects.get(external_id="g1").content
    stored = console.post(again.context["store_url"], {"confirmed": "1"}, follow=True)
    assert "0 new, 1 changed, 1 as before" in stored.content.decode()
    assert "bright" in WireItem.objects.get(external_id="g1").content


def test_an_answer_that_still_cannot_be_read_says_so(console, site, source):
    gazette = source(site(http(body=b"<html><body>Please wait</body></html>")))
    sync(gazette.pk)
    answer = gazette.answers.get()
    page = reverse("admin:sources_archivedanswer_again", args=(answer.pk,))
    assert "It can&#x27;t be read" in console.get(page).content.decode()
    stored = console.post(
        reverse("admin:sources_archivedanswer_act", args=(answer.pk, "store")),
        {"confirmed": "1"}, follow=True,
    )  # fmt: skip
    assert "Nothing was stored" in stored.content.decode()


@pytest.mark.parametrize("somebody", ["vera", "will", "edda", "paula"])
def test_only_an_administrator_sees_answers(request, source, somebody):
    gazette = source("https://gazette.example/feed")
    keep(gazette, b"behind a login")
    client = Client()
    client.force_login(request.getfixturevalue(somebody))
    pk = gazette.answers.get().pk
    for name, args in (("changelist", ()), ("change", (pk,)), ("again", (pk,)), ("body", (pk, 0))):
        address = reverse(f"admin:sources_archivedanswer_{name}", args=args)
        assert client.get(address).status_code == 403
