"""A feed's bytes as a tree: bounded, repaired where it must be, nothing followed. Pure."""

import re
from typing import Any

from lxml import etree

from sources.feedparsing import FeedError, Unreadable
from sources.feedparsing.decoding import to_utf8, without_c1
from sources.feedparsing.prolog import without_doctype
from sources.feedparsing.repair import cdata_apart, repaired, without_html_habits
from sources.feedparsing.vocabulary import Element

_DEEPEST, _MOST_NODES, _MOST_SECTIONS = 256, 300_000, 100_000
_OPTIONS: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False,
    "huge_tree": False, "remove_comments": True, "remove_pis": True, "encoding": "utf-8",
}  # fmt: skip
_HARMLESS = 2 * _MOST_NODES  # bytes: an element takes four at least and counts two
_TAG = re.compile(rb"<[A-Za-z_][^<>]+")


def tree(document: bytes, content_type: str) -> tuple[Element, list[str]]:
    """The outermost element, with warnings when something had to be repaired.

    Raises `FeedError` for what is hostile, `Unreadable` for what is only broken.
    """
    document, warnings = to_utf8(document, content_type)
    _must_be_sane(document)
    document, entities = without_doctype(document)
    document = without_c1(document)
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
        root = etree.fromstring(without_html_habits(document), parser)
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
    """Refuse what costs far more memory than it says: crowds of elements, attributes and sections.

    libxml2 takes about 400 bytes for an element with its text and 200 for an attribute.
    """
    if len(document) < _HARMLESS or 2 * document.count(b"<") + document.count(b"=") < _MOST_NODES:
        return
    if min(document.count(b"<![CDATA["), document.count(b"]]>")) > _MOST_SECTIONS:
        raise FeedError("The document has more CDATA sections than any feed.")
    outside = b"".join(cdata_apart(document)[::2])
    elements = outside.count(b"<") - outside.count(b"</")
    if elements > _MOST_NODES // 2:
        raise FeedError("The document has more elements than any feed.")
    attributes = sum(tag[0].count(b"=") for tag in _TAG.finditer(outside))
    if 2 * elements + attributes > _MOST_NODES:
        raise FeedError("The elements of the document have far too many attributes.")
