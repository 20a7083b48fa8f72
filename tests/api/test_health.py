"""What a probe is told."""

import pytest
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db

ALL_WELL = {"database": "ok", "migrations": "ok", "redis": "ok"}


def test_livez_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/livez").json() == {"status": "ok"}


def test_readyz_names_its_parts(client):
    assert client.get("/readyz").json() == {"status": "ok", "parts": ALL_WELL}


def test_readyz_is_cheap(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        client.get("/readyz")


def test_with_redis_down_the_desk_is_degraded_but_ready(client, monkeypatch):
    nobody_there = RedisCache("redis://127.0.0.1:1/0", {})
    monkeypatch.setattr("config.health.cache", nobody_there)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "parts": ALL_WELL | {"redis": "unreachable"}}


def test_with_the_database_down_the_desk_is_not_ready(client, monkeypatch):
    nobody_there = DatabaseWrapper(
        connection.settings_dict | {"HOST": "127.0.0.1", "PORT": "1"}, alias="down"
    )
    monkeypatch.setattr("config.health.connection", nobody_there)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "unreachable"


def test_with_a_migration_to_come_the_desk_is_not_ready(client):
    MigrationRecorder(connection).record_unapplied("articles", "0001_initial")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["migrations"] == "1 waiting"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_changes_nothing(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_calls_the_container_by_its_own_address_in_plain_http(client, settings, path):
    settings.ALLOWED_HOSTS = ["desk.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, HTTP_HOST="10.0.0.7:8000").status_code == 200
    assert client.get("/admin/", HTTP_HOST="10.0.0.7:8000").status_code == 400
