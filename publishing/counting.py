"""How long a text is, by each platform's own way of counting. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import regex

_URL = regex.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]'”’…]")
_GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{Regional_Indicator}")
# https://docs.x.com/fundamentals/counting-characters: these count one, everything else two.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


class Unit(StrEnum):
    """What a platform counts."""

    GRAPHEMES = "characters"  # what a reader takes for one: 👩‍👩‍👧 is one
    CODE_POINTS = "code points"
    UTF16 = "UTF-16 units"  # most astral characters, emoji among them, count two
    BYTES = "bytes of UTF-8"
    EMOJI_BYTES = "characters, an emoji as its bytes"  # Threads
    WEIGHTED = "weighted characters"  # X: East Asian characters and emoji count two


def graphemes(text: str) -> list[str]:
    """The text in what a reader calls characters (Unicode's extended grapheme clusters, UAX 29)."""
    return _GRAPHEME.findall(text)


@dataclass(frozen=True, slots=True)
class Ruler:
    """A platform's rule: what it counts, and what a link counts whatever its length."""

    limit: int
    unit: Unit = Unit.GRAPHEMES
    url_counts: int | None = None  # None: as it is written
    most_bytes: int | None = None  # a second limit that some have besides

    def length(self, text: str) -> int:
        """How long the platform takes `text` for, in its unit."""
        links = 0
        if self.url_counts is not None:
            text, links = _URL.subn("", text)
        return _COUNT[self.unit](text) + links * (self.url_counts or 0)

    def fits(self, text: str) -> bool:
        """Whether the platform takes it."""
        if self.most_bytes is not None and len(text.encode()) > self.most_bytes:
            return False
        return self.length(text) <= self.limit

    def over(self, text: str) -> int:
        """By how much it is too long; 0 if it fits."""
        most = self.most_bytes
        too_many_bytes = len(text.encode()) - most if most is not None else 0
        return max(0, self.length(text) - self.limit, too_many_bytes)

    def less(self, taken: int) -> "Ruler":
        """The rule for what is left when so much of the limit is taken."""
        most = None if self.most_bytes is None else max(0, self.most_bytes - 4 * taken)
        return Ruler(max(0, self.limit - taken), self.unit, self.url_counts, most)


def _weighted(text: str) -> int:
    """X's weight: an emoji of however many code points counts two."""
    weight = 0
    for each in graphemes(text):
        if _EMOJI.search(each):
            weight += 2
        else:
            weight += sum(1 if _is_light(ord(character)) else 2 for character in each)
    return weight


def _emoji_bytes(text: str) -> int:
    """Threads: an emoji counts its bytes of UTF-8, everything else one.

    https://developers.facebook.com/documentation/threads/posts (Limitations). Whether “one” is a
    code point or a grapheme isn't said; code points are never fewer.
    """
    return sum(
        len(each.encode("utf-8", "surrogatepass")) if _EMOJI.search(each) else len(each)
        for each in graphemes(text)
    )


def _is_light(code: int) -> bool:
    return any(first <= code <= last for first, last in _LIGHT)


_COUNT: dict[Unit, Callable[[str], int]] = {
    Unit.GRAPHEMES: lambda text: len(graphemes(text)),
    Unit.CODE_POINTS: len,
    Unit.UTF16: lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    Unit.BYTES: lambda text: len(text.encode("utf-8", "surrogatepass")),
    Unit.EMOJI_BYTES: _emoji_bytes,
    Unit.WEIGHTED: _weighted,
}
