"""Bluesky's rich text as HTML. Pure.

A post is plain text with facets: stretches of its UTF-8 bytes that are links, mentions or tags.
https://docs.bsky.app/docs/advanced-guides/post-richtext
"""

import html
from collections.abc import Sequence
from urllib.parse import quote

from sources.connectors.reading import Json, address, parts, text

_APP = "https://bsky.app"
_MOST_FACETS = 200


def as_html(record: Json) -> str:
    """The post's text, escaped, its facets linked; paragraphs where it has empty lines."""
    raw = text(record, "text").encode()
    marked, at = [], 0
    for start, end, target in _facets(record, len(raw)):
        if start < at:
            continue  # two facets over the same bytes: the first one counts
        marked += [_escaped(raw[at:start]), f'<a href="{html.escape(target)}">']
        marked += [_escaped(raw[start:end]), "</a>"]
        at = end
    marked.append(_escaped(raw[at:]))
    blocks = (block.strip() for block in "".join(marked).split("\n\n"))
    return "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if block)


def tags_of(record: Json) -> tuple[str, ...]:
    """The hashtags in its facets and beside its text, without #, each once."""
    named = [
        text(feature, "tag")
        for facet in parts(record, "facets")[:_MOST_FACETS]
        for feature in parts(facet, "features")
    ]
    beside = record.get("tags")
    named += [each for each in beside if isinstance(each, str)] if isinstance(beside, list) else []
    return tuple(dict.fromkeys(name.lstrip("#")[:100] for name in named if name.strip("# ")))


def _facets(record: Json, length: int) -> Sequence[tuple[int, int, str]]:
    """Where links begin and end, and where they lead; sorted, and within the text."""
    found = []
    for facet in parts(record, "facets")[:_MOST_FACETS]:
        index = facet.get("index")
        start, end = (
            (index.get("byteStart"), index.get("byteEnd"))
            if isinstance(index, dict)
            else (None, None)
        )
        target = next(filter(None, map(_target, parts(facet, "features"))), "")
        if type(start) is int and type(end) is int and 0 <= start < end <= length and target:
            found.append((start, end, target))
    return sorted(found)


def _target(feature: Json) -> str:
    if link := address(feature, "uri"):
        return link
    if did := text(feature, "did"):
        return f"{_APP}/profile/{quote(did, safe=':')}"
    tag = text(feature, "tag")
    return f"{_APP}/hashtag/{quote(tag, safe='')}" if tag else ""


def _escaped(raw: bytes) -> str:
    """A stretch that begins or ends within a character loses that character, no more."""
    return html.escape(raw.decode(errors="ignore"), quote=False)
