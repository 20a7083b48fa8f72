"""Pieces of Markdown that several pages share."""

import re
from collections.abc import Sequence
from typing import Any, Protocol


class Asked(Protocol):
    """What a form asks for: a source's `Option`, a channel's `Field`."""

    @property
    def label(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def default(self) -> Any: ...
    @property
    def choices(self) -> Sequence[tuple[str, str]]: ...


def fields(asked: Sequence[Asked]) -> list[str]:
    """A table of what a form asks for, with an empty line after it; nothing for nothing."""
    if not asked:
        return []
    return ["| Field | Default | |\n| --- | --- | --- |", *(_field(each) for each in asked), ""]


def cell(text: str) -> str:
    """Text that can stand in a table."""
    return text.replace("|", "&#124;").replace("\n", " ")


def anchor(title: str) -> str:
    """As GitHub makes one of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _field(asked: Asked) -> str:
    words = [f"{asked.help.rstrip('.')}."] if asked.help else []
    words += [f"`{key}`: {label}." for key, label in asked.choices]
    secret = " (secret)" if asked.kind == "secret" else ""
    default = f"`{asked.default}`" if asked.default not in ("", None, False) else ""
    return f"| {asked.label}{secret} | {default} | {cell(' '.join(words))} |"
