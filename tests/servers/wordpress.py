"""WordPress on PHP's own web server, with its data in SQLite."""

import base64
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import installing, running
from tests.servers.asking import ask
from tests.servers.venue import Venue

_WORKERS = "4"


class WordPress(Venue):
    """A fresh blog with one author."""

    key, label, writes = "wordpress", "WordPress", 2

    def __init__(self, url: str, account: dict[str, str]) -> None:
        self.url = url
        self.credentials = {name: account[name] for name in ("user", "app_password")}
        self._version = account["version"]

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["WordPress"]:
        """A blog of its own, just installed."""
        php, own = installing.php(), installing.SOFTWARE / "wordpress"
        site, port = data / "site", running.free_port()
        _copied(installing.wordpress(), site)
        shutil.copy(own / "wp-config.php", site)
        url = f"http://127.0.0.1:{port}"
        environment = {
            "SITE_URL": url,
            "SITE_DATA": str(data),
            "SITE_SECRET": secrets.token_hex(16),
            "PHP_CLI_SERVER_WORKERS": _WORKERS,
        }
        said = installing.run(php, str(own / "setup.php"), str(site), env=environment)
        with running.process(
            [php, "-S", f"127.0.0.1:{port}", "-t", str(site), str(own / "router.php")],
            log=data / "php.log",
            ready=lambda: running.answers(f"{url}/wp-json/"),
            env=environment,
        ):
            yield cls(url, json.loads(said[said.index("{") :]))

    def version(self) -> str:
        """As its installation said."""
        return self._version

    def options(self, url: str) -> dict[str, Any]:
        """The site."""
        return {"url": url}

    def meant(self, method: str, path: str) -> bool:
        """Making, changing and taking away a post."""
        return method in ("POST", "PUT", "DELETE") and "/wp/v2/posts" in path

    def posts(self, title: str) -> list[str]:
        """Published posts; drafts are for nobody to see."""
        listed = self.ask("/posts?status=publish&context=edit&per_page=100")
        texts = [f"{each['title']['raw']}\n{each['content']['raw']}" for each in listed]
        return [text for text in texts if title in text]

    def ask(self, path: str) -> Any:
        """What the site says of itself to its author."""
        words = f"{self.credentials['user']}:{self.credentials['app_password']}"
        login = {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
        return ask("GET", f"{self.url}/wp-json/wp/v2{path}", headers=login)


def _copied(source: Path, site: Path) -> None:
    """A site with the SQLite drop-in in its place."""
    shutil.copytree(source, site)
    parts = site / "wp-content" / "mu-plugins" / "sqlite-database-integration"
    drop_in = (parts / "db.copy").read_text()
    drop_in = drop_in.replace("{SQLITE_IMPLEMENTATION_FOLDER_PATH}", str(parts))
    drop_in = drop_in.replace("{SQLITE_PLUGIN}", "sqlite-database-integration/load.php")
    (site / "wp-content" / "db.php").write_text(drop_in)
