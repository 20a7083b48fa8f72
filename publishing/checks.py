"""A platform that can't be loaded is found at start, not when a story is due."""

from typing import Any

from django.core.checks import CheckMessage, Error

from publishing import platforms
from publishing.platforms.base import LooksUp
from publishing.post import Once


def check_table(**_: Any) -> list[CheckMessage]:
    """Load every platform of the table and hold it against the contract."""
    found: list[CheckMessage] = []
    for key, path in platforms.table().items():
        try:
            adapter = platforms.platform(key)
        except (ImportError, AttributeError, TypeError) as problem:
            found.append(Error(f"The platform “{key}” can't be loaded: {problem}", hint=path))
            continue
        if adapter.key != key:
            found.append(Error(f"The platform at “{key}” calls itself “{adapter.key}”.", hint=path))
        if adapter.capabilities.once is Once.LOOK_UP and not isinstance(adapter, LooksUp):
            found.append(Error(f"The platform “{key}” promises a look-up and has none.", hint=path))
    return found
