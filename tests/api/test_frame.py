"""What holds for every address of the API."""

import pytest
from django.core.cache.backends.redis import RedisCache
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def test_the_schema_describes_every_endpoint_without_a_warning(capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_the_schema_and_its_page_are_served(as_, vera):
    assert as_(vera).get("/api/schema/").status_code == 200
    page = as_(vera).get("/api/docs/")
    assert page.status_code == 200
    assert b"https://cdn" not in page.content


def test_an_unknown_address_is_a_problem_not_a_page(as_, vera):
    answer = as_(vera).get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer["content-type"] == "application/problem+json"


def test_a_wrong_method_is_a_problem(as_, vera):
    answer = as_(vera).delete("/api/articles/")
    assert answer.status_code == 405
    assert answer.json()["title"] == "Method not allowed"


@pytest.mark.parametrize("path", ["/api/articles/", "/api/articles/1/", "/api/deliveries/"])
def test_a_stranger_is_asked_who_he_is(db, path):
    answer = APIClient().get(path)
    assert answer.status_code == 401
    assert answer["www-authenticate"].startswith("Bearer")


def test_an_account_without_a_group_reads_nothing(as_, django_user_model):
    nobody = django_user_model.objects.create_user("nobody")
    for path in ("/api/articles/", "/api/deliveries/"):
        assert as_(nobody).get(path).status_code == 403


def test_a_session_from_the_console_needs_its_csrf_token(paula):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(paula)
    answer = browser.post("/api/articles/publish", "{}", content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_only_exact_origins_may_call_from_a_browser(vera, as_, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    ours = as_(vera).get("/api/articles/", HTTP_ORIGIN="https://front.example")
    other = as_(vera).get("/api/articles/", HTTP_ORIGIN="https://front.example.evil.example")
    assert ours["access-control-allow-origin"] == "https://front.example"
    assert "access-control-allow-origin" not in other
    assert "access-control-allow-credentials" not in ours


def test_too_many_requests_are_told_when_to_come_back(as_, vera, settings, no_limits_used):
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [as_(vera).get("/api/articles/") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1]["retry-after"]) <= 60


def test_livez_asks_nobody(client):
    assert client.get("/livez").json() == {"status": "ok"}


def test_readyz_names_its_parts(client):
    body = client.get("/readyz").json()
    assert body == {"status": "ok", "parts": {"database": "ok", "redis": "ok"}}


def test_with_redis_down_the_desk_is_degraded_but_ready(client, monkeypatch):
    nobody_there = RedisCache("redis://127.0.0.1:1/0", {})
    monkeypatch.setattr("config.health.cache", nobody_there)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"


def test_with_the_database_down_the_desk_is_not_ready(client, monkeypatch):
    def down(*_args, **_kwargs):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("config.health.MigrationExecutor", down)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "unreachable"
