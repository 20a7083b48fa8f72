"""Every kind of source is added in the console as a person does: form, look, save, first sync."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from sources.models import Source
from sources.sync import sync
from tests.sources.conftest import as_in_the_morning
from tests.sources.services import SERVICES, Service
from tests.sources.test_console import ADD, errors, page, typed


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


def filled(console: Client, service: Service, url: str) -> dict[str, Any]:
    """The form as it comes, with what this service needs typed into it."""
    connector, where, options, secrets = service.asked(url)
    form = console.get(f"{ADD}?connector={connector}").context["adminform"].form
    found = {name: form[name].value() for name in form.fields if name.startswith("option_")}
    found |= {f"option_{name}": value for name, value in options.items()}
    found |= {f"secret_{name}": value for name, value in secrets.items()}
    # An empty box and a switch that is off are not sent as words.
    return typed(
        where, **{name: value for name, value in found.items() if value not in (None, False)}
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_source_is_added_by_its_form_and_syncs(console, site, name):
    service = SERVICES[name]
    form = filled(console, service, site(service.answer))
    assert errors(console.post(f"{ADD}?connector={service.connector}", form)) == {}
    source = Source.objects.get()
    assert {name: source.options[name] for name in service.options} == service.options
    assert source.credentials.reveal() == service.secrets
    as_in_the_morning()  # the pause that a service wants between two requests is over
    run = sync(source.pk)
    assert (run.outcome, run.error) == ("ok", "")
    shown = console.get(page(source)).content.decode()
    assert not any(secret in shown for secret in service.secrets.values() if "." not in secret)
