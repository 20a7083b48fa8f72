"""A page that has no feed, read by CSS selectors. https://www.w3.org/TR/selectors-3/"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from config.outbound import Client
from sources.connectors.base import Connector, Fetch, Fetched, Option, Payload, must_be_ok
from sources.connectors.page_selectors import LABELS, Selectors
from sources.errors import Denied, NotAFeed
from sources.webpages import MOST_BYTES, BadPage, WebPage, challenge, feed_links, read_page

_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_HELP = {
    "item": "The element around one piece, such as article.teaser or ul.news > li",
    "title": "Within the piece, such as h2. Empty: its heading, or its link's text.",
    "link": "Within the piece. Empty: its first link.",
    "date": "Such as time or .published",
}


class WebPageSource(Connector):
    """The pieces that a page lists."""

    key = "web_page"
    label = "Web page without a feed"
    help = (
        "The last resort: a feed is better wherever there is one. CSS selectors say where the "
        "pieces are; paste the page's address under “Add source” to have them guessed. The "
        "site's robots.txt is respected. When the page is rebuilt, the selectors need a new look."
    )
    minutes = 60
    one_at_a_time = True
    obeys_robots = True
    options = (
        *(
            Option(name, label, required=name == "item", help=_HELP.get(name, ""))
            for name, label in LABELS.items()
        ),
        Option("date_attribute", "Date's attribute", help="Such as datetime. Empty: any, or text."),
    )

    def check(self, options: Mapping[str, Any]) -> None:
        """Compile every selector; raise `Misconfigured` at the option that is wrong."""
        Selectors(options)

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The pieces on the page."""
        selectors = Selectors(request.options)
        headers = {"Accept": _ACCEPT}
        if request.etag:
            headers["If-None-Match"] = request.etag
        if request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
        answer = await http.get(request.endpoint, headers=headers, max_bytes=MOST_BYTES)
        who = urlsplit(request.endpoint).hostname or "The site"
        if name := challenge(answer.status, dict(answer.headers), answer.body):
            raise Denied(
                f"{who} checks for humans ({name}) and lets no program in.", status=answer.status
            )
        must_be_ok(answer, who)
        if answer.status == 304:
            return Fetched(unchanged=True, http_status=304)
        payload = Payload(
            answer.url,
            answer.status,
            tuple((name, answer.headers[name]) for name in answer.headers),
            answer.body,
        )
        return _read(selectors, payload)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The pieces of an archived page."""
        if not payloads:
            return Fetched()
        return _read(Selectors(request.options), payloads[0])


def _read(selectors: Selectors, payload: Payload) -> Fetched:
    headers = {name.lower(): value for name, value in payload.headers}
    try:
        page = read_page(payload.body, payload.url, headers.get("content-type", ""))
        copies, warnings = selectors.read(page)
    except BadPage as problem:
        raise NotAFeed(str(problem), status=payload.status, payload=payload) from None
    except NotAFeed as problem:
        problem.status, problem.payload = payload.status, payload
        raise
    return Fetched(
        copies=copies,
        etag=_validator(headers.get("etag", ""), 500),
        last_modified=_validator(headers.get("last-modified", ""), 100),
        http_status=payload.status,
        bytes=len(payload.body),
        title=page.title,
        warnings=(*warnings, *_feed_after_all(page)),
        payloads=(payload,),
    )


def _feed_after_all(page: WebPage) -> tuple[str, ...]:
    declared = [link.url for link in feed_links(page) if link.declared]
    if not declared:
        return ()
    return (
        f"This page has a feed after all: {declared[0]} Use it as the source's address instead.",
    )


def _validator(value: str, longest: int) -> str:
    """Only what a request can carry."""
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""
