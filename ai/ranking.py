"""Which sentences carry a text. Pure, deterministic, no model.

A sentence counts by how much the other sentences share its words, and by where it stands: news
puts the most important first. One that mostly repeats what was chosen already is passed over.
Sentences are never changed.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ai.providers.base import Passage

_MOST_SENTENCES = 400  # comparing each with each costs the square
_REPEATED = 0.6  # cosine above which a sentence says what was said
_FEWEST_WORDS = 4  # below: a dateline, a byline, "Read more"
_ENDS = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"”’»)]))\s+(?=[\"“‘«(]*[^\W_a-zà-ÿ])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Gov|Sen|Rep|Lt|Col|Sgt|No|Nos|vs|etc|approx|Inc|Ltd|Co|Jr|Sr"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)|\b[A-Z])\.$"
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it stands in its passage."""

    text: str
    passage: int  # which passage, from 0
    place: int  # how many sentences stand before it there


def sentences(text: str) -> list[str]:
    """The sentences of a plain text, verbatim, in their order."""
    found = []
    for line in text.splitlines():
        open_part = ""
        for part in _ENDS.split(line.strip()):
            open_part = f"{open_part} {part}" if open_part else part
            if not _ABBREVIATION.search(open_part):
                found.append(open_part)
                open_part = ""
        if open_part:
            found.append(open_part)
    return [sentence for sentence in found if len(_WORD.findall(sentence)) >= _FEWEST_WORDS]


def strongest(passages: Sequence[Passage], most: int) -> list[Sentence]:
    """At most `most` sentences that carry the passages, the strongest first."""
    every = [
        Sentence(text, number, place)
        for number, passage in enumerate(passages)
        for place, text in enumerate(sentences(passage.text))
    ][:_MOST_SENTENCES]
    vectors = _vectors([sentence.text for sentence in every])
    scores = [
        _centrality(index, vectors) / math.sqrt(1 + sentence.place)
        for index, sentence in enumerate(every)
    ]
    chosen: list[int] = []
    for index in sorted(range(len(every)), key=lambda index: (-scores[index], index)):
        if len(chosen) == most:
            break
        if all(_cosine(vectors[index], vectors[other]) < _REPEATED for other in chosen):
            chosen.append(index)
    return [every[index] for index in chosen]


def in_order(chosen: Sequence[Sentence]) -> list[Sentence]:
    """The sentences as a reader expects them: by passage, and there as they stand."""
    return sorted(chosen, key=lambda sentence: (sentence.passage, sentence.place))


def _vectors(texts: Sequence[str]) -> list[dict[str, float]]:
    """Each text as a unit vector of its words, rare ones weighing more."""
    counts = [Counter(word.lower() for word in _WORD.findall(text)) for text in texts]
    spread = Counter(word for count in counts for word in count)
    vectors = []
    for count in counts:
        weights = {word: n * math.log(1 + len(texts) / spread[word]) for word, n in count.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        vectors.append({word: weight / length for word, weight in weights.items()})
    return vectors


def _centrality(index: int, vectors: Sequence[dict[str, float]]) -> float:
    """How much of the rest shares this sentence's words; a sentence alone counts a little."""
    alike = sum(_cosine(vectors[index], other) for at, other in enumerate(vectors) if at != index)
    return 0.1 + alike / max(1, len(vectors) - 1)


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())
