"""Typed values out of a service's JSON, of which nothing is believed.

Each reader takes an object and a field's name, and gives the value if it has the type that is
expected there, else an empty one. So a hostile answer ends as a piece without that field.
"""

import html
import math
from collections.abc import Iterator, Mapping
from typing import Any

from articles.clean import one_line, plain_text
from config.outbound import BadBody, Response
from sources.connectors.base import payload_of
from sources.errors import NotAFeed

Json = Mapping[str, Any]

HEADLINE = 120  # characters of a title that we make ourselves
_LARGEST = 2**53  # what JSON numbers hold exactly
_LONGEST_ID = 600
_LONGEST_ADDRESS = 4000


def json_of(answer: Response, who: str) -> Any:
    """The answer's JSON; raises `NotAFeed` naming `who` when it is none."""
    try:
        return answer.json()
    except BadBody:
        raise no_such(answer, who, "JSON") from None


def object_of(answer: Response, who: str) -> Json:
    """The answer's JSON object; raises `NotAFeed`."""
    found = json_of(answer, who)
    if not isinstance(found, dict):
        raise no_such(answer, who, "JSON object")
    return found


def list_of(answer: Response, who: str, of: str) -> list[Json]:
    """The objects in the JSON list that the answer is; `of` says what they are to a reader."""
    found = json_of(answer, who)
    if not isinstance(found, list):
        raise no_such(answer, who, f"list of {of}")
    return [each for each in found if isinstance(each, dict)]


def list_in(answer: Response, who: str, name: str, of: str) -> list[Json]:
    """The objects in one list of the JSON object that the answer is; raises `NotAFeed`."""
    found = object_of(answer, who)
    if not isinstance(found.get(name), list):
        raise no_such(answer, who, f"list of {of}")
    return parts(found, name)


def no_such(answer: Response, who: str, what: str) -> NotAFeed:
    """That the answer is not `what` it should be, with the answer for the archive."""
    return NotAFeed(
        f"{who} answered with no {what}. Check the address and the options.",
        status=answer.status,
        payload=payload_of(answer),
    )


def text(found: Json, name: str) -> str:
    """A text without the halves of characters that JSON can hold and nothing else can."""
    value = found.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode(errors="ignore").decode()


def number(found: Json, name: str) -> int:
    """A whole number, 0 for anything else and for what no counter can be."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return int(value) if abs(value) <= _LARGEST else 0


def identifier(found: Json, name: str) -> str:
    """An identity, a number or a text; "" for what can't be one."""
    value = found.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) <= _LARGEST else ""
    own = text(found, name).strip()
    return own if len(own) <= _LONGEST_ID else ""


def address(found: Json, name: str) -> str:
    """An http or https address; "" for any other."""
    value = text(found, name).strip()
    is_web = value[:8].lower().startswith(("http://", "https://"))
    return value if is_web and len(value) <= _LONGEST_ADDRESS else ""


def yes(found: Json, name: str) -> bool:
    """Whether the field is true, and nothing that only looks like it."""
    return found.get(name) is True


def part(found: Json, name: str) -> Json:
    """An object within; an empty one for anything else."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def parts(found: Json, name: str) -> list[Json]:
    """The objects of a list within, the rest of it left out."""
    return [each for each in _list(found, name) if isinstance(each, dict)]


def texts(found: Json, name: str) -> tuple[str, ...]:
    """The texts of a list within, each once, empty ones left out."""
    wrapped = ({"text": each} for each in _list(found, name))
    return tuple(dict.fromkeys(word for each in wrapped if (word := text(each, "text").strip())))


def headline(words: str) -> str:
    """A title for a piece that has none: its first line, from HTML or plain text."""
    return next((one_line(line, HEADLINE) for line in _lines(words)), "")


def paragraphs(words: str) -> str:
    """Plain text as HTML."""
    blocks = (block.strip() for block in words.split("\n\n"))
    return "".join(
        f"<p>{html.escape(block, quote=False).replace(chr(10), '<br>')}</p>"
        for block in blocks
        if block
    )


def _lines(words: str) -> Iterator[str]:
    return (html.escape(line) for line in plain_text(words[:20_000]).splitlines() if line.strip())


def _list(found: Json, name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []
