"""Reddit: application-only OAuth with a listing, and the feed that needs no sign-in.

https://github.com/reddit-archive/reddit/wiki/OAuth2, https://www.reddit.com/dev/api/#GET_new
"""

import base64
import secrets
import time
from datetime import UTC, datetime
from html import escape
from typing import Any
from xml.sax.saxutils import quoteattr

from aiohttp import web

from simulator import pages
from simulator.credentials import REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET, REDDIT_SUBREDDIT
from simulator.limits import Allowance
from simulator.newsroom import Newsroom, Report
from simulator.stories import Outlet

LIFETIME = 86_400  # seconds of a token
ALLOWED, WINDOW = 1000, 600  # 100 a minute, as an average over ten
FIRST_ID = 1_600_000_000  # of a post, written in base 36
SUBREDDITS = (REDDIT_SUBREDDIT, "technology")  # the second has the posts about machines and science


class Reddit:
    """Two subreddits with the outlet's reports."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._tokens: dict[str, float] = {}  # until when
        self._allowance = Allowance(ALLOWED, WINDOW)

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        sub = "/reddit/r/{sub}"
        return [
            web.post("/reddit/api/v1/access_token", self.token),
            web.get(f"{sub}/new", self.listing),
            web.get(f"{sub}/new.json", self.listing),
            web.get(f"{sub}/.rss", self.feed),
            web.get(f"{sub}/new/.rss", self.feed),
            web.get(f"{sub}/comments/{{id}}/{{slug}}/", self.page),
        ]

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as Reddit says it; a 429 also tells the allowance."""
        said = {401: "Unauthorized", 429: "Too Many Requests", 503: "Service Unavailable"}
        body = {"message": said.get(status, "Error"), "error": status}
        response = web.json_response(body, status=status)
        if status == 429:
            response.headers["X-Ratelimit-Remaining"] = "0.0"
            response.headers["X-Ratelimit-Used"] = str(ALLOWED)
            response.headers["X-Ratelimit-Reset"] = f"{retry_after:.0f}"
        return response

    async def token(self, request: web.Request) -> web.Response:
        """A bearer token for the client's id and secret."""
        expected = base64.b64encode(f"{REDDIT_CLIENT_ID}:{REDDIT_CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization", "") != f"Basic {expected}":
            return self.refusal(401, 0)
        sent = await request.post()
        if sent.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.time() + LIFETIME
        granted = {"token_type": "bearer", "expires_in": LIFETIME, "scope": "*"}
        return web.json_response({"access_token": token} | granted)

    async def listing(self, request: web.Request) -> web.Response:
        """Newest first, `limit` at a time, `after` a fullname."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0) < time.time():
            return self.refusal(401, 0)
        if not self._allowance.spend():
            return self.refusal(429, self._allowance.resets_at - time.time())
        posts = self._posts(request)
        if posts is None:
            response = web.json_response({"message": "Not Found", "error": 404}, status=404)
        else:
            response = web.json_response(_page(posts, request))
        left = max(0.0, self._allowance.resets_at - time.time())
        response.headers["X-Ratelimit-Used"] = str(self._allowance.used)
        response.headers["X-Ratelimit-Remaining"] = f"{self._allowance.remaining:.1f}"
        response.headers["X-Ratelimit-Reset"] = f"{left:.0f}"
        return response

    async def feed(self, request: web.Request) -> web.Response:
        """The newest 25 as Atom."""
        posts = self._posts(request)
        if posts is None:
            return web.json_response({"message": "Not Found", "error": 404}, status=404)
        text = _atom(posts[:25], request)
        return web.Response(text=text, content_type="application/atom+xml", charset="utf-8")

    async def page(self, request: web.Request) -> web.Response:
        """One post for readers."""
        posts = self._newsroom.reports(Outlet.REDDIT)
        post = next((one for one in posts if _id(one) == request.match_info["id"]), None)
        if post is None:
            return pages.not_found("There is no such post.")
        link = f'<p><a href="{post.page}">{escape(post.page)}</a></p>'
        return pages.article_page(
            post.title,
            link if post.links_to else post.html,
            byline=f"u/{post.author} · {post.published_at:%d %B %Y, %H:%M} UTC",
            site=f"r/{_subreddit(post)}",
        )

    def _posts(self, request: web.Request) -> list[Report] | None:
        """A subreddit's posts, newest first; several are joined by +. None: there is none such."""
        subs = request.match_info["sub"].lower().split("+")
        if not set(subs) <= {*SUBREDDITS, "all"}:
            return None
        posts = self._newsroom.reports(Outlet.REDDIT)
        return [one for one in posts if "all" in subs or _subreddit(one) in subs]


def _subreddit(report: Report) -> str:
    """Reports on machines and science are posted in their own place, unless there's no more."""
    machines = report.section in ("Technology", "Science")
    return SUBREDDITS[1] if machines and report.number % 2 else SUBREDDITS[0]


def _page(posts: list[Report], request: web.Request) -> dict[str, Any]:
    query = request.query
    given = query.get("limit", "25")
    limit = min(max(int(given), 1), 100) if given.isdigit() else 25
    names = [_name(one) for one in posts]
    start = 0
    if query.get("after") in names:
        start = names.index(query["after"]) + 1
    elif query.get("before") in names:
        start = max(0, names.index(query["before"]) - limit)
        limit = names.index(query["before"]) - start
    shown = posts[start : start + limit]
    more = start + limit < len(posts)
    raw = query.get("raw_json") == "1"
    return {
        "kind": "Listing",
        "data": {
            "after": _name(shown[-1]) if shown and more else None,
            "before": _name(shown[0]) if shown and start else None,
            "dist": len(shown),
            "modhash": None,
            "geo_filter": "",
            "children": [{"kind": "t3", "data": _post(one, request, raw=raw)} for one in shown],
        },
    }


def _post(report: Report, request: web.Request, *, raw: bool) -> dict[str, Any]:
    base = f"{request.scheme}://{request.host}"
    is_self = not report.links_to
    sub = _subreddit(report)
    created = float(int(report.published_at.timestamp()))
    edited = float(int(report.updated_at.timestamp())) if report.revision > 1 else False
    permalink = f"/r/{sub}/comments/{_id(report)}/{report.slug.replace('-', '_')[:50]}/"
    score = 3 + report.number * 53 % 900
    text = report.html.replace("<p>", "").replace("</p>\n", "\n\n").replace("</p>", "")
    shown: dict[str, Any] = {
        "id": _id(report),
        "name": _name(report),
        "title": report.title,
        "author": report.author,
        "author_fullname": f"t2_{report.number:x}",
        "subreddit": sub,
        "subreddit_name_prefixed": f"r/{sub}",
        "subreddit_id": f"t5_{SUBREDDITS.index(sub) + 1}",
        "selftext": text if is_self else "",
        "selftext_html": f'<div class="md">{report.html}</div>' if is_self else None,
        "is_self": is_self,
        "domain": f"self.{sub}" if is_self else request.host,
        "url": base + (f"/reddit{permalink}" if is_self else f"{report.page}?utm_source=reddit"),
        "permalink": permalink,
        "created": created,
        "created_utc": created,
        "edited": edited,
        "score": score,
        "ups": score,
        "upvote_ratio": 0.9,
        "num_comments": score // 7,
        "over_18": False,
        "stickied": False,
        "locked": False,
        "spoiler": False,
        "is_video": False,
        "thumbnail": "self" if is_self else "default",
        "link_flair_text": report.section,
        "removed_by_category": None,
    }
    if raw:
        return shown
    # Without raw_json=1 every text arrives with &, < and > written as entities.
    return {
        name: escape(value, quote=False) if isinstance(value, str) else value
        for name, value in shown.items()
    }


def _atom(posts: list[Report], request: web.Request) -> str:
    base = f"{request.scheme}://{request.host}/reddit"
    sub = request.match_info["sub"]
    newest = max((one.updated_at for one in posts), default=datetime.now(UTC))
    entries = "".join(_entry(one, request) for one in posts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
        f'<category term={quoteattr(sub)} label="r/{escape(sub)}"/>'
        f"<updated>{_iso(newest)}</updated><id>{base}/r/{escape(sub)}/.rss</id>"
        f'<link rel="self" href="{base}/r/{escape(sub)}/.rss" type="application/atom+xml"/>'
        f'<link rel="alternate" href="{base}/r/{escape(sub)}/" type="text/html"/>'
        f"<title>newest submissions : {escape(sub)}</title>{entries}</feed>"
    )


def _entry(report: Report, request: web.Request) -> str:
    post = _post(report, request, raw=True)
    link = f"{request.scheme}://{request.host}/reddit{post['permalink']}"
    submitted = (
        f'&#32; submitted by &#32; <a href="{link}"> /u/{escape(report.author)} </a> <br/> '
        f'<span><a href="{post["url"]}">[link]</a></span> &#32; '
        f'<span><a href="{link}">[comments]</a></span>'
    )
    md = f"<!-- SC_OFF -->{post['selftext_html']}<!-- SC_ON -->" if post["is_self"] else ""
    return (
        f"<entry><author><name>/u/{escape(report.author)}</name>"
        f"<uri>https://www.reddit.com/user/{escape(report.author)}</uri></author>"
        f'<category term="{post["subreddit"]}" label="r/{post["subreddit"]}"/>'
        f'<content type="html">{escape(md + submitted)}</content>'
        f'<id>{post["name"]}</id><link href="{link}"/>'
        f"<updated>{_iso(report.updated_at)}</updated>"
        f"<published>{_iso(report.published_at)}</published>"
        f"<title>{escape(report.title)}</title></entry>"
    )


def _name(report: Report) -> str:
    return f"t3_{_id(report)}"


def _id(report: Report) -> str:
    """Base 36, as Reddit writes its numbers."""
    number, digits = FIRST_ID + report.number, ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
