"""What a probe may ask: `/livez`, does the process answer; `/readyz`, can it work."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError


@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing else, so that a slow database never restarts the web."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 without the database or with migrations to come; with Redis down only "degraded",
    because editing and publishing go on."""
    parts = {"database": _database(), "redis": _redis()}
    if parts["database"] != "ok":
        status = "unavailable"
    elif parts["redis"] != "ok":
        status = "degraded"
    else:
        status = "ok"
    return JsonResponse(
        {"status": status, "parts": parts}, status=503 if status == "unavailable" else 200
    )


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are waiting"
    except DatabaseError:
        return "unreachable"
    return "ok"


def _redis() -> str:
    try:
        cache.get("readyz")
    except RedisError:
        return "unreachable"
    return "ok"
