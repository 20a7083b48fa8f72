"""Wire items that people have labelled with their event: reading them, and clustering them. Pure.

The format is told in docs/clusters.md. It is read liberally, because every labelled set that one
may want to measure with names its columns in its own way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from dateutil import parser as dates

from articles import cluster
from articles.cluster import HOUR, Items, Rules
from articles.terms import Terms, body, terms, unpacked

DAYS = 7
"""So many days before an item count for how rare its words are."""
PORTION = 100
"""So many items are placed at a time, as on a desk where they come in little by little."""

_NAMES = {
    "title": ("title", "headline", "name"),
    "summary": ("summary", "description", "lead", "abstract", "snippet"),
    "text": ("text", "content", "body", "content_text", "article", "full_text"),
    "at": ("published_at", "date", "published", "datetime", "timestamp", "time", "pubdate",
           "publish_date", "created_at"),
    "source": ("source", "publisher", "outlet", "domain", "hostname", "site"),
    "language": ("language", "lang"),
    "event": ("event", "label", "cluster", "story_id", "event_id", "cluster_id", "story", "gold",
              "group", "category_id", "topic_id"),
    "url": ("url", "link"),
    "part": ("part", "split"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """One item of a labelled set."""

    title: str
    text: str
    event: str
    at: datetime | None = None  # aware
    source: str = ""
    language: str = ""
    part: str = ""  # of the set: what was tuned on, what was held out


class NotLabelled(ValueError):
    """A file that can't be read as labelled items; its text says why."""


def read(data: bytes) -> list[Labelled]:
    """The items of a file: JSON Lines, a JSON list, or an object that holds one list.

    Raises `NotLabelled`, naming the place, for what is neither, and for items without event or
    without any text.
    """
    rows = _rows(data)
    if not rows:
        raise NotLabelled("There are no items in it.")
    return [_labelled(row, number) for number, row in enumerate(rows, 1)]


def clustered(
    items: Sequence[Labelled], rules: Rules | None = None, *, portion: int = PORTION
) -> list[int]:
    """The number of each item's cluster, as the desk would have made them in order of the dates.

    Items without a date are taken to have come with the one before them.
    """
    moments = _moments(items)
    order = sorted(range(len(items)), key=lambda at: (moments[at], at))
    found = [terms(items[at].title, items[at].text, items[at].language) for at in order]
    sources = _numbered([items[at].source for at in order])
    times = np.array([moments[at] for at in order], np.float64)
    groups = np.zeros(len(order), np.int64)
    for start in range(0, len(order), portion):
        end = min(start + portion, len(order))
        oldest = int(np.searchsorted(times, times[start] - DAYS * 24 * HOUR))
        known = _items(found, times, sources, groups, oldest, start)
        new = _items(found, times, sources, groups, start, end)
        for placing in cluster.place(known, new, rules=rules):
            own, beside = placing.item - 1, placing.beside - 1
            groups[own] = groups[beside] if beside >= 0 else own + 1
            for other in placing.joined:
                groups[groups == groups[other - 1]] = groups[own]
    clusters = [0] * len(items)
    for place, at in enumerate(order):
        clusters[at] = int(groups[place])
    return clusters


def _rows(data: bytes) -> list[Any]:
    text = data.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _lines(text)
    if isinstance(whole, Mapping):
        lists = [value for value in whole.values() if isinstance(value, list)]
        whole = max(lists, key=len) if lists else [whole]
    return whole if isinstance(whole, list) else [whole]


def _lines(text: bytes) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise NotLabelled(f"Line {number} is not JSON: {error}.") from error
    return rows


def _labelled(row: Any, number: int) -> Labelled:
    if not isinstance(row, Mapping):
        raise NotLabelled(f"Item {number} is not an object with title, text and event.")
    found = {name: _first(row, names) for name, names in _NAMES.items()}
    event = found["event"]
    title, text = _text(found["title"]), _text(found["text"])
    summary = _text(found["summary"])
    if event is None or not str(event).strip():
        raise NotLabelled(f"Item {number} has no event (event, label, cluster or story_id).")
    if not (title or text or summary):
        raise NotLabelled(f"Item {number} has neither title nor text.")
    return Labelled(
        title=title,
        text=body(summary, text),
        event=str(event),
        at=_moment(found["at"]),
        source=_text(found["source"]) or _host(_text(found["url"])),
        language=_text(found["language"]),
        part=_text(found["part"]),
    )


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    lower = {str(key).lower(): value for key, value in row.items()}
    return next((lower[name] for name in names if lower.get(name) not in (None, "")), None)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("title") or value.get("name") or value.get("uri") or ""
    return str(value).strip() if isinstance(value, str | int) else ""


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _moment(value: Any) -> datetime | None:
    """A date in any usual spelling, or seconds or milliseconds since 1970; None for none."""
    try:
        if isinstance(value, str) and not value.strip().isdigit():
            found = dates.parse(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _moments(items: Sequence[Labelled]) -> list[float]:
    known = [each.at.timestamp() for each in items if each.at]
    last = min(known, default=0.0)
    found = []
    for each in items:
        last = each.at.timestamp() if each.at else last
        found.append(last)
    return found


def _numbered(sources: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    numbers = {name: number for number, name in enumerate(sorted(set(sources) - {""}), 1)}
    return np.array([numbers.get(name, 0) for name in sources], np.int64)


def _items(
    found: Sequence[Terms],
    times: np.ndarray[Any, np.dtype[np.float64]],
    sources: np.ndarray[Any, np.dtype[np.int64]],
    groups: np.ndarray[Any, np.dtype[np.int64]],
    start: int,
    end: int,
) -> Items:
    return Items(
        ids=np.arange(start + 1, end + 1),
        moments=times[start:end],
        sources=sources[start:end],
        clusters=groups[start:end],
        shelf=unpacked(each.packed() for each in found[start:end]),
    )
