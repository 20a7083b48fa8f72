"""People in front of the console, and what lies on its desk."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from articles import intake
from articles.models import WireItem
from articles.wire import WireCopy
from sources.models import Source


@pytest.fixture
def console() -> Callable[[User], Client]:
    """A browser in which somebody is signed in; it insists on CSRF tokens like a real one."""

    def sign_in(user: User, *, checks_csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=checks_csrf)
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def gazette(db: None) -> Source:
    """A source that needs no network."""
    return Source.objects.create(
        name="Harbour Gazette", connector="feed", api_endpoint="https://gazette.example/feed"
    )


@pytest.fixture
def wire(gazette: Source) -> Callable[[int], list[WireItem]]:
    """So many items of the Gazette on the wire, newest first."""

    def file(many: int = 1) -> list[WireItem]:
        intake.file(
            gazette.pk,
            [
                WireCopy(
                    external_id=f"{number}",
                    title=f"Tide table number {number}",
                    url=f"https://gazette.example/{number}",
                    content=f"<p>High water at {number}.</p><script>alert(1)</script>",
                    published_at=datetime(2026, 5, 1, tzinfo=UTC),
                )
                for number in range(many)
            ],
        )
        return list(WireItem.objects.order_by("-created_at", "-id"))

    return file
