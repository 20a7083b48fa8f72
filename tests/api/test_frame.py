"""What holds for every address of the API."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from articles.api import ArticleViewSet

pytestmark = pytest.mark.django_db


def test_a_program_gets_a_problem_whatever_it_asks_for(as_, vera):
    answer = as_(vera).get("/api/articles/", HTTP_ACCEPT="text/html")
    assert answer.status_code == 406
    assert answer["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["nothing/here", "articles/x/", "articles/1/2/3", "%0A", "docs/x"])
def test_an_unknown_address_is_a_problem_not_a_page(as_, vera, path):
    answer = as_(vera).get(f"/api/{path}")
    assert answer.status_code == 404
    assert answer["content-type"] == "application/problem+json"


def test_an_address_works_with_and_without_its_last_slash(as_, vera):
    assert as_(vera).get("/api/articles").status_code == 200
    assert as_(vera).get("/api/articles/").status_code == 200


def test_a_wrong_method_is_a_problem(as_, vera):
    answer = as_(vera).delete("/api/articles/")
    assert answer.status_code == 405
    assert answer.json()["title"] == "Method not allowed"


def test_what_nobody_foresaw_is_logged_and_answered_as_a_problem(as_, vera, monkeypatch, caplog):
    def broken(_view):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ArticleViewSet, "get_queryset", broken)
    api = as_(vera)
    api.raise_request_exception = False
    answer = api.get("/api/articles/")
    assert answer.status_code == 500
    assert answer["content-type"] == "application/problem+json"
    assert "bug" not in answer.content.decode()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_host_that_is_not_ours_is_a_problem_under_the_api_and_a_page_elsewhere(client, settings):
    settings.ALLOWED_HOSTS = ["desk.example"]
    api = client.get("/api/articles/", HTTP_HOST="evil.example")
    assert (api.status_code, api["content-type"]) == (400, "application/problem+json")
    page = client.get("/", HTTP_HOST="evil.example")
    assert (page.status_code, page["content-type"]) == (400, "text/html; charset=utf-8")


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


def test_a_browser_is_told_beforehand_what_it_may_send(client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    answer = client.options(
        "/api/articles/publish",
        HTTP_ORIGIN="https://front.example",
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,content-type",
    )
    assert answer.status_code == 200
    assert "authorization" in answer["access-control-allow-headers"]


def test_the_first_page_leads_to_the_console(client):
    assert client.get("/")["location"] == "/admin/"
