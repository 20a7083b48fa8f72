"""Finds the material in a prompt, and the telling sentences in the material."""

import re
from collections import Counter
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]{5,}")  # shorter ones say little about what a text is on
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)\]]))\s+(?=[\"'“‘(\[]?[A-Z0-9À-Þ])")
_HTML = re.compile(r"</?(?:p|br|em|strong|a|b|i|h\d|ul|ol|li|blockquote|div|span)\b[^>]*>", re.I)
_LABEL = re.compile(
    r"(?:source|article|document|passage|text|item|report|material)\b\D{0,20}(\d+)|^\[(\d+)\]", re.I
)
# A sentence that tells the model what to do isn't material.
_INSTRUCTION = re.compile(
    r"^\W*(?:write|summari[sz]e|answer|use|do not|don't|return|respond|reply|never|always|treat|"
    r"ignore|keep|give|cite|output|produce|draft|analyse|analyze|stick to|name|mark|mention|"
    r"you (?:are|must|should|will|get)|your (?:task|answer|job)|here (?:is|are)|below|"
    r"the following|everything between|text between|it is (?:data|material))\b",
    re.I,
)
_STOPWORDS = frozenset({"about", "after", "other", "their", "there", "which", "would"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the material."""

    text: str
    passage: int  # the number of its source, as the prompt counts them; 1 if it doesn't


def material(prompt: str) -> list[Sentence]:
    """The prompt's sentences without fences, labels and instructions, each once."""
    found: dict[str, Sentence] = {}
    passage = 1
    for block in _HTML.sub("\n", prompt).splitlines():
        line = " ".join(block.split())
        label = _LABEL.search(line) if line.startswith("<<") else _LABEL.match(line)
        if label:
            passage = int(label[1] or label[2])
            line = line[label.end() :].lstrip(" ]:.)-—>")
        if block.lstrip().startswith("<<"):
            continue  # a fence, perhaps with the passage's heading
        for text in _SENTENCE_END.split(line):
            if _tells(text):
                found.setdefault(text.casefold(), Sentence(text.strip(), passage))
    return list(found.values())


def telling(sentences: list[Sentence], count: int) -> list[Sentence]:
    """The most central ones in the order of the material; early ones have the edge."""
    words = [_words(sentence.text) for sentence in sentences]
    weight = Counter(word for one in words for word in one)
    scores = [
        sum(weight[word] for word in one) / (len(one) + 4) * (1 + 1 / (position + 1))
        for position, one in enumerate(words)
    ]
    order = sorted(range(len(sentences)), key=lambda position: (-scores[position], position))
    chosen: list[int] = []
    for position in order:
        if len(chosen) == count:
            break
        if all(_overlap(words[position], words[other]) < 0.6 for other in chosen):
            chosen.append(position)
    return [sentences[position] for position in sorted(chosen)]


def _tells(text: str) -> bool:
    """Whether it is a whole sentence about the world."""
    ended = text.rstrip("\"'”’)]* ").endswith((".", "!", "?"))
    return ended and len(text.split()) >= 5 and not _INSTRUCTION.match(text)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text)) - _STOPWORDS


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))
