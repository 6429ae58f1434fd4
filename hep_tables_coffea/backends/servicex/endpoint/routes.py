"""The REST interface of ServiceX."""

from __future__ import annotations

import functools
import hashlib
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from hep_tables_coffea.backends.servicex.endpoint.auth import VALID
from hep_tables_coffea.backends.servicex.endpoint.bodies import (
    VERSION,
    Refusal,
    asked_of,
    moment,
    result_of,
    status_of,
)
from hep_tables_coffea.backends.servicex.endpoint.catalog import SCHEMES, LookupFailure
from hep_tables_coffea.backends.servicex.endpoint.faults import FAULT
from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError
from hep_tables_coffea.backends.servicex.endpoint.objects import signed_address
from hep_tables_coffea.backends.servicex.endpoint.transform import CODE_GENERATORS, prepare

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.app import Parts
    from hep_tables_coffea.backends.servicex.endpoint.store import Dataset, Request

__all__ = ["RestRoutes"]

CAPABILITIES = ("poll_local_transformation_results", "long_sample_titles_10240", "generate_file_urls")


class RestRoutes:
    """Everything below /servicex, and /token/refresh."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._prepare = functools.lru_cache(maxsize=64)(prepare)

    def add_to(self, app: web.Application) -> None:
        one = "/servicex/transformation/{id}"
        app.add_routes(
            [
                web.post("/token/refresh", self.refresh),
                web.get("/servicex", self.info),
                web.post("/servicex/transformation", self.submit),
                web.get("/servicex/transformation", self.transformations),
                web.post("/servicex/transformation/file-urls", self.file_urls),
                web.get(one, self.status),
                web.delete(one, self.delete),
                web.get(f"{one}/results", self.results),
                web.get(f"{one}/cancel", self.cancel),
                web.get("/servicex/datasets", self.datasets),
                web.get("/servicex/datasets/{id}", self.dataset),
                web.delete("/servicex/datasets/{id}", self.delete_dataset),
            ]
        )

    async def refresh(self, request: web.Request) -> web.Response:
        gate = self._parts.gate
        if gate.refresh_token is None:
            return web.json_response({"access_token": "authentication_disabled"})
        if not gate.refreshes(request.headers.get("Authorization", "")):
            return _message(401, "the refresh token is not the one of this endpoint")
        return web.json_response({"access_token": gate.token()})

    async def info(self, request: web.Request) -> web.Response:
        """The first that a client asks: so a worker is started."""
        if status := self._parts.faults.status("info"):
            return _fault(status)
        self._parts.pool.warm_up()
        about = {"app-version": VERSION, "code-gen-image": {name: f"local/{name}" for name in self._generators}}
        if not self._parts.is_legacy:
            about["capabilities"] = list(CAPABILITIES)
        return web.json_response(about)

    @property
    def _generators(self) -> list[str]:
        return [name for name in CODE_GENERATORS if name != "python" or self._parts.has_functions]

    async def submit(self, request: web.Request) -> web.Response:
        if status := self._parts.faults.status("submit"):
            return _fault(status)
        if request.content_type != "application/json":
            # A page in a browser can send anything else here without asking.
            return _message(400, "The json request was malformed: its content type is not application/json")
        try:
            asked = asked_of(await request.json())
            query = self._query(asked["codegen"], asked["selection"])
            dataset = self._dataset(asked.get("did"), asked.get("file-list"))
        except Refusal as refusal:
            return _message(refusal.status, str(refusal))
        except QueryRefusedError as error:
            return _message(500, f"Something went wrong (Failed to generate translation code: {error})")
        except ValueError as error:
            return _message(400, f"The json request was malformed: {error}")
        transform = self._parts.store.add_request(asked, dataset)
        self._begin(transform, query)
        return web.json_response({"request_id": transform.id})

    def _query(self, codegen: str, selection: str) -> Any:
        if codegen not in self._generators:
            raise Refusal(500, f"Invalid Codegen Image Passed in Request: {codegen}")
        return self._prepare(codegen, selection)

    def _dataset(self, did: str | None, names: list[str] | None) -> Dataset:
        store, catalog, faults = self._parts.store, self._parts.catalog, self._parts.faults
        if names:
            return store.add_dataset(_list_name(names), "user", catalog.files(names), "complete")
        name = str(did) if "://" in str(did) else f"{SCHEMES[0]}://{did}"
        scheme = name.partition("://")[0]
        if scheme not in SCHEMES:
            raise Refusal(400, f"DID scheme is not supported: {scheme}")
        if faults.strikes("bad-dataset"):
            return store.add_dataset(name, scheme, [], "does_not_exist", FAULT)
        try:
            found = [] if faults.strikes("empty") else catalog.dataset(name)
        except LookupFailure as failure:
            return store.add_dataset(name, scheme, [], failure.status, str(failure))
        return store.add_dataset(name, scheme, found, "complete")

    def _begin(self, transform: Request, query: Any) -> None:
        dataset = transform.dataset
        if dataset.status != "complete":
            transform.finish("Bad Dataset", dataset.failure)
        elif self._parts.faults.strikes("fatal"):
            transform.finish("Fatal", FAULT)
        else:
            self._parts.work.start(transform, query)

    async def status(self, request: web.Request) -> web.Response:
        if status := self._parts.faults.status("status"):
            return _fault(status)
        answer = web.json_response(self._about(self._found(request), request))
        if self._parts.faults.strikes("restart"):
            self._parts.store.forget()
        return answer

    async def transformations(self, request: web.Request) -> web.Response:
        listed = [self._about(one, request) for one in self._parts.store.requests.values()]
        return web.json_response({"requests": listed})

    async def results(self, request: web.Request) -> web.Response:
        if status := self._parts.faults.status("results"):
            return _fault(status)
        found = self._found(request)
        text = request.query.get("later_than", "")
        try:
            later = moment(text) if text else None
        except ValueError:
            return _message(400, f"later_than value {text} is not an ISO 8601 compliant datetime")
        numbered = enumerate(found.results, start=1)
        listed = [result_of(found, one, number) for number, one in numbered if later is None or one.created_at > later]
        return web.json_response({"results": listed})

    async def cancel(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found.is_done:
            return _message(400, f"Transform {found.id} is already {found.status.lower()}")
        self._parts.work.cancel(found)
        return _message(200, f"Canceled transformation request {found.id}")

    async def delete(self, request: web.Request) -> web.Response:
        found = self._found(request)
        self._parts.work.remove(found)
        return _message(200, f"Transformation request {found.id} deleted")

    async def file_urls(self, request: web.Request) -> web.Response:
        """Addresses that need no keys: the coming way of downloading."""
        asked = await request.json()
        found = self._parts.store.requests.get(str(asked.get("request_id")))
        if found is None:
            return _message(404, f"Transformation request not found with id: {asked.get('request_id')}")
        base, expiry = f"http://{request.host}", int(time.time()) + VALID
        names = [name for name in asked.get("file_list", []) if name in found.objects]
        return web.json_response(
            {"uris": {name: [signed_address(base, found.id, name, self._parts.gate), {}, expiry] for name in names}}
        )

    async def datasets(self, request: web.Request) -> web.Response:
        finder, deleted = request.query.get("did-finder"), request.query.get("show-deleted")
        listed = [
            one.to_json()
            for one in self._parts.store.datasets.values()
            if (deleted or not one.stale) and finder in (None, one.finder)
        ]
        return web.json_response({"datasets": listed})

    async def dataset(self, request: web.Request) -> web.Response:
        found = self._parts.store.datasets.get(_number(request))
        return web.json_response(found.to_json(files=True)) if found else _message(404, "there is no such dataset")

    async def delete_dataset(self, request: web.Request) -> web.Response:
        found = self._parts.store.datasets.get(_number(request))
        if found is None:
            return _message(404, "there is no such dataset")
        found.stale = True
        return web.json_response({"dataset-id": found.id, "stale": True})

    def _found(self, request: web.Request) -> Request:
        name = request.match_info["id"]
        found = self._parts.store.requests.get(name)
        if found is None:
            raise Refusal(404, f"Transformation request not found with id: {name}")
        return found

    def _about(self, found: Request, request: web.Request) -> dict[str, Any]:
        about = status_of(found)
        return about | {
            "minio-endpoint": request.host,
            "minio-secured": False,
            "minio-access-key": self._parts.gate.access_key,
            "minio-secret-key": self._parts.gate.secret_key,
        }


@web.middleware
async def refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except Refusal as refusal:
        return _message(refusal.status, str(refusal))


def _number(request: web.Request) -> int:
    text = request.match_info["id"]
    return int(text) if text.isdigit() else -1


def _message(status: int, text: str) -> web.Response:
    return web.json_response({"message": text}, status=status)


def _fault(status: int) -> web.Response:
    return _message(status, FAULT)


def _list_name(names: list[str]) -> str:
    digest = hashlib.sha1("\n".join(map(str, names)).encode(), usedforsecurity=False).hexdigest()
    return f"File List Provided in Request ({len(names)}, {digest[:12]})"
