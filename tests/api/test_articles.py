import base64

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from articles import desk, intake
from articles.models import Article
from articles.record import Actor
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def wire(db):
    source = Source.objects.create(
        name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
    )
    copies = [WireCopy(f"c{n}", f"Piece {n}", tags=("sea",)) for n in range(30)]
    intake.file(source.pk, copies)
    return source


def test_stories_are_listed_without_their_text(as_, draft, will, vera, wire):
    draft(will, title="Ferry returns")
    rows = as_(vera).get("/api/articles/").json()["results"]
    assert [row["title"] for row in rows] == ["Ferry returns"]
    assert "content" not in rows[0]


def test_the_wire_is_asked_for_by_kind(as_, vera, wire):
    rows = as_(vera).get("/api/articles/?kind=wire&page_size=100").json()["results"]
    assert len(rows) == 30
    assert {row["source"] for row in rows} == {"Coast Wire"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=wire&state=new", 30), ("kind=wire&state=spiked", 0), ("kind=wire&tag=sea", 30),
        ("kind=wire&tag=land", 0), ("kind=wire&search=Piece", 30), ("kind=wire&search=harbour", 0),
        ("kind=wire&updated_since=2000-01-01T00:00:00Z", 30),
        ("kind=wire&updated_since=2100-01-01T00:00:00Z", 0),
    ],
)  # fmt: skip
def test_a_list_is_narrowed(as_, vera, wire, query, count):
    answer = as_(vera).get(f"/api/articles/?{query}&page_size=100")
    assert len(answer.json()["results"]) == count


@pytest.mark.parametrize("query", ["kind=planet", "state=odd", "source=x", "updated_since=later"])
def test_a_filter_that_makes_no_sense_is_a_problem(as_, vera, query):
    answer = as_(vera).get(f"/api/articles/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("search=%00", 400), ("section=%00", 400), ("tag=%00", 400), ("source=NaN", 400),
        ("source=1e999999999", 400), ("source=1e30", 200), ("source=-1", 200),
        ("search=%22()%7C%26!:*", 200), ("search=%ED%A0%80", 200),
        ("updated_since=0001-01-01T00:00:00%2B14:00", 200), ("page_size=-1", 200),
        ("page_size=many", 200), ("page_size=99999999999999999999", 200), ("format=xml", 404),
        ("cursor=x", 400), ("cursor=cD1hYmM=", 400),  # p=abc
        ("cursor=cD0lMDA=", 400),  # p=%00
        ("cursor=" + base64.b64encode(b"p=" + b"9" * 5000).decode(), 400),
        ("cursor=" + base64.b64encode(b"p=1&o=99999999999").decode(), 200),
    ],
)  # fmt: skip
def test_a_hostile_query_is_never_an_error(as_, vera, wire, query, status):
    assert as_(vera).get(f"/api/articles/?kind=wire&{query}").status_code == status


def test_pages_neither_repeat_nor_skip_while_copy_comes_in(as_, vera, wire):
    api = as_(vera)
    first = api.get("/api/articles/?kind=wire&page_size=10").json()
    intake.file(wire.pk, [WireCopy(f"new{n}", f"New {n}") for n in range(5)])
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    seen = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert len(seen) == len(set(seen)) == 30


def test_a_list_costs_the_same_queries_however_long_it_is(as_, vera, wire):
    api = as_(vera)
    api.get("/api/articles/")  # rights are looked up once and kept with the person

    def queries(size):
        with CaptureQueriesContext(connection) as caught:
            api.get(f"/api/articles/?kind=wire&page_size={size}")
        return len(caught)

    assert queries(5) == queries(30) == 1


def test_a_story_comes_with_its_text_and_the_acts_open_to_me(as_, draft, will, paula):
    story = draft(will)
    body = as_(will).get(f"/api/articles/{story.pk}/").json()
    assert body["content"] == "<p>It sails again.</p>"
    assert body["acts"] == ["submit"]
    assert as_(paula).get(f"/api/articles/{story.pk}/").json()["acts"] == ["submit", "spike"]


def test_anothers_draft_is_not_offered_for_submitting(as_, draft, will, edda):
    story = draft(edda)
    assert as_(will).get(f"/api/articles/{story.pk}/").json()["acts"] == []


def test_picking_up_a_wire_item_starts_its_story(as_, edda, wire):
    item = Article.objects.filter(kind="wire").first()
    path = f"/api/articles/{item.pk}/pick_up/"
    stale = as_(edda).post(path, {"version": item.version + 1}, format="json")
    assert stale.status_code == 409
    answer = as_(edda).post(path, {"version": item.version}, format="json")
    assert answer.status_code == 200
    story = answer.json()
    assert (story["kind"], story["state"], story["title"]) == ("story", "draft", item.title)
    assert [origin["item"] for origin in story["origins"]] == [item.pk]


def test_a_number_too_long_for_most_programs_is_still_shown(as_, vera, draft, will):
    story = draft(will)
    Article.objects.filter(pk=story.pk).update(metadata={"score": 10**30})
    body = as_(vera).get(f"/api/articles/{story.pk}/").json()
    assert body["metadata"] == {"score": 10**30}


def test_an_act_over_the_api_is_the_consoles_own(as_, draft, will):
    story = draft(will)
    answer = as_(will).post(f"/api/articles/{story.pk}/submit/", {"version": 1}, format="json")
    assert answer.status_code == 200
    assert answer.json()["state"] == "in_review"
    assert story.events.filter(what="submit", channel="api", actor=will).exists()


def test_an_act_on_an_old_version_is_a_conflict_that_names_the_new_one(as_, draft, will):
    story = draft(will)
    desk.submit(story.pk, Actor.desk())
    answer = as_(will).post(f"/api/articles/{story.pk}/submit/", {"version": 1}, format="json")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:newsdesk:stale_version"
    assert answer.json()["version"] == 2


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [
        ("approve", {"version": 1}, 403),
        ("submit", {"version": 1, "because": "the reason, misspelt"}, 400),
        ("fly", {"version": 1}, 409),
        ("submit", {}, 400),
        ("submit", {"version": "one"}, 400),
        ("submit", {"version": 0}, 400),
    ],
)
def test_an_act_that_can_not_be_is_a_problem(as_, draft, will, act, body, status):
    story = draft(will)
    answer = as_(will).post(f"/api/articles/{story.pk}/{act}/", body, format="json")
    assert answer.status_code == status
    assert answer["content-type"] == "application/problem+json"
    assert {"type", "title", "detail", "status"} <= answer.json().keys()
    assert Article.objects.get(pk=story.pk).state == "draft"


def test_returning_without_a_reason_says_so(as_, draft, edda):
    story = draft(edda)
    desk.submit(story.pk, Actor.desk())
    answer = as_(edda).post(f"/api/articles/{story.pk}/return/", {"version": 2}, format="json")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:newsdesk:needs_reason")
