"""A relay on loopback that does what NIP-01, 09 and 42 say, and misbehaves when a test asks it to.

Written from the NIPs alone and sharing nothing with the adapter, so that both can't be wrong in
the same way: events are checked with hashlib and libsecp256k1 as anybody would check them.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from coincurve import PublicKeyXOnly
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Say = Callable[[ServerConnection, dict[str, Any]], bool]
"""What to do with an event instead: True if that is all."""


class Relay:
    """What it has, what it was told, and what it does differently."""

    def __init__(self) -> None:
        self.url = ""
        self.events: dict[str, dict[str, Any]] = {}
        self.told: list[list[Any]] = []
        self.instead: list[Say] = []  # one for each event to come, in their order
        self.greeting: list[str] = []
        self.members_only = False
        self.silent_welcome = False
        self.closes_requests = ""

    def kind(self, number: int) -> list[dict[str, Any]]:
        """The events of a kind, the oldest first."""
        found = [event for event in self.events.values() if event["kind"] == number]
        return sorted(found, key=lambda event: event["created_at"])

    def sent(self, kind: str) -> list[list[Any]]:
        """What it was told of this kind: EVENT, REQ, AUTH."""
        return [each for each in self.told if each[0] == kind]

    def handle(self, socket: ServerConnection) -> None:
        """One connection."""
        for words in self.greeting:
            socket.send(words)
        known = False
        try:
            for text in socket:
                message = json.loads(text)
                self.told.append(message)
                match message:
                    case ["AUTH", event]:
                        known = _challenge_of(event) == "riddle" and valid(event)
                        if not self.silent_welcome:
                            tell(socket, "OK", event["id"], known, "")
                    case ["EVENT", event]:
                        self._event(socket, event, known)
                    case ["REQ", name, *filters]:
                        self._request(socket, name, filters, known)
        except ConnectionClosed:
            return

    def _event(self, socket: ServerConnection, event: dict[str, Any], known: bool) -> None:
        if self.instead and self.instead.pop(0)(socket, event):
            return
        if self.members_only and not known:
            tell(socket, "AUTH", "riddle")
            tell(socket, "OK", event["id"], False, "auth-required: members only")
        else:
            self.take(socket, event)

    def take(self, socket: ServerConnection, event: dict[str, Any]) -> None:
        """Store it as NIP-01 has it, and say so."""
        if not valid(event):
            tell(socket, "OK", event["id"], False, "invalid: bad id or signature")
        elif event["id"] in self.events:
            tell(socket, "OK", event["id"], False, "duplicate: have it already")
        else:
            self.keep(event)
            tell(socket, "OK", event["id"], True, "")

    def keep(self, event: dict[str, Any]) -> None:
        """Store it; what it replaces or deletes is gone."""
        for tag in event["tags"] if event["kind"] == 5 else ():
            for number, other in list(self.events.items()):
                address = f"{other['kind']}:{other['pubkey']}:{_d(other)}"
                if other["pubkey"] == event["pubkey"] and tag[1] in (number, address):
                    del self.events[number]
        if event["kind"] == 30023:
            for number, other in list(self.events.items()):
                if (other["kind"], other["pubkey"], _d(other)) == (
                    30023, event["pubkey"], _d(event),
                ):  # fmt: skip
                    del self.events[number]
        self.events[event["id"]] = event

    def _request(
        self, socket: ServerConnection, name: str, filters: list[dict[str, Any]], known: bool
    ) -> None:
        if self.members_only and not known:
            tell(socket, "AUTH", "riddle")
            tell(socket, "CLOSED", name, "auth-required: members only")
        elif self.closes_requests:
            tell(socket, "CLOSED", name, self.closes_requests)
        else:
            for event in list(self.events.values()):
                if any(_fits(event, wanted) for wanted in filters):
                    tell(socket, "EVENT", name, event)
            tell(socket, "EOSE", name)


def tell(socket: ServerConnection, *message: Any) -> None:
    """Send it."""
    socket.send(json.dumps(message))


def valid(event: dict[str, Any]) -> bool:
    """Whether the id is the hash and the signature is the author's."""
    names = ("pubkey", "created_at", "kind", "tags", "content")
    said = [0, *(event[name] for name in names)]
    raw = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(raw).digest()
    author = PublicKeyXOnly(bytes.fromhex(event["pubkey"]))
    return digest.hex() == event["id"] and author.verify(bytes.fromhex(event["sig"]), digest)


def _fits(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    for name, values in wanted.items():
        if name == "limit":
            continue
        if name.startswith("#"):
            if not {tag[1] for tag in event["tags"] if tag[0] == name[1:]} & set(values):
                return False
        elif event[{"ids": "id", "authors": "pubkey", "kinds": "kind"}[name]] not in values:
            return False
    return True


def _d(event: dict[str, Any]) -> str:
    return next((str(tag[1]) for tag in event["tags"] if tag[0] == "d"), "")


def _challenge_of(event: dict[str, Any]) -> str:
    return next((str(tag[1]) for tag in event["tags"] if tag[0] == "challenge"), "")


@contextmanager
def listening() -> Iterator[Relay]:
    """A relay on a free port of loopback."""
    relay = Relay()
    with serve(relay.handle, "127.0.0.1", 0) as server:
        relay.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join(10)
