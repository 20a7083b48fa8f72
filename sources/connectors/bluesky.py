"""Bluesky: the posts of an account, of a custom feed, or of a search.

https://docs.bsky.app/docs/api/app-bsky-feed-get-author-feed · …/app-bsky-feed-get-feed ·
…/app-bsky-feed-search-posts · https://docs.bsky.app/docs/advanced-guides/rate-limits
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.outbound import Client, Response
from sources.connectors import bluesky_session
from sources.connectors.answers import (
    back_to_the_last_sync,
    fetched,
    joined,
    rest_of_window,
)
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Payload,
    Recognised,
    answer_of,
    must_be_ok,
)
from sources.connectors.bluesky_posts import copies_of, posts_of
from sources.connectors.pasted import pasted
from sources.connectors.reading import object_of, text
from sources.errors import Denied, Misconfigured

_WHO = "Bluesky"
_PER_PAGE = 50
_ACTOR = re.compile(r"did:[a-z0-9]{2,20}:[A-Za-z0-9._:%-]{2,200}|[a-z0-9-]+(\.[a-z0-9-]+)+", re.I)
_FEED = re.compile(
    rf"at://(?P<owner>{_ACTOR.pattern})/app\.bsky\.feed\.generator/(?P<name>[\w.~:-]{{1,200}})",
    re.I | re.A,
)
_METHODS = {"author": "getAuthorFeed", "feed": "getFeed", "search": "searchPosts"}


class Bluesky(Connector):
    """Public posts."""

    key = "bluesky"
    label = "Bluesky"
    help = (
        "Accounts and custom feeds need no login. The search does: create an app password under "
        "Settings, Privacy and security, and enter it with your handle. Bluesky asks that its "
        "search is used with restraint, and publishes no limit for reading without a login."
    )
    endpoint = "https://public.api.bsky.app"
    minutes = 15
    pages_tell_more = False
    options = (
        Option(
            "read", "Read", "choice", default="author",
            choices=(("author", "An account"), ("feed", "A custom feed"), ("search", "A search")),
        ),
        Option("actor", "Account", help="Its handle, such as ada.bsky.social, or its did."),
        Option("feed", "Custom feed", help="Its page's address, or at://…"),
        Option("query", "Search for", help="Words, #tag, from:handle, lang:en, domain:a.example …"),
        Option("replies", "With replies", "flag", default=False, help="Of an account."),
        Option("reposts", "With reposts", "flag", default=False),
        Option(
            "service", "Login at", "url", default="https://bsky.social",
            help="Another server's address, if the account lives there.",
        ),
    )  # fmt: skip
    credentials = (
        Option("identifier", "Handle", help="For the search only."),
        Option("password", "App password", "secret", help="Never the account's own password."),
    )

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The newest posts, all since the last sync."""
        return await back_to_the_last_sync(
            request, lambda asked, cursor: self.older(asked, http, cursor)
        )

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The page at the service's own cursor."""
        if len(cursor) > 500:
            raise Misconfigured("The place to read on from is none of Bluesky's; begin anew.")
        found = await self._page(request, http, cursor)
        return found if found.older != cursor else replace(found, older="")

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The posts of archived pages."""
        return joined([_read(answer_of(payload), request) for payload in payloads])

    def recognise(self, url: str) -> Recognised | None:
        """Profiles, custom feeds, hashtags and searches."""
        page = pasted(url)
        if page is None or page.host != "bsky.app":
            return None
        first, name, kind = page.at(0), page.at(1), page.at(2)
        if first == "profile" and _ACTOR.fullmatch(name):
            if kind == "feed" and page.at(3):
                options = {
                    "read": "feed",
                    "feed": f"https://bsky.app/profile/{name}/feed/{page.at(3)}",
                }
                return Recognised(self.endpoint, options, f"Bluesky feed {page.at(3)}")
            if kind in ("", "rss"):
                return Recognised(self.endpoint, {"read": "author", "actor": name}, f"@{name}")
        query = f"#{name}" if first == "hashtag" and name else ""
        query = page.query.get("q", "") if first == "search" else query
        if query:
            return Recognised(
                self.endpoint, {"read": "search", "query": query}, f"Bluesky: {query}", _NEEDS
            )
        return None

    async def _page(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        kind = request.options["read"]
        memory: dict[str, Any] = {}
        if kind == "search":
            answer, memory = await _searched(request, http, cursor)
        else:
            if kind == "author":
                params = _author(request)
            else:
                params, memory = await _custom_feed(request, http)
            answer = await http.get(
                _method(request.endpoint, f"app.bsky.feed.{_METHODS[kind]}"),
                params=_with_page(params, cursor),
            )
        return replace(_read(_ok(answer), request), memory=memory or None)


_NEEDS = "The search needs a handle and an app password."


def _author(request: Fetch) -> Mapping[str, str]:
    actor = request.options["actor"].strip().lstrip("@")
    if not _ACTOR.fullmatch(actor):
        raise Misconfigured("Name the account, such as ada.bsky.social.", option="actor")
    replies = request.options["replies"]
    return {"actor": actor, "filter": "posts_with_replies" if replies else "posts_no_replies"}


async def _custom_feed(request: Fetch, http: Client) -> tuple[Mapping[str, str], dict[str, Any]]:
    """The feed's at-address, by its owner's did; and that did, to remember."""
    entered = request.options["feed"].strip()
    page = pasted(entered)
    if page and page.host == "bsky.app" and page.at(0) == "profile" and page.at(2) == "feed":
        entered = f"at://{page.at(1)}/app.bsky.feed.generator/{page.at(3)}"
    match = _FEED.fullmatch(entered)
    if match is None:
        raise Misconfigured(
            "Enter the custom feed's address at bsky.app, or at://….", option="feed"
        )
    owner, name = match["owner"], match["name"]
    if owner.startswith("did:"):
        return {"feed": entered}, {}
    kept = text(request.memory, "did")
    if text(request.memory, "handle") != owner or not _ACTOR.fullmatch(kept):
        kept = await _did(request, http, owner)
    feed = f"at://{kept}/app.bsky.feed.generator/{name}"
    return {"feed": feed}, {"handle": owner, "did": kept}


async def _did(request: Fetch, http: Client, handle: str) -> str:
    where = _method(request.endpoint, "com.atproto.identity.resolveHandle")
    answer = await http.get(where, params={"handle": handle})
    if answer.status in (400, 404):
        raise Misconfigured(f"Bluesky knows no account “{handle}”.", option="feed")
    did = text(object_of(_ok(answer), _WHO), "did")
    if not did.startswith("did:") or not _ACTOR.fullmatch(did):
        raise Misconfigured(f"Bluesky knows no account “{handle}”.", option="feed")
    return did


async def _searched(request: Fetch, http: Client, cursor: str) -> tuple[Response, dict[str, Any]]:
    """The search's answer, asked with a session; the session is remembered."""
    query = request.options["query"].strip()
    if not query:
        raise Misconfigured("Enter what to search for.", option="query")
    session = await bluesky_session.current(request, http)
    where = _method(request.options["service"], "app.bsky.feed.searchPosts")
    params = _with_page({"q": query, "sort": "latest"}, cursor)
    answer = await http.get(where, params=params, secret_headers=session.headers)
    if bluesky_session.has_expired(answer):
        session = await bluesky_session.renewed(request, http, session)
        answer = await http.get(where, params=params, secret_headers=session.headers)
    return answer, session.to_remember()


def _ok(answer: Response) -> Response:
    """The answer; raises `SourceError` in Bluesky's words, where they say more than the status."""
    wait = answer.retry_after
    if wait is None and answer.status == 429:
        wait = rest_of_window(answer, fields="ratelimit")
    if answer.status == 400:
        raise Misconfigured(f"Bluesky refuses: {_said(answer)}")
    if answer.status in (401, 403):
        raise Denied(
            f"Bluesky refuses access ({answer.status}): {_said(answer)}", status=answer.status
        )
    return must_be_ok(answer, _WHO, wait=wait)


def _said(answer: Response) -> str:
    return bluesky_session.complaint(answer)[1] or "it says no more."


def _read(answer: Response, request: Fetch) -> Fetched:
    body = object_of(answer, _WHO)
    found = posts_of(answer, body, _WHO)
    options = request.options
    # A search and a custom feed choose replies themselves.
    copies = copies_of(
        found,
        replies=options["replies"] or options["read"] != "author",
        reposts=options["reposts"],
    )
    cursor = text(body, "cursor")[:500] if found else ""
    spent = rest_of_window(answer, fields="ratelimit", enough=2)
    return fetched([answer], copies, title=_WHO, older=cursor, wait=spent)


def _with_page(params: Mapping[str, str], cursor: str) -> dict[str, str | int]:
    page: dict[str, str | int] = {**params, "limit": _PER_PAGE}
    if cursor:
        page["cursor"] = cursor
    return page


def _method(endpoint: str, name: str) -> str:
    return f"{endpoint.rstrip('/')}/xrpc/{name}"
