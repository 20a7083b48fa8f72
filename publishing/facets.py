"""What in a short text is a link, a hashtag: by its place in UTF-8 bytes. Pure.

Bluesky wants it said apart from the text: https://docs.bsky.app/docs/advanced-guides/post-richtext
"""

from dataclasses import dataclass

import regex

_FOUND = regex.compile(
    r"(?P<link>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]'”’…])"
    r"|(?<![\p{L}\p{N}_#&/])#(?P<tag>[\p{L}\p{M}\p{N}_]*[\p{L}\p{M}_][\p{L}\p{M}\p{N}_]*)"
)


@dataclass(frozen=True, slots=True)
class Facet:
    """A stretch of a text that leads somewhere."""

    kind: str  # link or tag
    value: str  # the address, or the tag without #
    start: int  # in bytes of UTF-8, from 0
    end: int  # the byte after it


def facets(text: str) -> list[Facet]:
    """The links and hashtags of `text`, in their order; they never overlap."""
    found = []
    for match in _FOUND.finditer(text):
        kind = "link" if match["link"] else "tag"
        start = len(text[: match.start()].encode())
        found.append(Facet(kind, match[kind], start, start + len(match[0].encode())))
    return found
