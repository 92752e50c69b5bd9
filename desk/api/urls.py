"""The REST API under /api/v1; its description at openapi.json, for those who may call it."""

from django.urls import path
from ninja import NinjaAPI

from desk.api import problems
from desk.api.authentication import AUTHENTICATION, for_callers
from desk.api.routes import denials, limits, markets, operations, orders, parents, queue, strategies

api = NinjaAPI(
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
