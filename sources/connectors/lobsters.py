"""Lobsters: newest, hottest, or the stories of tags. Every list is its page with .json added.

https://lobste.rs/about; the fields as in lobsters/lobsters, app/models/story.rb (`as_json`).
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

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

_WHO = "Lobsters"


class Lobsters(Connector):
    """The stories of one list."""

    key = "lobsters"
    label = "Lobsters"
    help = (
        "Choose a list, or name tags such as python,release. No key is needed; Lobsters publishes "
        "no limit, and the desk asks it once a minute at most."
    )
    endpoint = "https://lobste.rs"
    minutes = 30
    seconds_between = 60.0
    options = (
        Option(
            "list", "List", "choice", default="hottest",
            choices=(("hottest", "Hottest"), ("newest", "Newest")),
        ),
        Option("tags", "Only these tags", help="Several with commas; the list has no effect then."),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The stories of the list's first page; of the newest all since the last sync."""
        if request.options["list"] == "hottest" and not request.options["tags"]:
            return await self._page(request, http, 1)
        return await back_to_the_last_sync(
            request, lambda asked, cursor: self.older(asked, http, cursor), most=3
        )

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The list's page of that number."""
        if cursor and not re.fullmatch(r"[1-9]\d{0,4}", cursor):
            raise Misconfigured("The place to read on from is no page of Lobsters; begin anew.")
        return await self._page(request, http, int(cursor or 1))

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The stories of an archived page."""
        return joined([_read(answer_of(payload), 1) for payload in payloads])

    def recognise(self, url: str) -> Recognised | None:
        """The front page, the newest, and the pages of tags."""
        page = pasted(url)
        if page is None or page.host != "lobste.rs":
            return None
        first = page.at(0).removesuffix(".json").removesuffix(".rss")
        if first == "t" and (tags := page.at(1).removesuffix(".json").removesuffix(".rss")):
            return Recognised(self.endpoint, {"tags": tags}, f"Lobsters: {tags}")
        lists = {"": "hottest", "hottest": "hottest", "rss": "hottest", "newest": "newest"}
        if first not in lists or page.at(1):
            return None
        return Recognised(self.endpoint, {"list": lists[first]}, f"Lobsters, {lists[first]}")

    async def _page(self, request: Fetch, http: Client, number: int) -> Fetched:
        tags = quote(request.options["tags"].replace(" ", ""), safe=",")
        where = f"t/{tags}" if tags else request.options["list"]
        if number > 1:
            # The hottest are the front page, whose further pages have no name of their own.
            where = "page" if where == "hottest" else f"{where}/page"
            where = f"{where}/{number}"
        answer = await http.get(f"{request.endpoint.rstrip('/')}/{where}.json")
        return _read(must_be_ok(answer, _WHO), number)


def _read(answer: Response, page: int) -> Fetched:
    stories = list_of(answer, _WHO, "stories")
    copies = [_copy(story) for story in stories if identifier(story, "short_id")]
    return fetched([answer], copies, title=_WHO, older=str(page + 1) if stories else "")


def _copy(story: Json) -> WireCopy:
    discussion = address(story, "comments_url")
    # An object until 2023, a plain name since.
    author = text(story, "submitter_user") or text(part(story, "submitter_user"), "username")
    return WireCopy(
        external_id=identifier(story, "short_id"),
        firm_id=True,
        title=text(story, "title"),
        url=address(story, "url") or discussion,  # a text post has no other page
        content=text(story, "description"),
        authors=(author,) if author else (),
        tags=texts(story, "tags"),
        published_at=parse_date(text(story, "created_at")),
        metadata={
            "points": number(story, "score"),
            "comments": number(story, "comment_count"),
            "discussion": discussion,
        },
    )
