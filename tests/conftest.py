"""The people and pieces that recur in the tests."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, User

from articles import desk
from articles.models import Article
from articles.record import Actor, Door


def person(name: str, group: str) -> User:
    """A member of the newsroom, with the rights of one group."""
    user = User.objects.create_user(name, f"{name}@example.org", "correct horse", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def vera(db: None) -> User:
    """Vera, a viewer."""
    return person("vera", "Viewer")


@pytest.fixture
def will(db: None) -> User:
    """Will, a writer."""
    return person("will", "Writer")


@pytest.fixture
def edda(db: None) -> User:
    """Edda, an editor."""
    return person("edda", "Editor")


@pytest.fixture
def paula(db: None) -> User:
    """Paula, a publisher."""
    return person("paula", "Publisher")


@pytest.fixture
def ada(db: None) -> User:
    """Ada, the desk's administrator: a member of Admin, not a superuser."""
    return person("ada", "Admin")


@pytest.fixture
def no_limits_used() -> None:
    """Limits as they are in the morning; each pytest worker has a Valkey database of its own."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture
def at_the_console() -> Callable[[User], Actor]:
    """Somebody acting through the console."""
    return lambda user: Actor(user, Door.ADMIN)


@pytest.fixture
def draft() -> Callable[..., Article]:
    """Starts a draft: `draft(will, title=…, content=…)`."""

    def start(by: User, **text: Any) -> Article:
        text = {"title": "Ferry returns to Lindholm", "content": "<p>It sails again.</p>"} | text
        return desk.start(Actor(by, Door.ADMIN), text)

    return start


@pytest.fixture
def approved(draft: Callable[..., Article], paula: User) -> Callable[..., Article]:
    """A story that Paula wrote, submitted and approved."""

    def start(**text: Any) -> Article:
        by = Actor(paula, Door.ADMIN)
        story = draft(paula, **text)
        desk.submit(story.pk, by)
        return desk.approve(story.pk, by)

    return start
