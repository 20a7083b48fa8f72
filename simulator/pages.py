"""What people see: the front page, the outlets' articles, the platforms' posts."""

import re
from html import escape

from aiohttp import web

from simulator.postings import Platform, Posting

SHOWN = 25  # posts of a platform on the front page

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2730; --paper: #fbfaf7; --rule: #d8d3c8;
  --tint: #0b6e6e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e3dc; --paper: #171b1f; --rule: #363c42; --tint: #6cc5c0 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; color: var(--ink);
  background: var(--paper); font: 17px/1.55 ui-serif, Georgia, serif }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem }
h2 { font-size: 1.1rem; margin: 0; padding-bottom: .3rem; border-bottom: 2px solid var(--ink) }
a { color: var(--tint) }
.meta, nav, td, .none { font: 14px/1.5 ui-sans-serif, system-ui, sans-serif; opacity: .85 }
.columns { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)) }
section ol { list-style: none; padding: 0; margin: 0 }
section li { padding: .55rem 0; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere }
section li .meta { display: block }
.badge { border: 1px solid var(--rule); border-radius: 1em; padding: 0 .5em; margin-left: .4em }
article { max-width: 42rem }
article img { max-width: 100% }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 14px }
header { margin-bottom: 2rem }
"""

# Posts are HTML from outside: a page shows them, but none of their scripts may run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; base-uri 'none'"


def page(title: str, body: str, *, refresh: int = 0, status: int = 200) -> web.Response:
    """A whole page around `body` (HTML)."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return web.Response(
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY},
        text=(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
        ),
    )


def article_page(
    title: str, html: str, *, byline: str, site: str, canonical: str = ""
) -> web.Response:
    """A page to read one piece; `html` stands as it is, everything else is escaped."""
    link = f'<p class="meta"><a href="{escape(canonical)}">{escape(canonical)}</a></p>'
    return page(
        f"{title} · {site}",
        f'<header class="meta">{escape(site)} · <a href="/">Simulator</a></header>'
        f"<article><h1>{escape(title)}</h1>"
        f'<p class="meta">{escape(byline)}</p>{html}</article>{link if canonical else ""}',
    )


def not_found(what: str) -> web.Response:
    """The page for nothing there."""
    return page("Not found", f"<h1>Not found</h1><p>{escape(what)}</p>", status=404)


def front_page(platforms: list[Platform]) -> web.Response:
    """What arrived where, newest first, and where the news comes from."""
    sources = [
        ("RSS", "/feeds/rss.xml"),
        ("Atom", "/feeds/atom.xml"),
        ("JSON Feed", "/feeds/feed.json"),
        ("Hacker News search", "/hn/api/v1/search_by_date?tags=story"),
        ("Hacker News", "/hn/v0/newstories.json"),
        ("Reddit by RSS", "/reddit/r/northmark/.rss"),
    ]
    links = " · ".join(f'<a href="{path}">{name}</a>' for name, path in sources)
    columns = "".join(_column(platform) for platform in platforms)
    return page(
        "Wire simulator",
        "<header><h1>Wire simulator</h1>"
        "<p>An invented country's news goes out here, and what the desk publishes arrives here.</p>"
        f'<nav>{links} · <a href="/_control/posts">All posts as JSON</a> · '
        f'<a href="/_control/log">Requests</a></nav></header><div class="columns">{columns}</div>',
        refresh=5,
    )


def _column(platform: Platform) -> str:
    postings = platform.postings()[::-1]
    rows = "".join(_row(posting) for posting in postings[:SHOWN])
    shown = f"<ol>{rows}</ol>" if rows else '<p class="none">Nothing has arrived yet.</p>'
    heading = f'{escape(platform.name)}<span class="meta badge">{len(postings)}</span>'
    return f'<section id="{escape(platform.name.lower())}"><h2>{heading}</h2>{shown}</section>'


def _row(posting: Posting) -> str:
    title = escape(posting.title or _shortened(posting.html))
    name = f'<a href="{escape(posting.path)}">{title}</a>' if posting.path else title
    state = "" if posting.public else '<span class="badge">not public</span>'
    at = f"{posting.at:%d %b %H:%M:%S} UTC"
    return f'<li>{name}<span class="meta">{at} · {escape(posting.id)}{state}</span></li>'


def _shortened(html: str, limit: int = 120) -> str:
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"
