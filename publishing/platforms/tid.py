"""Record keys of AT Protocol, made from what is ours, so that every attempt makes the same.

https://atproto.com/specs/tid: 53 bits of microseconds since 1970 and 10 bits of a clock's number,
written in an alphabet that sorts like the numbers.
"""

import hashlib
from datetime import datetime

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_LENGTH = 13


def tid(made_at: datetime, marker: str, part: int = 0) -> str:
    """The key of a delivery's record; the parts of a thread follow one another."""
    microseconds = int(made_at.timestamp()) * 1_000_000 + made_at.microsecond + part
    digest = hashlib.sha256(marker.encode()).digest()
    number = (microseconds & (2**53 - 1)) << 10 | int.from_bytes(digest[:2], "big") & 1023
    letters = []
    for _ in range(_LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(letters))
