"""Being the only one who does something, over all processes, by a lock of PostgreSQL's."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection

_OURS = 0x6E657773  # keeps our locks apart from other programs' in the same database


class Only(IntEnum):
    """What only one process at a time does."""

    SWEEP = 0  # a second sweeper would do no harm, and no good
    LINGER = 1  # waiting for what is due soon; everybody else leaves and frees a worker


@contextmanager
def alone(job: Only) -> Iterator[bool]:
    """Whether this process has the job; the lock goes when the block ends, or the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_OURS, job])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine and connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_OURS, job])
