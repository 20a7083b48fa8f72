"""How many workers sync at the same time. The others stay free for what else is to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

DRAINS = 2  # each asks a hundred sources at once; two keep two cores busy
_OURS = 0x64726169  # keeps our locks apart from others in the same database


@contextmanager
def one_of_few() -> Iterator[bool]:
    """Whether this process may drain; its place is free again when the block ends, or it dies."""
    place = next((place for place in range(DRAINS) if _lock(place)), None)
    try:
        yield place is not None
    finally:
        if place is not None and connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_OURS, place])


def _lock(place: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_OURS, place])
        return bool(cursor.fetchone()[0])
