"""One at a time for each source, however many workers are told to."""

from django.db import connection

_LOCKS = 0x736F7572  # our advisory locks of sources: this and the source's number


class alone:
    """Holds a source while something is filed; the value says whether it could be had.

    The lock belongs to the connection, so a crash lets go of it.
    """

    def __init__(self, source_id: int) -> None:
        self._key = (_LOCKS, source_id % 2**31)
        self._held = False

    def __enter__(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", self._key)
            self._held = bool(cursor.fetchone()[0])
        return self._held

    def __exit__(self, *_: object) -> None:
        if self._held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", self._key)
