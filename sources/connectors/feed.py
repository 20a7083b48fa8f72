"""RSS, Atom and JSON Feed, with conditional requests (RFC 9110 §13)."""

import base64
from collections.abc import Sequence
from urllib.parse import urlsplit

from config.outbound import Client, Response
from sources import feedparsing, websub_rules
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Payload,
    answer_of,
    must_be_ok,
    payload_of,
)
from sources.errors import NotAFeed

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)


class Feed(Connector):
    """Any feed by its address."""

    key = "feed"
    label = "Feed (RSS, Atom, JSON Feed)"
    help = "Enter the feed's own address, not the page it belongs to."
    credentials = (
        Option("user", "User name", help="Only for feeds behind a login."),
        Option("password", "Password", "secret"),
        Option("token", "Bearer token", "secret", help="Instead of name and password."),
    )

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The entries of the feed, or that nothing has changed."""
        headers = {"Accept": _ACCEPT}
        if request.etag:
            headers["If-None-Match"] = request.etag
        if request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
        answer = await http.get(request.endpoint, headers=headers, secret_headers=_login(request))
        return read(answer, urlsplit(request.endpoint).hostname or "The source")

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """What an archived or pushed feed holds."""
        return read(answer_of(payloads[-1]), urlsplit(request.endpoint).hostname or "The source")


def read(answer: Response, who: str) -> Fetched:
    """What a feed's server answered; also for connectors whose service offers a feed."""
    must_be_ok(answer, who)
    about = Fetched(
        unchanged=answer.status == 304,
        etag=_validator(answer, "etag", 500),
        last_modified=_validator(answer, "last-modified", 100),
        http_status=answer.status,
        bytes=len(answer.body),
    )
    if about.unchanged:
        return about
    try:
        feed = feedparsing.parse(
            answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url
        )
    except feedparsing.FeedError as problem:
        raise NotAFeed(str(problem), status=answer.status, payload=payload_of(answer)) from None
    hub, topic = websub_rules.declared(answer.headers.get_all("link"), answer.url)
    return Fetched(
        copies=feed.entries,
        etag=about.etag,
        last_modified=about.last_modified,
        http_status=about.http_status,
        bytes=about.bytes,
        title=feed.title,
        warnings=feed.warnings,
        payloads=(payload_of(answer),),
        hub=hub,
        topic=topic,
    )


def _validator(answer: Response, name: str, longest: int) -> str:
    """A header to send back the next time; "" for one that a request can't carry."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""


def _login(request: Fetch) -> dict[str, str]:
    if token := request.credentials.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if user := request.credentials.get("user"):
        words = f"{user}:{request.credentials.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
    return {}
