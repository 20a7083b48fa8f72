"""Lists as CSV files: what the filters show, harmless to a spreadsheet."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.test import Client

from articles import intake
from articles.models import Article
from articles.wire import WireCopy
from config.csv_cells import BYTE_ORDER_MARK, cell, lines
from sources.models import Source
from tests.conftest import person

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=cmd|'/c calc'!A1",
    "\tHarmless otherwise", "＝1+1", "＠SUM(A1)", "\ufeff=1", "\u200b=1", "\u00a0=1", "\u202e=1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_is_never_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell([text, "b"]).startswith("'")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""), ("", ""), (3, "3"), (-3, "-3"), (2.5, "2.5"), (["a", "b"], "a, b"),
        ("a=b", "a=b"), ("nul\x00l", "null"), (True, "True"),
        (datetime(2026, 3, 1, 9, 30, 5, 123, tzinfo=UTC), "2026-03-01T09:30:05+00:00"),
    ],
)  # fmt: skip
def test_values_as_cells(value, written):
    assert cell(value) == written


def test_no_semicolon_begins_a_cell():
    """A spreadsheet may take semicolons for separators; within quotes they are text."""
    text = "".join(lines([["a;=1+1", "b"]])).removeprefix(BYTE_ORDER_MARK)
    assert next(csv.reader(io.StringIO(text), delimiter=";"))[0].startswith("a;=1+1")


def test_lines_are_read_back_with_quotes_commas_and_breaks():
    rows = [["Title", "Text"], ['say "no"', "a,b\nc"], ["Müller", ""]]
    text = "".join(lines(rows))
    assert text.startswith(BYTE_ORDER_MARK)
    assert list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""))) == rows


@pytest.fixture
def wire(db) -> None:
    coast = Source.objects.create(
        name="-Coast", connector="feed", api_endpoint="https://c.example/"
    )
    intake.file(
        coast.pk,
        [
            WireCopy("1", "=HYPERLINK(1)", content="<p>Text</p>", summary="<b>Short</b>"),
            WireCopy("2", "Ferry returns", tags=("sea", "region")),
            WireCopy("3", "Spiked one"),
        ],
    )
    Article.objects.filter(external_id="3").update(state="spiked")


def downloaded(client: Client, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    assert ".csv" in answer["Content-Disposition"]
    text = answer.getvalue().decode()
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


def at_the_console(name: str, group: str) -> Client:
    client = Client()
    client.force_login(person(name, group))
    return client


def test_the_wire_is_downloaded_as_its_filters_show_it(wire):
    client = at_the_console("edda", "Editor")
    path = "/admin/articles/wireitem/csv/"
    heading, *rows = downloaded(client, path)
    assert heading[:2] == ["Title", "Source"]
    assert {row[0] for row in rows} == {"'=HYPERLINK(1)", "Ferry returns"}
    assert {row[1] for row in rows} == {"'-Coast"}
    assert next(row for row in rows if row[0] == "Ferry returns")[8] == "sea, region"
    assert [row[0] for row in downloaded(client, f"{path}?state=spiked")[1:]] == ["Spiked one"]
    assert [row[0] for row in downloaded(client, f"{path}?q=ferry")[1:]] == ["Ferry returns"]
    shown = client.get("/admin/articles/wireitem/?state=spiked").content.decode()
    assert 'href="/admin/articles/wireitem/csv/?state=spiked"' in shown


def test_a_filter_that_is_none_leads_back_to_the_list(wire):
    client = at_the_console("edda", "Editor")
    assert client.get("/admin/articles/wireitem/csv/?nonsense__x=1").status_code == 302


@pytest.mark.parametrize(
    ("name", "first"), [("sources/source", "'-Coast"), ("articles/story", "A story")]
)
def test_other_lists_are_downloaded_too(wire, draft, name, first):
    Article.objects.filter(pk=draft(person("olga", "Writer")).pk).update(title="A story")
    rows = downloaded(at_the_console("edda", "Editor"), f"/admin/{name}/csv/")
    assert [row[0] for row in rows[1:]] == [first]


@pytest.mark.parametrize("name", ["articles/wireitem", "articles/story", "sources/source"])
def test_a_file_is_for_those_who_may_see_the_list(wire, name, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_user("zoe", is_staff=True))
    assert client.get(f"/admin/{name}/csv/").status_code == 403
    assert Client().get(f"/admin/{name}/csv/").status_code == 302


def test_a_file_holds_every_page_and_is_streamed_without_the_texts(
    wire, django_assert_max_num_queries
):
    source = Source.objects.get()
    Article.objects.bulk_create(
        Article(
            source=source, kind="wire", state="new", external_id=f"more{n}", title=f"Piece {n}",
            content="x" * 1000, published_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for n in range(1200)
    )  # fmt: skip
    client = at_the_console("edda", "Editor")
    with django_assert_max_num_queries(12) as asked:
        answer = client.get("/admin/articles/wireitem/csv/")
        assert answer.streaming
        text = answer.getvalue().decode()
    assert text.count("Piece ") == 1200
    rows = next(
        each["sql"] for each in reversed(asked.captured_queries) if "ORDER BY" in each["sql"]
    )
    assert '"content"' not in rows
