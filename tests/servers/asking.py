"""The tests' own way of asking a server: JSON over plain HTTP, past the proxy."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


def ask(method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """The answer's JSON. Raises `ValueError` for anything but a success."""
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
    target = where.path + (f"?{where.query}" if where.query else "")
    sent = None if body is None else json.dumps(body)
    try:
        connection.request(
            method, target, sent, {"content-type": "application/json", **(headers or {})}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status >= 300:
        raise ValueError(f"{method} {where.path} was answered {answer.status}: {text[:500]}")
    return json.loads(text) if text else None
