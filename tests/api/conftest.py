from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from publishing.models import Channel


@pytest.fixture
def as_() -> Callable[[User | None], APIClient]:
    """A client signed in as somebody, or as nobody."""

    def client(user: User | None) -> APIClient:
        api = APIClient()
        if user is not None:
            api.force_authenticate(user)
        return api

    return client


@pytest.fixture
def dry(db: None) -> Channel:
    """A channel that posts nowhere."""
    return Channel.objects.create(name="Dry run", platform="dryrun")


@pytest.fixture
def piece() -> dict[str, Any]:
    """A publish request that is in order."""
    return {"title": "Ferry returns", "content": "<p>It sails.</p>", "platforms": ["dryrun"]}
