"""The words a wire item is recognised by, weighed and packed small. Pure.

A text becomes a few dozen *terms*: stemmed words, numbers and names, each as a 22-bit code with a
weight. The title counts most, then the opening, then the rest, as news are written. How rare a
term is, is not known here; `articles.cluster` adds that from what the desk has read lately.
"""

import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from articles.everyday_words import COLUMN, EMPTY, EVERYDAY

CODES = 1 << 22
"""Terms are numbers below this. Two words in four million share one: too few to matter."""
MOST = 90  # terms of an item that are kept, the weightiest
_READ = 600  # words of the text that are read
_IN_TITLE, _NAME = 1 << 31, 1 << 30
_SCALE = 40.0  # of the packed weights: a byte holds 0 to 6.3

_TOKEN = regex.compile(
    r"(?P<score>\d{1,3}[-–:]\d{1,3}(?![\d\w]))"
    r"|(?P<number>\d+(?:[.,]\d+)*(?!\w))"
    r"|(?P<dense>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]+)"
    r"|(?P<word>\w+(?:['’]\w+)*)"
)
_SENTENCE_ENDS = frozenset('.!?:\n"“”»«„|–—•')
_DIACRITICS = regex.compile(r"[\u0300-\u036f]+")
_ONE_MEANING = {"u.s": "us", "usa": "us"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an item is recognised by."""

    codes: NDArray[np.uint32]  # ascending, below CODES
    weights: NDArray[np.float32]  # of each, by place and number; above 0
    in_title: NDArray[np.bool_]  # whether it stands in the title
    names: NDArray[np.bool_]  # whether it is a name, as far as its capital tells
    shape: int = 0  # 32 bits of the title without its numbers and dates; 0 for no title
    numbers: int = 0  # 32 bits of the title's numbers and dates

    def packed(self) -> bytes:
        """As stored: 8 bytes, and 5 for each term."""
        flagged = self.codes | np.where(self.in_title, np.uint32(_IN_TITLE), np.uint32(0))
        flagged |= np.where(self.names, np.uint32(_NAME), np.uint32(0))
        head = np.array([self.shape, self.numbers], "<u4")
        small = np.clip(np.rint(self.weights * _SCALE), 1, 255).astype(np.uint8)
        return b"".join((head.tobytes(), flagged.astype("<u4").tobytes(), small.tobytes()))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The terms of many items, one after the other."""

    starts: NDArray[np.int64]  # of each item, and the end of the last: one more than items
    codes: NDArray[np.int32]
    weights: NDArray[np.float32]
    in_title: NDArray[np.bool_]
    names: NDArray[np.bool_]
    shapes: NDArray[np.uint32]  # of each item
    numbers: NDArray[np.uint32]


def unpacked(rows: Iterable[bytes]) -> Shelf:
    """Items as `Terms.packed` gave them, in that order."""
    rows = list(rows)
    ends = [8 + 4 * ((len(row) - 8) // 5) for row in rows]
    return shelved(
        [(end - 8) // 4 for end in ends],
        b"".join(row[:8] for row in rows),
        b"".join(row[8:end] for row, end in zip(rows, ends, strict=True)),
        b"".join(row[end:] for row, end in zip(rows, ends, strict=True)),
    )


def shelved(
    counts: Sequence[int] | NDArray[Any], heads: bytes, codes: bytes, weights: bytes
) -> Shelf:
    """Items by the parts of what `Terms.packed` gave, each part of all items in one.

    `counts`: terms of each item. `heads`: their first 8 bytes; `codes`: 4 bytes for each term;
    `weights`: 1 byte for each.
    """
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    shapes = np.frombuffer(heads, "<u4").reshape(-1, 2)
    flagged = np.frombuffer(codes, "<u4")
    return Shelf(
        starts=starts,
        codes=(flagged & np.uint32(CODES - 1)).astype(np.int32),
        weights=np.frombuffer(weights, np.uint8).astype(np.float32) / np.float32(_SCALE),
        in_title=(flagged & np.uint32(_IN_TITLE)) > 0,
        names=(flagged & np.uint32(_NAME)) > 0,
        shapes=shapes[:, 0].copy(),
        numbers=shapes[:, 1].copy(),
    )


def terms(title: str, text: str = "", language: str = "") -> Terms:
    """The terms of a piece: plain `title` and `text`; `language` as BCP 47, "" to be guessed."""
    head = list(_tokens(title, 60))
    body = list(_tokens(text, _READ))
    tongue = _tongue(language, [each.plain for each in (*head, *body)])
    names = _names(head, body) if tongue != "de" else frozenset()
    heavy: Counter[str] = Counter()
    for token in head:
        heavy[token.stem(tongue)] += 2.0  # type: ignore[assignment]  # weights, not counts
    for place, token in enumerate(body):
        part = 1.0 if place < 40 else 0.6 if place < 120 else 0.3
        heavy[token.stem(tongue)] += part  # type: ignore[assignment]
    in_title = {token.stem(tongue) for token in head}
    name_stems = {token.stem(tongue) for token in (*head, *body) if token.plain in names}
    weighed: dict[int, float] = {}
    titled: set[int] = set()
    named: set[int] = set()
    for stem, amount in heavy.items():
        if not stem or stem in _EMPTY_STEMS[tongue]:
            continue
        code = code_of(stem)
        weight = float(np.log1p(amount)) * _worth(stem, stem in name_stems)
        weighed[code] = max(weight, weighed.get(code, 0.0))
        if stem in in_title:
            titled.add(code)
        if stem in name_stems:
            named.add(code)
    kept = sorted(weighed, key=lambda code: (code not in titled, -weighed[code], code))[:MOST]
    return _as_terms(sorted(kept), weighed, titled, named, *_shape(head))


def body(summary: str, text: str) -> str:
    """The text to read of a piece: both, or `text` alone where it opens with the summary."""
    return text if summary and summary[:80] in text else f"{summary}\n{text}".strip()


def code_of(stem: str) -> int:
    """The code of a stem."""
    return zlib.crc32(stem.encode(errors="surrogatepass")) & (CODES - 1)


def _as_terms(
    codes: list[int],
    weighed: dict[int, float],
    titled: set[int],
    named: set[int],
    shape: int,
    numbers: int,
) -> Terms:
    return Terms(
        codes=np.array(codes, np.uint32),
        weights=np.array([weighed[code] for code in codes], np.float32),
        in_title=np.array([code in titled for code in codes], np.bool_),
        names=np.array([code in named for code in codes], np.bool_),
        shape=shape,
        numbers=numbers,
    )


@dataclass(frozen=True, slots=True)
class _Token:
    plain: str  # small letters, no diacritics, no possessive
    kind: str  # word, number, score or dense
    capital: bool = False
    opens: bool = False  # the first word of a sentence

    def stem(self, tongue: str) -> str:
        return _stem(self.plain, tongue) if self.kind == "word" else self.plain


def _tokens(text: str, most: int) -> Iterable[_Token]:
    """The first `most` tokens of a text."""
    found = 0
    end = -1
    for match in _TOKEN.finditer(text):
        kind, raw = match.lastgroup or "", match.group()
        between = text[end : match.start()] if end >= 0 else "\n"
        opens = any(sign in _SENTENCE_ENDS for sign in between)
        end = match.end()
        if kind == "dense":
            pairs = [raw[at : at + 2] for at in range(max(1, len(raw) - 1))]
            yield from (_Token(pair, kind) for pair in pairs)
            found += len(pairs)
        else:
            yield _Token(_plain(raw, kind), kind, kind == "word" and raw[0].isupper(), opens)
            found += 1
        if found >= most:
            return


def _plain(raw: str, kind: str) -> str:
    if kind == "number":
        head, separator, tail = raw.replace(",", ".").rpartition(".")
        thousands = not separator or len(tail) == 3
        return (head + tail).replace(".", "") if thousands else f"{head.replace('.', '')}.{tail}"
    if kind == "score":
        return raw.replace("–", ":").replace("-", ":")
    word = raw.casefold()
    if not word.isascii():
        word = _DIACRITICS.sub("", unicodedata.normalize("NFKD", word)).replace("’", "'")
    if "'" in word:
        head, _, tail = word.rpartition("'")
        word = head if len(tail) <= 2 else tail if len(head) <= 2 else head + tail
    return _ONE_MEANING.get(word, word)


def _names(head: list[_Token], body: list[_Token]) -> frozenset[str]:
    """Words that are written with a capital where others aren't.

    In a Headline Written Like This One the case of a word says nothing; then the text decides.
    """
    long = [token for token in head if token.kind == "word" and len(token.plain) > 3]
    shouting = sum(token.capital for token in long) > 0.6 * len(long)
    telling = [*body, *([] if shouting else head)]
    inside = [token for token in telling if token.kind == "word" and not token.opens]
    large = Counter(token.plain for token in inside if token.capital)
    small = Counter(token.plain for token in telling if not token.capital)
    return frozenset(word for word, times in large.items() if times > small[word])


def _worth(stem: str, name: bool) -> float:
    if name:
        return 1.4
    if stem[0].isdigit():
        return 0.4 if len(stem) < 2 else 0.8
    return 1.0


def _shape(head: list[_Token]) -> tuple[int, int]:
    """What stays the same in the headlines of a series, and what counts it."""
    fixed = [token.plain for token in head if not _counts(token)]
    counting = [token.plain for token in head if _counts(token)]
    digest = zlib.crc32(" ".join(fixed).encode(errors="surrogatepass")) if fixed else 0
    return digest, zlib.crc32(" ".join(counting).encode(errors="surrogatepass"))


def _counts(token: _Token) -> bool:
    return token.plain[0].isdigit() or token.plain in _CALENDAR


def _tongue(language: str, words: list[str]) -> str:
    """The language whose small words occur most; the stated one where there are too few."""
    stated = language[:2].lower()
    if stated in _EMPTY_STEMS and stated:
        return stated
    sample = words[:150]
    scores = {tongue: sum(word in few for word in sample) for tongue, few in _SMALL.items()}
    best = max(scores, key=lambda tongue: scores[tongue])
    return best if scores[best] > 1 else "en"


def _stem(word: str, tongue: str) -> str:
    """A word without its inflection, roughly: enough for two reports to meet."""
    if len(word) < 4 or not word.isascii():
        return word
    return _STEMMERS.get(tongue, _english)(word)


def _english(word: str) -> str:
    for ending, instead in (
        ("sses", "ss"), ("ies", "y"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""),
        ("ers", "er"), ("es", ""), ("s", ""), ("ly", ""),
    ):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            if ending in ("s", "es") and word.endswith(("ss", "us", "is")):
                break
            root = word[: -len(ending)] + instead
            if (
                ending in ("ing", "ed", "ings")
                and root[-1:] == root[-2:-1]
                and root[-1] not in "ls"
            ):
                root = root[:-1]
            return root.removesuffix("e") if len(root) > 3 else root
    return word.removesuffix("e") if len(word) > 4 else word


def _german(word: str) -> str:
    for ending in ("erinnen", "innen", "ern", "em", "en", "er", "es", "e", "n", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def _romance(word: str) -> str:
    for ending, instead in (
        ("ciones", "cion"), ("amente", ""), ("ados", "ad"), ("adas", "ad"), ("es", ""), ("os", ""),
        ("as", ""), ("is", ""), ("s", ""), ("o", ""), ("a", ""), ("e", ""), ("i", ""),
    ):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + instead
    return word


_STEMMERS: dict[str, Callable[[str], str]] = {
    "en": _english, "de": _german, "nl": _german,
    "es": _romance, "fr": _romance, "it": _romance, "pt": _romance,
}  # fmt: skip


def _stems(words: Iterable[str], tongue: str) -> frozenset[str]:
    return frozenset(_stem(_plain(word, "word"), tongue) for word in words)


_SMALL = {
    tongue: frozenset(_plain(word, "word") for word in words) for tongue, words in EMPTY.items()
}
_EMPTY_STEMS = {tongue: _stems(words, tongue) | _SMALL[tongue] for tongue, words in EMPTY.items()}
_MONTHS_AND_DAYS = """
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday jan feb mar apr jun jul aug sep sept
oct nov dec mon tue tues wed thu thurs fri sat sun morning evening midday noon afternoon night
januar februar marz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag
samstag sonntag enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
diciembre lunes martes miercoles jueves viernes sabado domingo janvier fevrier mars avril juin
juillet aout octobre decembre lundi mardi mercredi jeudi vendredi samedi dimanche
"""
_CALENDAR = frozenset(_MONTHS_AND_DAYS.split())
EVERYDAY_CODES = np.unique(
    np.array([code_of(_stem(_plain(w, "word"), t)) for w in EVERYDAY for t in EMPTY], np.int32)
)
COLUMN_CODES = np.unique(
    np.array([code_of(_stem(_plain(w, "word"), t)) for w in COLUMN for t in EMPTY], np.int32)
)
