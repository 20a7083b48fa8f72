"""Values as cells of a CSV that a spreadsheet may open. Pure.

A cell that begins with one of these signs is a formula to a spreadsheet, and titles come from
strangers: https://owasp.org/www-community/attacks/CSV_Injection.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
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
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text[:1] in _FORMULA else text


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180), one at a time, the byte order mark first."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


class _Echo:
    """What csv writes to: gives every line back."""

    def write(self, line: str) -> str:
        return line
