"""Values as cells of a CSV that a spreadsheet may open. Pure.

A cell that begins with one of these signs is a formula to a spreadsheet, and titles come from
strangers: https://owasp.org/www-community/attacks/CSV_Injection. Every cell is quoted, so that a
spreadsheet that takes semicolons for separators finds no cell of its own within a title.
"""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # without it, Excel reads UTF-8 as Windows-1252


def cell(value: Any) -> str:
    """The value as harmless text: times in ISO 8601, lists with commas, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bool | int | float):
        return str(value)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = text.replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) or _shown(text).startswith(_FORMULA) else text


def _shown(text: str) -> str:
    """The text from its first sign on that one sees; some programs drop what stands before."""
    for at, sign in enumerate(text):
        if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Cc"):
            return text[at:]
    return ""


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180), one at a time, the byte order mark first."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


class _Echo:
    """What csv writes to: gives every line back."""

    def write(self, line: str) -> str:
        return line
