"""From a JSON document to pieces, as a source's options say. Pure."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from articles.wire import WireCopy
from sources.connectors.base import Option
from sources.connectors.json_paths import BadPath, Path
from sources.errors import Misconfigured, NotAFeed
from sources.feedparsing.dates import from_timestamp, parse_date
from sources.feedparsing.identity import identity
from sources.feedparsing.links import absolute

MOST_PIECES = 500
MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138; as milliseconds 1973
FIELDS = {
    "id": "Id", "title": "Title", "url": "Address", "content": "Text", "summary": "Summary",
    "authors": "Authors", "tags": "Tags", "published": "Published", "updated": "Updated",
    "language": "Language",
}  # fmt: skip
"""What an expression can be given for, with its name in the form."""

LIST = "items"  # the option that finds the list itself
_GROUP = "Within a piece"
_HELP = {
    "id": "Where a piece's own id is. Without one its address identifies it.",
    "title": "Such as title, or fields.headline",
    "url": "Such as link; relative addresses are fine.",
    "authors": "A name, an object with a name, or a list of either.",
    "tags": "A list, or names with commas between them.",
}
OPTIONS = (
    Option(
        LIST, "List of pieces",
        help="Such as items, data.articles or results[?type=='news']. Empty: the answer is it.",
    ),
    *(
        Option(name, label, help=_HELP.get(name, ""), group=_GROUP)
        for name, label in FIELDS.items()
    ),
    Option(
        "text", "Text is", "choice", default="html", group=_GROUP,
        choices=(("html", "HTML"), ("plain", "Plain text")),
    ),
    Option(
        "dates", "Dates are", "choice", default="auto", group=_GROUP,
        choices=(("auto", "Text or Unix time, whichever comes"), ("text", "Text"),
                 ("seconds", "Unix seconds"), ("milliseconds", "Unix milliseconds")),
    ),
)  # fmt: skip
_NAMES = ("name", "display_name", "displayName", "title", "full_name", "username", "login", "label")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The pieces of one document."""

    copies: tuple[WireCopy, ...]
    found: int  # entries in its list, usable or not
    warnings: tuple[str, ...] = ()


class JsonMapping:
    """How pieces lie in a service's documents. Raises `Misconfigured` naming the option."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._list = _path(options, LIST, "List of pieces")
        self._fields = {
            name: path for name, label in FIELDS.items() if (path := _path(options, name, label))
        }
        if not ({"title", "content", "summary"} & set(self._fields)):
            raise Misconfigured("Say where a piece's title is.", option="title")
        self._date: Callable[[Any], datetime | None] = _DATES[options["dates"]]
        self._is_html = options["text"] == "html"

    def read(self, document: Any, base: str) -> Mapped:
        """The pieces of `document`, links resolved against `base`.

        Raises `NotAFeed` when the list is not there, `Misconfigured` when an expression does
        not fit what came.
        """
        entries = self._entries(document)
        copies = [self._copy(each, base) for each in entries[:MOST_PIECES]]
        usable = tuple(copy for copy in copies if copy.external_id)
        warnings = []
        if len(usable) < len(copies):
            missing = len(copies) - len(usable)
            warnings.append(f"{missing} entries have neither id, address nor text: left out.")
        if len(entries) > MOST_PIECES:
            warnings.append(f"Only the first {MOST_PIECES} of {len(entries)} entries were read.")
        return Mapped(usable, len(entries), tuple(warnings))

    def _entries(self, document: Any) -> list[Any]:
        found = document if self._list is None else _worked_out(self._list, document, LIST)
        if isinstance(found, list):
            return [each for each in found if each is not None]
        kind = _KINDS.get(type(found), "something else")
        where = f"“{self._list.expression}” finds" if self._list else "The answer is"
        raise NotAFeed(
            f"{where} {kind}, and should be a list of pieces. Give the list's place as JMESPath, "
            f"such as data.items{_hint(document)}."
        )

    def _copy(self, entry: Any, base: str) -> WireCopy:
        found = {name: _worked_out(path, entry, name) for name, path in self._fields.items()}
        address, title = text(found.get("url")), text(found.get("title"))
        link = absolute(base, address) if address else ""
        content, published = text(found.get("content")), self._date(found.get("published"))
        if self._is_html:
            title = html.unescape(title)
        else:
            content = _paragraphs(content)
        own = text(found.get("id"))
        return WireCopy(
            external_id=identity(own, link, title, published, content),
            title=title,
            url=link,
            content=content,
            summary=text(found.get("summary")),
            authors=names(found.get("authors")),
            tags=names(found.get("tags"), split=","),
            language=text(found.get("language"))[:35],
            published_at=published,
            updated_at=self._date(found.get("updated")),
        )


def text(value: Any) -> str:
    """Text as it is, a number as text, the first text of a list; "" for anything else."""
    if isinstance(value, list):
        return next((found for each in value[:10] if (found := text(each))), "")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # Half a surrogate pair can't be stored.
    return str(value).strip().encode(errors="replace").decode()


def names(value: Any, split: str = "") -> tuple[str, ...]:
    """Names given as text, as an object with a name, or as a list of either; 50 at most."""
    values = value if isinstance(value, list) else [value]
    found: list[str] = []
    for each in values[:50]:
        if isinstance(each, dict):
            each = next((each[key] for key in _NAMES if text(each.get(key))), None)
        name = text(each)
        found += name.split(split) if split else [name]
    return tuple(name.strip() for name in found if name.strip())[:50]


def _any_date(value: Any) -> datetime | None:
    number = _number(value)
    if number is None:
        return parse_date(text(value)) if isinstance(value, str) else None
    return from_timestamp(number / 1000 if abs(number) >= MILLISECONDS_FROM else number)


def _seconds(value: Any) -> datetime | None:
    return from_timestamp(_number(value))


def _milliseconds(value: Any) -> datetime | None:
    number = _number(value)
    return None if number is None else from_timestamp(number / 1000)


def _number(value: Any) -> float | None:
    """A number, also as text of at least nine digits: “2024” is a year, and no Unix time."""
    if isinstance(value, str):
        digits = value.strip()
        if not (digits.isascii() and digits.isdigit() and 9 <= len(digits) <= 15):
            return None
        return float(digits)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e16 else None  # neither infinite nor no number


_DATES = {
    "auto": _any_date,
    "text": lambda value: parse_date(text(value)),
    "seconds": _seconds,
    "milliseconds": _milliseconds,
}
_KINDS = {
    dict: "an object", list: "a list", str: "a text", type(None): "nothing", bool: "a yes or no",
    int: "a number", float: "a number",
}  # fmt: skip


def _path(options: Mapping[str, Any], name: str, label: str) -> Path | None:
    if not str(options[name]).strip():
        return None
    try:
        return Path(options[name])
    except BadPath as problem:
        raise Misconfigured(f"“{label}”: {problem}", option=name) from None


def _worked_out(path: Path, value: Any, option: str) -> Any:
    try:
        return path(value)
    except BadPath as problem:
        label = FIELDS.get(option, "List of pieces")
        raise Misconfigured(f"“{label}”: {problem}", option=option) from None


def _hint(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    here = ", ".join(repr(key)[1:41] for key in list(document)[:8])
    return f"; the answer has {here}" if here else ""


def _paragraphs(plain: str) -> str:
    blocks = (block.strip() for block in plain.split("\n\n"))
    return "".join(f"<p>{html.escape(block)}</p>" for block in blocks if block)
