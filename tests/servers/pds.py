"""A Bluesky PDS with a directory of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.servers import installing, running
from tests.servers.asking import ask
from tests.servers.venue import Venue

_POSTS = "app.bsky.feed.post"
_CHANGES = ("com.atproto.repo.putRecord", "com.atproto.repo.deleteRecord")


class Bluesky(Venue):
    """One account, `desk.test`, with an app password."""

    key, label = "bluesky", "Bluesky PDS"

    def __init__(self, url: str, account: dict[str, str]) -> None:
        self.url = url
        self.did = account["did"]
        self.credentials = {name: account[name] for name in ("handle", "app_password")}

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Bluesky"]:
        """A PDS of its own, with an account for the desk."""
        packages = installing.node_packages("pds", scripts=True)
        account, port = data / "account.json", running.free_port()
        settings = {
            "packages": str(packages),
            "data": str(data / "pds"),
            "account": str(account),
            "port": port,
            "directory_port": running.free_port(),
        }
        with running.process(
            [str(installing.node()), str(installing.SOFTWARE / "pds" / "serve.mjs")],
            log=data / "pds.log",
            ready=lambda: account.exists() and account.read_text().endswith("}"),
            cwd=data,
            env={"SETTINGS": json.dumps(settings), "LOG_ENABLED": "false"},
        ):
            yield cls(f"http://localhost:{port}", json.loads(account.read_text()))

    def version(self) -> str:
        """As its health page says."""
        return str(ask("GET", f"{self.url}/xrpc/_health")["version"])

    def options(self, url: str) -> dict[str, Any]:
        """The server; a post's link to the story as a card needs nothing more."""
        return {"url": url}

    def meant(self, method: str, path: str) -> bool:
        """Writing a record and deleting one; not signing in."""
        return method == "POST" and path.endswith(_CHANGES)

    def posts(self, title: str) -> list[str]:
        """The texts of the account's posts."""
        texts = [each["value"]["text"] for each in self._listed()]
        return [text for text in texts if title in text]

    def record(self, address: str) -> dict[str, Any]:
        """A post as it is stored."""
        key = address.rpartition("/")[2]
        asked = f"repo={self.did}&collection={_POSTS}&rkey={key}"
        found: dict[str, Any] = ask("GET", f"{self.url}/xrpc/com.atproto.repo.getRecord?{asked}")
        value: dict[str, Any] = found["value"]
        return value

    def uris(self) -> set[str]:
        """The addresses of all posts."""
        return {each["uri"] for each in self._listed()}

    def blob(self, link: str) -> bytes:
        """A picture's bytes."""
        asked = f"{self.url}/xrpc/com.atproto.sync.getBlob?did={self.did}&cid={link}"
        with urlopen(asked, timeout=60) as answer:
            content: bytes = answer.read()
        return content

    def _listed(self) -> list[dict[str, Any]]:
        asked = f"repo={self.did}&collection={_POSTS}&limit=100"
        found: list[dict[str, Any]] = ask(
            "GET", f"{self.url}/xrpc/com.atproto.repo.listRecords?{asked}"
        )["records"]
        return found
