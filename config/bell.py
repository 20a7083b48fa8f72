"""Wakes a worker. The row is the truth: a bell that can't ring now is rung again by a tick."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring(task: str, *arguments: int) -> bool:
    """Send the message that says "look"; False, and nothing worse, when the broker is down.

    The message expires after two minutes: by then a tick has looked anyway.
    """
    try:
        current_app.send_task(task, args=arguments, expires=120, retry=False)
    except OperationalError as error:
        log.warning("bell.silent", task=task, error=type(error).__name__)
        return False
    return True
