"""Several people or workers at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections


def at_once(*acts: Callable[[], Any], refusals: tuple[type[Exception], ...] = ()) -> list[Any]:
    """What each of `acts` gave back, done at the same moment, each over connections of its own.

    One of `refusals` takes its answer's place; any other exception is raised here.
    """
    start = Barrier(len(acts))

    def done(act: Callable[[], Any]) -> Any:
        try:
            start.wait(30)
            return act()
        except refusals as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as people:
        return [each.result(60) for each in [people.submit(done, act) for act in acts]]
