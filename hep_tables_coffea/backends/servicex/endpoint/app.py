"""The application: its parts, and who is let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from hep_tables_coffea.backends.servicex.endpoint import objects, peers, routes
from hep_tables_coffea.backends.servicex.endpoint.auth import is_local_name

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.auth import Gate
    from hep_tables_coffea.backends.servicex.endpoint.catalog import Catalog
    from hep_tables_coffea.backends.servicex.endpoint.faults import Faults
    from hep_tables_coffea.backends.servicex.endpoint.pool import Pool
    from hep_tables_coffea.backends.servicex.endpoint.store import Store
    from hep_tables_coffea.backends.servicex.endpoint.work import Work

__all__ = ["Parts", "application"]

#: A query of a thousand columns is a tenth of this.
LARGEST_BODY = 2**24


@dataclass(slots=True)
class Parts:
    """What the routes of one endpoint work with."""

    catalog: Catalog
    store: Store
    pool: Pool
    work: Work
    gate: Gate
    faults: Faults
    #: Whether it answers like a ServiceX of 2024: no capabilities, results by listing the bucket.
    is_legacy: bool
    #: Whether Python functions are run.
    has_functions: bool


def application(parts: Parts) -> web.Application:
    """Both interfaces as one application."""

    @web.middleware
    async def gate(request: web.Request, handler: Any) -> web.StreamResponse:
        if not is_local_name(request.host):
            return web.json_response({"message": f"this endpoint is not {request.host}"}, status=403)
        if not peers.is_own(request.transport):
            return web.json_response({"message": "this endpoint serves the user who started it"}, status=403)
        is_rest = request.path.startswith("/servicex")
        if is_rest and not parts.gate.admits(request.headers.get("Authorization", "")):
            return web.json_response({"message": "the access token is missing, wrong or expired"}, status=401)
        return await handler(request)  # type: ignore[no-any-return]

    app = web.Application(middlewares=[gate, routes.refusals], client_max_size=LARGEST_BODY)
    routes.RestRoutes(parts).add_to(app)
    objects.ObjectRoutes(parts.store, parts.gate, parts.faults).add_to(app)
    return app
