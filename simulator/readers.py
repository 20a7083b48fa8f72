"""The simulated readers: how many like a post and pass it on, the older it gets."""

import zlib
from math import exp

_FIRST = 60.0  # seconds until anybody has read it
_SLOW = 6 * 3600.0  # after this time about two thirds of its readers have come


def audience(post_id: str, age: float) -> tuple[int, int]:
    """Likes and shares of a post of this age in seconds; the same post always draws the same."""
    if age < _FIRST:
        return 0, 0
    drawn = zlib.crc32(post_id.encode())
    likes, shares = 4 + drawn % 61, drawn // 61 % 13
    come = 1 - exp(-age / _SLOW)
    return 1 + int(likes * come), int(shares * come)
