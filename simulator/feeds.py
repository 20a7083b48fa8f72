"""Three outlets' feeds: RSS 2.0, Atom 1.0, JSON Feed 1.1, with honest 304s; and their articles.

https://www.rssboard.org/rss-specification, RFC 4287, https://www.jsonfeed.org/version/1.1/
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aiohttp import ETag, web

from simulator import pages
from simulator.newsroom import Newsroom, Report
from simulator.stories import Outlet

SHOWN = 40  # reports in a feed


@dataclass(frozen=True, slots=True)
class Paper:
    """An outlet that has a feed."""

    title: str
    motto: str
    path: str
    media_type: str


PAPERS = {
    Outlet.RSS: Paper(
        "The Lindholm Courier", "News from the harbour", "/feeds/rss.xml", "application/rss+xml"
    ),
    Outlet.ATOM: Paper(
        "Northmark Wire", "The country's agency", "/feeds/atom.xml", "application/atom+xml"
    ),
    Outlet.JSON: Paper(
        "Signal & Field", "Science, work, machines", "/feeds/feed.json", "application/feed+json"
    ),
}


class Feeds:
    """The feeds and the pages of the reports in them."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._written: dict[tuple[Outlet, str], tuple[int, bytes]] = {}  # feed as of a version

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.get("/feeds/rss.xml", self.rss),
            web.get("/feeds/atom.xml", self.atom),
            web.get("/feeds/feed.json", self.json_feed),
            web.get("/stories/{slug}", self.story),
        ]

    async def rss(self, request: web.Request) -> web.Response:
        """The Courier."""
        return self._serve(request, Outlet.RSS, _rss)

    async def atom(self, request: web.Request) -> web.Response:
        """The agency."""
        return self._serve(request, Outlet.ATOM, _atom)

    async def json_feed(self, request: web.Request) -> web.Response:
        """The magazine."""
        return self._serve(request, Outlet.JSON, _json_feed)

    async def story(self, request: web.Request) -> web.Response:
        """The page of a report."""
        report = self._newsroom.find(request.match_info["slug"])
        if report is None or report.outlet not in PAPERS:
            return pages.not_found("No outlet has published this story.")
        return pages.article_page(
            report.title,
            report.html,
            byline=f"{report.author} · {report.section} · {report.published_at:%d %B %Y, %H:%M}",
            site=PAPERS[report.outlet].title,
        )

    def _serve(
        self, request: web.Request, outlet: Outlet, write: Callable[[str, list[Report]], str]
    ) -> web.Response:
        base = f"{request.scheme}://{request.host}"
        body = self._current(base, outlet, write)
        changed = self._newsroom.last_change(outlet)
        etag = ETag(hashlib.sha256(body).hexdigest()[:20], is_weak=True)  # weak: gzip may follow
        known = _knows(request, etag, changed)
        response = web.Response(status=304) if known else web.Response(body=body)
        response.etag = etag
        if (datetime.now(UTC) - changed).total_seconds() >= 1:
            # A second that isn't over may still see another report: no date is honest then.
            response.last_modified = changed
        response.headers["Link"] = (
            f'<{base}/hub>; rel="hub", <{base}{PAPERS[outlet].path}>; rel="self"'
        )
        response.headers["Cache-Control"] = "max-age=0, must-revalidate"
        if not known:
            response.content_type = PAPERS[outlet].media_type
            response.charset = "utf-8"
            response.enable_compression()
        return response

    def _current(
        self, base: str, outlet: Outlet, write: Callable[[str, list[Report]], str]
    ) -> bytes:
        reports = self._newsroom.reports(outlet)[:SHOWN]
        version, body = self._written.get((outlet, base), (-1, b""))
        if version != self._newsroom.version:
            body = write(base, reports).encode()
            self._written[outlet, base] = (self._newsroom.version, body)
        return body


def _knows(request: web.Request, etag: ETag, changed: datetime) -> bool:
    """Whether the client has this very version: its tag decides, its date only without a tag."""
    if request.if_none_match:
        return any(known.value in (etag.value, "*") for known in request.if_none_match)
    since = request.if_modified_since
    return since is not None and changed.replace(microsecond=0) <= since


def _rss(base: str, reports: list[Report]) -> str:
    paper = PAPERS[Outlet.RSS]
    items = "\n".join(_rss_item(base, report) for report in reports)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
<title>{escape(paper.title)}</title>
<link>{base}/</link>
<description>{escape(paper.motto)}</description>
<language>en</language>
<lastBuildDate>{_rfc822(max(report.updated_at for report in reports))}</lastBuildDate>
<ttl>5</ttl>
<atom:link href={quoteattr(base + paper.path)} rel="self" type="application/rss+xml"/>
{items}
</channel>
</rss>
"""


def _rss_item(base: str, report: Report) -> str:
    categories = "".join(
        f"<category>{escape(name)}</category>" for name in (report.section, *report.tags)
    )
    return f"""<item>
<title>{escape(report.title)}</title>
<link>{base}{report.page}</link>
<guid isPermaLink="false">courier-{report.number}</guid>
<pubDate>{_rfc822(report.published_at)}</pubDate>
<dc:creator>{escape(report.author)}</dc:creator>
{categories}
<description>{escape(report.summary)}</description>
<content:encoded><![CDATA[{report.html.replace("]]>", "]]]]><![CDATA[>")}]]></content:encoded>
</item>"""


def _atom(base: str, reports: list[Report]) -> str:
    paper = PAPERS[Outlet.ATOM]
    entries = "\n".join(_atom_entry(base, report) for report in reports)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<title>{escape(paper.title)}</title>
<subtitle>{escape(paper.motto)}</subtitle>
<id>tag:northmark-wire.example,2026:feed</id>
<link rel="self" type="application/atom+xml" href={quoteattr(base + paper.path)}/>
<link rel="alternate" type="text/html" href={quoteattr(base + "/")}/>
<updated>{_rfc3339(max(report.updated_at for report in reports))}</updated>
{entries}
</feed>
"""


def _atom_entry(base: str, report: Report) -> str:
    categories = "".join(
        f"<category term={quoteattr(name)}/>" for name in (report.section, *report.tags)
    )
    return f"""<entry>
<title type="text">{escape(report.title)}</title>
<id>tag:northmark-wire.example,2026:report/{report.number}</id>
<link rel="alternate" type="text/html" href={quoteattr(base + report.page)}/>
<published>{_rfc3339(report.published_at)}</published>
<updated>{_rfc3339(report.updated_at)}</updated>
<author><name>{escape(report.author)}</name></author>
{categories}
<summary type="text">{escape(report.summary)}</summary>
<content type="html">{escape(report.html)}</content>
</entry>"""


def _json_feed(base: str, reports: list[Report]) -> str:
    paper = PAPERS[Outlet.JSON]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": paper.title,
        "description": paper.motto,
        "home_page_url": f"{base}/",
        "feed_url": base + paper.path,
        "language": "en",
        "items": [
            {
                "id": f"sf-{report.number}",
                "url": base + report.page,
                "title": report.title,
                "content_html": report.html,
                "summary": report.summary,
                "date_published": _rfc3339(report.published_at),
                "date_modified": _rfc3339(report.updated_at),
                "authors": [{"name": report.author}],
                "tags": [report.section, *report.tags],
            }
            for report in reports
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def _rfc822(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
