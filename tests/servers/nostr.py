"""A Nostr relay (nostr-relay) with its data in SQLite, and a proxy that reads its messages."""

import json
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from publishing.platforms.nostr_events import Key
from tests.servers import installing, running
from tests.servers.proxy import Handled, Mode, Proxy
from tests.servers.venue import Venue

_SETTINGS = """
storage:
  sqlalchemy.url: sqlite+aiosqlite:///{data}/relay.sqlite3
  num_concurrent_reqs: 10
  num_concurrent_adds: 2
  validators:
    - nostr_relay.validators.is_not_too_large
    - nostr_relay.validators.is_signed
    - nostr_relay.validators.is_recent
gunicorn: {{bind: "127.0.0.1:{port}", workers: 1, loglevel: warning}}
verification: {{nip05_verification: disabled}}
authentication:
  enabled: {members_only}
  relay_urls: ["ws://127.0.0.1:{port}"]
  actions: {{save: w, query: a}}
"""
_NO = {
    Mode.DONE_503: "error: the proxy says no",
    Mode.BUSY: "error: the proxy says no",
    Mode.WAIT: "rate-limited: later",
    Mode.SHUT: "auth-required: who are you?",
}
_NEVER_HANDED_ON = (Mode.NEVER, Mode.BUSY, Mode.WAIT, Mode.SHUT)


class Notes(Venue):
    """A relay that gets short notes."""

    key, label = "nostr", "Nostr relay"
    kind: ClassVar[int] = 1

    def __init__(self, url: str) -> None:
        self.url = url
        self.credentials = {"key": secrets.token_hex(32)}

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Notes"]:
        """An empty relay."""
        with relay(data) as url:
            yield cls(url)

    def version(self) -> str:
        """As the relay says of itself (NIP-11)."""
        asked = Request(
            self.url.replace("ws://", "http://"), headers={"accept": "application/nostr+json"}
        )
        with urlopen(asked, timeout=30) as answer:
            return str(json.load(answer)["version"])

    def proxied(self) -> AbstractContextManager[Proxy]:
        """Behind a proxy that reads what is said."""
        return _before(self.url)

    def options(self, url: str) -> dict[str, Any]:
        """One relay, which must take it."""
        return {"relays": url, "enough": 1}

    def meant(self, method: str, path: str) -> bool:
        """Every event."""
        return method == "EVENT"

    def posts(self, title: str) -> list[str]:
        """Our events of this kind, as any reader gets them."""
        mine = Key.read(self.credentials["key"]).public.hex()
        events = self.ask({"kinds": [self.kind], "authors": [mine], "limit": 1000})
        texts = [
            "\n".join([*(tag[1] for tag in each["tags"] if tag[0] == "title"), each["content"]])
            for each in events
        ]
        return [text for text in texts if title in text]

    def ask(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """What the relay has of it."""
        with connect(self.url) as there:
            there.send(json.dumps(["REQ", "reader", wanted]))
            found = []
            while (message := json.loads(there.recv(30)))[0] == "EVENT":
                found.append(message[2])
            assert message == ["EOSE", "reader"]
            return found

    def says(self, event: dict[str, Any]) -> None:
        """Somebody else's event."""
        with connect(self.url) as there:
            there.send(json.dumps(["EVENT", event]))
            assert json.loads(there.recv(30))[2]


class Articles(Notes):
    """A relay that gets long articles."""

    key, label = "nostr_article", "Nostr relay"
    kind = 30023


@contextmanager
def relay(data: Path, *, members: Sequence[str] = ()) -> Iterator[str]:
    """The address of a relay with its data in this folder; only `members` write, if any.

    They are public keys in hexadecimal digits.
    """
    port = running.free_port()
    settings = data / "relay.yaml"
    words = "true" if members else "false"
    settings.write_text(_SETTINGS.format(data=data, port=port, members_only=words))
    command = [str(installing.python().with_name("nostr-relay")), "-c", str(settings)]
    with running.process(
        [*command, "serve"],
        log=data / "relay.log",
        ready=lambda: running.answers(f"http://127.0.0.1:{port}/"),
        cwd=data,
    ):
        for each in members:
            installing.run(*command, "role", "set", "-p", each, "-r", "w", cwd=data)
        yield f"ws://127.0.0.1:{port}"


@contextmanager
def _before(server: str) -> Iterator[Proxy]:
    proxy = Proxy(server)

    def handle(client: ServerConnection) -> None:
        try:
            with connect(server) as true_relay:
                _Between(proxy, client, true_relay).carry()
        except (ConnectionClosed, OSError):
            return

    with serve(handle, "127.0.0.1", 0) as listening:
        proxy.url = f"ws://127.0.0.1:{listening.socket.getsockname()[1]}"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.let_go()
            listening.shutdown()
            thread.join(10)


class _Between:
    """One connection: what the client says is handed on, and what it gets is decided upon."""

    def __init__(
        self, proxy: Proxy, client: ServerConnection, true_relay: ClientConnection
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._relay = true_relay

    def carry(self) -> None:
        """Until the client leaves."""
        for text in self._client:
            match json.loads(text):
                case ["EVENT", event]:
                    self._event(str(text), event)
                case ["REQ", *_]:
                    self._relay.send(text)
                    self._answers_until("EOSE", "CLOSED")
                case _:
                    self._relay.send(text)

    def _event(self, text: str, event: dict[str, Any]) -> None:
        kind = str(event["kind"])
        fault = self._proxy.fault_of("EVENT", kind)
        mode = fault.mode if fault else None
        answer = None
        if mode not in _NEVER_HANDED_ON:
            self._relay.send(text)
            answer = str(self._relay.recv(30))
        status = None if answer is None else 200 if json.loads(answer)[2] else 400
        self._proxy.log.append(Handled("EVENT", kind, mode, status))
        if fault:
            fault.hit.set()
        match mode:
            case Mode.LOST | Mode.NEVER:
                self._break_off()
            case Mode.HUNG:
                self._proxy.hang()
                self._break_off()
            case Mode.CUT_SHORT:
                self._cut_short(answer or "")
            case None:
                self._client.send(answer or "")
            case _:
                self._client.send(json.dumps(["OK", event["id"], False, _NO[mode]]))

    def _answers_until(self, *last: str) -> None:
        while True:
            answer = str(self._relay.recv(30))
            self._client.send(answer)
            if json.loads(answer)[0] in last:
                return

    def _cut_short(self, answer: str) -> None:
        """Half of a frame (RFC 6455 §5.2); an OK is short enough for the plain kind."""
        data = answer.encode()
        assert len(data) < 126
        self._client.socket.sendall(bytes((0x81, len(data))) + data[: len(data) // 2])
        self._break_off()

    def _break_off(self) -> None:
        self._client.socket.shutdown(socket.SHUT_RDWR)
        raise ConnectionError
