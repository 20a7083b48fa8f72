"""Wakes a worker. The row is the truth: a bell that can't ring now is rung again by a tick."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

# One quick try on a connection of its own: kombu would otherwise go on trying for six seconds,
# while an editor waits for the answer to a click.
_ONE_TRY = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
_WITHIN = 1.0  # seconds, to connect and for each answer: a broker may accept and then be silent


def ring(task: str, *arguments: int) -> bool:
    """Send the message that says "look"; False, and nothing worse, when the broker is down.

    The message expires after two minutes: by then a tick has looked anyway.
    """
    try:
        with current_app.connection_for_write(
            connect_timeout=_WITHIN,
            transport_options={
                **_ONE_TRY,
                "socket_connect_timeout": _WITHIN,
                "socket_timeout": _WITHIN,
            },
        ) as connection:
            current_app.send_task(
                task, args=arguments, expires=120, retry=False, connection=connection
            )
    except OperationalError as error:
        log.warning("bell.silent", task=task, error=type(error).__name__)
        return False
    return True
