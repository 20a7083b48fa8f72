"""What a web page says to a reader of feeds: its feeds, its title, whether it checks for humans.

Pure. Pages are hostile: size, depth and the number of elements are bounded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

MOST_BYTES = 5 * 1024 * 1024
MOST_ELEMENTS = 20_000  # news pages have 2,000 to 8,000
_MOST_BESIDE = 3000  # elements within one; XPath counts brothers and sisters over and over
_MOST_LINKS = 5000

_FEED_TYPES = (
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml",
    "application/json", "application/xml", "text/xml",
)  # fmt: skip
_FEED_WORDS = re.compile(r"\b(rss|atom|feeds?|syndication)\b", re.I)
_FEED_PATH = re.compile(
    r"(^|/)(rss|atom|feeds?)(/|$)|\.(rss|atom|rdf)$|(^|/)(rss|atom|feed|index)[\w-]*\.(xml|json)$",
    re.I,
)
_COMMENTS = re.compile(r"comment|kommentar|commentaire", re.I)
WELL_KNOWN = ("/feed", "/rss", "/rss.xml", "/atom.xml", "/index.xml", "/feed.xml", "/feed.json")

_CHALLENGES = (
    (rb"cf-challenge|cf_chl_opt|challenge-platform|<title>just a moment", "Cloudflare"),
    (rb"attention required! \| cloudflare", "Cloudflare"),
    (rb"captcha-delivery\.com|datadome", "DataDome"),
    (rb"_incapsula_resource|incapsula incident", "Imperva"),
    (rb"px-captcha|perimeterx", "HUMAN (PerimeterX)"),
    (rb"awswafintegration|aws-waf-token", "AWS WAF"),
    (rb"making sure you(&#39;|'|&rsquo;)re not a bot|anubis_challenge", "Anubis"),
    (rb"ddos-guard", "DDoS-Guard"),
    (rb"sucuri website firewall", "Sucuri"),
)
_LONGEST_CHALLENGE = 200_000  # bytes; a page with real text is no challenge, whatever it links


class BadPage(Exception):
    """What came can't be read as a web page. The text is a sentence."""


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names."""

    url: str
    title: str = ""
    declared: bool = False  # in the page's head, so not only something that looks like one
    why: str = "A feed that the page links to"


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page, parsed."""

    tree: Any  # lxml's root element
    base: str  # what its relative links are seen from
    title: str
    language: str = ""


def read_page(body: bytes, url: str, content_type: str = "") -> WebPage:
    """The page in `body`. Raises `BadPage` for what is none, or is beyond our bounds."""
    if len(body) > MOST_BYTES:
        raise BadPage(f"The page is larger than {MOST_BYTES // 1024 // 1024} MB.")
    parser = html.HTMLParser(
        encoding=_encoding(body, content_type), no_network=True, remove_comments=True,
        remove_pis=True, huge_tree=False, recover=True,
    )  # fmt: skip
    try:
        tree: Any = html.document_fromstring(body, parser=parser)
    except (etree.LxmlError, ValueError):
        raise BadPage("The page is empty, or no HTML at all.") from None
    if any(True for _ in islice(tree.iter(), MOST_ELEMENTS, None)):
        raise BadPage(f"The page has more than {MOST_ELEMENTS:,} elements.")
    if any(len(each) > _MOST_BESIDE for each in tree.iter()):
        raise BadPage(f"An element of the page has more than {_MOST_BESIDE:,} parts.")
    etree.strip_elements(tree, "script", "style", "noscript", "template", "svg", with_tail=False)
    base = next((each.get("href", "") for each in tree.iter("base") if each.get("href")), "")
    titles = tree.findall(".//title")
    return WebPage(
        tree=tree,
        base=joined(url, str(base)) or url,
        title=words(titles[0], 200) if titles else "",
        language=(tree.get("lang") or "")[:35],
    )


def feed_links(page: WebPage) -> list[FeedLink]:
    """The feeds that the page declares, then links that look like one; each address once.

    Feeds of comments come last.
    """
    found: dict[str, FeedLink] = {}
    for link in [*_declared(page), *_looking(page)]:
        found.setdefault(link.url, link)
    return sorted(found.values(), key=lambda link: (_about_comments(link), not link.declared))


def challenge(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Who checks for humans here, such as “Cloudflare”; "" for an ordinary page."""
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return "Cloudflare"
    if len(body) > _LONGEST_CHALLENGE:
        return ""
    text = body.lower()
    for marks, name in _CHALLENGES:
        if re.search(marks, text) and (status >= 400 or len(text) < 30_000):
            return name
    if status in (403, 429, 503) and b"captcha" in text:
        return "a captcha"
    return ""


def joined(base: str, link: str) -> str:
    """`link` seen from `base`; "" for what is no http(s) address."""
    try:
        target = urljoin(base, link.strip())
        parts = urlsplit(target)
    except ValueError:
        return ""
    usable = parts.scheme in ("http", "https") and parts.netloc and len(target) <= 2000
    return target if usable else ""


def words(element: Any, most: int) -> str:
    """The text of an element in one line, `most` characters of it."""
    found, length = [], 0
    for piece in element.itertext():
        found.append(piece)
        length += len(piece)
        if length > 4 * most:
            break
    return " ".join("".join(found).split())[:most]


def _declared(page: WebPage) -> Iterator[FeedLink]:
    for link in page.tree.iter("link"):
        rel = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if not ("feed" in rel or ("alternate" in rel and kind in _FEED_TYPES[:4])):
            continue
        if url := joined(page.base, link.get("href") or ""):
            yield FeedLink(
                url, (link.get("title") or "").strip()[:200], True, "A feed that the page names"
            )


def _looking(page: WebPage) -> Iterator[FeedLink]:
    for link in islice(page.tree.iter("a"), _MOST_LINKS):
        url = joined(page.base, link.get("href") or "")
        if not url:
            continue
        kind = (link.get("type") or "").lower()
        said = words(link, 60) or (link.get("title") or link.get("aria-label") or "")[:60]
        if (
            kind in _FEED_TYPES[:4]
            or _FEED_PATH.search(urlsplit(url).path)
            or (_FEED_WORDS.search(said) and len(said) < 30)
        ):
            yield FeedLink(url, said)


def _about_comments(link: FeedLink) -> bool:
    return bool(_COMMENTS.search(f"{link.title} {urlsplit(link.url).path}"))


def _encoding(body: bytes, content_type: str) -> str | None:
    """UTF-8 if it is that, else what the header says; None leaves it to the page's own word."""
    said = re.search(r"charset=[\"']?([\w.:-]{1,40})", content_type, re.I)
    for name in ("utf-8", said[1] if said else ""):
        try:
            body.decode(name)
        except (LookupError, ValueError):
            continue
        return name
    return None
