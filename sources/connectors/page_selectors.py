"""Pieces out of a page that has no feed: by CSS selectors, or a guess of them. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from articles.wire import WireCopy
from sources.errors import Misconfigured, NotAFeed
from sources.feedparsing.dates import parse_date
from sources.feedparsing.identity import identity
from sources.webpages import WebPage, joined, words

MOST_PIECES = 200
LONGEST = 300  # characters of a selector
_MOST_STEPS = 5  # combinators of a selector
_OWN_DATE = ("datetime", "content", "data-date", "data-time", "title")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_DAY_FIRST = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b")
_SOME_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}\.?(?:st|nd|rd|th)?\s+[A-Za-z]{3,9}\.?,?\s+\d{4}(?:,?\s+\d{1,2}:\d{2})?"
    r"|[A-Za-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}(?:,?\s+\d{1,2}:\d{2})?"
    r"|\d{1,2}/\d{1,2}/\d{4}"
)
_FURNITURE = re.compile(r"\b(nav|navigation|menu|footer|sidebar|breadcrumbs?|cookies?)\b", re.I)
_FORMULA = re.compile(r":nth-[a-z-]+\([^()]*\)|\[[^\[\]]*\]")  # :nth-child(2n+1), [class~=x]
_USUAL = {
    "date": ("time", ".date", ".published", ".time", ".timestamp", "[datetime]"),
    "author": ("[rel=author]", ".author", ".byline"),
    "image": ("img",),
}
LABELS = {
    "item": "Piece", "title": "Title", "link": "Link", "summary": "Summary", "date": "Date",
    "author": "Author", "image": "Picture",
}  # fmt: skip


class Selectors:
    """Where the pieces of a page are. Raises `Misconfigured` naming the option."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._found = {
            name: _compiled(options[name], name) for name in LABELS if str(options[name]).strip()
        }
        if "item" not in self._found:
            raise Misconfigured("Say which element holds one piece.", option="item")
        self._item = options["item"]
        self._date_attribute = str(options["date_attribute"]).strip()

    def read(self, page: WebPage) -> tuple[tuple[WireCopy, ...], tuple[str, ...]]:
        """The pieces of the page, each link once, and warnings. Raises `NotAFeed` for none."""
        elements = _select(self._found["item"], page.tree)
        copies = [self._copy(each, page) for each in elements[:MOST_PIECES]]
        usable = {copy.external_id: copy for copy in reversed(copies) if copy.title and copy.url}
        if not usable:
            found = f"finds {len(elements)} elements" if elements else "finds nothing"
            raise NotAFeed(
                f"“{self._item}” {found} on the page"
                f"{', none of them with a title and a link' if elements else ''}. The page may "
                "have changed, or is built in the browser by scripts."
            )
        warnings = []
        if len(elements) > MOST_PIECES:
            warnings.append(f"Only the first {MOST_PIECES} of {len(elements)} pieces were read.")
        return tuple(reversed(usable.values())), tuple(warnings)

    def _copy(self, element: Any, page: WebPage) -> WireCopy:
        link = self._link(element, page)
        title = self._text("title", element, 500) or _title_of(element)
        image = self._first("image", element)
        published = self._date(element)
        return WireCopy(
            external_id=identity("", link, title, published),
            title=title,
            url=link,
            summary=self._text("summary", element, 5000),
            authors=tuple(filter(None, (self._text("author", element, 200),))),
            language=page.language,
            published_at=published,
            metadata={"image": found} if (found := _picture(image, page.base)) else {},
        )

    def _first(self, name: str, element: Any) -> Any:
        selector = self._found.get(name)
        return next(iter(_select(selector, element)), None) if selector is not None else None

    def _text(self, name: str, element: Any, most: int) -> str:
        found = self._first(name, element)
        return words(found, most) if found is not None else ""

    def _link(self, element: Any, page: WebPage) -> str:
        chosen = self._first("link", element)
        start = chosen if chosen is not None else element
        anchors = [start, *start.iter("a"), *start.iterancestors("a")]
        hrefs = (each.get("href") for each in anchors if each.tag == "a" and each.get("href"))
        return next((url for href in hrefs if (url := joined(page.base, href))), "")

    def _date(self, element: Any) -> datetime | None:
        found = self._first("date", element)
        if found is None:
            return None
        if self._date_attribute:
            return parse_date(found.get(self._date_attribute) or "")
        own = (found.get(name) for name in _OWN_DATE if found.get(name))
        return next((date for text in [*own, words(found, 200)] if (date := _date_in(text))), None)


@dataclass(frozen=True, slots=True)
class _Group:
    """Elements of one kind that hold a link each."""

    selector: str
    elements: Sequence[Any]
    worth: int


def guess(page: WebPage) -> dict[str, str] | None:
    """Selectors of the page's list of pieces, where it is obvious; None where it is not."""
    groups = sorted(_groups(page), key=lambda group: group.worth, reverse=True)
    for group in groups[:5]:
        if len(_select(_compiled(group.selector, "item"), page.tree)) <= 1.5 * len(group.elements):
            return {"item": group.selector, **_inner(group.elements)}
    return None


def _groups(page: WebPage) -> Iterator[_Group]:
    """Ancestors of links with real words, grouped by tag and class; the outermost that fit."""
    levels: dict[str, dict[Any, dict[str, int]]] = {}
    for link in list(page.tree.iter("a"))[:3000]:
        url, said = joined(page.base, link.get("href") or ""), words(link, 80)
        if not url or len(said) < 15 or any(_is_furniture(each) for each in link.iterancestors()):
            continue
        for depth, ancestor in enumerate([link, *link.iterancestors()]):
            if depth > 6 or ancestor.tag in ("body", "html", "main", "ul", "ol", "tbody", "table"):
                break
            inside = levels.setdefault(_named(ancestor), {}).setdefault(ancestor, {})
            inside[url] = max(inside.get(url, 0), len(said))
    for selector, elements in levels.items():
        alone = [inside for inside in elements.values() if len(inside) <= 2]
        if len(elements) >= 3 and 5 * len(alone) >= 4 * len(elements):
            worth = sum(max(inside.values()) for inside in alone)
            # Among equals the outermost: the date and the summary stand beside the link.
            size = min(len(each) for each in elements)
            yield _Group(selector, list(elements), worth * 10 + min(size, 9) + _kindness(selector))


def _inner(elements: Sequence[Any]) -> dict[str, str]:
    """Selectors within the pieces, for what most of them have."""

    def most_have(fits: Callable[[Any], bool]) -> bool:
        return 2 * sum(map(fits, elements)) > len(elements)

    found: dict[str, str] = {}
    headings = Counter(
        first.tag for each in elements if (first := next(each.iter(*_HEADINGS), None)) is not None
    )
    if headings and 2 * max(headings.values()) > len(elements):
        found["title"] = headings.most_common(1)[0][0]
        if most_have(lambda each: each.find(f".//{found['title']}//a[@href]") is not None):
            found["link"] = f"{found['title']} a"
    if "link" not in found and elements[0].tag != "a":
        found["link"] = "a"
    if most_have(lambda each: any(len(words(p, 100)) >= 40 for p in each.iter("p"))):
        found["summary"] = "p"
    for name, selectors in _USUAL.items():
        paths = {selector: _compiled(selector, name) for selector in selectors}
        fitting = (each for each in selectors if most_have(_holds(paths[each])))
        if selector := next(fitting, ""):
            found[name] = selector
    return found


def _holds(path: etree.XPath) -> Callable[[Any], bool]:
    return lambda element: bool(_select(path, element))


def _compiled(selector: Any, option: str) -> etree.XPath:
    """The selector as XPath. Raises `Misconfigured` with what is wrong and where."""
    text, label = str(selector).strip(), LABELS[option]
    if len(text) > LONGEST:
        raise Misconfigured(f"“{label}” is longer than {LONGEST} characters.", option=option)
    # libxml2 needs minutes for p + p on a page of 50,000 paragraphs, and seven steps for 15 s.
    if re.search(r"[+~]", _FORMULA.sub("", text)) or len(re.findall(r"[\s>]+", text)) > _MOST_STEPS:
        raise Misconfigured(
            f"“{label}”: at most {_MOST_STEPS} steps, none of them with “+” or “~”; such selectors "
            "take very long on large pages.",
            option=option,
        )
    try:
        return etree.XPath(HTMLTranslator().css_to_xpath(text, prefix="descendant::"))
    except (SelectorError, etree.XPathError, ValueError, RecursionError) as problem:
        raise Misconfigured(
            f"“{label}” is no CSS selector that can be used: {problem!s:.150}.", option=option
        ) from None


def _select(path: etree.XPath, element: Any) -> list[Any]:
    try:
        found: Any = path(element)
    except etree.XPathError:
        return []
    return [each for each in found if isinstance(each.tag, str)]


def _title_of(element: Any) -> str:
    heading = next(element.iter(*_HEADINGS), None)
    if heading is None:
        heading = next((each for each in element.iter("a") if words(each, 10)), element)
    return words(heading, 500)


def _picture(image: Any, base: str) -> str:
    if image is None:
        return ""
    if image.tag != "img":
        image = next(image.iter("img"), image)
    first = (image.get("srcset") or "").strip().partition(" ")[0].rstrip(",")
    given = (image.get("src"), image.get("data-src"), first, image.get("content"))
    return next((url for each in given if each and (url := joined(base, each))), "")


def _date_in(text: str) -> datetime | None:
    text = _DAY_FIRST.sub(r"\3-\2-\1", text)
    text = re.sub(r"\b(\d{4})-(\d)-", r"\1-0\2-", text)
    text = re.sub(r"\b(\d{4}-\d\d)-(\d)\b(?!\d)", r"\1-0\2", text)
    if date := parse_date(text):
        return date
    inside = _SOME_DATE.search(text)
    return parse_date(inside[0]) if inside else None


def _named(element: Any) -> str:
    """Its tag and first class that can stand in a selector."""
    classes = (element.get("class") or "").split()
    usable = (each for each in classes if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,60}", each))
    first = next(usable, "")
    return f"{element.tag}.{first}" if first else str(element.tag)


def _is_furniture(element: Any) -> bool:
    """Menus and the like; an article has a header of its own, which is none."""
    about = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}"
    if _FURNITURE.search(about):
        return True
    if element.tag not in ("nav", "header", "footer", "aside", "form"):
        return False
    return next(element.iterancestors("article"), None) is None


def _kindness(selector: str) -> int:
    tag = selector.partition(".")[0]
    return {"article": 30, "li": 10, "tr": 10}.get(tag, 0) + (5 if "." in selector else 0)
