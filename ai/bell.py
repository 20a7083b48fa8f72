"""Wakes a worker of the queue `ai`."""

from config import bell


def ring(generation_id: int) -> bool:
    """Tell a worker that this generation waits; False when the broker is down."""
    return bell.ring("ai.generate", generation_id)
