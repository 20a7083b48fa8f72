"""The feeds of the measured world: the same for everybody who asks with the same numbers. Pure."""

import gzip
import random
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

NEW_IN_A_VERSION = 2  # entries that a new version of a feed begins with
_VOCABULARY = 3000
_BOMB = 100 * 1024 * 1024  # bytes, once it is inflated


class Manner(StrEnum):
    """How a feed's server behaves."""

    GOOD = "good"
    SLOW = "slow"  # a byte now and then, for ever
    BROKEN = "broken"  # 503
    BOMB = "bomb"  # a little gzip that would fill the memory
    BAD = "bad"  # no XML at all


HOSTILE = ((Manner.SLOW, 5), (Manner.BROKEN, 5), (Manner.BOMB, 2), (Manner.BAD, 2))  # in a hundred


@dataclass(frozen=True, slots=True)
class World:
    """What the site answers at the moment."""

    feeds: int
    entries: int
    version: int = 0  # of the feeds that change
    changing: int = 100  # of a hundred feeds; the others stay at version 0
    hostile: bool = False
    latency: float = 0.0  # seconds before each answer

    def version_of(self, feed: int) -> int:
        """How many times the feed has changed."""
        return self.version if feed % 100 < self.changing else 0

    def manner_of(self, feed: int) -> Manner:
        """How the feed's server behaves; spread over all hosts."""
        if self.hostile:
            place = feed * 37 % 100  # 37 and 100 have no divisor in common: each place once
            for manner, share in HOSTILE:
                if place < share:
                    return manner
                place -= share
        return Manner.GOOD


def names(feed: int, version: int, entries: int) -> list[str]:
    """The guids of a feed, newest first."""
    newest = entries + NEW_IN_A_VERSION * version
    return [f"feed-{feed}-entry-{number}" for number in range(newest, newest - entries, -1)]


def document(feed: int, version: int, entries: int) -> bytes:
    """The feed as RSS."""
    items = "".join(_item(feed, name) for name in names(feed, version, entries))
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>"
        f"<title>Paper {feed}</title><link>https://paper-{feed}.example/</link>"
        f"<description>All the news of {feed}</description>{items}</channel></rss>"
    ).encode()


@cache
def bomb() -> bytes:
    """A hundred kilobytes that inflate to a hundred megabytes."""
    return gzip.compress(bytes(_BOMB), 9)


def _item(feed: int, name: str) -> str:
    chance = random.Random(name)  # noqa: S311 (news, not secrets)
    number = int(name.rsplit("-", 1)[1])
    title = " ".join(chance.choices(_words(), k=8)).capitalize()
    paragraphs = "".join(
        f"<p>{' '.join(chance.choices(_words(), k=60))} <a href='https://paper-{feed}.example/about'>"
        f"{chance.choice(_words())}</a>.</p>"
        for _ in range(3)
    )
    day, minute = 1 + number // 1440 % 28, number % 1440
    return (
        f"<item><guid isPermaLink='false'>{name}</guid><title>{title} {number}</title>"
        f"<link>https://paper-{feed}.example/{number}?utm_source=feed</link>"
        f"<pubDate>{day:02} Jan 2026 {minute // 60:02}:{minute % 60:02}:00 GMT</pubDate>"
        f"<author>desk@paper-{feed}.example (The desk)</author><category>News</category>"
        f"<description>{paragraphs[:200].rsplit(' ', 1)[0].replace('<p>', '')}</description>"
        f"<content:encoded><![CDATA[{paragraphs}]]></content:encoded></item>"
    )


@cache
def _words() -> list[str]:
    chance = random.Random(2026)  # noqa: S311 (words, not secrets)
    letters = "abcdefghiklmnoprstuvwz"
    return ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(_VOCABULARY)]
