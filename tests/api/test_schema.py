"""The OpenAPI description: whole, valid, and readable without the internet."""

import re

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = {
    f"{verb.upper()} {path}": operation
    for path, verbs in SCHEMA["paths"].items()
    for verb, operation in verbs.items()
}


def test_the_schema_is_valid_and_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_endpoint_has_words_examples_and_its_problems(name):
    operation = OPERATIONS[name]
    assert operation["summary"]
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]["application/json"]["examples"]
    assert {"429"} <= operation["responses"].keys()
    for code, answer in operation["responses"].items():
        if code == "204":
            continue
        [(media_type, body)] = answer["content"].items()
        assert media_type == ("application/json" if code < "300" else "application/problem+json"), (
            code
        )
        assert body["examples"], code
        assert answer["description"] or code < "300"


def test_the_page_loads_nothing_from_elsewhere():
    client = APIClient()
    assert client.get("/api/schema/").status_code == 200
    page = client.get("/api/docs/")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert len(loaded) >= 3
    for address in loaded:
        assert address.startswith("/static/"), address
        assert client.get(address).status_code == 200, address
