"""Matrix Synapse, with its data in SQLite."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.servers import installing, running
from tests.servers.asking import ask
from tests.servers.venue import Venue

_PASSWORD = "desk-pass-1"
_NO_LIMITS = """
rc_message: {per_second: 1000, burst_count: 1000}
rc_login: {address: {per_second: 100, burst_count: 100}}
trusted_key_servers: []
suppress_key_server_warning: true
registration_shared_secret: "%s"
"""


class Matrix(Venue):
    """A homeserver with one room, which the desk is in."""

    key, label = "matrix", "Matrix Synapse"

    def __init__(self, url: str, token: str, room: str) -> None:
        self.url = url
        self.credentials = {"token": token}
        self.room = room

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Matrix"]:
        """A homeserver of its own, with an account for the desk."""
        python = str(installing.python())
        port, shared = running.free_port(), secrets.token_hex(16)
        settings = _configured(python, data, port, shared)
        url = f"http://127.0.0.1:{port}"
        with running.process(
            [python, "-m", "synapse.app.homeserver", "--config-path", str(settings)],
            log=data / "synapse.log",
            ready=lambda: running.answers(f"{url}/_matrix/client/versions"),
            cwd=data,
        ):
            installing.run(
                str(Path(python).with_name("register_new_matrix_user")),
                "-u", "desk", "-p", _PASSWORD, "-a", "-c", str(settings), url,
            )  # fmt: skip
            login = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": "desk"},
                "password": _PASSWORD,
            }
            token = ask("POST", f"{url}/_matrix/client/v3/login", login)["access_token"]
            there = cls(url, token, "")
            there.room = there._ask("POST", "/createRoom", {"name": "news"})["room_id"]
            yield there

    def version(self) -> str:
        """As it tells other homeservers."""
        asked = f"{self.url}/_matrix/federation/v1/version"
        return str(ask("GET", asked)["server"]["version"])

    def options(self, url: str) -> dict[str, Any]:
        """The room on the homeserver."""
        return {"url": url, "room": self.room}

    def meant(self, method: str, path: str) -> bool:
        """A message, an edit or a redaction is sent with PUT."""
        return method == "PUT" and ("/send/" in path or "/redact/" in path)

    def posts(self, title: str) -> list[str]:
        """The room's messages, each as its last edit has it; redacted ones have no text."""
        path = f"/rooms/{quote(self.room)}/messages?dir=b&limit=500"
        events = self._ask("GET", path)["chunk"]
        texts = []
        for event in events:
            content = event["content"]
            relation = content.get("m.relates_to", {}).get("rel_type")
            if event["type"] != "m.room.message" or relation == "m.replace" or not content:
                continue
            edit = event.get("unsigned", {}).get("m.relations", {}).get("m.replace")
            texts.append((edit["content"]["m.new_content"] if edit else content)["body"])
        return [text for text in texts if title in text]

    def event(self, number: str) -> Any:
        """A message as it is stored."""
        return self._ask("GET", f"/rooms/{quote(self.room)}/event/{quote(number)}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        login = {"Authorization": f"Bearer {self.credentials['token']}"}
        return ask(method, f"{self.url}/_matrix/client/v3{path}", body, login)


def _configured(python: str, data: Path, port: int, shared: str) -> Path:
    """Synapse's own configuration, on this port and without limits that a test would meet."""
    settings = data / "homeserver.yaml"
    installing.run(
        python, "-m", "synapse.app.homeserver", "--server-name", "desk.test",
        "--config-path", str(settings), "--generate-config", "--report-stats=no", cwd=data,
    )  # fmt: skip
    words = settings.read_text().replace("port: 8008", f"port: {port}", 1)
    lines = [line for line in words.splitlines() if not line.startswith("registration_shared")]
    kept = [line for line in lines if not line.startswith("trusted_key_servers")]
    kept = [line for line in kept if line.strip() != '- server_name: "matrix.org"']
    settings.write_text("\n".join(kept) + _NO_LIMITS % shared)
    return settings
