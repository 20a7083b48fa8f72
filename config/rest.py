"""JSON in and out, and pages. Apart from `config.api`, because REST framework loads these first."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import exceptions, parsers, renderers
from rest_framework.pagination import CursorPagination

_DEEPEST = 50  # levels of JSON; no body of ours needs a tenth of it


class OrjsonRenderer(renderers.BaseRenderer):
    """JSON by orjson. A problem goes out as `application/problem+json` (RFC 9457)."""

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
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class StrictJSONParser(parsers.JSONParser):
    """JSON that can be stored: no NUL, no lone surrogate, no monstrous depth or number."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value; raises `ParseError` with what is wrong."""
        body = stream.read()
        if _depth(body) > _DEEPEST:
            raise exceptions.ParseError(f"The JSON is nested deeper than {_DEEPEST} levels.")
        try:
            return _without_nul(orjson.loads(body))
        except orjson.JSONDecodeError as problem:
            raise exceptions.ParseError(f"The body is not JSON: {problem}.") from None


class NewestFirst(CursorPagination):
    """Pages by key, not by offset: page 2,000 costs what page 1 costs, and inserts move nothing.

    By number, not by time: a whole sync is stored at one moment, and within equal values REST
    framework's cursor falls back to an offset.
    """

    ordering = ("-id",)
    page_size_query_param = "page_size"
    max_page_size = 100


def _depth(body: bytes) -> int:
    """How deep the brackets go; brackets inside strings are not counted."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _without_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise exceptions.ParseError("A text holds the character NUL, which can't be stored.")
    if isinstance(value, list):
        for each in value:
            _without_nul(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            _without_nul(key)
            _without_nul(each)
    return value
