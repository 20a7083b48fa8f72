"""What came back from a model, made into what may stand in the console. Pure.

A model's answer is as hostile as anything from outside: it may repeat what an attacker wrote. So
it is plain text of limited length first, and the only markup in it is ours.
"""

import html
import re
from dataclasses import dataclass

from articles.clean import clean_html, one_line, plain_text

LONGEST_SUMMARY = 1_000
LONGEST_TEXT = 40_000
_LONGEST_TITLE = 200
_MARKDOWN = re.compile(r"^\s{0,3}(?:#{1,6}\s+|[*_]{2}(?=\S))|[*_]{2}\s*$")
_LABEL = re.compile(r"^(?:headline|title|summary)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A suggestion ready to show."""

    title: str  # one line of plain text; empty when there is none
    text: str  # a summary is plain text, everything else clean HTML paragraphs


def read(task: str, text: str) -> Answer | None:
    """The suggestion in a model's answer; None when nothing readable is left of it."""
    text = plain_text(text[: 2 * LONGEST_TEXT])[:LONGEST_TEXT].strip()
    if task == "summary":
        summary = one_line(_LABEL.sub("", text), LONGEST_SUMMARY)
        return Answer("", summary) if summary else None
    title = ""
    if task == "article":
        title, text = _headline(text)
    content = paragraphs(text)
    return Answer(title, content) if content else None


def paragraphs(text: str) -> str:
    """Plain text as HTML, a paragraph for every block; nothing in it is taken for markup."""
    blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", text))
    return clean_html("\n".join(f"<p>{html.escape(block)}</p>" for block in blocks if block))


def _headline(text: str) -> tuple[str, str]:
    """The first line is the headline if it is short, no sentence, and something follows it."""
    first, _, rest = text.partition("\n")
    title = _LABEL.sub("", _MARKDOWN.sub("", first)).strip()
    if not rest.strip() or len(title) > _LONGEST_TITLE or title.endswith("."):
        return "", text
    return title, rest.strip()
