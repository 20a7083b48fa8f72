"""Adding a source in the console: paste an address, look, save."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from sources.models import Source
from tests.config.far_end import http
from tests.sources.conftest import item, rss
from tests.sources.test_console import ADD, errors, typed
from tests.sources.test_web_page import FRONT

PIECES = {"items": [{"id": n, "headline": f"Piece {n}", "link": f"/p/{n}"} for n in (1, 2)]}


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


def json_site(document: Any) -> bytes:
    return http(body=json.dumps(document).encode(), Content_Type="application/json")


def mapped(url: str, **options: str) -> dict[str, Any]:
    """What is typed to add a JSON source by hand."""
    fields = {"items": "items", "id": "id", "title": "headline", "url": "link", **options}
    choices = {"text": "html", "dates": "auto", "paging": "none", "login": "none"}
    return typed(url, **{f"option_{name}": value for name, value in {**choices, **fields}.items()})


def paste(console: Client, address: str) -> Any:
    """Paste an address and press “Look”; the page that comes."""
    return console.post(ADD, {"address": address}, follow=True)


def form_of(page: Any) -> Any:
    return page.context["adminform"].form


def where(page: Any) -> str:
    """The address of the page after all redirects, as the form posts to it."""
    return str(page.redirect_chain[-1][0])


# --- pasting ---


def test_adding_begins_with_one_field(console):
    page = console.get(ADD)
    assert list(page.context["form"].fields) == ["address"]


def test_a_pasted_feed_is_shown_and_fills_the_form_and_stores_nothing(console, site):
    url = site(rss(item(1), item(2)))
    page = paste(console, url)
    look, form = page.context["look"], form_of(page)
    assert (look.candidate.connector, look.preview.count) == ("feed", 2)
    assert [sample.title for sample in look.preview.first] == ["Piece 1", "Piece 2"]
    assert (form["name"].value(), form["api_endpoint"].value()) == ("The Gazette", url)
    assert form["minutes"].value() == look.preview.minutes == 30
    shown = page.content.decode()
    for words in ("answers with 2 pieces, 0 of them known", "Something happened.", "robots.txt",
                  "No piece has a date", "https://gazette.example/1"):  # fmt: skip
        assert words in shown
    assert not Source.objects.exists()


def test_saving_stores_the_source_with_its_schedule_and_rings_for_its_first_sync(
    console, site, monkeypatch, django_capture_on_commit_callbacks
):
    rung: list[Any] = []
    monkeypatch.setattr("config.bell.ring", lambda *given: rung.append(given))
    page = paste(console, site(rss(item(1))))
    data = typed(form_of(page)["api_endpoint"].value(), name="The Gazette", minutes=60)
    with django_capture_on_commit_callbacks(execute=True):
        answer = console.post(where(page), data)
    source = Source.objects.get()
    assert answer["Location"].endswith(f"/sources/source/{source.pk}/change/")
    assert str(source.schedule.interval) == "every 60 minutes"
    assert rung == [("sources.sync", source.pk)]


def test_a_pasted_json_address_comes_with_its_fields_filled_in(console, site):
    page = paste(console, site(json_site(PIECES)))
    form = form_of(page)
    values = {name: form[f"option_{name}"].value() for name in ("items", "title", "url", "id")}
    assert values == {"items": "items", "title": "headline", "url": "link", "id": "id"}
    assert "is a guess" in page.content.decode()
    data = {**typed(""), **{name: form[name].value() or "" for name in form.fields}}
    data |= {"is_active": "on", "unchecked": ""}
    assert errors(console.post(where(page), data)) == {}
    assert Source.objects.get().options["title"] == "headline"


def test_another_way_to_read_it_can_be_chosen(console, site):
    body = FRONT.replace(
        "</head>", "<link rel=alternate type=application/rss+xml href=/rss></head>"
    )
    pages = {b"/rss": rss(item(1)), b"/": http(body=body.encode(), Content_Type="text/html")}
    url = site(lambda request: pages.get(request.split(b" ")[1], http("404 Not Found")))
    page = paste(console, f"{url}/")
    assert [each.connector for each in page.context["look"].detected.candidates] == [
        "feed", "web_page",
    ]  # fmt: skip
    other = console.post(where(page), {"choice": "1"}, follow=True)
    assert form_of(other)["option_item"].value() == "li.teaser"
    assert other.context["look"].preview.first[0].title == "Bridge number 1 is open"
    back = console.post(where(other), {"choice": "0"}, follow=True)
    assert form_of(back)["api_endpoint"].value() == f"{url}/rss"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Paste the address"),
        ("what is new", "no web address"),
        ("https://no.invalid/", "no.invalid"),
        ("http://10.0.0.1/feed", "private or special network"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_at_the_field(console, address, words):
    page = paste(console, address)
    assert page.status_code == 200
    assert words in str(page.context["form"].errors["address"])


def test_a_page_that_is_nothing_is_refused_at_the_field(console, site):
    page = paste(console, site(http(body=b"<p>Hello</p>", Content_Type="text/html")))
    assert "No feed was found" in str(page.context["form"].errors["address"])


def test_what_can_not_be_looked_at_now_says_why_and_still_fills_the_form(console, site):
    answers = [rss(item(1))]
    url = site(lambda _request: answers.pop() if answers else http("503 Service Unavailable"))
    page = paste(console, url)
    assert "has trouble of its own (503)" in page.context["look"].trouble
    assert "has trouble of its own (503)" in page.content.decode()
    assert form_of(page)["api_endpoint"].value() == url


def test_a_name_that_is_taken_gets_a_number(console, site, source):
    source("https://x.example", name="The Gazette")
    assert form_of(paste(console, site(rss(item(1)))))["name"].value() == "The Gazette (2)"


def test_a_source_that_is_there_already_is_told(console, site, source):
    url = site(rss(item(1)))
    source(url, name="Old friend")
    assert "\u201cOld friend\u201d reads the same already." in paste(console, url).content.decode()


def test_the_section_is_that_of_the_other_sources_of_the_host(console, site, source):
    url = site(rss(item(1)))
    source(f"{url}/world", section="world")
    assert form_of(paste(console, url))["section"].value() == "world"
    source(f"{url}/sports", section="sports")
    assert form_of(paste(console, url))["section"].value() == ""


def test_a_refused_form_keeps_what_was_found_in_view(console, site):
    page = paste(console, site(rss(item(1))))
    again = console.post(where(page), typed("https://no.invalid/"))
    assert "no.invalid" in str(form_of(again).errors["api_endpoint"])
    assert again.context["look"].preview.count == 1
    assert "answers with 1 piece" in again.content.decode()


def test_a_reload_of_the_form_asks_nobody(console, site):
    asked: list[bytes] = []

    def answering(request: bytes) -> bytes:
        asked.append(request)
        return rss(item(1))

    page = paste(console, site(answering))
    before = len(asked)
    assert console.get(where(page)).context["look"].preview.count == 1
    assert len(asked) == before


def test_what_one_found_is_not_anothers(console, site, client, django_user_model):
    page = paste(console, site(rss(item(1))))
    client.force_login(django_user_model.objects.create_superuser("bob", password="x"))
    assert client.get(where(page)).context["look"] is None


def test_who_may_not_add_sources_may_not_make_the_desk_ask_either(client, site, will):
    asked: list[bytes] = []

    def answering(request: bytes) -> bytes:
        asked.append(request)
        return rss(item(1))

    client.force_login(will)
    assert client.post(ADD, {"address": site(answering)}).status_code == 403
    assert asked == []


def test_pasting_needs_the_forms_token(ada, site):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(ADD, {"address": site(rss(item(1)))}).status_code == 403


# --- the kind chosen by hand ---


def test_a_json_source_is_added_by_its_expressions(console, site):
    answer = console.post(f"{ADD}?connector=json_api", mapped(site(json_site(PIECES))))
    assert errors(answer) == {}
    source = Source.objects.get()
    assert (source.connector, source.options["title"]) == ("json_api", "headline")


@pytest.mark.parametrize("unchecked", [{}, {"unchecked": "on"}])
def test_a_wrong_expression_is_shown_at_its_field_with_its_place(console, site, unchecked):
    data = mapped(site(json_site(PIECES)), title="head..line") | unchecked
    found = errors(console.post(f"{ADD}?connector=json_api", data))
    assert list(found) == ["option_title"]
    assert "at character 6, before \u201c.line\u201d" in str(found)
    assert not Source.objects.exists()
