"""YouTube: the newest videos of a channel or playlist, by its feed.

https://developers.google.com/youtube/v3/guides/push_notifications names feed, ids and hub. The
feed holds 15 videos and no pages before them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import conditions, read_feed
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
from sources.connectors.reading import paragraphs, text
from sources.errors import Limited, Misconfigured, Unreachable
from sources.feedparsing import FeedError
from sources.feedparsing.vocabulary import Element
from sources.feedparsing.xmltree import tree

_WHO = "YouTube"
_HUB = "https://pubsubhubbub.appspot.com/"
_TOPIC = "https://www.youtube.com/feeds/videos.xml?{}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_JUST_NOW = timedelta(minutes=15)
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_PLAYLIST = re.compile(r"[A-Za-z0-9_-]{12,60}")
_HANDLE = re.compile(r"@[\w.·-]{3,60}")
_NAMED = re.compile(r"(?:c|user)/[\w.-]{1,100}")
# Where a channel's page names its own channel; other ids on it are of channels it recommends.
_OWN_ID = re.compile(
    r"""feeds/videos\.xml\?channel_id=(UC[\w-]{22})"""
    r"""|<link rel="canonical" href="https://www\.youtube\.com/channel/(UC[\w-]{22})"""
    r"""|"externalId":"(UC[\w-]{22})\""""
)


class YouTube(Connector):
    """New videos with their descriptions."""

    key = "youtube"
    label = "YouTube"
    help = (
        "Enter a channel: its id (UC…), its @handle, or its page's address; or a playlist's id. "
        "No key is needed. A handle's id is looked up once on its page and kept. The feed holds "
        "the last 15 videos; YouTube's hub tells the desk of new ones when it can reach the desk. "
        "Now and then YouTube denies its feeds for hours: the desk then waits."
    )
    endpoint = "https://www.youtube.com"
    minutes = 30
    pages_tell_more = False
    options = (
        Option("channel", "Channel", help="Such as UCxxxxxxxxxxxxxxxxxxxxxx or @handle."),
        Option("playlist", "Playlist", help="Its id, such as PL…; instead of a channel."),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The newest videos."""
        query, memory = await _query(request, http)
        asked = conditions(request)
        answer = await http.get(
            f"{request.endpoint.rstrip('/')}/feeds/videos.xml",
            params=query,
            headers=asked,
        )
        if answer.status in (404, 500):
            raise Unreachable(
                f"YouTube denies this feed for now ({answer.status}). It does so for hours at "
                "times; if it lasts for days, check whether the channel still exists.",
                status=answer.status,
                retry_after=answer.retry_after,
            )
        found = _read(answer, conditional=bool(asked))
        topic = _TOPIC.format("&".join(f"{name}={value}" for name, value in query.items()))
        return replace(found, memory=memory, hub=_HUB, topic=topic)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The videos of an archived feed, or of one that the hub pushed."""
        return _read(answer_of(payloads[-1]))

    def recognise(self, url: str) -> Recognised | None:
        """Channels, handles, playlists and their feeds."""
        page = pasted(url)
        if page is None or page.host not in ("youtube.com", "m.youtube.com"):
            return None
        first, second = page.at(0), page.at(1)
        playlist = page.query.get("playlist_id") or page.query.get("list", "")
        channel = page.query.get("channel_id", "")
        if first == "channel":
            channel = second
        elif _HANDLE.fullmatch(first):
            channel = first
        elif first in ("c", "user") and _NAMED.fullmatch(f"{first}/{second}"):
            channel = f"{self.endpoint}/{first}/{second}"
        if first in ("playlist", "feeds") and _PLAYLIST.fullmatch(playlist):
            return Recognised(self.endpoint, {"playlist": playlist}, "YouTube playlist")
        if first == "feeds" or channel.startswith("UC"):
            is_id = bool(_CHANNEL.fullmatch(channel))
            return Recognised(self.endpoint, {"channel": channel}, _WHO) if is_id else None
        name = channel.rpartition("/")[2]
        return Recognised(self.endpoint, {"channel": channel}, f"YouTube {name}") if name else None


async def _query(request: Fetch, http: Client) -> tuple[dict[str, str], Mapping[str, str] | None]:
    """What the feed is asked for, and what to remember (None: nothing was looked up)."""
    playlist, entered = (request.options[name].strip() for name in ("playlist", "channel"))
    if playlist:
        if not _PLAYLIST.fullmatch(playlist):
            raise Misconfigured("This is no playlist's id; they look like PL….", option="playlist")
        return {"playlist_id": playlist}, None
    if not entered:
        raise Misconfigured("Name a channel or a playlist.", option="channel")
    own = entered.rstrip("/").rpartition("/channel/")[2]
    if _CHANNEL.fullmatch(own):
        return {"channel_id": own}, None
    kept = text(request.memory, "id")
    if request.memory.get("channel") == entered and _CHANNEL.fullmatch(kept):
        return {"channel_id": kept}, None
    found = await _looked_up(request, http, _page_of(entered))
    return {"channel_id": found}, {"channel": entered, "id": found}


def _page_of(entered: str) -> str:
    """The path of the channel's page; raises `Misconfigured` for what names none."""
    page = pasted(entered)
    if page is None:
        path = entered.strip("/")
    else:
        path = "/".join(page.path[: 2 if page.at(0) in ("c", "user") else 1])
    if not (_HANDLE.fullmatch(path) or _NAMED.fullmatch(path)):
        raise Misconfigured(
            "This names no channel. Enter its id (UC…), its @handle or its page's address.",
            option="channel",
        )
    return path


async def _looked_up(request: Fetch, http: Client, path: str) -> str:
    """The id that a channel's page names."""
    answer = await http.get(f"{request.endpoint.rstrip('/')}/{quote(path, safe='/@')}")
    if answer.status == 404:
        raise Misconfigured(f"YouTube has no page {path}.", option="channel")
    if answer.status == 403:
        raise Limited("YouTube refuses its pages to this address for now.", status=403)
    must_be_ok(answer, _WHO)
    match = _OWN_ID.search(answer.text())
    if match is None:
        raise Misconfigured(
            f"YouTube's page {path} does not say which channel it is, perhaps because it asks for "
            "consent first. Enter the channel's id: on the page, “more”, Share, Copy channel ID.",
            option="channel",
        )
    return next(group for group in match.groups() if group)


def _read(answer: Response, *, conditional: bool = False) -> Fetched:
    found = read_feed(answer, _WHO, conditional=conditional)
    if found.unchanged:
        return found
    groups = _groups(answer)
    copies = [
        _copy(copy, groups.get(copy.external_id))
        for copy in found.copies
        if copy.external_id in groups or _is_upload(copy)
    ]
    return replace(found, copies=tuple(copies), moved_to="", older="")


def _is_upload(copy: WireCopy) -> bool:
    """Whether a video without media is new; the hub pushes videos so, edited ones as well.

    An edited one is left to the next sync: filed from here it would lose its description.
    """
    if copy.published_at is None or copy.updated_at is None:
        return True
    return copy.updated_at - copy.published_at < _JUST_NOW


def _copy(copy: WireCopy, group: Element | None) -> WireCopy:
    """The video with its description, which is plain text whose lines count."""
    said = group.findtext(f"{_MEDIA}description") if group is not None else ""
    views = group.find(f"{_MEDIA}community/{_MEDIA}statistics") if group is not None else None
    counted = views.get("views", "") if views is not None else ""
    return replace(
        copy,
        firm_id=copy.external_id.startswith("yt:video:"),
        content=paragraphs((said or "").strip()[:20_000]),
        summary="",
        metadata={
            **copy.metadata,
            **({"views": int(counted)} if re.fullmatch(r"\d{1,15}", counted) else {}),
        },
    )


def _groups(answer: Response) -> dict[str, Element]:
    """The media of each video by the entry's id."""
    try:
        root, _ = tree(answer.body, answer.headers.get("content-type", ""))
    except FeedError:
        return {}  # a feed that isn't XML; it was read all the same
    found = {}
    for entry in root.iterchildren(f"{_ATOM}entry"):
        group = entry.find(f"{_MEDIA}group")
        if group is not None:
            found[(entry.findtext(f"{_ATOM}id") or "").strip()] = group
    return found
