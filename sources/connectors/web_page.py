"""A page that has no feed, read by CSS selectors. https://www.w3.org/TR/selectors-3/"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.outbound import Client, Response
from sources.connectors.answers import conditions, fetched, host_of, moved_to, unchanged
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
        selectors, asked = Selectors(request.options), conditions(request)
        answer = await http.get(
            request.endpoint, headers={"Accept": _ACCEPT, **asked}, max_bytes=MOST_BYTES
        )
        who = host_of(request.endpoint)
        if name := challenge(answer.status, answer.headers, answer.body):
            raise Denied(
                f"{who} checks for humans ({name}) and lets no program in.", status=answer.status
            )
        must_be_ok(answer, who, conditional=bool(asked))
        return unchanged(answer) if answer.status == 304 else _read(selectors, answer)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The pieces of an archived page."""
        if not payloads:
            return Fetched()
        return _read(Selectors(request.options), answer_of(payloads[0]))


def _read(selectors: Selectors, answer: Response) -> Fetched:
    try:
        page = read_page(answer.body, answer.url, answer.headers.get("content-type", ""))
        copies, warnings = selectors.read(page)
    except BadPage as problem:
        raise NotAFeed(str(problem), status=answer.status, payload=payload_of(answer)) from None
    except NotAFeed as problem:
        problem.status, problem.payload = answer.status, payload_of(answer)
        raise
    return replace(
        fetched([answer], copies, title=page.title, warnings=[*warnings, *_feed_after_all(page)]),
        wait=answer.retry_after,
        moved_to=moved_to(answer),
    )


def _feed_after_all(page: WebPage) -> tuple[str, ...]:
    declared = [link.url for link in feed_links(page) if link.declared]
    if not declared:
        return ()
    return (
        f"This page has a feed after all: {declared[0]} Use it as the source's address instead.",
    )
