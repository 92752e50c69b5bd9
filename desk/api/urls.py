"""The REST API under /api/v1; its description at openapi.json, for those who may call it."""

from typing import Any

from django.urls import path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from desk.api import problems
from desk.api.authentication import AUTHENTICATION, for_callers
from desk.api.routes import denials, limits, markets, operations, orders, parents, queue, strategies


class DescribedOnce(NinjaAPI):
    """Its description does not change while the process lives, and takes a third of a second to make."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description for addresses that begin with the prefix, made when it is first asked for."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        known: dict[str, OpenAPISchema] = self.__dict__.setdefault("descriptions", {})
        if prefix not in known:
            known[prefix] = super().get_openapi_schema(path_prefix=prefix)
        return known[prefix]


api = DescribedOnce(
    title="Desk",
    version="1",
    urls_namespace="api",
    auth=AUTHENTICATION,
    docs_url=None,
    docs_decorator=for_callers,
)
problems.install(api)
api.add_router("/strategies", strategies.router)
api.add_router("/limits", limits.router)
api.add_router("", markets.router)
api.add_router("", orders.router)
api.add_router("", denials.router)
api.add_router("/parents", parents.router)
api.add_router("/queue", queue.router)
api.add_router("/second-person", queue.rules)
api.add_router("", operations.router)

urlpatterns = [path("", api.urls), path("<path:_rest>", problems.nothing_here)]
