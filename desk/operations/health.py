"""What a load balancer and the launcher ask: does this process turn, and can it do its work."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@never_cache
@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"alive": True})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database is migrated and the cache answers, else 503. It names the part, never the cause."""
    parts = {"database": _database_is_ready(), "cache": _cache_is_ready()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _database_is_ready() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _cache_is_ready() -> bool:
    try:
        cache.get("readyz")
    except (RedisError, OSError):
        return False
    return True
