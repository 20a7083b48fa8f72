"""POST /api/articles/publish: all of it or nothing, and every channel's result told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from articles.models import Article
from publishing.models import Channel, Delivery

pytestmark = pytest.mark.django_db


def post(api, body):
    return api.post("/api/articles/publish", body, format="json")


def test_a_text_becomes_an_approved_story_with_a_delivery(as_, paula, dry, piece):
    answer = post(as_(paula), piece)
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert body["article"]["state"] == "approved"
    assert [each["status"] for each in body["deliveries"]] == ["pending"]
    story = Article.objects.get(pk=body["article"]["id"])
    whats = list(story.events.order_by("id").values_list("what", "channel"))
    assert whats == [("started", "api"), ("submit", "api"), ("approve", "api"), ("queued", "api")]
    assert Delivery.objects.get().revision == story.approved_revision


def test_one_channels_refusal_never_touches_another(as_, paula, dry, piece):
    broken = Channel.objects.create(name="Unset", platform="wordpress")  # its address is missing
    answer = post(as_(paula), piece | {"platforms": ["dryrun", "wordpress"]})
    assert answer.status_code == 201
    results = {each["channel"]: each for each in answer.json()["deliveries"]}
    assert results[dry.pk]["status"] == "pending"
    assert results[broken.pk]["status"] == "refused"
    assert "Site" in results[broken.pk]["problem"]


def test_when_no_channel_takes_it_nothing_is_written(as_, paula, piece):
    Channel.objects.create(name="Unset", platform="wordpress")
    answer = post(as_(paula), piece | {"platforms": ["wordpress"]})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:newsdesk:nothing_queued"
    assert not Article.objects.exists()


def test_a_time_is_kept(as_, paula, dry, piece):
    at = timezone.now() + timedelta(hours=3)
    post(as_(paula), piece | {"scheduled_at": at.isoformat()})
    assert Delivery.objects.get().scheduled_at == at


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "\u200b"}, "title"),  # nothing a reader would see
        ({"title": None}, "title"),
        ({"title": {"en": "x"}}, "title"),
        ({"content": "<p>x</p>" * 60_000}, "content"),
        ({"channels": {"1": 2}}, "channels"),
        ({"content": ""}, "content"),
        ({"content": "<p> </p>"}, "content"),
        ({"content": "<script>alert(1)</script>"}, "content"),
        ({"platforms": ["telegraph"]}, "platforms"),
        ({"platforms": ["mastodon"]}, "platforms"),  # no channel on it
        ({"platforms": []}, "platforms"),
        ({"platforms": "dryrun"}, "platforms"),
        ({"platforms": [1, None]}, "platforms.1"),
        ({"channels": [10**30]}, "channels.0"),
        ({"channels": [999_999]}, "channels"),
        ({"scheduled_at": "2001-01-01T00:00:00Z"}, "scheduled_at"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at"),
        ({"scheduled_at": "9999-12-31T00:00:00Z"}, "scheduled_at"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"publish_at": "2030-01-01T00:00:00Z"}, "publish_at"),  # passed over, it would go out now
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(as_, paula, dry, piece, change, field):
    answer = post(as_(paula), piece | change)
    assert answer.status_code == 400, answer.json()
    assert field in answer.json()["errors"], answer.json()
    assert not Article.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"[" * 10_000, b'{"a":' * 10_000,
        b'{"title": "a\\u0000b", "content": "x", "platforms": ["dryrun"]}',
        b'{"title": "\\ud800", "content": "x", "platforms": ["dryrun"]}',
        b'{"title": ' + b"9" * 5000 + b', "content": "x"}',
        b"\xff\xfe", b'{"title": NaN}', b'{"tags": ' + b"[" * 60 + b"]" * 60 + b"}",
    ],
)  # fmt: skip
def test_a_hostile_body_is_a_problem_and_never_an_error(as_, paula, dry, body):
    answer = as_(paula).post("/api/articles/publish", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["content-type"] == "application/problem+json"
    assert not Article.objects.exists()


def test_a_body_beyond_all_measure_is_refused(as_, paula):
    body = b'{"title": "' + b"a" * 6_000_000 + b'"}'
    answer = as_(paula).post("/api/articles/publish", body, content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:newsdesk:too_large")


def test_another_content_type_is_refused(as_, paula):
    answer = as_(paula).post("/api/articles/publish", b"a=b", content_type="text/plain")
    assert answer.status_code == 415


@pytest.mark.django_db(transaction=True)  # the queue goes by the database's clock
def test_deliveries_are_listed_and_told_with_their_attempts(as_, paula, vera, dry, piece):
    from publishing import deliver

    story = post(as_(paula), piece).json()["article"]["id"]
    deliver.drain()
    rows = as_(vera).get(f"/api/deliveries/?article={story}&status=published").json()["results"]
    assert [row["channel_name"] for row in rows] == ["Dry run"]
    detail = as_(vera).get(f"/api/deliveries/{rows[0]['id']}/").json()
    assert [each["outcome"] for each in detail["tries"]] == ["published"]
    assert Article.objects.get(pk=story).state == "live"


def test_a_list_of_deliveries_costs_one_query_however_long_it_is(
    as_, paula, vera, dry, piece, django_assert_num_queries
):
    api = as_(vera)
    api.get("/api/deliveries/")  # rights are looked up once and kept with the person
    for _ in range(5):
        again = piece | {"confirm_duplicates": True}
        assert post(as_(paula), again).status_code == 201
    with django_assert_num_queries(1):
        rows = api.get("/api/deliveries/").json()["results"]
    assert len(rows) == 5
