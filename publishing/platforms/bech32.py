"""Bech32 (BIP-173) and what NIP-19 makes of it: nsec, npub, note, nevent, naddr. Pure.

https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
https://github.com/nostr-protocol/nips/blob/master/19.md
"""

from collections.abc import Iterable
from dataclasses import dataclass

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6  # letters
_LONGEST = 5000  # NIP-19 asks readers to stop somewhere; BIP-173's 90 hold no address
_SPECIAL, _RELAY, _AUTHOR, _KIND = 0, 1, 2, 3  # types of NIP-19's parts


def encoded(prefix: str, data: bytes) -> str:
    """The bytes as bech32 under this prefix: `encoded("npub", …)`."""
    values = list(_regrouped(data, 8, 5, pad=True))
    checksum = _polymod([*_expanded(prefix), *values, *([0] * _CHECKSUM)]) ^ 1
    tail = [checksum >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in (*values, *tail))}"


def decoded(text: str) -> tuple[str, bytes]:
    """Prefix and bytes. Raises `ValueError` for what is no bech32, a typing error included."""
    if text not in (text.lower(), text.upper()) or len(text) > _LONGEST:
        raise ValueError("not bech32")
    prefix, one, letters = text.lower().rpartition("1")
    if not (prefix and one) or len(letters) < _CHECKSUM or set(letters) - set(_LETTERS):
        raise ValueError("not bech32")
    values = [_LETTERS.index(letter) for letter in letters]
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise ValueError("a letter is wrong")
    return prefix, bytes(_regrouped(values[:-_CHECKSUM], 5, 8, pad=False))


def nevent(event_id: bytes, author: bytes, kind: int, relays: Iterable[str] = ()) -> str:
    """An event with hints where to find it."""
    return encoded("nevent", _parts((_SPECIAL, event_id), *_hints(author, kind, relays)))


def naddr(marker: str, author: bytes, kind: int, relays: Iterable[str] = ()) -> str:
    """An addressable event by its `d` tag, whatever its newest version is."""
    return encoded("naddr", _parts((_SPECIAL, marker.encode()), *_hints(author, kind, relays)))


@dataclass(frozen=True, slots=True)
class Named:
    """What a note1, nevent1 or naddr1 stands for."""

    prefix: str
    special: bytes  # an event's id, or the `d` tag of an address
    author: bytes = b""
    kind: int | None = None


def named(text: str) -> Named:
    """What the text stands for. Raises `ValueError`."""
    prefix, data = decoded(text)
    if prefix == "note" and len(data) == 32:
        return Named(prefix, data)
    found: dict[int, bytes] = {}
    while len(data) > 1:
        kind, length = data[0], data[1]
        found.setdefault(kind, data[2 : 2 + length])
        data = data[2 + length :]
    special, number = found.get(_SPECIAL, b""), found.get(_KIND)
    if prefix not in ("nevent", "naddr") or (prefix == "nevent" and len(special) != 32):
        raise ValueError("no event")
    about = int.from_bytes(number, "big") if number else None
    return Named(prefix, special, found.get(_AUTHOR, b""), about)


def _hints(author: bytes, kind: int, relays: Iterable[str]) -> list[tuple[int, bytes]]:
    hints = [(_RELAY, relay.encode()) for relay in relays]
    return [*hints, (_AUTHOR, author), (_KIND, kind.to_bytes(4, "big"))]


def _parts(*parts: tuple[int, bytes]) -> bytes:
    """Type, length, value; what is longer than a length can say is left out."""
    return b"".join(bytes((kind, len(data))) + data for kind, data in parts if len(data) < 256)


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode()
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def _regrouped(values: Iterable[int], size: int, wanted: int, *, pad: bool) -> Iterable[int]:
    """The same bits in groups of another size; `ValueError` for left-over bits that say things."""
    held = bits = 0
    for value in values:
        held = (held << size | value) & ((1 << size + wanted) - 1)
        bits += size
        while bits >= wanted:
            bits -= wanted
            yield held >> bits & ((1 << wanted) - 1)
    rest = held & ((1 << bits) - 1)
    if pad and bits:
        yield rest << wanted - bits
    elif not pad and (bits >= size or rest):
        raise ValueError("not bech32")
