"""What stands before a document's first element: declarations and their entities. Pure.

No feed needs a document type. It is cut off, and of the entities that it declares only those are
kept that stand for a few plain characters: nothing can grow, nothing is fetched.
"""

import re

from sources.feedparsing import FeedError

_LONGEST_ENTITY, _MOST_ENTITIES = 200, 300
_DECLARED = re.compile(
    rb"""<!ENTITY\s+([A-Za-z_][\w.-]{0,60})\s+(?:"([^"]*)"|'([^']*)')\s*>""", re.I
)
_REFERENCE = re.compile(rb"&(?!#)[^;]*;|%[A-Za-z_]")
_SPACES = re.compile(rb"[\s>]*")
_START = re.compile(rb"<(?:[A-Za-z_]|\?xml\s)|<!(?:--|DOCTYPE)", re.I)


def without_doctype(document: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The document from its first mark-up on, without document type, and its own entities.

    Raises `FeedError` for entities made of others: so begins a bomb.
    """
    first = _START.search(document)
    if first is None:
        return document, {}
    at = begin = first.start()
    while True:
        at = _after_spaces(document, at)
        if document.startswith(b"<?", at):
            end = document.find(b"?>", at)
        elif document.startswith(b"<!--", at):
            end = document.find(b"-->", at)
        else:
            break
        if end < 0:
            break
        at = end + 2
        at += document.startswith(b">", at)
    if document[at : at + 9].upper() != b"<!DOCTYPE":
        return document[begin:], {}
    end = _end_of_doctype(document, at)
    return document[begin:at] + document[end:], _entities(document[at:end])


def _after_spaces(document: bytes, at: int) -> int:
    match = _SPACES.match(document, at)
    return match.end() if match else at


def _end_of_doctype(document: bytes, at: int) -> int:
    end = document.find(b">", at)
    inside = document.find(b"[", at)
    if 0 <= inside < end:
        close = re.compile(rb"\]\s*>").search(document, inside)
        end = close.end() - 1 if close else -1
    return end + 1 if end >= 0 else at


def _entities(doctype: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for match in _DECLARED.finditer(doctype):
        value = match[2] if match[2] is not None else match[3]
        if _REFERENCE.search(value):
            raise FeedError(
                "The document declares entities made of other entities; no feed needs that."
            )
        if len(value) > _LONGEST_ENTITY:
            raise FeedError("The document declares entities of great length; no feed needs that.")
        if b"<" not in value and len(found) < _MOST_ENTITIES:
            found.setdefault(match[1], value)
    return found
