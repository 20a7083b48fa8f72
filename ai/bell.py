"""Wakes a worker. The row is the truth; a bell that can't ring is rung again by the tick."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring(generation_id: int) -> bool:
    """Tell a worker of the queue `ai` that this generation waits; False when Redis is down."""
    try:
        current_app.send_task("ai.generate", args=(generation_id,), queue="ai")
    except OperationalError as error:
        log.warning("ai.bell_silent", generation=generation_id, error=type(error).__name__)
        return False
    return True
