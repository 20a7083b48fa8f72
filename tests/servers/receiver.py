"""A receiver of Standard Webhooks that verifies with the official package."""

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import installing, running
from tests.servers.asking import ask
from tests.servers.venue import Venue


class Receiver(Venue):
    """A process of its own that keeps each message once, by its id."""

    key, label = "webhook", "Standard Webhooks receiver"

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.credentials = {"secret": secret}

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Receiver"]:
        """The receiver with a secret of its own."""
        python = str(installing.python())
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        port = running.free_port()
        with running.process(
            [python, str(installing.SOFTWARE / "receiver.py"), str(port)],
            log=data / "receiver.log",
            ready=lambda: running.listens(port),
            env={"WEBHOOK_SECRET": secret},
        ):
            yield cls(f"http://127.0.0.1:{port}", secret)

    def version(self) -> str:
        """Of the package that verifies."""
        return str(ask("GET", f"{self.url}/version"))

    def options(self, url: str) -> dict[str, Any]:
        """The address that takes messages."""
        return {"url": f"{url}/hook"}

    def meant(self, method: str, path: str) -> bool:
        """Every message."""
        return method == "POST" and path == "/hook"

    def posts(self, title: str) -> list[str]:
        """What was verified and is new by its id."""
        kept = [json.dumps(each, ensure_ascii=False) for each in ask("GET", f"{self.url}/kept")]
        return [text for text in kept if title in text]
