"""The services whose answers stand in wire/, as `site` serves them, and how each is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sources.connectors.base import Fetched
from tests.config.far_end import http
from tests.sources.asking import ask

WIRE = Path(__file__).parent / "wire"
CHANNEL = "UCnorthmarkharbour_0000A"


@dataclass(frozen=True)
class Service:
    """A connector with options that bring what its files hold."""

    connector: str
    answers: Mapping[str, str]  # path to file
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""  # of the endpoint, behind the host
    login: str = ""  # the option that holds the login's address

    def answer(self, head: bytes) -> bytes:
        """As the service answers a request with this head; 404 for what it doesn't have."""
        path = urlsplit(head.split()[1].decode()).path
        name = self.answers.get(path)
        return http(body=wire(name), Content_Type=_type(name)) if name else http("404 Not Found")

    def asked(self, url: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        """Connector, address, options and secrets for a source at a server of ours."""
        options = dict(self.options) | ({self.login: url} if self.login else {})
        return self.connector, url + self.at, options, dict(self.secrets)


def fetch(name: str, url: str, **more: Any) -> Fetched:
    """What the service of that name brings from there.

    `options` change its usual ones, `secrets` replace them; the rest is for `request_for`.
    """
    connector, where, options, secrets = SERVICES[name].asked(url)
    options |= more.pop("options", {})
    return ask(connector, where, options, more.pop("secrets", secrets), **more)


def wire(name: str) -> bytes:
    """A file of wire/."""
    return (WIRE / name).read_bytes()


def query(head: bytes) -> dict[str, str]:
    """The fields of a request's address, of each name the last."""
    fields = parse_qs(urlsplit(head.split()[1].decode()).query, keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def header(head: bytes, name: str) -> str:
    """A header of a request; "" where it is missing."""
    for line in head.decode().split("\r\n")[1:]:
        given, _, value = line.partition(": ")
        if given.lower() == name.lower():
            return value
    return ""


def everywhere(answer: bytes) -> Callable[[bytes], bytes]:
    """This answer for every request, but for robots.txt, which the site does not have."""
    return lambda head: http("404 Not Found") if b"/robots.txt" in head else answer


def recorded(answer: Callable[[bytes], bytes]) -> tuple[Callable[[bytes], bytes], list[bytes]]:
    """The same answers, and the heads of the requests as they come."""
    heads: list[bytes] = []

    def seen(head: bytes) -> bytes:
        heads.append(head)
        return answer(head)

    return seen, heads


def _type(name: str) -> str:
    kinds = {"xml": "application/atom+xml", "json": "application/json", "html": "text/html"}
    return kinds[name.rpartition(".")[2]]


_BLUESKY = {
    "/xrpc/app.bsky.feed.getAuthorFeed": "bluesky_author.json",
    "/xrpc/app.bsky.feed.getFeed": "bluesky_author.json",
    "/xrpc/app.bsky.feed.searchPosts": "bluesky_search.json",
    "/xrpc/com.atproto.server.createSession": "bluesky_session.json",
    "/xrpc/com.atproto.server.refreshSession": "bluesky_session.json",
}

SERVICES = {
    "arxiv": Service("arxiv", {"/api/query": "arxiv.xml"}, {"category": "cs.AI"}, at="/api"),
    "bluesky account": Service("bluesky", _BLUESKY, {"actor": "harbour.northmark.example"}),
    "bluesky search": Service(
        "bluesky", _BLUESKY, {"read": "search", "query": "ferry"},
        {"identifier": "harbour.northmark.example", "password": "abcd-efgh"}, login="service",
    ),
    "devto": Service("devto", {"/api/articles": "devto.json"}, at="/api"),
    "github": Service(
        "github_releases", {"/repos/northmark/tides/releases": "github_releases.json"},
        {"repository": "northmark/tides", "prereleases": True},
    ),
    "github feed": Service(
        "github_releases", {"/northmark/tides/releases.atom": "github_releases.xml"},
        {"repository": "northmark/tides", "access": "atom"},
    ),
    "lobsters": Service("lobsters", {"/hottest.json": "lobsters.json"}),
    "mastodon": Service(
        "mastodon", {"/api/v1/timelines/tag/ferry": "mastodon_statuses.json"},
        {"tag": "ferry", "boosts": True},
    ),
    "json api": Service(
        "json_api", {"/stories": "lobsters.json"},
        {
            "id": "short_id", "title": "title", "url": "url || comments_url",
            "published": "created_at", "authors": "submitter_user",
        },
        at="/stories",
    ),
    "web page": Service(
        "web_page", {"/notices": "web_page.html"},
        {"item": "article.notice", "author": ".by", "date": "time"},
        at="/notices",
    ),
    "youtube": Service("youtube", {"/feeds/videos.xml": "youtube.xml"}, {"channel": CHANNEL}),
}  # fmt: skip
