"""A story's text read once, as blocks of runs; every platform's form is written from it. Pure.

What comes in is the desk's own cleaned HTML (`articles.clean`); nothing here makes markup safe.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lxml import html

_STYLES: dict[str, Callable[["Run"], "Run"]] = {
    "bold": lambda run: replace(run, bold=True),
    "italic": lambda run: replace(run, italic=True),
    "code": lambda run: replace(run, code=True),
    "struck": lambda run: replace(run, struck=True),
}
_INLINE = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "cite": "italic",
    "code": "code", "kbd": "code", "samp": "code", "s": "struck", "del": "struck",
}  # fmt: skip
_HEADINGS = {"h2": 2, "h3": 3, "h4": 4}
_DEEPEST = 220  # a little more than `articles.clean` lets through


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    struck: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or what stands in its place."""

    kind: str  # paragraph, heading, item, quote, code, image, rule
    runs: tuple[Run, ...] = ()
    level: int = 0  # of a heading: 2 to 4; of a list's item: how deep, from 0
    number: int | None = None  # of a numbered list's item
    src: str = ""  # of an image
    alt: str = ""

    @property
    def text(self) -> str:
        """Its words without any style."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the story."""

    src: str
    alt: str


@dataclass(frozen=True, slots=True)
class Document:
    """A story's text."""

    blocks: tuple[Block, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Its images in their order."""
        return tuple(
            Picture(block.src, block.alt) for block in self.blocks if block.kind == "image"
        )


def read(markup: str) -> Document:
    """The document that the cleaned HTML makes. Never raises: odd markup becomes its words."""
    if not markup.strip():
        return Document(())
    root = html.fragment_fromstring(markup, create_parent="div")
    reader = _Reader()
    reader.walk(root, Run(""), _Place())
    reader.close(_Place())
    return Document(tuple(reader.blocks))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the document the reader stands."""

    kind: str = "paragraph"
    level: int = 0
    number: int | None = None
    deep: int = 0


class _Reader:
    """Walks the tree once and gathers runs into blocks."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._runs: list[Run] = []

    def walk(self, element: html.HtmlElement, style: Run, place: _Place) -> None:
        """Take in an element's text and children."""
        self._add(element.text, style, place)
        number = 0
        for child in element:
            name = child.tag if isinstance(child.tag, str) else ""
            if name == "li":
                number += 1
            self._child(child, name, element, style, place, number)
            self._add(child.tail, style, place)

    def _child(
        self, child: html.HtmlElement, name: str, parent: html.HtmlElement, style: Run,
        place: _Place, number: int,
    ) -> None:  # fmt: skip
        if not name or place.deep > _DEEPEST:
            self._add(child.text_content() if name else "", style, place)
        elif name == "br":
            self._runs.append(replace(style, text="\n"))
        elif name == "img":
            self._image(child, place)
        elif name == "hr":
            self.close(place)
            self.blocks.append(Block("rule"))
        elif name in _INLINE:
            self.walk(child, _STYLES[_INLINE[name]](style), _deeper(place))
        elif name == "a":
            self.walk(child, replace(style, href=child.get("href", "")), _deeper(place))
        elif (inside := _place_of(name, parent, place, number)) is not None:
            self.close(place)
            self.walk(child, style, inside)
            self.close(inside)
        else:
            self.walk(child, style, _deeper(place))

    def _image(self, child: html.HtmlElement, place: _Place) -> None:
        self.close(place)
        if src := child.get("src", ""):
            self.blocks.append(Block("image", src=src, alt=" ".join(child.get("alt", "").split())))

    def _add(self, text: str | None, style: Run, place: _Place) -> None:
        if not text:
            return
        if place.kind != "code":
            text = _spaced(text)
            if text == " " and not self._runs:
                return
        self._runs.append(replace(style, text=text))

    def close(self, place: _Place) -> None:
        """End the block that is being read."""
        runs = _joined(self._runs, trim=place.kind != "code")
        self._runs = []
        if runs:
            self.blocks.append(Block(place.kind, runs, place.level, place.number))


def _deeper(place: _Place) -> _Place:
    return replace(place, deep=place.deep + 1)


def _place_of(name: str, parent: html.HtmlElement, place: _Place, number: int) -> _Place | None:
    """The place that a block element opens; None for an inline one."""
    deep = place.deep + 1
    if name in _HEADINGS:
        return _Place("heading", _HEADINGS[name], None, deep)
    if name == "li":
        ordered = parent.tag == "ol"
        start = parent.get("start", "1")
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
        level = place.level if place.kind == "list" else 0
        return _Place("item", level, first + number - 1 if ordered else None, deep)
    if name in ("ul", "ol"):
        level = place.level + 1 if place.kind == "item" else 0
        return _Place("list", level, None, deep)
    if name in ("p", "tr", "dt", "dd", "figure", "figcaption", "table", "tbody", "thead", "dl"):
        return replace(place, deep=deep)
    if name == "blockquote":
        return _Place("quote", 0, None, deep)
    if name == "pre":
        return _Place("code", 0, None, deep)
    return None


def _spaced(text: str) -> str:
    """White space as HTML means it: any amount of it is one space."""
    return " ".join(f"x{text}x".split())[1:-1] if text.strip() else " "


def _joined(runs: list[Run], *, trim: bool) -> tuple[Run, ...]:
    """Runs of one style as one, without the spaces that no reader would see."""
    merged: list[Run] = []
    for run in runs:
        if merged and replace(merged[-1], text="") == replace(run, text=""):
            merged[-1] = replace(run, text=merged[-1].text + run.text)
        else:
            merged.append(run)
    if trim:
        merged = list(_trimmed(merged))
    return tuple(run for run in merged if run.text)


def _trimmed(runs: list[Run]) -> Iterator[Run]:
    after_space = True
    for position, run in enumerate(runs):
        text = run.text.replace(" \n", "\n").replace("\n ", "\n")
        if after_space:
            text = text.lstrip(" \n") if position == 0 else text.lstrip(" ")
        if all(not later.text.strip() for later in runs[position + 1 :]):
            text = text.rstrip()
        if text:
            after_space = text[-1] in " \n"
        yield replace(run, text=text)
