"""JSON in and out, and pages. Apart from `config.api`, because REST framework loads these first."""

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import exceptions, parsers, renderers
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

_DEEPEST = 50  # levels of JSON; no body of ours needs a tenth of it


class OrjsonRenderer(renderers.BaseRenderer):
    """JSON by orjson."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes of `data`; none for an empty answer."""
        if data is None:
            return b""
        try:
            return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)
        except orjson.JSONEncodeError:
            # orjson knows whole numbers up to 64 bits; a source's metadata may hold longer ones.
            return json.dumps(data, cls=JSONEncoder).encode()


class StrictJSONParser(parsers.JSONParser):
    """JSON that can be stored: no NUL, no lone surrogate, no monstrous depth or number."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value; raises `ParseError` with what is wrong."""
        try:
            value = orjson.loads(stream.read())
        except orjson.JSONDecodeError as problem:
            raise exceptions.ParseError(f"The body is not JSON: {problem}.") from None
        _check_storable(value)
        return value


class NewestFirst(CursorPagination):
    """Pages by key, not by offset: page 2,000 costs what page 1 costs, and inserts move nothing.

    By number, not by time: a whole sync is stored at one moment, and within equal values REST
    framework's cursor falls back to an offset.
    """

    ordering = ("-id",)
    page_size_query_param = "page_size"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The request's cursor, if any; raises `ParseError` for one that we never gave out."""
        with contextlib.suppress(exceptions.NotFound):
            cursor = super().decode_cursor(request)
            if cursor is None or cursor.position is None:
                return cursor
            # REST framework believes any position and would look for an article numbered "abc".
            if re.fullmatch(r"[0-9]{1,18}", str(cursor.position)):
                return cursor
        raise exceptions.ParseError("This cursor is not ours: follow `next` and `previous`.")


def _check_storable(value: Any) -> None:
    """Raise `ParseError` for what PostgreSQL can't store or a function can't walk through."""
    waiting = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, str) and "\x00" in each:
            raise exceptions.ParseError("A text holds the character NUL, which can't be stored.")
        if isinstance(each, list | dict):
            if depth > _DEEPEST:
                raise exceptions.ParseError(f"The JSON is nested deeper than {_DEEPEST} levels.")
            inside = [*each, *each.values()] if isinstance(each, dict) else each
            waiting.extend((part, depth + 1) for part in inside)
