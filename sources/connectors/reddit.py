"""Reddit: by its API as an application of one's own, or by its public RSS.

https://github.com/reddit-archive/reddit/wiki/OAuth2 (application-only: client_credentials) and
https://support.reddithelp.com/hc/en-us/articles/16160319875092 (rate limits, User-Agent).
"""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import (
    back_to_the_last_sync,
    conditions,
    fetched,
    joined,
    read_feed,
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
from sources.connectors.pasted import pasted
from sources.connectors.reading import (
    Json,
    address,
    identifier,
    no_such,
    number,
    object_of,
    part,
    parts,
    text,
    yes,
)
from sources.errors import Denied, Limited, Misconfigured
from sources.feedparsing.dates import from_timestamp

_WHO = "Reddit"
_RSS = "https://www.reddit.com"
_ENOUGH_LEFT = 2.0  # requests; below that we leave the rest of the window to others
_AHEAD = 120  # seconds before its end that a token is replaced
_DAY = 86_400
_POST = re.compile(r"t3_[a-z0-9]{1,20}")
_LINKED = re.compile(r'<a href="(https?://[^"<>\s]{1,2000})">\[link\]</a>')
_OWN_TEXT = re.compile(r"<!-- SC_OFF -->(.*?)<!-- SC_ON -->", re.S)
_SUBREDDITS = re.compile(r"[A-Za-z0-9_+.-]{2,200}")


class Reddit(Connector):
    """New posts of one or more subreddits."""

    key = "reddit"
    label = "Reddit"
    help = (
        "Since November 2025 Reddit gives API access to approved applications only: ask for it at "
        "reddit.com, then enter the application's id and secret. It allows 100 requests a minute "
        "and wants a User-Agent of its own form. Without approval choose RSS; it allows about one "
        "request a minute per address and is often refused altogether. The personal feed from "
        "your Reddit preferences works best there."
    )
    endpoint = "https://oauth.reddit.com"
    minutes = 30
    pages_tell_more = False
    options = (
        Option(
            "access", "Access", "choice", default="oauth",
            choices=(("oauth", "API (approved application)"), ("rss", "RSS")),
            help="For RSS the address is https://www.reddit.com, or your personal feed's.",
        ),
        Option("subreddit", "Subreddit", default="", help="Such as worldnews, or a+b for both."),
        Option(
            "user_agent", "User-Agent", default="",
            help="Reddit asks for platform:app-id:version (by /u/name). Never a browser's.",
        ),
        Option(
            "token_url", "Token address", "url",
            default="https://www.reddit.com/api/v1/access_token",
        ),
        Option("limit", "So many posts at a time", "number", default=50),
    )  # fmt: skip
    credentials = (
        Option("client_id", "Application id"),
        Option("client_secret", "Application secret", "secret"),
        Option(
            "feed_user", "User of the personal feed",
            help="For RSS: what follows user= in an address of your preferences, RSS feeds.",
        ),
        Option(
            "feed_key", "Key of the personal feed", "secret",
            help="What follows feed= there. It opens your private subscriptions: keep it here, "
            "not in the address.",
        ),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The subreddit's new posts; by the API all since the last sync."""
        if request.options["access"] == "rss":
            return await self._by_rss(request, http)
        return await back_to_the_last_sync(
            request, lambda asked, cursor: self._by_api(asked, http, after=cursor)
        )

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The posts after the one named in `cursor`; Reddit shows about a thousand in all."""
        if request.options["access"] == "rss":
            raise Misconfigured("Reddit's RSS has no older posts; its API shows about a thousand.")
        if cursor and not _POST.fullmatch(cursor):
            raise Misconfigured("The place to read on from is no post of Reddit; begin anew.")
        return await self._by_api(request, http, after=cursor)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The posts of an archived listing or feed."""
        if request.options["access"] == "rss":
            return _from_feed(answer_of(payloads[-1]))
        return joined([_read(answer_of(payload), request) for payload in payloads])

    def recognise(self, url: str) -> Recognised | None:
        """A subreddit, or a personal feed from the preferences."""
        page = pasted(url)
        if page is None or page.host not in ("reddit.com", "old.reddit.com", "new.reddit.com"):
            return None
        if page.at(0) == "r" and _SUBREDDITS.fullmatch(page.at(1)) and page.at(2) != "comments":
            options = {"access": "rss", "subreddit": page.at(1)}
            return Recognised(_RSS, options, f"r/{page.at(1)}", _NEEDS)
        if page.query.get("feed") and page.path and page.path[-1] in (".rss", ".json"):
            path = quote("/".join(page.path).replace(".json", ".rss"))
            return Recognised(f"{_RSS}/{path}", {"access": "rss"}, "Reddit, personal feed", _KEY)
        return None

    async def _by_rss(self, request: Fetch, http: Client) -> Fetched:
        where = request.endpoint
        if request.options["subreddit"]:
            where = f"{where.rstrip('/')}/r/{_subreddit(request)}/.rss"
        user, key = (request.credentials.get(name, "") for name in ("feed_user", "feed_key"))
        asked = conditions(request)
        answer = await http.get(
            where,
            params={"feed": key, "user": user} if user and key else None,
            headers={**_agent(request), **asked},
        )
        wait = _wait(answer)
        if answer.status == 403:  # its way of saying "too often" to feed readers
            raise Limited(
                "Reddit refuses its RSS to this address for now. A personal feed or an approved "
                "application gets further.",
                status=403,
                retry_after=answer.retry_after or wait,
            )
        page = _from_feed(answer, conditional=bool(asked))
        return replace(page, wait=page.wait or wait)

    async def _by_api(self, request: Fetch, http: Client, *, after: str) -> Fetched:
        if not request.options["subreddit"]:
            raise Misconfigured("Name the subreddit to read.", option="subreddit")
        token = _kept_token(request) or await _new_token(request, http)
        answer = await _listing(request, http, token, after)
        if answer.status == 401 and token == _kept_token(request):  # taken back before its time
            token = await _new_token(request, http)
            answer = await _listing(request, http, token, after)
        if answer.status == 403:
            raise Denied(
                f"Reddit does not show r/{request.options['subreddit']} to this application: the "
                "subreddit is private or closed, or the application is no longer approved.",
                status=403,
                retry_after=_wait(answer),
            )
        wait = None if answer.ok else _wait(answer, enough=float("inf"))
        found = _read(must_be_ok(answer, _WHO, wait=answer.retry_after or wait), request)
        return replace(found, memory=token)


Token = Mapping[str, Any]
"""What is remembered of an access: token, until (seconds since 1970) and the application's id."""

_NEEDS = (
    "By RSS, which Reddit allows about once a minute and often refuses. With an approved "
    "application of your own choose the API and enter its id and secret."
)
_KEY = (
    "Enter the values of feed= and user= from the address under credentials: they open private "
    "subscriptions and don't belong into an address."
)


def _kept_token(request: Fetch) -> Token | None:
    """The remembered token, if it is this application's and lasts for a while."""
    kept = request.memory
    now = request.now or datetime.now(UTC)
    ours = text(kept, "client_id") == request.credentials.get("client_id", "")
    lasts = number(kept, "until") - _AHEAD > now.timestamp()
    return kept if ours and lasts and text(kept, "token") else None


async def _new_token(request: Fetch, http: Client) -> Token:
    """An application-only token; it lives for a day."""
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
    granted = object_of(must_be_ok(answer, _WHO), _WHO)
    token = text(granted, "access_token")
    if not (token and token.isascii() and token.isprintable()):
        raise Denied("Reddit gave no token for this application.", status=answer.status)
    now = request.now or datetime.now(UTC)
    lasts = min(number(granted, "expires_in"), _DAY)
    return {"token": token, "until": int(now.timestamp()) + lasts, "client_id": client_id}


async def _listing(request: Fetch, http: Client, token: Token, after: str) -> Response:
    params: dict[str, str | int] = {
        "raw_json": 1,
        "limit": 100 if after else max(1, min(100, request.options["limit"])),
    }
    if after:
        params["after"] = after
    return await http.get(
        f"{request.endpoint.rstrip('/')}/r/{_subreddit(request)}/new",
        params=params,
        headers=_agent(request),
        secret_headers={"Authorization": f"Bearer {token['token']}"},
    )


def _read(answer: Response, request: Fetch) -> Fetched:
    listing = part(object_of(answer, _WHO), "data")
    if not isinstance(listing.get("children"), list):
        raise no_such(answer, _WHO, "listing")
    posts = [part(each, "data") for each in parts(listing, "children")]
    kept = [post for post in posts if identifier(post, "name") and not _removed(post)]
    return fetched(
        [answer],
        [_copy(post) for post in kept],
        title=f"r/{request.options['subreddit']}",
        older=identifier(listing, "after"),
        wait=_wait(answer),
    )


def _from_feed(answer: Response, *, conditional: bool = False) -> Fetched:
    """The posts of a feed, told as the API tells them: a source may change between the two."""
    found = read_feed(answer, _WHO, conditional=conditional)
    copies = tuple(_from_entry(copy) for copy in found.copies)
    return replace(found, copies=copies, moved_to="", older="")


def _from_entry(copy: WireCopy) -> WireCopy:
    """An entry without what Reddit writes around a post: by whom, [link] and [comments]."""
    if not _POST.fullmatch(copy.external_id):
        return copy
    linked, own_text = _LINKED.search(copy.content), _OWN_TEXT.search(copy.content)
    target = html.unescape(linked[1]) if linked else ""
    return replace(
        copy,
        firm_id=True,
        url=target or copy.url,
        content=own_text[1].strip() if own_text else "",
        authors=tuple(author.removeprefix("/") for author in copy.authors),
        tags=tuple(tag.removeprefix("r/") for tag in copy.tags),
        metadata={**copy.metadata, "discussion": copy.url},
    )


def _removed(post: Json) -> bool:
    """Whether moderators or its author took it down: a stub is left in the listing."""
    return bool(text(post, "removed_by_category")) or text(post, "title") == "[deleted by user]"


def _subreddit(request: Fetch) -> str:
    """As it stands in an address: people enter it with and without r/."""
    name: str = request.options["subreddit"]
    return quote(name.strip().strip("/").removeprefix("r/"), safe="+")


def _agent(request: Fetch) -> dict[str, str]:
    agent: str = request.options["user_agent"].strip()
    if not agent:
        return {}
    if "mozilla" in agent.lower() or not (agent.isascii() and agent.isprintable()):
        raise Misconfigured(
            "Reddit bans programs that pass for browsers. Enter a User-Agent such as "
            "linux:newsdesk:1.0 (by /u/name), or none.",
            option="user_agent",
        )
    return {"User-Agent": agent}


def _wait(answer: Response, enough: float = _ENOUGH_LEFT) -> float | None:
    """Seconds until Reddit's window begins anew, when little is left of this one."""
    return rest_of_window(answer, enough=enough)


def _copy(post: Json) -> WireCopy:
    permalink = text(post, "permalink")
    discussion = f"https://www.reddit.com{permalink}" if permalink.startswith("/") else ""
    author = text(post, "author")
    return WireCopy(
        external_id=identifier(post, "name"),
        firm_id=True,
        title=text(post, "title"),
        url=discussion if yes(post, "is_self") else address(post, "url") or discussion,
        content=text(post, "selftext_html"),
        summary=text(post, "selftext") if not text(post, "selftext_html") else "",
        authors=(f"u/{author}",) if author else (),
        tags=tuple(filter(None, (text(post, "subreddit"), text(post, "link_flair_text")))),
        published_at=from_timestamp(post.get("created_utc")),
        updated_at=from_timestamp(post.get("edited")),
        metadata={
            "points": number(post, "score"),
            "comments": number(post, "num_comments"),
            "discussion": discussion,
            "over_18": yes(post, "over_18"),
        },
    )
