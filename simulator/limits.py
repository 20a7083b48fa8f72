"""A platform's own rate limit: so many requests in a window, told in its headers."""

import time
from collections.abc import Callable


class Allowance:
    """`limit` requests a fixed window of `window` seconds."""

    def __init__(self, limit: int, window: float, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self._window = window
        self._clock = clock
        self.refill()

    def refill(self) -> None:
        """Starts a new window."""
        self.used = 0
        self.resets_at = self._clock() + self._window

    def spend(self) -> bool:
        """Counts one request; False when the window has none left."""
        if self._clock() >= self.resets_at:
            self.refill()
        self.used += 1
        return self.used <= self.limit

    @property
    def remaining(self) -> int:
        """What is left in this window."""
        return max(self.limit - self.used, 0)
