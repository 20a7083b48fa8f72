"""What a piece may be known by: its keys, its headline, its text. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz

from articles.canonical import canonical_url
from articles.clean import plain_text
from articles.wire import WireCopy

ALIKE = 0.75
"""From this likeness on two titles of one source are one headline, rewritten."""
_ENOUGH_PHRASES = 20  # of the shorter text, to tell it from another one
_IN_COMMON = 0.05  # share of the shorter text's phrases that one rewritten text keeps
_LONGEST_COMPARED = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Keys:
    """What a piece may be known by: keys as `key` makes them, "" where it has none."""

    own: str
    address: str = ""
    told: str = ""

    def all(self) -> tuple[str, ...]:
        """Those it has."""
        return tuple(key for key in (self.own, self.address, self.told) if key)


def keys(copy: WireCopy) -> Keys:
    """The keys of a piece. A firm id needs no others."""
    own = own_key(copy.external_id)
    if copy.firm_id:
        return Keys(own)
    return Keys(own, address_key(copy.url), told_key(copy.title, copy.published_at))


def key(kind: str, value: str) -> str:
    """A key of at most 40 characters: its kind, and a digest of what it stands for."""
    digest = hashlib.blake2b(value.encode(errors="surrogatepass"), digest_size=16)
    return f"{kind}:{digest.hexdigest()}"


def own_key(external_id: str) -> str:
    """The key of a source's own id. Of an address http and https, with a slash or not, are one."""
    return key("id", id_spelling(external_id))


def address_key(url: str) -> str:
    """The key of a piece's address; "" for none, and for a homepage, which is no piece's own.

    A fragment counts, because live blogs tell their entries apart by it.
    """
    here = page(canonical_url(url))
    fragment = url.partition("#")[2].strip()
    if not here:
        return ""
    return key("url", f"{here}#{fragment}" if fragment and "#" not in here else here)


def page(canonical: str) -> str:
    """A canonical address without scheme and last slash; "" for a homepage or no address."""
    here = canonical.partition("://")[2].rstrip("/")
    return here if "/" in here or "?" in here else ""


def told_key(title: str, published_at: datetime | None) -> str:
    """The key of title and date; "" unless the source gives both."""
    words = plainly(title)
    if not words or published_at is None:
        return ""
    return key("told", f"{words}\n{published_at.timestamp()}")


def plainly(title: str) -> str:
    """A title as titles are compared: small letters, single spaces."""
    return " ".join(title.casefold().split())


def likeness(one: str, other: str) -> float:
    """How much two titles are one headline, 0 to 1.

    Indel ratio of the letters in their order (rapidfuzz `ratio`). The token ratios are too kind
    here: they take “Fire” for “Fire in the harbour kills two”, and “Dog bites man” for “Man bites
    dog”. Titles with different numbers are never one: they count a series (“Briefing, 12 May”).
    """
    one, other = plainly(one), plainly(other)
    if not one or not other or _numbers(one) != _numbers(other):
        return 0.0
    return fuzz.ratio(one, other) / 100


def another_text(one: str, other: str) -> bool:
    """Whether two texts (HTML) can't be one, rewritten: they have no phrases in common.

    False where either is too short to tell.
    """
    these, those = _phrases(one), _phrases(other)
    shorter = min(len(these), len(those))
    return shorter >= _ENOUGH_PHRASES and len(these & those) < shorter * _IN_COMMON


def id_spelling(own: str) -> str:
    """An id in the spelling that is compared: of an address without scheme and last slash."""
    if own[:4].lower() != "http":
        return own
    split = re.match(r"https?://([^/?#]*)(.*)", own, re.IGNORECASE | re.DOTALL)
    return f"//{split[1].lower()}{split[2].rstrip('/')}" if split else own


def _phrases(markup: str) -> set[tuple[str, ...]]:
    """Every three words in a row: a rewritten text keeps some, another text has none of them."""
    words = plain_text(markup[:_LONGEST_COMPARED]).casefold().split()
    return set(zip(words, words[1:], words[2:], strict=False))


def _numbers(title: str) -> list[str]:
    return sorted(re.findall(r"\d+", title))
