"""Reading what platforms answer: nothing is believed before its type has been looked at."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.outbound import BadBody, Response
from publishing.errors import Unknown

_LONGEST_LIFE = 2 * 366 * 24 * 3600  # seconds; whatever a platform says, a date must come of it


def parsed(answer: Response, platform: str) -> Any:
    """The answer's JSON; `Unknown` if it is none, for the work may be done all the same."""
    try:
        return answer.json()
    except BadBody as problem:
        raise Unknown(
            f"{platform}'s answer can't be read: {problem}",
            status=answer.status,
            excerpt=answer.text()[:1000],
        ) from problem


def mapping(answer: Response, platform: str) -> dict[str, Any]:
    """The answer's JSON object; `Unknown` for anything else."""
    body = parsed(answer, platform)
    if not isinstance(body, dict):
        raise Unknown(
            f"{platform}'s answer is not what it should be.",
            status=answer.status,
            excerpt=answer.text()[:1000],
        )
    return body


def complaint(answer: Response) -> dict[str, Any]:
    """What a refusal says in JSON; empty where it is none: a proxy on the way answers in HTML.

    Its status is all that counts then.
    """
    try:
        body = answer.json()
    except BadBody:
        return {}
    return body if isinstance(body, dict) else {}


def member(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside an object; empty for anything else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def members(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list inside an object; whatever else stands in it is left out."""
    value = body.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(body: Mapping[str, Any], name: str) -> str:
    """A text or a whole number as text; "" for anything else."""
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:300]
    return value if isinstance(value, str) else ""


def count(body: Mapping[str, Any], name: str) -> int | None:
    """A count; None for what is none."""
    value = body.get(name)
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if good else None


def lifetime(body: Mapping[str, Any], name: str) -> timedelta | None:
    """How long a token lasts, in seconds there; None where it isn't said, two years at most."""
    seconds = count(body, name)
    return timedelta(seconds=min(seconds, _LONGEST_LIFE)) if seconds else None


def letters(words: str) -> str:
    """A text's letters and digits: what survives a platform's own formatting of it."""
    return "".join(each for each in words.casefold() if each.isalnum())
