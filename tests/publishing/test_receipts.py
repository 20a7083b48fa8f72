"""Receipts: what proves a post, as a page and as JSON."""

import json

import pytest
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from publishing import deliver, queue, receipts
from publishing.models import Attempt, Delivery
from publishing.receipts_api import A_RECEIPT, ReceiptSerializer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def out(queued, channel):
    """A delivery that went out."""
    delivery = queued(channel("wordpress"), title="Ferry <returns>")
    deliver.drain()
    return Delivery.objects.get(pk=delivery.pk)


def test_a_receipt_names_what_was_sent_where_it_is_and_how_that_is_known(out):
    told = receipts.receipt(out)
    attempt = Attempt.objects.get(delivery=out)
    assert told["payload_sha256"] == attempt.payload_hash
    assert told["marker"] == str(out.marker)
    assert told["remote_url"] == out.remote_url
    assert told["confirmed_by"] == "answer"
    assert [each["outcome"] for each in told["attempts"]] == ["published"]
    json.dumps(told)


def test_the_schema_tells_the_receipts_shape(out):
    told = receipts.receipt(out)
    assert set(ReceiptSerializer().fields) == set(A_RECEIPT) == set(told)
    assert set(A_RECEIPT["attempts"][0]) == set(told["attempts"][0])


def test_a_persons_answer_stands_on_the_receipt(world, queued, channel, by):
    delivery = queued(channel("bare"))
    world.faults({"match": "/bare/post", "mode": "accept_then_drop", "times": 1})
    deliver.drain()
    queue.was_posted(delivery.pk, by, "https://bare.example/1")
    told = receipts.receipt(Delivery.objects.get(pk=delivery.pk))
    assert told["confirmed"].startswith("A person looked")
    assert told["attempts"][0]["outcome"] == "unknown"


def test_the_page_shows_it_and_the_json_is_the_same(out, paula):
    browser = Browser()
    browser.force_login(paula)
    page = browser.get(receipts.address(out)).content.decode()
    assert "Ferry &lt;returns&gt;" in page
    told = receipts.receipt(out)
    assert told["payload_sha256"] in page
    assert told["attempts"][0]["started_at"] not in page  # people read it in their own time
    assert f"{timezone.localtime(Attempt.objects.get().started_at):%H:%M:%S.%f}" in page
    answer = browser.get(f"{receipts.address(out)}?format=json")
    assert json.loads(answer.content) == receipts.receipt(out)
    assert "attachment" in answer["Content-Disposition"]


def test_receipts_are_for_those_who_may_see_the_queue(out, django_user_model):
    browser = Browser()
    browser.force_login(django_user_model.objects.create_user("zoe", is_staff=True))
    assert browser.get(receipts.address(out)).status_code == 403


def test_the_api_hands_it_out(out, paula):
    client = APIClient()
    client.force_authenticate(paula)
    assert client.get(f"/api/deliveries/{out.pk}/receipt/").json()["marker"] == str(out.marker)
    assert client.get("/api/deliveries/999999/receipt/").status_code == 404
