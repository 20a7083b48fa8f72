"""arXiv: the papers of a category or of a search, by the query API (Atom).

https://info.arxiv.org/help/api/user-manual.html and https://info.arxiv.org/help/api/tou.html
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import read_feed
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Payload,
    Recognised,
    answer_of,
)
from sources.connectors.pasted import pasted
from sources.connectors.reading import no_such
from sources.errors import Misconfigured, Unreachable
from sources.feedparsing import FeedError
from sources.feedparsing.vocabulary import Element
from sources.feedparsing.xmltree import tree

_WHO = "arXiv"
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_MOST = 500  # papers of an answer; arXiv allows 2,000 and answers slowly
_FURTHEST = 30_000  # its manual: no query reaches further
_ID = re.compile(r"/abs/((?:[a-z-]+(?:\.[A-Z]{2})?/)?[\d.]{4,12})(?:v(\d{1,4}))?$")
_CATEGORY = re.compile(r"[a-z-]{2,20}(?:\.[A-Za-z-]{2,20})?")


class ArXiv(Connector):
    """New papers."""

    key = "arxiv"
    label = "arXiv"
    help = (
        "Enter a category such as cs.AI, or a search such as ti:galaxy AND cat:astro-ph.GA. "
        "arXiv allows one request every three seconds, over one connection, for all that a desk "
        "reads there; new papers appear once a day on working days. Its terms ask that abstracts "
        "are shown with a link to arXiv."
    )
    endpoint = "https://export.arxiv.org/api"
    minutes = 240
    pages_tell_more = False
    seconds_between = 3.0
    one_at_a_time = True
    options = (
        Option("category", "Category", help="Several with commas: cs.AI,cs.CL."),
        Option("search", "Search", help="In the language of arXiv's API; with a category too."),
        Option(
            "sort", "Newest by", "choice", default="submittedDate",
            choices=(("submittedDate", "First version"), ("lastUpdatedDate", "Latest version")),
        ),
        Option("limit", "At most so many papers", "number", default=100),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The newest papers."""
        return await self._page(request, http, 0)

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The papers from that place of the list on."""
        if cursor and not re.fullmatch(r"\d{1,6}", cursor):
            raise Misconfigured("The place to read on from is no number; begin anew.")
        return await self._page(request, http, int(cursor or 0))

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The papers of an archived answer."""
        return _read(answer_of(payloads[-1]), 0)

    def recognise(self, url: str) -> Recognised | None:
        """Lists of a category, and searches."""
        page = pasted(url)
        if page is None or page.host not in ("arxiv.org", "export.arxiv.org"):
            return None
        if page.at(0) == "list" and _CATEGORY.fullmatch(page.at(1)):
            return Recognised(self.endpoint, {"category": page.at(1)}, f"arXiv {page.at(1)}")
        words = page.query.get("query", "").replace('"', "").strip()
        if page.at(0) == "search" and words:
            return Recognised(self.endpoint, {"search": f'all:"{words}"'}, f"arXiv: {words}")
        if page.path == ("api", "query") and page.query.get("search_query"):
            search = page.query["search_query"]
            return Recognised(self.endpoint, {"search": search}, f"arXiv: {search}")
        return None

    async def _page(self, request: Fetch, http: Client, start: int) -> Fetched:
        answer = await http.get(
            f"{request.endpoint.rstrip('/')}/query",
            params={
                "search_query": _query(request),
                "start": start,
                "max_results": max(1, min(_MOST, request.options["limit"])),
                "sortBy": request.options["sort"],
                "sortOrder": "descending",
            },
            deadline=45.0,  # long lists take it half a minute
        )
        if answer.status == 400:
            raise Misconfigured(f"arXiv does not understand the search: {_complaint(answer)}")
        return _read(answer, start)


def _query(request: Fetch) -> str:
    named = [each.strip() for each in request.options["category"].split(",") if each.strip()]
    for each in named:
        if not _CATEGORY.fullmatch(each):
            raise Misconfigured(
                f"“{each[:40]}” is no category of arXiv; they look like cs.AI or math.NT.",
                option="category",
            )
    search = request.options["search"].strip()
    if not (named or search):
        raise Misconfigured("Name a category or a search.", option="category")
    either = " OR ".join(f"cat:{each}" for each in named)
    if not search:
        return either
    return f"({either}) AND ({search})" if either else search


def _read(answer: Response, start: int) -> Fetched:
    found = read_feed(answer, _WHO)
    entries, total = _entries(answer)
    # Errors come as a feed of one entry (§3.4 of the manual), at times with status 200.
    if any("/api/errors" in copy.external_id for copy in found.copies):
        raise Misconfigured(f"arXiv does not understand the search: {_complaint(answer)}")
    if not found.copies and start < total:
        raise Unreachable(
            f"arXiv counts {total} papers and sends none of them; it does at times. The desk "
            "tries again later.",
            status=answer.status,
        )
    copies = [_copy(copy, entries.get(copy.external_id)) for copy in found.copies]
    following = start + len(copies)
    more = copies and following < min(total, _FURTHEST)
    return replace(
        found,
        copies=tuple(copies),
        older=str(following) if more else "",
        hub="",
        topic="",
        moved_to="",
    )


def _copy(copy: WireCopy, entry: Element | None) -> WireCopy:
    """A paper under its id without the version, which changes while the paper stays the same."""
    match = _ID.search(copy.external_id)
    if match is None:
        return copy
    own, version = match[1], int(match[2] or 1)
    more: dict[str, Any] = {"arxiv_id": own, "version": version}
    for name in ("comment", "journal_ref", "doi"):
        if words := _text(entry, f"{_ARXIV}{name}"):
            more[name] = words
    return replace(
        copy,
        external_id=own,
        firm_id=True,
        url=f"https://arxiv.org/abs/{own}",
        metadata={**copy.metadata, **more, "pdf": f"https://arxiv.org/pdf/{own}"},
    )


def _entries(answer: Response) -> tuple[dict[str, Element], int]:
    """The entries' elements by their id, and how many papers there are in all."""
    try:
        root, _ = tree(answer.body, answer.headers.get("content-type", ""))
    except FeedError:
        raise no_such(answer, _WHO, "Atom document") from None
    total = _text(root, f"{_SEARCH}totalResults")
    entries = {_text(each, f"{_ATOM}id"): each for each in root.iterchildren(f"{_ATOM}entry")}
    return entries, int(total) if re.fullmatch(r"\d{1,9}", total) else 0


def _complaint(answer: Response) -> str:
    """What arXiv says is wrong, on one line."""
    entries, _ = _entries(answer)
    words = next((_text(each, f"{_ATOM}summary") for each in entries.values()), "")
    return words[:200] or "it says no more."


def _text(element: Element | None, name: str) -> str:
    return " ".join((element.findtext(name) or "").split()) if element is not None else ""
