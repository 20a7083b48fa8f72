"""What a probe may ask: `/livez`, does the process answer; `/readyz`, can it work.

Answered before every other middleware: a probe calls the container by its own address and in
plain http, which neither ALLOWED_HOSTS nor the redirect to https would let pass.
"""

import functools
from collections.abc import Callable

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError


class Probes:
    """The middleware that answers both."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._everything_else = get_response
        self._answers = {"/livez": livez, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answers.get(request.path_info, self._everything_else)(request)


@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a slow database never restarts the web."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """503 without the database or with migrations to come; with Redis down only "degraded",
    because editing and publishing go on."""
    parts = {**_database(), "redis": _redis()}
    if parts["database"] != "ok" or parts["migrations"] != "ok":
        status = "unavailable"
    elif parts["redis"] != "ok":
        status = "degraded"
    else:
        status = "ok"
    return JsonResponse(
        {"status": status, "parts": parts}, status=503 if status == "unavailable" else 200
    )


def _database() -> dict[str, str]:
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except Error:
        return {"database": "unreachable", "migrations": "unknown"}
    waiting = _needed() - applied.keys()
    return {"database": "ok", "migrations": f"{len(waiting)} waiting" if waiting else "ok"}


@functools.cache
def _needed() -> frozenset[tuple[str, str]]:
    """Every migration of this release: read once, files don't change under a running process."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)


def _redis() -> str:
    try:
        cache.get("readyz")
    except RedisError:
        return "unreachable"
    return "ok"
