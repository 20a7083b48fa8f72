"""RSS, Atom and JSON Feed, with conditional requests (RFC 9110 §13)."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace

from config.outbound import Client
from sources.connectors.answers import ACCEPT_FEED, conditions, host_of, read_feed, same_origin
from sources.connectors.base import Connector, Fetch, Fetched, Option, Payload, answer_of

_PAGED = re.compile(r"[?&]paged=\d+")


class Feed(Connector):
    """Any feed by its address."""

    key = "feed"
    label = "Feed (RSS, Atom, JSON Feed)"
    help = (
        "Enter the feed's own address, not the page it belongs to. The desk asks for news only "
        "(ETag, Last-Modified) and keeps to the pace that the feed and its server name."
    )
    credentials = (
        Option("user", "User name", help="Only for feeds behind a login."),
        Option("password", "Password", "secret"),
        Option("token", "Bearer token", "secret", help="Instead of name and password."),
    )

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The entries of the feed, or that nothing has changed."""
        asked = conditions(request)
        answer = await http.get(
            request.endpoint,
            headers={"Accept": ACCEPT_FEED, **asked},
            secret_headers=_login(request),
        )
        return read_feed(answer, host_of(request.endpoint), conditional=bool(asked))

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """An archived page (RFC 5005), a next one, or one of WordPress' (`paged`)."""
        address = cursor or request.endpoint
        # The feed chose the address: another server's is read without our login.
        login = _login(request) if same_origin(address, request.endpoint) else {}
        answer = await http.get(address, headers={"Accept": ACCEPT_FEED}, secret_headers=login)
        if answer.status == 404 and _PAGED.search(cursor):
            return Fetched(http_status=404)  # WordPress has no page after the last one
        page = read_feed(answer, host_of(address))
        return replace(page, older="") if page.older in (address, answer.url) else page

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """What an archived or pushed feed holds."""
        return read_feed(answer_of(payloads[-1]), host_of(request.endpoint))


def _login(request: Fetch) -> dict[str, str]:
    if token := request.credentials.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if user := request.credentials.get("user"):
        words = f"{user}:{request.credentials.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
    return {}
