"""A feed as it is served now, and what its channel's options say. Pure."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from articles.clean import one_line

DEFAULT_LENGTH, LONGEST = 50, 500
"""Entries of a feed."""

# What XML 1.0 (§2.2) can hold; nothing else may stand in a document, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_HUB = 500  # characters
_MOST_HUBS = 5
_SUMMARY = 300  # characters, where a story has none
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NOT_IN_A_LINK = re.compile(r'[^!-~]|[<>"]')


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of an entry."""

    src: str
    alt: str

    @property
    def media_type(self) -> str:
        """As its address suggests; "" where it doesn't."""
        kind = mimetypes.guess_type(urlsplit(self.src).path)[0] or ""
        return kind if kind.startswith("image/") else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One story in the feed. Everything is text that XML can hold."""

    id: str  # a URN, never to change
    link: str
    title: str  # plain text
    html: str  # "" where the feed brings summaries only
    summary: str  # plain text
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    images: tuple[Image, ...]
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An entry that is not there any more."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """A feed with its newest entries first."""

    id: str  # a URN
    title: str
    description: str
    home: str
    address: str  # its own, in this very form
    language: str
    hubs: tuple[str, ...]
    changed_at: datetime
    entries: tuple[Entry, ...]
    withdrawn: tuple[Withdrawn, ...] = ()  # latest first


def clean(text: str) -> str:
    """Without the characters that no XML document may hold, such as NUL and lone surrogates."""
    return _NOT_XML.sub("", text)


def short_summary(summary: str, html: str) -> str:
    """What a feed of summaries says of a story: its summary, else its beginning."""
    return clean(summary) or one_line(clean(html), _SUMMARY)


def length_of(options: Mapping[str, Any]) -> int:
    """How many entries the feed brings."""
    try:
        wanted = int(options.get("length") or DEFAULT_LENGTH)
    except (TypeError, ValueError):
        return DEFAULT_LENGTH
    return min(max(wanted, 1), LONGEST)


def hubs_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The hubs that are told, each once."""
    return tuple(hub for hub in named_hubs(options) if is_hub(hub))[:_MOST_HUBS]


def named_hubs(options: Mapping[str, Any]) -> tuple[str, ...]:
    """What a channel gives as its hubs, each once, be it an address or not."""
    named = re.split(r"[\s,]+", str(options.get("hubs") or "").strip())
    return tuple(dict.fromkeys(hub for hub in named if hub))


def is_hub(text: str) -> bool:
    """Whether it is an address that can be asked, kept, and named in a header."""
    return is_address(text) and len(text) <= LONGEST_HUB and not _NOT_IN_A_LINK.search(text)


def is_language(text: str) -> bool:
    """Whether it is a language tag (BCP 47, as far as it occurs)."""
    return _LANGUAGE.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether it is an http(s) address with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= 2000
    except ValueError:
        return False
