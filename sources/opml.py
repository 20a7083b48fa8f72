"""Lists of feeds as OPML, the format that every reader imports and exports. Pure.

http://opml.org/spec2.opml. Documents in the wild are loose (bare ampersands, upper case, folders
in folders), so reading is as forgiving as for feeds, and as guarded: nothing is followed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

from articles.clean import strip_invisible
from sources.feedparsing import FeedError, Unreadable
from sources.feedparsing.decoding import to_utf8
from sources.feedparsing.vocabulary import Element
from sources.feedparsing.xmltree import tree

MOST_BYTES = 5 * 1024 * 1024
MOST_FEEDS = 5_000
_LONGEST_URL, _LONGEST_NAME, _LONGEST_SECTION, _LONGEST_OPTIONS = 2000, 120, 60, 10_000
_OUTER_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s<>]{1,200}\s+(?:SYSTEM|PUBLIC)\b", re.I)
_OURS = "urn:newsdesk:opml"
"""The namespace of what OPML has no words for: a source that is no feed. Readers skip it."""


class BadOpml(ValueError):
    """The document is no list of feeds; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of a list. Nothing of it has been checked but its lengths."""

    url: str
    name: str = ""
    section: str = ""  # the folders it lies in, outermost first
    site: str = ""  # the page that it belongs to
    connector: str = "feed"
    options: Mapping[str, Any] = field(default_factory=dict)


def read(document: bytes) -> tuple[list[Outline], list[str]]:
    """The feeds in their order, and what was wrong with the document; raises `BadOpml`."""
    if len(document) > MOST_BYTES:
        raise BadOpml(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.")
    if not document.strip():
        raise BadOpml("The file is empty.")
    try:
        if _OUTER_ENTITY.search(to_utf8(document, "")[0]):
            raise BadOpml(
                "The file names entities outside of it, as attacks do; no list of feeds needs "
                "them. Remove its DOCTYPE."
            )
        root, warnings = tree(document, "")
    except Unreadable:
        raise BadOpml("The file is no OPML: it can't be read as XML.") from None
    except FeedError as problem:
        raise BadOpml(f"The file can't be read: {problem}") from None
    if _name(root) != "opml":
        raise BadOpml(f"The file is no OPML: its outermost element is “{_name(root)[:60]}”.")
    found = list(_outlines(root))
    if not found:
        raise BadOpml("The list holds no feed: no outline has an address (xmlUrl).")
    if len(found) > MOST_FEEDS:
        warnings.append(f"Only the first {MOST_FEEDS} of {len(found)} feeds were read.")
    return found[:MOST_FEEDS], warnings


def write(title: str, outlines: Iterable[Outline], made_at: datetime) -> bytes:
    """The list as OPML 2.0, a folder for each section; ends with a line break."""
    root = etree.Element("opml", version="2.0", nsmap={"newsdesk": _OURS})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _writable(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(made_at)
    body = etree.SubElement(root, "body")
    folders: dict[str, Element] = {"": body}
    for each in outlines:
        section = _writable(each.section)
        if section not in folders:
            folders[section] = etree.SubElement(body, "outline", text=section, title=section)
        _write(folders[section], each)
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return written


def _write(folder: Element, each: Outline) -> None:
    name, url = _writable(each.name), _writable(each.url)
    told = {"text": name, "title": name}
    if each.connector == "feed":
        told |= {"type": "rss", "xmlUrl": url}
    else:
        told |= {
            f"{{{_OURS}}}connector": each.connector,
            f"{{{_OURS}}}address": url,
            f"{{{_OURS}}}options": json.dumps(dict(each.options), sort_keys=True),
        }
    if each.site:
        told["htmlUrl"] = _writable(each.site)
    etree.SubElement(folder, "outline", told)


def _outlines(root: Element) -> Iterable[Outline]:
    """Every outline with an address, with the names of those around it. Not recursive."""
    ahead: list[tuple[Element, tuple[str, ...]]] = [(root, ())]
    while ahead:
        element, folders = ahead.pop()
        inside = folders
        if _name(element) == "outline":
            told = _attributes(element)
            name = _line(told.get("title") or told.get("text", ""))[:_LONGEST_NAME]
            outline = _outline(told, name, folders)
            if outline is not None:
                yield outline
            elif name:
                inside = (*folders, name)
        ahead += [(child, inside) for child in reversed(element)]


def _outline(told: Mapping[str, str], name: str, folders: tuple[str, ...]) -> Outline | None:
    section = " / ".join(folders)[:_LONGEST_SECTION].strip()
    site = told.get("htmlurl", "").strip()[:_LONGEST_URL]
    if url := (told.get("xmlurl") or told.get("xml_url") or "").strip():
        return Outline(url[:_LONGEST_URL], name, section, site)
    connector = told.get("newsdesk:connector", "").strip()
    if not connector:
        return None
    return Outline(
        url=told.get("newsdesk:address", "").strip()[:_LONGEST_URL],
        name=name,
        section=section,
        connector=connector[:40],
        options=_options(told.get("newsdesk:options", "")),
    )


def _options(text: str) -> dict[str, Any]:
    """The options as written; none where they are no object. The connector checks them."""
    if len(text) > _LONGEST_OPTIONS:
        return {}
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _attributes(element: Element) -> dict[str, str]:
    """By their names in lower case, ours with a prefix."""
    return {
        str(name).lower().replace(f"{{{_OURS}}}", "newsdesk:"): str(value)
        for name, value in element.attrib.items()
    }


def _name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _line(text: str) -> str:
    return " ".join(strip_invisible(text).split())


def _writable(text: str) -> str:
    """Without what XML can't hold."""
    return strip_invisible(text).replace("\ufffe", "").replace("\uffff", "")
