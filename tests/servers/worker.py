"""A worker that stops at a chosen point and waits there to be killed.

`python -m tests.servers.worker POINT FILE`: FILE is made when the point is reached.
"""

import sys
import time
from pathlib import Path
from typing import Any

import django
from django.test.utils import setup_test_environment

POINTS = {
    "before the attempt row": ("begin", "_on_record", "before"),
    "after the attempt row": ("deliver", "_call", "before"),
    "after the answer": ("outcome", "published", "before"),
    "before the commit": ("distribution", "all_went_out", "after"),
}
"""Module and function of the queue, and whether to stop before or after it."""


def main(point: str, reached: Path) -> None:
    """Drain the queue, and stop at the point; "" is nowhere."""
    from publishing import begin, deliver, distribution, outcome

    if point:
        module, name, when = POINTS[point]
        homes = {
            "begin": begin, "deliver": deliver, "outcome": outcome, "distribution": distribution,
        }  # fmt: skip
        home: Any = homes[module]
        true = getattr(home, name)

        def stop(*arguments: Any, **named: Any) -> Any:
            if when == "after":
                true(*arguments, **named)
            reached.touch()
            time.sleep(600)

        setattr(home, name, stop)
    deliver.drain()


if __name__ == "__main__":
    django.setup()
    setup_test_environment()
    main(sys.argv[1], Path(sys.argv[2]))
