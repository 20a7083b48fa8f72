"""What a platform can do, in words: for its channels' pages. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from publishing.post import Capabilities, Once


class Ability(StrEnum):
    """The optional protocols of `publishing.platforms.base`."""

    EDITS = "edits"
    DELETES = "deletes"
    REPLIES = "replies"
    COUNTING = "counting"
    WATCHES = "watches"
    RENEWS = "renews"
    CONNECTS = "connects"


@dataclass(frozen=True, slots=True)
class Said:
    """One line: what it is about, and what there is to say."""

    about: str
    words: str


THE_DEFAULT = "the default; test the connection to read the instance's own"

_ONCE = {
    Once.KEY: "A repetition is known by an id of ours.",
    Once.TWO_PHASE: "A draft that nobody sees comes first.",
    Once.LOOK_UP: "The desk looks for it before it sends again.",
    Once.NONE: "Only a person can tell after a lost answer.",
}


def in_words(
    capabilities: Capabilities, able: Collection[Ability], *, guessed: bool = False
) -> list[Said]:
    """Line by line, the everyday ones first; `guessed` if the server's own limits aren't known."""
    lines = [
        Said("Form", f"{capabilities.form[:1].upper()}{capabilities.form[1:]}."),
        Said("Length", _length(capabilities, guessed=guessed)),
        Said("Pictures", _pictures(capabilities)),
        Said("Once only", f"{_ONCE[capabilities.once]} {capabilities.in_words}"),
        Said("Corrections", _correction(able)),
        Said("Withdrawals", capabilities.withdrawal or _withdrawal(able)),
        Said("Afterwards", _afterwards(able)),
    ]
    if Ability.CONNECTS in able or Ability.RENEWS in able:
        lines.append(Said("Signing in", _signing_in(able)))
    if capabilities.access:
        lines.append(Said("Access", capabilities.access))
    tried = capabilities.tried_against
    words = f"Against {tried}." if tried else "Against recorded answers, not the real service."
    lines.append(Said("Tried", words))
    return lines


def _length(capabilities: Capabilities, *, guessed: bool) -> str:
    ruler = capabilities.ruler
    if ruler is None:
        return "No limit that a story would meet."
    words = f"At most {ruler.limit:,} {ruler.unit.value}"
    if guessed:
        words += f" ({THE_DEFAULT})"
    if ruler.url_counts is not None:
        words += f"; a link counts {ruler.url_counts}, whatever its length"
    if ruler.most_bytes is not None:
        words += f"; at most {ruler.most_bytes:,} bytes"
    return f"{words}. What is longer is shortened at a sentence."


def _pictures(capabilities: Capabilities) -> str:
    if not capabilities.pictures:
        whole = capabilities.form.startswith("whole")
        return "Those in the text, where they are." if whole else "None go along."
    many = "One" if capabilities.pictures == 1 else f"Up to {capabilities.pictures}"
    return f"{many}, with descriptions." if capabilities.alt_text else f"{many}."


def _correction(able: Collection[Ability]) -> str:
    if Ability.EDITS in able:
        return "The post is changed."
    if Ability.REPLIES in able:
        return "The post is answered with a note."
    return "A person gets the task to change it by hand."


def _withdrawal(able: Collection[Ability]) -> str:
    if Ability.DELETES in able:
        return "The post is taken away."
    if Ability.EDITS in able:
        return "The post's text becomes a notice."
    if Ability.REPLIES in able:
        return "The post is answered with a notice."
    return "A person gets the task to take it away by hand."


def _afterwards(able: Collection[Ability]) -> str:
    told = []
    if Ability.COUNTING in able:
        told.append("It tells how a post does.")
    if Ability.WATCHES in able:
        told.append("The desk can read back whether a post is still there, and unchanged.")
    return " ".join(told) or "It tells nothing about a post later on."


def _signing_in(able: Collection[Ability]) -> str:
    told = []
    if Ability.CONNECTS in able:
        told.append("By a visit to the platform: “Connect”.")
    if Ability.RENEWS in able:
        told.append("The desk renews the token ahead of its end, where it may.")
    return " ".join(told)
