"""Nostr's events: made, signed, and read without believing them. Knows no clock and no network.

NIP-01 https://github.com/nostr-protocol/nips/blob/master/01.md
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from coincurve import PrivateKey, PublicKeyXOnly

from publishing.platforms import bech32

NOTE, DELETION, REPOST, REACTION = 1, 5, 6, 7
GENERIC_REPOST, COMMENT, LOGIN, ARTICLE = 16, 1111, 22242, 30023
Tags = tuple[tuple[str, ...], ...]
_HEX = re.compile(r"[0-9a-f]{64}")
# What NIP-01 has no way of writing that all implementations agree on, and no text needs.
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Event:
    """A signed event."""

    id: str
    pubkey: str
    created_at: int  # seconds since 1970
    kind: int
    tags: Tags
    content: str
    sig: str

    def as_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "id": self.id, "pubkey": self.pubkey, "created_at": self.created_at,
            "kind": self.kind, "tags": [list(tag) for tag in self.tags],
            "content": self.content, "sig": self.sig,
        }  # fmt: skip

    def tag(self, name: str) -> str:
        """The first value of the first tag of this name; "" for none."""
        return next((tag[1] for tag in self.tags if tag[0] == name and len(tag) > 1), "")


class Key:
    """Who signs. Has no `repr` that would tell the secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = PrivateKey(secret)
        self.public = PublicKeyXOnly.from_secret(secret).format()

    @classmethod
    def read(cls, text: str) -> "Key":
        """From nsec1… or 64 hexadecimal digits. Raises `ValueError` with a sentence for people."""
        text = text.strip()
        if text.lower().startswith("npub1"):
            raise ValueError("This is the public key (npub1…). The secret one begins with nsec1.")
        try:
            if text.lower().startswith("nsec1"):
                prefix, secret = bech32.decoded(text)
            else:
                prefix, secret = "nsec", bytes.fromhex(text)
            if prefix == "nsec" and len(secret) == 32:
                return cls(secret)
        except ValueError:
            pass
        raise ValueError(
            "The secret key can't be read: it is nsec1… with 58 letters and digits after it, or 64 "
            "hexadecimal digits. A single wrong letter is enough."
        )

    @property
    def npub(self) -> str:
        """The public key as people pass it on."""
        return bech32.encoded("npub", self.public)

    def sign(
        self, kind: int, created_at: int, tags: Iterable[Iterable[str]], content: str
    ) -> Event:
        """The event. The same arguments give the same bytes, signature included.

        BIP-340 asks for 32 random bytes against attacks by measuring the device; without them the
        signature is as hard to forge.
        """
        pure = tuple(tuple(_speakable(part) for part in tag) for tag in tags)
        pubkey, content = self.public.hex(), _speakable(content)
        number = _id(pubkey, created_at, kind, pure, content)
        none: Any = None  # "no randomness", which coincurve's own annotation forgets
        sig = self._key.sign_schnorr(bytes.fromhex(number), none)
        return Event(number, pubkey, created_at, kind, pure, content, sig.hex())


def read(body: object) -> Event | None:
    """The event that somebody sent, if it is one and its author signed it; else None."""
    if not isinstance(body, Mapping):
        return None
    number, pubkey, created_at, kind, tags, content, sig = (
        body.get(name) for name in ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")
    )
    if not (_is_hex(number) and _is_hex(pubkey) and isinstance(content, str)):
        return None
    if type(created_at) is not int or type(kind) is not int or not isinstance(tags, list):
        return None
    if not all(isinstance(tag, list) and tag and all(map(_is_text, tag)) for tag in tags):
        return None
    pure = tuple(tuple(tag) for tag in tags)
    try:
        if _id(pubkey, created_at, kind, pure, content) != number:
            return None
        signature = bytes.fromhex(sig) if isinstance(sig, str) else b""
        good = PublicKeyXOnly(bytes.fromhex(pubkey)).verify(signature, bytes.fromhex(number))
    except ValueError:  # a key that is none, a signature of another length, half a character
        return None
    return Event(number, pubkey, created_at, kind, pure, content, str(sig)) if good else None


def _id(pubkey: str, created_at: int, kind: int, tags: Tags, content: str) -> str:
    said = json.dumps(
        [0, pubkey, created_at, kind, tags, content], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _speakable(text: str) -> str:
    return _UNSPEAKABLE.sub("", text)


def _is_hex(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(_HEX.fullmatch(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
