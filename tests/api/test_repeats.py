"""Idempotency-Key: a request that is repeated is done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from articles.models import Article
from publishing import repeats
from publishing.models import Channel, Delivery, KeptAnswer
from tests.together import at_once

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def post(api, body, key='"5f1c"'):
    return api.post("/api/articles/publish", body, format="json", headers={"Idempotency-Key": key})


def test_a_repetition_is_answered_the_same_and_does_nothing(as_, paula, dry, piece):
    first, again = post(as_(paula), piece), post(as_(paula), piece)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (Article.objects.count(), Delivery.objects.count()) == (1, 1)


def test_the_order_of_the_bodys_fields_makes_no_other_body(as_, paula, dry, piece):
    post(as_(paula), piece)
    assert post(as_(paula), dict(reversed(piece.items()))).status_code == 201
    assert Article.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(as_, paula, dry, piece):
    post(as_(paula), piece)
    answer = post(as_(paula), piece | {"title": "Another"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:newsdesk:idempotency_key_reused"
    assert Article.objects.count() == 1


def test_a_key_belongs_to_one_person(as_, paula, ada, dry, piece):
    post(as_(paula), piece)
    other = post(as_(ada), piece | {"confirm_duplicates": True})
    assert other.status_code == 201
    assert Article.objects.count() == 2


@committed
def test_while_the_first_is_under_way_the_second_is_told_so(as_, paula, dry, piece):
    held, tell = threading.Event(), threading.Event()

    def first():
        repeats.once(paula.pk, "5f1c", piece, wait)
        connections.close_all()

    def wait():
        held.set()
        tell.wait(10)
        return repeats.Answer(201, {})

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(10)
    answer = post(as_(paula), piece)
    tell.set()
    thread.join()
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:newsdesk:idempotency_key_in_use"
    assert not Article.objects.exists()


def test_what_was_refused_may_be_asked_again_under_its_key(as_, paula, piece):
    switched_off = Channel.objects.create(name="Dry run", platform="dryrun", is_active=False)
    assert post(as_(paula), piece).status_code == 400
    Channel.objects.filter(pk=switched_off.pk).update(is_active=True)
    assert post(as_(paula), piece).status_code == 201


@committed
def test_many_at_once_make_one_story(as_, paula, dry, piece):
    codes = at_once(*[lambda: post(as_(paula), piece).status_code] * 6)
    assert set(codes) <= {201, 409}
    assert 201 in codes
    assert Article.objects.count() == 1


@pytest.mark.parametrize("key", ['""', '"a" "b"', "a b", '"\u00e4"', '"' + "x" * 256 + '"', "a,b"])
def test_a_key_that_cannot_be_read_is_named(as_, paula, dry, piece, key):
    answer = post(as_(paula), piece, key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_a_bare_key_is_understood_as_a_quoted_one(as_, paula, dry, piece):
    post(as_(paula), piece, "5f1c")
    assert post(as_(paula), piece, '"5f1c"')["Idempotent-Replayed"] == "true"


def test_after_a_day_a_key_is_free_and_its_answer_goes(as_, paula, dry, piece):
    post(as_(paula), piece)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert repeats.forget() == 1
    assert post(as_(paula), piece | {"confirm_duplicates": True}).status_code == 201
    assert Article.objects.count() == 2


def test_without_a_key_the_duplicate_guard_asks(as_, paula, dry, piece):
    first = as_(paula).post("/api/articles/publish", piece, format="json").json()
    again = as_(paula).post("/api/articles/publish", piece, format="json")
    assert again.status_code == 422
    assert f"Delivery {first['deliveries'][0]['delivery']}" in again.json()["detail"]
    sure = piece | {"confirm_duplicates": True}
    assert as_(paula).post("/api/articles/publish", sure, format="json").status_code == 201


def test_a_duplicate_on_one_channel_is_named_in_the_answer(as_, paula, dry, piece):
    as_(paula).post("/api/articles/publish", piece, format="json")
    other = Channel.objects.create(name="Other", platform="dryrun")
    body = as_(paula).post("/api/articles/publish", piece, format="json").json()
    by_channel = {each["channel"]: each for each in body["deliveries"]}
    assert by_channel[dry.pk]["duplicate_of"] == Delivery.objects.order_by("pk").first().pk
    assert by_channel[other.pk]["duplicate_of"] is None


def test_next_slot_over_the_api(as_, paula, dry, piece):
    Channel.objects.update(slots="daily 09:00")
    body = (
        as_(paula)
        .post("/api/articles/publish", piece | {"when": "next_slot"}, format="json")
        .json()
    )
    assert body["deliveries"][0]["scheduled_at"].endswith("T09:00:00Z")


@committed
def test_the_lock_of_a_key_is_gone_with_its_request(as_, paula, dry, piece):
    post(as_(paula), piece)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone()[0] == 0
