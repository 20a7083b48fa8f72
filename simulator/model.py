"""What stands for a language model: it picks the telling sentences out of the prompt's material.

Nothing here is canned: the answer is computed from the request's text, always the same for the
same request, so that grounding, length, truncation and schemas can be tested for real.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from simulator.extract import Sentence, material, telling
from simulator.schema import fill

_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, and what it took."""

    text: str
    prompt_tokens: int
    reply_tokens: int
    cut: bool  # it wanted to say more than it was allowed


def reply(
    prompt: str, instructions: str = "", *, limit: int | None = None, schema: Any = None
) -> Reply:
    """Answers a prompt within `limit` tokens; with a JSON schema, as JSON that fits it.

    The text is a summary, or something longer when the instructions ask for an article or an
    analysis.
    """
    sentences = material(prompt)
    if schema is not None:
        text = json.dumps(fill(schema, telling(sentences, 6)), ensure_ascii=False)
    else:
        text = _prose(sentences, (instructions or prompt[:300]).lower())
    kept = cut(text, limit) if limit else text
    return Reply(kept, tokens(instructions) + tokens(prompt), tokens(kept), kept != text)


def tokens(text: str) -> int:
    """How many tokens a text counts."""
    return sum(1 for _ in _TOKEN.finditer(text))


def cut(text: str, limit: int) -> str:
    """The first `limit` tokens of a text."""
    ends = [match.end() for match in _TOKEN.finditer(text)]
    return text if len(ends) <= limit else text[: ends[limit - 1]]


def last(text: str, limit: int) -> str:
    """The last `limit` tokens of a text."""
    starts = [match.start() for match in _TOKEN.finditer(text)]
    return text if len(starts) <= limit else text[starts[-limit] :]


def pieces(text: str) -> list[str]:
    """A text as it arrives in a stream: a few words at a time."""
    return re.findall(r"(?:\S+\s*){1,4}|\s+", text)


def _prose(sentences: list[Sentence], asked: str) -> str:
    if not sentences:
        return "The request contains no material to work on."
    if "summar" in asked:
        return " ".join(sentence.text for sentence in telling(sentences, 3))
    long = [sentence.text for sentence in telling(sentences, 9)]
    paragraphs = [" ".join(long[start : start + 3]) for start in range(0, len(long), 3)]
    if "headline" in asked and "no headline" not in asked:
        paragraphs.insert(0, _headline(long[0]))
    return "\n\n".join(paragraphs)


def _headline(sentence: str) -> str:
    words = sentence.rstrip('.!?"”').split()
    return " ".join(words[:10]).rstrip(",;:–")
