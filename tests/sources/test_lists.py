"""Lists of feeds: brought in, tried, added, and out again."""

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from articles.errors import DeskError
from sources import lists, opml
from sources.models import ImportLine, ListImport, Source
from sources.opml import Outline
from tests.config.far_end import http
from tests.conftest import person
from tests.sources.conftest import item, rss
from tests.sources.hostile_world import ALLOWED, hostile_world
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)

States = ImportLine.States
IMPORT = "/admin/sources/source/import/"


def document(*outlines: Outline) -> bytes:
    return opml.write("Theirs", outlines, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def brought(site, source):
    """A list with a feed of every kind, and what each should be told to be."""
    good, gone = site(rss(item(1), item(2))), site(http("410 Gone"))
    page = site(http(body=b"<html><p>Hello", Content_Type="text/html"))
    ours = source(site(rss(item(3))), name="Ours")
    wishes = [
        (Outline(good, "Good <Paper>", "Region"), States.ANSWERS),
        (Outline(gone, "Gone"), States.FAILS),
        (Outline(page, "A page"), States.FAILS),
        (Outline(ours.api_endpoint, "Ours again"), States.HERE),
        (Outline(good, "Good, again"), States.TWICE),
        (Outline("javascript:alert(1)", "A script"), States.BAD),
        (Outline("http://169.254.169.254/latest", "Inside"), States.FAILS),
        (Outline("x", "HN", connector="hackernews", options={"nonsense": 1}), States.BAD),
        (Outline("https://a.example/", "Strange", connector="nonsense"), States.BAD),
    ]
    return document(*(outline for outline, _ in wishes)), [state for _, state in wishes]


def states(of: ListImport) -> dict[str, str]:
    return dict(of.lines.values_list("name", "state"))


# --- looking ---


def test_every_feed_of_a_list_is_looked_at_and_none_is_added(brought, paula):
    body, expected = brought
    found = lists.take_in(body, "theirs.opml", paula)
    assert set(states(found).values()) == {States.WAITING, States.HERE, States.TWICE, States.BAD}
    assert lists.drain() == 4
    assert list(found.lines.values_list("state", flat=True)) == expected
    lines = {line.name: line for line in found.lines.all()}
    good = lines["Good <Paper>"]
    assert (good.pieces, good.title) == (2, "The Gazette")
    assert "410" in lines["Gone"].words
    assert "page" in lines["A page"].words
    assert "private" in lines["Inside"].words or "not" in lines["Inside"].words
    assert lines["Ours again"].source == Source.objects.get(name="Ours")
    assert lines["Good, again"].words == "The same as line 1."
    assert "no web address" in lines["A script"].words
    assert Source.objects.count() == 1
    assert lists.drain() == 0


def test_a_list_that_is_none_leaves_nothing_behind():
    with pytest.raises(DeskError, match="no OPML"):
        lists.take_in(b"<rss/>", "x", None)
    assert not ListImport.objects.exists()


def test_a_feed_that_hangs_costs_the_others_nothing(site, monkeypatch):
    monkeypatch.setattr(lists, "_DEADLINE", 0.5)

    def answer(_head: bytes) -> bytes:
        time.sleep(2)
        return b""

    slow = site(answer)
    found = lists.take_in(
        document(Outline(slow, "Slow"), Outline(site(rss(item(1))), "Good")), "x", None
    )
    lists.drain()
    assert states(found) == {"Slow": States.FAILS, "Good": States.ANSWERS}
    assert "within 0.5 seconds" in found.lines.get(name="Slow").words


def test_a_worker_that_dies_leaves_its_lines_to_another(site):
    found = lists.take_in(document(Outline(site(rss(item(1))), "Good")), "x", None)
    assert len(lists._claim()) == 1  # and nothing more is heard of it
    assert lists.drain() == 0
    found.lines.update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert lists.drain() == 1


def test_one_feed_in_another_spelling_is_here_already(source):
    source("https://a.example/rss", name="Ours")
    found = lists.take_in(
        document(
            Outline("http://a.example/rss", "Plain"), Outline("https://a.example/rss/", "Slash"),
            Outline("https://A.example/rss?utm_source=x", "Tracked"),
        ), "x", None,
    )  # fmt: skip
    assert set(states(found).values()) == {States.HERE}


def test_a_feed_that_has_moved_to_one_of_ours_is_here_already(site, source):
    ours = source(f"{site(rss(item(1)))}/rss", name="Ours")
    moved = http("301 Moved Permanently", Location=ours.api_endpoint)
    found = lists.take_in(document(Outline(f"{site(moved)}/old", "Old")), "x", None)
    lists.drain()
    line = found.lines.get()
    assert (line.state, line.source) == (States.HERE, ours)
    assert line.words == "It has moved for good to what is “Ours”."


def test_few_feeds_of_one_host_are_asked_at_once(site):
    lock, now, most = threading.Lock(), [0], [0]

    def counted(_head: bytes) -> bytes:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return rss(item(1))

    url = site(counted)
    found = lists.take_in(document(*(Outline(f"{url}/{n}", str(n)) for n in range(8))), "x", None)
    assert lists.drain() == 8
    assert set(states(found).values()) == {States.ANSWERS}
    assert most[0] <= 2


def test_an_answer_is_shown_while_another_feed_hangs(site):
    free = threading.Event()

    def hanging(_head: bytes) -> bytes:
        free.wait(15)
        return rss(item(1))

    found = lists.take_in(
        document(Outline(site(hanging), "Slow"), Outline(site(rss(item(1))), "Good")), "x", None
    )
    worker = threading.Thread(target=in_a_worker, args=[lists.drain])
    worker.start()
    until = time.monotonic() + 10
    while states(found)["Good"] == States.WAITING and time.monotonic() < until:
        time.sleep(0.05)
    seen = states(found)
    free.set()
    worker.join()
    assert seen == {"Slow": States.WAITING, "Good": States.ANSWERS}
    assert states(found)["Slow"] == States.ANSWERS


def in_a_worker(act: Callable[[], object]) -> None:
    """Another thread, which leaves no connection behind."""
    try:
        act()
    finally:
        connection.close()


def test_a_list_leads_nowhere_inside(monkeypatch):
    with hostile_world(monkeypatch) as world, override_settings(OUTBOUND_ALLOWED_NETWORKS=ALLOWED):
        inside = world.resolve("inner", ["127.0.0.1"])
        world.site.answer = http("302 Found", Location=f"http://127.0.0.1:{world.canary}/")
        entity = f"""<!DOCTYPE opml [<!ENTITY x SYSTEM "http://127.0.0.1:{world.canary}/x">]>
        <opml><body><outline text="&x;" xmlUrl="{world.site.url}/rss"/></body></opml>"""
        with pytest.raises(DeskError, match="names entities outside"):
            lists.take_in(entity.encode(), "hostile", None)
        addresses = (
            f"http://127.0.0.1:{world.canary}/", f"http://[::1]:{world.canary}/",
            f"http://{inside}:{world.canary}/", "http://169.254.169.254/latest", world.site.url,
        )  # fmt: skip
        found = lists.take_in(document(*map(Outline, addresses)), "hostile", None)
        lists.drain()
        assert [line.state for line in found.lines.all()] == [States.FAILS] * 5
        assert all(line.words.endswith(".") for line in found.lines.all())
        assert len(world.site.heads) == 1
        assert world.visits == 0


# --- adding ---


def test_what_is_chosen_becomes_sources_with_schedules(brought):
    body, _ = brought
    found = lists.take_in(body, "x", None)
    lists.drain()
    outcome = lists.add(found, set(found.lines.values_list("pk", flat=True)), active=True)
    names = {each.name: each for each in outcome.added}
    assert set(names) == {"Good <Paper>", "Gone", "A page", "Inside"}
    good = names["Good <Paper>"]
    assert (good.section, good.is_active, good.connector) == ("Region", True, "feed")
    assert PeriodicTask.objects.get(source=good).enabled
    assert Source.objects.get(pk=good.pk).due_at is not None  # its first sync
    assert len(outcome.left) == 5
    again = lists.add(found, set(found.lines.values_list("pk", flat=True)), active=True)
    assert again.added == ()


def test_two_lists_with_one_feed_make_one_source(site):
    feed = site(rss(item(1)))
    one, two = (lists.take_in(document(Outline(feed, "Good")), "x", None) for _ in "ab")
    lists.drain()
    for each in (one, two):
        lists.add(each, set(each.lines.values_list("pk", flat=True)), active=False)
    assert Source.objects.count() == 1
    assert states(two) == {"Good": States.HERE}
    assert not Source.objects.get().is_active


def test_a_line_that_no_source_can_be_made_of_keeps_the_others(site):
    found = lists.take_in(document(Outline(site(rss(item(1))), "Good")), "x", None)
    lists.drain()
    ImportLine.objects.create(
        of=found, position=9, name="Odd", connector="feed", url="http://a b/", state=States.ANSWERS
    )
    outcome = lists.add(found, set(found.lines.values_list("pk", flat=True)), active=False)
    assert [each.name for each in outcome.added] == ["Good"]
    assert "valid URL" in outcome.left[0].words


def test_names_that_are_taken_get_a_number(site, source):
    source("https://other.example/", name="Good")
    found = lists.take_in(document(Outline(site(rss(item(1))), "Good")), "x", None)
    lists.drain()
    [added] = lists.add(found, {found.lines.get().pk}, active=False).added
    assert added.name == "Good (2)"


def test_two_people_who_add_one_feed_at_once_make_one_source(site):
    feed = site(rss(item(1)))
    both = [lists.take_in(document(Outline(feed, "Good")), "x", None) for _ in range(2)]
    lists.drain()
    chosen = [set(each.lines.values_list("pk", flat=True)) for each in both]
    at_once(*[partial(lists.add, *each, active=False) for each in zip(both, chosen, strict=True)])
    assert Source.objects.count() == 1
    assert sorted(states(each)["Good"] for each in both) == [States.ADDED, States.HERE]


# --- out again ---


def test_what_is_exported_comes_back_the_same(source):
    source("https://a.example/feed", name="A & B", section="Region")
    Source.objects.create(
        name="HN", connector="hackernews", api_endpoint="https://hn.example/api",
        options={"list": "ask"}, credentials={"token": "SECRET"},
    )  # fmt: skip
    out = io.StringIO()
    call_command("export_opml", stdout=out)
    written = out.getvalue()
    assert "SECRET" not in written
    found = lists.take_in(written.encode(), "ours", None)
    assert set(states(found).values()) == {States.HERE}
    Source.objects.all().delete()
    found = lists.take_in(written.encode(), "ours", None)
    lists.add(found, set(found.lines.values_list("pk", flat=True)), active=False)
    assert Source.objects.get(connector="hackernews").options["list"] == "ask"
    assert Source.objects.get(name="A & B").section == "Region"


def test_the_command_looks_first_and_adds_when_told(brought, tmp_path):
    file = tmp_path / "theirs.opml"
    file.write_bytes(brought[0])
    out = io.StringIO()
    call_command("import_opml", str(file), stdout=out)
    assert "Nothing was added" in out.getvalue()
    assert Source.objects.count() == 1
    call_command("import_opml", str(file), "--apply", "--inactive", stdout=out)
    assert "1 added, 0 left." in out.getvalue()
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_opml", str(tmp_path / "none"))
    (tmp_path / "no").write_text("no")
    with pytest.raises(CommandError, match="no OPML"):
        call_command("import_opml", str(tmp_path / "no"))


# --- in the console ---


@pytest.fixture
def console(ada) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def upload(client: Client, body: bytes, name: str = "theirs.opml"):
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, body)})


def test_a_list_is_brought_in_looked_at_and_added_by_clicking(console, brought):
    answer = upload(console, brought[0])
    found = ListImport.objects.get()
    page = reverse("admin:sources_listimport_change", args=(found.pk,))
    assert answer["Location"] == page
    assert "looked at" in console.get(page).content.decode()
    live = console.get(reverse("admin:sources_listimport_lines", args=(found.pk,)))
    assert 'data-live-seconds="2"' in live.content.decode()
    assert 'name="line"' not in live.content.decode()
    lists.drain()
    shown = console.get(page).content.decode()
    assert 'data-live-seconds="0"' in shown
    assert "Good &lt;Paper&gt;" in shown
    good = found.lines.get(name="Good <Paper>")
    assert f'value="{good.pk}" aria-label="Add Good &lt;Paper&gt;" checked' in shown
    add = reverse("admin:sources_listimport_add", args=(found.pk,))
    assert console.get(add).status_code == 405
    assert "Tick the lines" in console.post(add, follow=True).content.decode()
    shown = console.post(add, {"line": [good.pk, "x"], "active": "on"}, follow=True)
    assert "1 source was added." in shown.content.decode()
    assert Source.objects.get(name="Good <Paper>").is_active


def test_every_line_of_a_long_list_may_be_ticked(console):
    found = ListImport.objects.create(name="x")
    ImportLine.objects.bulk_create(
        ImportLine(of=found, position=n, connector="feed", url=f"https://a.example/{n}",
                   state=States.ANSWERS)
        for n in range(opml.MOST_FEEDS)
    )  # fmt: skip
    ticked = list(found.lines.values_list("pk", flat=True))
    found.lines.filter(position__gte=20).update(state=States.BAD)  # so that it ends soon
    add = reverse("admin:sources_listimport_add", args=(found.pk,))
    shown = console.post(add, {"line": ticked, "active": "on"}, follow=True)
    assert shown.status_code == 200
    assert Source.objects.count() == 20


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no", "no OPML"),
        (b"", "file is empty"),
        (b"<opml/>", "no feed"),
        (b" " * 50_000_000, "larger than 5 MB"),
    ],
    ids=["no-xml", "empty", "no-feed", "huge"],
)
def test_a_file_that_is_none_is_told_at_its_field(console, body, words):
    assert words in upload(console, body).content.decode()
    assert "Choose a file" in console.post(IMPORT).content.decode()


def test_lists_are_for_those_who_may_add_sources(brought):
    edda = Client()
    edda.force_login(person("edda", "Editor"))
    assert edda.get(IMPORT).status_code == 403
    assert "Import OPML" not in edda.get("/admin/sources/source/").content.decode()
    found = lists.take_in(brought[0], "x", None)
    for name in ("change", "lines", "add"):
        url = reverse(f"admin:sources_listimport_{name}", args=(found.pk,))
        assert edda.post(url).status_code == 403, name
    assert edda.get("/admin/sources/source/opml/").status_code == 200
