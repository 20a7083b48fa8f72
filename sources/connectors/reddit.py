"""Reddit: by its API as an application of one's own, or by its public RSS.

https://github.com/reddit-archive/reddit/wiki/OAuth2 (application-only: client_credentials) and
https://support.reddithelp.com/hc/en-us/articles/16160319875092 (rate limits, User-Agent).
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors import feed
from sources.connectors.base import Connector, Fetch, Fetched, Option, must_be_ok
from sources.errors import Denied, Limited, Misconfigured, NotAFeed
from sources.feedparsing.dates import from_timestamp

_ENOUGH_LEFT = 2  # requests; below that we leave the rest of the window to others


class Reddit(Connector):
    """New posts of one or more subreddits."""

    key = "reddit"
    label = "Reddit"
    help = (
        "Since November 2025 Reddit gives API access to approved applications only: ask for it at "
        "reddit.com, then enter the application's id and secret. Without them choose RSS; it "
        "allows about one request a minute per address and is often refused altogether. The "
        "address of the personal feed from your Reddit preferences works best there."
    )
    endpoint = "https://oauth.reddit.com"
    minutes = 30
    options = (
        Option(
            "access", "Access", "choice", default="oauth",
            choices=(("oauth", "API (approved application)"), ("rss", "RSS")),
            help="For RSS the address is https://www.reddit.com, or your personal feed's.",
        ),
        Option("subreddit", "Subreddit", default="", help="Such as worldnews, or a+b for both."),
        Option(
            "user_agent", "User-Agent", default="",
            help="Reddit asks for platform:app-id:version (by /u/name).",
        ),
        Option(
            "token_url", "Token address", "url",
            default="https://www.reddit.com/api/v1/access_token",
        ),
        Option("limit", "At most so many posts", "number", default=50),
    )  # fmt: skip
    credentials = (
        Option("client_id", "Application id"),
        Option("client_secret", "Application secret", "secret"),
    )

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The subreddit's new posts."""
        if request.options["access"] == "rss":
            return await self._by_rss(request, http)
        return await self._by_api(request, http)

    async def _by_rss(self, request: Fetch, http: Client) -> Fetched:
        address = request.endpoint
        if request.options["subreddit"]:
            address = f"{address.rstrip('/')}/r/{_subreddit(request)}/.rss"
        answer = await http.get(address, headers=_agent(request))
        if answer.status == 403:  # its way of saying "too often" to feed readers
            raise Limited(
                "Reddit refuses its RSS to this address for now. A personal feed or an approved "
                "application gets further.",
                status=403,
                retry_after=answer.retry_after,
            )
        return feed.read(answer, "Reddit")

    async def _by_api(self, request: Fetch, http: Client) -> Fetched:
        if not request.options["subreddit"]:
            raise Misconfigured("Name the subreddit to read.")
        token = await self._token(request, http)
        limit = max(1, min(100, request.options["limit"]))
        answer = must_be_ok(
            await http.get(
                f"{request.endpoint.rstrip('/')}/r/{_subreddit(request)}/new",
                params={"raw_json": 1, "limit": limit},
                headers=_agent(request),
                secret_headers={"Authorization": f"Bearer {token}"},
            ),
            "Reddit",
        )
        body = answer.json()
        listing = body.get("data") if isinstance(body, dict) else None
        children = listing.get("children") if isinstance(listing, dict) else None
        if not isinstance(children, list):
            raise NotAFeed("Reddit's answer is no listing; check the address.")
        posts = [each.get("data") for each in children if isinstance(each, dict)]
        return Fetched(
            copies=tuple(
                _copy(post) for post in posts if isinstance(post, dict) and post.get("name")
            ),
            http_status=answer.status,
            bytes=len(answer.body),
            wait=_wait(answer),
            title=f"r/{request.options['subreddit']}",
        )

    async def _token(self, request: Fetch, http: Client) -> str:
        """An application-only token; it lives for a day, a sync needs it for one request."""
        client_id = request.credentials.get("client_id", "")
        secret = request.credentials.get("client_secret", "")
        if not (client_id and secret):
            raise Misconfigured("Reddit's API needs the application's id and secret; or use RSS.")
        login = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = await http.post(
            request.options["token_url"],
            form={"grant_type": "client_credentials"},
            headers=_agent(request),
            secret_headers={"Authorization": f"Basic {login}"},
        )
        if answer.status in (400, 401, 403):
            raise Denied(
                "Reddit does not know this application id and secret, or has not approved it.",
                status=answer.status,
            )
        body = must_be_ok(answer, "Reddit").json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise Denied("Reddit gave no token for this application.", status=answer.status)
        return token


def _subreddit(request: Fetch) -> str:
    """As it stands in an address: people enter it with and without r/."""
    name: str = request.options["subreddit"]
    return quote(name.strip().strip("/").removeprefix("r/"), safe="+")


def _agent(request: Fetch) -> dict[str, str]:
    agent = request.options["user_agent"]
    return {"User-Agent": agent} if agent else {}


def _wait(answer: Response) -> float | None:
    """Seconds until Reddit's window begins anew, when little is left of this one."""
    try:
        left = float(answer.headers["x-ratelimit-remaining"])
        reset = float(answer.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    return reset if left < _ENOUGH_LEFT else None


def _copy(post: Mapping[str, Any]) -> WireCopy:
    def text(name: str) -> str:
        value = post.get(name)
        return value if isinstance(value, str) else ""

    def count(name: str) -> int:
        value = post.get(name)
        return value if isinstance(value, int) else 0

    discussion = f"https://www.reddit.com{text('permalink')}" if text("permalink") else ""
    return WireCopy(
        external_id=text("name"),
        firm_id=True,
        title=text("title"),
        url=discussion if post.get("is_self") else text("url") or discussion,
        content=text("selftext_html"),
        summary=text("selftext") if not text("selftext_html") else "",
        authors=(f"u/{text('author')}",) if text("author") else (),
        tags=tuple(filter(None, (text("subreddit"), text("link_flair_text")))),
        published_at=from_timestamp(post.get("created_utc")),
        metadata={
            "points": count("score"),
            "comments": count("num_comments"),
            "discussion": discussion,
            "over_18": post.get("over_18") is True,
        },
    )
