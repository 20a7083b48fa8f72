"""A first guess where pieces lie in a service's JSON, for the form to come filled in. Pure.

Looks at the names that services give to things and at what stands there: a date must read as
one, an address must look like one.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sources.connectors.json_mapping import MILLISECONDS_FROM, names, text
from sources.feedparsing.dates import from_timestamp, parse_date

_SAMPLE = 10  # entries looked at
_DEPTH = 4  # levels down to the list
_MOST_LISTS = 200
_FIRST_NEWS = 3e8  # Unix seconds, 1979: smaller numbers are no dates

_LIST_NAMES = frozenset({
    "items", "articles", "results", "data", "posts", "stories", "entries", "hits", "docs",
    "children", "records", "news", "nodes", "edges", "publications", "releases",
})  # fmt: skip
_WRAPPERS = frozenset({"node", "data", "item", "article", "post", "story", "_source", "document"})
_INSIDE = frozenset({"rendered", "value", "text", "raw", "html", "_text", "$t", "#text", "plain"})

_NAMES = {
    "title": "title headline webtitle heading storytitle subject caption name fullname",
    "url": "htmlurl weburl url link permalink canonicalurl articleurl pageurl shareurl storyurl "
           "externalurl fullurl href siteurl alternate uri path",
    "id": "id guid uuid objectid itemid articleid postid pageid shortid uid cid key sku slug "
          "number nodeid uri name",
    "published": "published publishedat datepublished publishedon publishdate publicationdate "
                 "pubdate webpublicationdate firstpublished firstpublishedat dategmt date "
                 "displaydate postedat createdat createdatutc createdutc created datecreated "
                 "releasedate indexedat time timestamp issued",
    "updated": "updated updatedat dateupdated lastupdated modified modifiedat modifiedgmt "
               "datemodified lastmodified editedat lasteditedat",
    "content": "contenthtml bodyhtml content body fulltext articlebody html selftexthtml "
               "storytext text bodytext selftext contenttext",
    "summary": "summary excerpt abstract description snippet trailtext standfirst teaser lead "
               "lede deck subtitle subheadline blurb",
    "authors": "authors author byline creator creators contributors writers by user username "
               "submitteruser submitter account owner",
    "tags": "tags taglist tagnames keywords categories topics labels subjects hashtags sections "
            "section category sectionname",
    "language": "language lang locale languagecode inlanguage",
}  # fmt: skip
"""Names of each field, spelt without case and underscores, the likeliest first."""

_NEXT = {
    "next": "", "nexturl": "", "nextpage": "page", "nextpageurl": "", "nextlink": "",
    "nextcursor": "cursor", "cursor": "cursor", "nextpagetoken": "pageToken", "after": "after",
    "endcursor": "after", "continuation": "continuation", "nexttoken": "nextToken",
}  # fmt: skip
"""Where answers name the page behind: spelt likewise, with the parameter that takes it."""


def guess(document: Any) -> dict[str, Any] | None:
    """Options of `json_api` for a document like this one; None where no list of pieces is found.

    Only what was found is in it: `items` is missing for a document that is the list itself.
    """
    found = [(place, _fields(place.entries)) for place in _lists(document)]
    found = [(place, mapping) for place, mapping in found if _worth(mapping, place)]
    if not found:
        return None
    place, mapping = max(found, key=lambda each: _worth(each[1], each[0]))
    options: dict[str, Any] = {"items": place.path} if place.path else {}
    options |= mapping
    options["text"] = _kind_of_text(place.entries, mapping)
    return options | _paging(document)


@dataclass(frozen=True, slots=True)
class _Place:
    """A list of objects in the document."""

    path: str
    name: str
    entries: Sequence[dict[str, Any]]  # the first few
    unwrapped: bool = False


def _lists(document: Any) -> Iterator[_Place]:
    """Every list of objects, those nearest to the root first."""
    level: list[tuple[str, str, Any]] = [("", "", document)]
    seen = 0
    for _ in range(_DEPTH):
        deeper: list[tuple[str, str, Any]] = []
        for path, name, value in level:
            if isinstance(value, list):
                yield from _unwrapped(path, name, value)
                seen += 1
            elif isinstance(value, dict):
                deeper += [(_joined(path, key), key, inner) for key, inner in value.items()]
                yield from _keyed(path, name, value)
            if seen > _MOST_LISTS:
                return
        level = deeper[:2000]


def _unwrapped(path: str, name: str, values: list[Any]) -> Iterator[_Place]:
    """The list as it is, and with each entry's wrapper (`edges[*].node`) taken off."""
    entries = [each for each in values[:_SAMPLE] if isinstance(each, dict)]
    if not entries or 2 * len(entries) < min(len(values), _SAMPLE):
        return
    yield _Place(path, name, entries)
    for key in entries[0]:
        inner = [each.get(key) for each in entries]
        if key.lower() in _WRAPPERS and all(isinstance(each, dict) for each in inner):
            wrapped = [each for each in inner if isinstance(each, dict)]
            yield _Place(f"{path or '@'}[*].{_quoted(key)}", name, wrapped, unwrapped=True)


def _keyed(path: str, name: str, values: dict[str, Any]) -> Iterator[_Place]:
    """An object whose keys are ids and whose values are the pieces."""
    if len(values) < 2 or not all(any(mark.isdigit() for mark in key) for key in values):
        return
    entries = [each for each in list(values.values())[:_SAMPLE] if isinstance(each, dict)]
    if len(entries) == min(len(values), _SAMPLE):
        yield _Place(f"values({path or '@'})", name, entries)


def _worth(mapping: dict[str, str], place: _Place) -> float:
    """How much a list looks like one of pieces; 0 without anything to read."""
    if not ({"title", "content", "summary"} & set(mapping)):
        return 0.0
    weights = {"title": 5, "url": 3, "published": 3, "content": 2, "summary": 2, "id": 2}
    extra = 1.5 if place.name.lower() in _LIST_NAMES else 0.0
    extra += 0.5 if place.unwrapped else 0.0
    return sum(weights.get(name, 1) for name in mapping) + extra + len(place.entries) / _SAMPLE


def _fields(entries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The likeliest place of each field in entries like these."""
    columns = _columns(entries)
    found: dict[str, str] = {}
    for field, spelt in _NAMES.items():
        ranks = {name: rank for rank, name in enumerate(spelt.split())}
        fitting = [
            (ranks[name] + 4 * depth, path)
            for path, (name, depth, values) in columns.items()
            if name in ranks and path not in found.values() and _FITS[field](values)
        ]
        if fitting:
            found[field] = min(fitting)[1]
    return found


def _columns(entries: Sequence[dict[str, Any]]) -> dict[str, tuple[str, int, list[Any]]]:
    """Path to name, depth and values (without nothing), two levels deep."""
    columns: dict[str, tuple[str, int, list[Any]]] = {}

    def add(path: str, name: str, depth: int, value: Any) -> None:
        if value is not None and value != "" and len(columns) < 500:
            columns.setdefault(path, (name, depth, []))[2].append(value)

    for entry in entries:
        for key, value in list(entry.items())[:100]:
            add(_quoted(key), _plain(key), 0, value)
            if isinstance(value, dict):
                for inner, below in list(value.items())[:50]:
                    outer = inner.lower() in _INSIDE and key.lower() not in _WRAPPERS
                    named = _plain(key if outer else inner)
                    add(f"{_quoted(key)}.{_quoted(inner)}", named, 1, below)
    return columns


def _most(values: list[Any], fits: Callable[[Any], bool]) -> bool:
    return bool(values) and sum(map(fits, values)) * 2 > len(values)


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not _is_address(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"(https?:/)?/\S+$", value))


def _is_page(value: Any) -> bool:
    pictures = r"\.(jpe?g|png|gif|webp|svg|mp[34]|json|xml)$|//api\.|/api/|/wp-json/"
    return _is_address(value) and not re.search(pictures, value.partition("?")[0], re.I)


def _is_date(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) >= 8 and parse_date(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    seconds = value / 1000 if value >= MILLISECONDS_FROM else value
    return seconds > _FIRST_NEWS and from_timestamp(seconds) is not None


def _is_id(values: list[Any]) -> bool:
    told = [str(each) for each in values if isinstance(each, str | int) and str(each)]
    return len(told) == len(values) == len(set(told)) and all(len(each) < 600 for each in told)


_FITS: dict[str, Callable[[list[Any]], bool]] = {
    "title": lambda values: _most(values, lambda v: _is_words(v) and len(v) < 500),
    "url": lambda values: _most(values, _is_page),
    "id": _is_id,
    "published": lambda values: _most(values, _is_date),
    "updated": lambda values: _most(values, _is_date),
    "content": lambda values: _most(values, _is_words),
    "summary": lambda values: _most(values, _is_words),
    "authors": lambda values: _most(values, lambda v: bool(names(v)) and not _is_address(v)),
    "tags": lambda values: _most(values, lambda v: not isinstance(v, int) and bool(names(v))),
    "language": lambda values: _most(values, lambda v: _is_words(v) and len(v) <= 12),
}


def _kind_of_text(entries: Sequence[dict[str, Any]], mapping: dict[str, str]) -> str:
    places = [mapping[name] for name in ("content", "summary", "title") if name in mapping]
    columns = _columns(entries)
    texts = [text(value)[:5000] for place in places for value in columns[place][2]]
    marked = re.compile(r"</?[a-z][a-z0-9]*\b[^<>]*>|&(#\d+|#x[0-9a-f]+|[a-z]{2,8});", re.I)
    return "html" if any(marked.search(each) for each in texts) else "plain"


def _paging(document: Any) -> dict[str, Any]:
    """The next page by the answer itself. A sync reads one page; older ones are for a backfill."""
    if not isinstance(document, dict):
        return {}
    places = [("", document)]
    places += [(_quoted(key), inner) for key, inner in document.items() if isinstance(inner, dict)]
    for path, values in places:
        for key, value in values.items():
            parameter = _NEXT.get(_plain(key))
            if parameter is None or isinstance(value, bool) or not text(value):
                continue
            cursor = f"{path}.{_quoted(key)}" if path else _quoted(key)
            options = {"paging": "cursor", "cursor": cursor, "pages": 1}
            if _is_address(value):
                return options
            if parameter:
                return {**options, "page_parameter": parameter}
    return {}


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) else json.dumps(key)


def _joined(path: str, key: str) -> str:
    return f"{path}.{_quoted(key)}" if path else _quoted(key)
