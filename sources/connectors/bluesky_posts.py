"""Bluesky's posts as copy: text, pictures, links, what they quote.

The shapes are those of the lexicons app.bsky.feed.defs (feedViewPost, postView) and
app.bsky.embed.*, https://github.com/bluesky-social/atproto/tree/main/lexicons
"""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Response
from sources.connectors.bluesky_text import as_html, tags_of
from sources.connectors.reading import (
    Json,
    address,
    headline,
    identifier,
    no_such,
    number,
    part,
    parts,
    text,
)
from sources.feedparsing.dates import parse_date

_APP = "https://bsky.app"
_HIDDEN = frozenset(("!hide", "!takedown", "!suspend", "spam"))


def posts_of(answer: Response, body: Json, who: str) -> list[Json]:
    """The entries of a feed, or a search's posts put into entries; raises `NotAFeed`."""
    if isinstance(body.get("feed"), list):
        return parts(body, "feed")
    if isinstance(body.get("posts"), list):
        return [{"post": post} for post in parts(body, "posts")]
    raise no_such(answer, who, "list of posts")


def copies_of(entries: Sequence[Json], *, replies: bool, reposts: bool) -> list[WireCopy]:
    """The entries as copy, without those that were not asked for or are not for the wire."""
    found = []
    for entry in entries:
        reason, post = part(entry, "reason"), part(entry, "post")
        is_repost = text(reason, "$type").endswith("#reasonRepost")
        is_reply = bool(part(part(post, "record"), "reply"))
        if (is_repost and not reposts) or (is_reply and not replies and not is_repost):
            continue
        copy = _copy(post, part(reason, "by") if is_repost else {})
        if copy is not None:
            found.append(copy)
    return found


def _copy(post: Json, reposted_by: Json) -> WireCopy | None:
    own, record, author = identifier(post, "uri"), part(post, "record"), part(post, "author")
    labels = tuple(name for each in parts(post, "labels") if (name := text(each, "val")))
    if not own.startswith("at://") or _HIDDEN & set(labels):
        return None
    handle, content = text(author, "handle"), as_html(record)
    embed = _Embed(part(post, "embed"))
    title = headline(text(record, "text")) or text(embed.external, "title").strip()
    title = title or embed.first_alt or f"Without words, by @{handle}"
    langs = record.get("langs")
    language = langs[0] if isinstance(langs, list) and langs and isinstance(langs[0], str) else ""
    return WireCopy(
        external_id=own,
        firm_id=True,
        title=title,
        url=_page(own, author),
        content=content + embed.as_html(),
        authors=(_name(author),) if handle else (),
        tags=tags_of(record),
        language=language[:20],
        published_at=parse_date(text(record, "createdAt")) or parse_date(text(post, "indexedAt")),
        metadata={
            "account": f"@{handle}",
            "did": text(author, "did")[:300],
            "points": number(post, "likeCount"),
            "comments": number(post, "replyCount"),
            "boosts": number(post, "repostCount") + number(post, "quoteCount"),
            **({"labels": list(labels[:20])} if labels else {}),
            **({"link": link} if (link := address(embed.external, "uri")) else {}),
            **({"enclosures": embed.media} if embed.media else {}),
            **({"quotes": embed.quoted} if embed.quoted else {}),
            **({"boosted_by": f"@{text(reposted_by, 'handle')}"} if reposted_by else {}),
        },
    )


class _Embed:
    """What hangs on a post: pictures or a film, a link's card, another post."""

    def __init__(self, view: Json) -> None:
        # recordWithMedia holds both, each as it would stand alone.
        media = part(view, "media") or view
        self.external = part(media, "external")
        self.media = _pictures(media) + _film(media)
        quoted = part(part(view, "record"), "record") or part(view, "record")
        uri = identifier(quoted, "uri")
        self.quoted = _page(uri, part(quoted, "author")) if uri.startswith("at://") else ""

    @property
    def first_alt(self) -> str:
        """What the first described picture shows, as a headline."""
        return next((headline(each["alt"]) for each in self.media if each["alt"]), "")

    def as_html(self) -> str:
        """A paragraph with the linked page, which the text often does not name."""
        link = address(self.external, "uri")
        if not link:
            return ""
        words = text(self.external, "title").strip() or link
        said = text(self.external, "description").strip()
        more = f"<br>{escape(said, quote=False)}" if said else ""
        return f'<p><a href="{escape(link)}">{escape(words, quote=False)}</a>{more}</p>'


def _pictures(media: Json) -> list[dict[str, str]]:
    return [
        {"url": link, "type": "image", "alt": text(each, "alt")[:2000]}
        for each in parts(media, "images")[:20]
        if (link := address(each, "fullsize") or address(each, "thumb"))
    ]


def _film(media: Json) -> list[dict[str, str]]:
    link = address(media, "playlist")
    return [{"url": link, "type": "video", "alt": text(media, "alt")[:2000]}] if link else []


def _page(uri: str, author: Json) -> str:
    """The post's page: at://did/app.bsky.feed.post/key has the did and the key in it."""
    pieces = uri.removeprefix("at://").split("/")
    if len(pieces) != 3:
        return ""
    handle = text(author, "handle")
    # A handle that no longer leads to its account is shown as handle.invalid.
    who = handle if handle and handle != "handle.invalid" else pieces[0]
    return f"{_APP}/profile/{_as_path(who)}/post/{_as_path(pieces[2])}"


def _as_path(piece: str) -> str:
    return quote(piece, safe=":")


def _name(author: Json) -> str:
    shown, handle = text(author, "displayName").strip()[:200], f"@{text(author, 'handle')}"
    return f"{shown} ({handle})" if shown else handle
