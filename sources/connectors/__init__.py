"""The connectors, key to class, in one table. Nothing is registered anywhere else.

`EXTRA_CONNECTORS` in the environment joins more of them; a system check loads every entry.
"""

from functools import cache
from importlib import import_module

from django.conf import settings

from sources.connectors.base import Connector

TABLE = {
    "feed": "sources.connectors.feed.Feed",
    "hackernews": "sources.connectors.hackernews.HackerNews",
    "reddit": "sources.connectors.reddit.Reddit",
    "arxiv": "sources.connectors.arxiv.ArXiv",
    "bluesky": "sources.connectors.bluesky.Bluesky",
    "devto": "sources.connectors.devto.DevTo",
    "github_releases": "sources.connectors.github_releases.GitHubReleases",
    "lobsters": "sources.connectors.lobsters.Lobsters",
    "mastodon": "sources.connectors.mastodon.Mastodon",
    "youtube": "sources.connectors.youtube.YouTube",
    "json_api": "sources.connectors.json_api.JsonApi",
    "web_page": "sources.connectors.web_page.WebPageSource",
}


def table() -> dict[str, str]:
    """Every connector's key with the dotted path of its class."""
    return TABLE | settings.EXTRA_CONNECTORS


def connector(key: str) -> Connector:
    """The connector of that key; `KeyError` when there is none."""
    return _load(table()[key])


def connectors() -> dict[str, Connector]:
    """All of them, in the table's order."""
    return {key: connector(key) for key in table()}


@cache
def _load(path: str) -> Connector:
    module, _, name = path.rpartition(".")
    adapter = getattr(import_module(module), name)
    if not (isinstance(adapter, type) and issubclass(adapter, Connector)):
        raise TypeError(f"{path} is not a Connector (sources.connectors.base).")
    return adapter()
