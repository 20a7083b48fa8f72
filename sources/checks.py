"""A connector that can't be loaded is found at start, not at three in the morning."""

from typing import Any

from django.core.checks import CheckMessage, Error

from sources import connectors


def check_table(**_: Any) -> list[CheckMessage]:
    """Load every connector of the table."""
    found: list[CheckMessage] = []
    for key, path in connectors.table().items():
        try:
            adapter = connectors.connector(key)
        except (ImportError, AttributeError, TypeError) as problem:
            found.append(Error(f"The connector “{key}” can't be loaded: {problem}", hint=path))
            continue
        if adapter.key != key:
            found.append(
                Error(f"The connector at “{key}” calls itself “{adapter.key}”.", hint=path)
            )
    return found
