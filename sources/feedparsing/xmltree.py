"""A feed's bytes as a tree: bounded, repaired where it must be, nothing followed. Pure."""

import re
from typing import Any

from lxml import etree

from sources.feedparsing import FeedError, Unreadable
from sources.feedparsing.decoding import to_utf8
from sources.feedparsing.prolog import without_doctype
from sources.feedparsing.repair import repaired, with_closed_breaks
from sources.feedparsing.vocabulary import Element

_DEEPEST, _MOST_ATTRIBUTES, _MOST_ELEMENTS = 256, 500, 200_000
_OPTIONS: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False,
    "huge_tree": False, "remove_comments": True, "remove_pis": True, "encoding": "utf-8",
}  # fmt: skip
_LONG_TAG = re.compile(rb"<[A-Za-z_][^<>]{5000,}")


def tree(document: bytes, content_type: str) -> tuple[Element, list[str]]:
    """The outermost element, with warnings when something had to be repaired.

    Raises `FeedError` for what is hostile, `Unreadable` for what is only broken.
    """
    document, warnings = to_utf8(document, content_type)
    document, entities = without_doctype(document)
    _must_be_sane(document)
    try:
        return etree.fromstring(document, etree.XMLParser(**_OPTIONS)), warnings
    except (etree.XMLSyntaxError, ValueError) as problem:
        strictly = str(problem)
    _must_not_be_hostile(strictly)
    document, wrong = repaired(document, entities)
    warnings += wrong
    try:
        root = etree.fromstring(document, etree.XMLParser(**_OPTIONS))
    except (etree.XMLSyntaxError, ValueError):
        root = _recovered(document)
    if root is None:
        raise Unreadable(f"This can't be read as XML: {strictly[:200]}.")
    return root, [*warnings, f"The XML has errors and was repaired: {strictly[:200]}."]


def _recovered(document: bytes) -> Element | None:
    parser = etree.XMLParser(recover=True, **_OPTIONS)
    try:
        root = etree.fromstring(with_closed_breaks(document), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    for problem in parser.error_log:
        _must_not_be_hostile(problem.message)
    return root


def _must_not_be_hostile(problem: str) -> None:
    """What libxml2 gave up on to protect itself is no mistake to mend."""
    if "xcessive depth" in problem or "depth in document" in problem:
        raise FeedError(f"The document is nested deeper than {_DEEPEST} levels.")


def _must_be_sane(document: bytes) -> None:
    """Refuse what costs far more memory than it says: crowds of elements and of attributes."""
    if document.count(b"<") > _MOST_ELEMENTS:
        outside = re.sub(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)", b"", document, flags=re.S)
        if outside.count(b"<") - outside.count(b"</") > _MOST_ELEMENTS:
            raise FeedError("The document has more elements than any feed.")
    if document.count(b"=") > _MOST_ATTRIBUTES and any(
        match[0].count(b"=") > _MOST_ATTRIBUTES for match in _LONG_TAG.finditer(document)
    ):
        raise FeedError("An element of the document has far too many attributes.")
