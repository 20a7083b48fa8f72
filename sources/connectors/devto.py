"""DEV (dev.to) and other sites that run Forem: articles of a tag, of an author, or the best.

https://developers.forem.com/api/v1#tag/articles/operation/getArticles; which parameter wins over
which, and the order of each list, as in forem/forem, app/services/article_api_index_service.rb.
"""

import re
from collections.abc import Sequence

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import back_to_the_last_sync, fetched, joined
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
from sources.connectors.reading import Json, address, identifier, list_of, number, part, text, texts
from sources.errors import Misconfigured
from sources.feedparsing.dates import parse_date

_WHO = "DEV"
_TOP = {"week": 7, "month": 30, "year": 365, "infinity": 3650}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_OWN_PAGES = frozenset(
    ("about", "contact", "enter", "latest", "listings", "p", "podcasts", "pod", "privacy", "search",
     "settings", "tags", "terms", "videos", "code-of-conduct", "faq", "dashboard", "readinglist")
)  # fmt: skip


class DevTo(Connector):
    """Published articles."""

    key = "devto"
    label = "DEV (dev.to)"
    help = (
        "Enter a tag, or a user or organisation; empty fields bring the front page. DEV lists an "
        "author's articles by time and all others by liveliness. No key is needed. The address "
        "may be another site's that runs Forem."
    )
    endpoint = "https://dev.to/api"
    minutes = 30
    options = (
        Option("tag", "Tag", help="Such as python."),
        Option("username", "User or organisation"),
        Option(
            "top", "Most popular of the last … days", "number", default=0,
            help="Of the tag, or of all; 0 for the liveliest now.",
        ),
        Option("limit", "So many articles at a time", "number", default=50),
    )  # fmt: skip
    credentials = (
        Option(
            "api_key", "API key", "secret",
            help="Not needed for public articles. From Settings, Extensions at dev.to.",
        ),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The list as it is now; of an author all since the last sync."""
        if not request.options["username"]:
            return await self._page(request, http, 1)
        return await back_to_the_last_sync(
            request, lambda asked, cursor: self.older(asked, http, cursor)
        )

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The page of that number."""
        if cursor and not re.fullmatch(r"[1-9]\d{0,4}", cursor):
            raise Misconfigured("The place to read on from is no page of DEV; begin anew.")
        return await self._page(request, http, int(cursor or 1))

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The articles of an archived page."""
        return joined([_read(answer_of(payload), 1) for payload in payloads])

    def recognise(self, url: str) -> Recognised | None:
        """Pages of tags, of users and organisations, and the best of a time."""
        page = pasted(url)
        if page is None or page.host != "dev.to" or len(page.path) > 2:
            return None
        first, second = page.at(0), page.at(1)
        if not first:
            return Recognised(self.endpoint, {}, _WHO)
        if first == "t" and _NAME.fullmatch(second):
            return Recognised(self.endpoint, {"tag": second}, f"DEV: {second}")
        if first == "top" and second in _TOP:
            return Recognised(self.endpoint, {"top": _TOP[second]}, f"DEV: best of the {second}")
        if first in _OWN_PAGES or first in ("t", "top") or second or not _NAME.fullmatch(first):
            return None
        return Recognised(self.endpoint, {"username": first}, f"DEV: {first}")

    async def _page(self, request: Fetch, http: Client, page: int) -> Fetched:
        options = request.options
        if options["tag"] and options["username"]:
            raise Misconfigured(
                "DEV lists a tag or an author, never both: empty one of them.", option="username"
            )
        params: dict[str, str | int] = {
            "per_page": max(1, min(1000, options["limit"])),
            "page": page,
        }
        params |= {name: options[name].strip() for name in ("tag", "username") if options[name]}
        if options["top"] > 0:
            params["top"] = options["top"]
        key = request.credentials.get("api_key", "")
        answer = await http.get(
            f"{request.endpoint.rstrip('/')}/articles",
            params=params,
            headers={"Accept": "application/vnd.forem.api-v1+json"},
            secret_headers={"api-key": key} if key else {},
        )
        return _read(must_be_ok(answer, _WHO), page)


def _read(answer: Response, page: int) -> Fetched:
    articles = list_of(answer, _WHO, "articles")
    copies = [_copy(article) for article in articles if identifier(article, "id")]
    return fetched([answer], copies, title=_WHO, older=str(page + 1) if articles else "")


def _copy(article: Json) -> WireCopy:
    user, organisation = part(article, "user"), part(article, "organization")
    page, image = address(article, "url"), address(article, "cover_image")
    author = text(user, "name") or text(user, "username") or text(organisation, "name")
    return WireCopy(
        external_id=identifier(article, "id"),
        firm_id=True,
        title=text(article, "title"),
        # An article that first appeared on its author's own site names it here.
        url=address(article, "canonical_url") or page,
        summary=text(article, "description"),
        authors=(author,) if author else (),
        tags=texts(article, "tag_list"),
        language=text(article, "language")[:20],
        published_at=parse_date(
            text(article, "published_timestamp") or text(article, "published_at")
        ),
        updated_at=parse_date(text(article, "edited_at")),
        metadata={
            "points": number(article, "public_reactions_count"),
            "comments": number(article, "comments_count"),
            "discussion": page,
            **({"organisation": name} if (name := text(organisation, "name")) else {}),
            **({"enclosures": [{"url": image, "type": "image"}]} if image else {}),
        },
    )
