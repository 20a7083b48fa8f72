"""What an address that somebody pasted is: a known service, a feed, a page with feeds, JSON.

Few requests, all through `config.outbound`, within `LONGEST` seconds together. Nothing is stored.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from asgiref.sync import async_to_sync

from config.outbound import Client, OutboundError, Response, Unreachable, from_settings
from sources import connectors, errors, feedparsing, robots, webpages
from sources.connectors import json_guess, page_selectors
from sources.connectors.answers import ACCEPT_FEED, host_of, moved_to
from sources.connectors.base import Recognised, Recognises, must_be_ok
from sources.connectors.json_paths import BadDocument, read_json

LONGEST = 30.0  # seconds for everything
MOST = 8  # candidates
_EACH = 10.0  # seconds for one request
_MOST_FEEDS = 6  # of a page that are looked at
_AT_ONCE = 3
_ACCEPT = f"{ACCEPT_FEED}, text/html;q=0.9"

_SCHEMES = {"feed": "https", "itpc": "https", "pcast": "https", "podcast": "https", "rss": "https"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(//)?", re.I)
_HANDLE = re.compile(r"@([\w.-]{1,100})@([a-z0-9.-]+\.[a-z]{2,})", re.I)
_SUBREDDIT = re.compile(r"/?r/[A-Za-z0-9_+]{2,100}/?")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to read what was pasted: what the source's form is filled with."""

    connector: str
    endpoint: str
    why: str  # how it was found, in words
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    note: str = ""  # what it takes to read it


@dataclass(frozen=True, slots=True)
class Detected:
    """What was found, the best first."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()


def detect(typed: str) -> Detected:
    """The ways to read what was typed; at least one. Raises `SourceError` with a sentence."""
    return async_to_sync(_detect)(typed)


def address_of(typed: str) -> tuple[str, ...]:
    """The addresses that a pasted text may mean, the likeliest first; `Misconfigured` for none."""
    text = typed.strip().strip("<>\"'“”").strip()
    if handle := _HANDLE.fullmatch(text):
        return (f"https://{handle[2].lower()}/@{handle[1]}",)
    if _SUBREDDIT.fullmatch(text):
        return (f"https://www.reddit.com/{text.strip('/')}/",)
    if re.match(r"(feed|itpc|pcast|podcast|rss):https?://", text, re.I):
        text = text.partition(":")[2]
    scheme = _SCHEME.match(text)
    named = scheme[1].lower() if scheme and (scheme[2] or scheme[1].lower() in _SCHEMES) else ""
    if named in ("http", "https"):
        return (_plausible(text),)
    if named and named not in _SCHEMES:
        raise errors.Misconfigured(f"{named}: is nothing that can be fetched; give a web address.")
    rest = text[len(scheme[0]) :] if named and scheme else text
    rest = rest.lstrip("/")
    return _plausible(f"https://{rest}"), f"http://{rest}"


def _plausible(url: str) -> str:
    try:
        host, login = urlsplit(url).hostname or "", "@" in urlsplit(url).netloc
    except ValueError:
        host, login = "", False
    if login:
        raise errors.Misconfigured(
            "Leave user name and password out of the address (and a mail address is none); they "
            "are entered among the credentials."
        )
    if re.search(r"\s", url) or not ("." in host or ":" in host or host == "localhost"):
        raise errors.Misconfigured(
            "That is no web address. Paste one such as https://example.org/news."
        )
    return url


async def _detect(typed: str) -> Detected:
    addresses = address_of(typed)
    if known := _recognised(addresses):
        return Detected(known)
    try:
        async with asyncio.timeout(LONGEST), Client(from_settings()) as http:
            url, answer = await _first_answer(addresses, http)
            return await _read(url, answer, http)
    except TimeoutError:
        host = host_of(addresses[0])
        raise errors.Unreachable(f"{host} was not through within {LONGEST:g} seconds.") from None
    except OutboundError as problem:
        raise errors.Unreachable(str(problem)) from problem


def _recognised(addresses: Iterable[str]) -> tuple[Candidate, ...]:
    found = []
    url = next(iter(addresses))
    for key, connector in connectors.connectors().items():
        if isinstance(connector, Recognises):
            known: Recognised | None = connector.recognise(url)
            if known is not None:
                found.append(
                    Candidate(
                        key,
                        known.endpoint,
                        f"{connector.label}, by its address",
                        known.options,
                        known.name,
                        known.note,
                    )
                )
    return tuple(found)


async def _first_answer(addresses: Sequence[str], http: Client) -> tuple[str, Response]:
    """The answer at the first address that can be reached at all."""
    for url in addresses[:-1]:
        try:
            return url, await _get(url, http)
        except Unreachable:
            continue
    return addresses[-1], await _get(addresses[-1], http)


async def _get(url: str, http: Client) -> Response:
    return await http.get(
        url, headers={"Accept": _ACCEPT}, deadline=_EACH, max_bytes=feedparsing.MOST_BYTES
    )


async def _read(url: str, answer: Response, http: Client) -> Detected:
    guard = webpages.challenge(answer.status, answer.headers, answer.body)
    if guard:
        return await _behind_a_guard(url, answer, guard, http)
    must_be_ok(answer, host_of(url))
    endpoint = moved_to(answer) or url
    if feed := _as_feed(answer):
        return Detected((_feed(endpoint, feed, "A feed"),))
    if _is_json(answer):
        return _json(endpoint, answer)
    try:
        page = webpages.read_page(answer.body, answer.url, answer.headers.get("content-type", ""))
    except webpages.BadPage as problem:
        raise errors.NotAFeed(str(problem), status=answer.status) from None
    return await _page(endpoint, page, http)


def _as_feed(answer: Response) -> feedparsing.Feed | None:
    if _is_json(answer) and b"jsonfeed.org" not in answer.body[:5000]:
        return None  # any list called items passes for a JSON Feed; those say that they are one
    try:
        return feedparsing.parse(
            answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url
        )
    except feedparsing.FeedError:
        return None


def _is_json(answer: Response) -> bool:
    return answer.body[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _feed(endpoint: str, feed: feedparsing.Feed, why: str) -> Candidate:
    kind = _KINDS.get(feed.version.partition(" ")[0], feed.version)
    words = f"{why} ({kind}), {_pieces(len(feed.entries))}"
    return Candidate("feed", endpoint, words, name=_name(feed.title, endpoint))


_KINDS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed", "rdf": "RSS 1.0"}


def _json(endpoint: str, answer: Response) -> Detected:
    try:
        found = json_guess.guess(read_json(answer.body))
    except BadDocument as problem:
        raise errors.NotAFeed(str(problem), status=answer.status) from None
    if found is None:
        raise errors.NotAFeed(
            "This answers with JSON in which no list of pieces could be found. Choose the kind "
            "“JSON API” by hand and say where things are.",
            status=answer.status,
        )
    where = found.get("items") or "the answer itself"
    return Detected(
        (
            Candidate(
                "json_api",
                endpoint,
                f"JSON; the pieces are in {where}",
                found,
                _name("", endpoint),
                "Where things are is a guess: look at the pieces below before you save.",
            ),
        )
    )


async def _page(endpoint: str, page: webpages.WebPage, http: Client) -> Detected:
    """A page's feeds, then the page itself."""
    links = webpages.feed_links(page)
    found = await _feeds_at(links[:_MOST_FEEDS], http)
    if not found:
        found = await _well_known(endpoint, http)
    candidates, notes = list(found), []
    if selectors := page_selectors.guess(page):
        candidates.append(
            Candidate(
                "web_page",
                endpoint,
                "The page itself, by selectors",
                selectors,
                _name(page.title, endpoint),
                "A page is the last resort: it breaks when its makers rebuild it.",
            )
        )
        if not found:
            notes += await _stay_away(endpoint, http)
    if not candidates:
        raise errors.NotAFeed(
            "No feed was found on this page or at the usual addresses, and no list of pieces "
            "either. Look for a feed's address, or choose “Web page without a feed” by hand."
        )
    if not found:
        notes.append("The page names no feed, and none is at the usual addresses.")
    return Detected(tuple(candidates[:MOST]), tuple(notes))


async def _stay_away(endpoint: str, http: Client) -> list[str]:
    """What is to be said about the site's robots.txt."""
    try:
        if await robots.allowed(endpoint, http):
            return []
    except errors.Unreachable as problem:
        return [str(problem)]
    return ["The site's robots.txt asks programs to stay away from this page."]


async def _behind_a_guard(url: str, answer: Response, guard: str, http: Client) -> Detected:
    """Feeds are often open where pages are not."""
    words = f"{host_of(url)} checks for humans ({guard}) and lets no program read its pages."
    if found := await _well_known(url, http):
        return Detected(found, (words,))
    raise errors.Denied(
        f"{words} No feed is at the usual addresses. Ask its makers for one.", status=answer.status
    )


async def _well_known(url: str, http: Client) -> tuple[Candidate, ...]:
    """Feeds at the usual addresses; a few at a time, until there is one."""
    addresses = [urljoin(url, path) for path in webpages.WELL_KNOWN]
    for first in range(0, len(addresses), _AT_ONCE):
        some = addresses[first : first + _AT_ONCE]
        if found := await _feeds_at(
            [webpages.FeedLink(each, why="A feed at a usual address") for each in some], http
        ):
            return found[:1]  # the same feed under several names
    return ()


async def _feeds_at(links: Sequence[webpages.FeedLink], http: Client) -> tuple[Candidate, ...]:
    """Those of `links` that really are feeds, in their order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(link: webpages.FeedLink) -> Candidate | None:
        async with gate:
            try:
                answer = await _get(link.url, http)
            except OutboundError:
                return None
        feed = _as_feed(answer) if answer.ok else None
        if feed is None:
            return None
        why = link.why
        return _feed(moved_to(answer) or link.url, feed, why)

    looked = await asyncio.gather(*(look(link) for link in links))
    different = {each.endpoint: each for each in reversed(looked) if each is not None}
    return tuple(reversed(different.values()))


def _name(title: str, endpoint: str) -> str:
    """What to call the source: its own title, else its host."""
    own = " ".join(title.split())
    return (own or host_of(endpoint).removeprefix("www."))[:120]


def _pieces(count: int) -> str:
    return "1 piece" if count == 1 else f"{count} pieces"
