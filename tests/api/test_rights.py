"""Who may do what over the API: every endpoint and every act, for every group."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from articles import desk, intake
from articles.lifecycle import TRANSITIONS, Kind
from articles.models import Article
from articles.record import Actor, Door
from articles.wire import WireCopy
from publishing import queue
from sources.models import Source
from tests.api.test_schema import OPERATIONS
from tests.conftest import person

pytestmark = pytest.mark.django_db

EVERYBODY = ("vera", "will", "edda", "paula", "ada")
EDITORS = ("edda", "paula", "ada")
PUBLISHERS = ("paula", "ada")
READING = {
    "GET /api/articles/", "GET /api/articles/{id}/",
    "GET /api/deliveries/", "GET /api/deliveries/{id}/", "GET /api/deliveries/{id}/receipt/",
}  # fmt: skip
ACTING = {"POST /api/articles/{id}/{act}/", "POST /api/articles/publish"}
AT_THE_DOOR = {  # open to whoever has a password or a token; see test_tokens
    "POST /api/auth/token", "POST /api/auth/refresh", "POST /api/auth/logout",
}  # fmt: skip
ACTS = {  # on somebody else's piece
    (Kind.WIRE, "shortlist"): EDITORS,
    (Kind.WIRE, "unshortlist"): EDITORS,
    (Kind.WIRE, "pick_up"): EDITORS,
    (Kind.WIRE, "spike"): EDITORS,
    (Kind.WIRE, "unspike"): EDITORS,
    (Kind.STORY, "submit"): EDITORS,
    (Kind.STORY, "return"): EDITORS,
    (Kind.STORY, "approve"): PUBLISHERS,
    (Kind.STORY, "spike"): EDITORS,
    (Kind.STORY, "unspike"): EDITORS,
    (Kind.STORY, "correct"): PUBLISHERS,
    (Kind.STORY, "kill"): PUBLISHERS,
}
WAY_TO = {  # how a piece comes to where the act is open
    (Kind.WIRE, "unshortlist"): ["shortlist"],
    (Kind.WIRE, "unspike"): ["spike"],
    (Kind.STORY, "return"): ["submit"],
    (Kind.STORY, "approve"): ["submit"],
    (Kind.STORY, "unspike"): ["spike"],
    (Kind.STORY, "go_live"): ["submit", "approve"],
    (Kind.STORY, "correct"): ["submit", "approve", "go_live"],
    (Kind.STORY, "kill"): ["submit", "approve", "go_live"],
}


@pytest.fixture
def piece_for(draft: Callable[..., Article]) -> Callable[[Kind, str], Article]:
    """A wire item, or a story of Olga's, on which an act is open."""

    def bring(kind: Kind, act: str) -> Article:
        if kind is Kind.WIRE:
            source = Source.objects.create(
                name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
            )
            intake.file(source.pk, [WireCopy("c1", "Ferry returns")])
            article = Article.objects.get(external_id="c1")
        else:
            article = draft(person("olga", "Writer"))
        for step in WAY_TO.get((kind, act), []):
            desk.perform(article.pk, step, Actor.desk())
        article.refresh_from_db()
        return article

    return bring


def test_the_matrix_holds_every_endpoint_and_every_act():
    assert OPERATIONS.keys() == READING | ACTING | AT_THE_DOOR
    assert ACTS.keys() == {(step.kind, step.act) for step in TRANSITIONS if step.right}


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_group_reads(as_, request, approved, paula, dry, name):
    story = approved()
    [queued] = queue.enqueue(story.pk, [dry.pk], Actor(paula, Door.API), at=timezone.now())
    numbers = {"articles": story.pk, "deliveries": queued.delivery.pk}
    api = as_(request.getfixturevalue(name))
    for endpoint in READING:
        path = endpoint.removeprefix("GET ")
        path = path.replace("{id}", str(numbers[path.split("/")[2]]))
        assert api.get(path).status_code == 200, path
        assert as_(None).get(path).status_code == 401, path


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(("kind", "act"), ACTS)
def test_an_act_is_open_to_those_who_hold_its_right(as_, request, piece_for, kind, act, name):
    article = piece_for(kind, act)
    api = as_(request.getfixturevalue(name))
    may = name in ACTS[kind, act]
    assert (act in api.get(f"/api/articles/{article.pk}/").json()["acts"]) is may
    body = {"version": article.version, "reason": "Because."}
    answer = api.post(f"/api/articles/{article.pk}/{act}/", body, format="json")
    assert answer.status_code == (200 if may else 403), answer.json()
    assert may or Article.objects.get(pk=article.pk).state == article.state


@pytest.mark.parametrize(("kind", "act"), [(Kind.WIRE, "expire"), (Kind.STORY, "go_live")])
def test_what_the_desk_does_by_itself_is_open_to_nobody(as_, piece_for, ada, kind, act):
    article = piece_for(kind, act)
    body = {"version": article.version}
    answer = as_(ada).post(f"/api/articles/{article.pk}/{act}/", body, format="json")
    assert answer.status_code == 403
    assert Article.objects.get(pk=article.pk).state == article.state


@pytest.mark.parametrize("name", EVERYBODY)
def test_publishing_is_for_publishers(as_, request, dry, piece: dict[str, Any], name):
    answer = as_(request.getfixturevalue(name)).post("/api/articles/publish", piece, format="json")
    assert answer.status_code == (201 if name in PUBLISHERS else 403)
    assert Article.objects.exists() is (name in PUBLISHERS)


def test_a_stranger_neither_publishes_nor_acts(as_, dry, piece, piece_for):
    article = piece_for(Kind.STORY, "submit")
    for path in ("/api/articles/publish", f"/api/articles/{article.pk}/submit/"):
        assert as_(None).post(path, piece, format="json").status_code == 401
