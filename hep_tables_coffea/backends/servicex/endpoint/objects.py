"""The object store: the part of S3 that a client of ServiceX uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web

from hep_tables_coffea.backends.servicex.endpoint.faults import FAULT

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.auth import Gate
    from hep_tables_coffea.backends.servicex.endpoint.faults import Faults
    from hep_tables_coffea.backends.servicex.endpoint.store import Store

__all__ = ["ObjectRoutes", "signed_address"]


def signed_address(base: str, bucket: str, key: str, gate: Gate) -> str:
    """An address that opens an object without a header."""
    return f"{base}/{bucket}/{quote(key, safe='')}?X-Amz-Credential={gate.access_key}/local"


class ObjectRoutes:
    """Buckets are requests, objects their results: what is not one of these is not found."""

    def __init__(self, store: Store, gate: Gate, faults: Faults) -> None:
        self._store, self._gate, self._faults = store, gate, faults

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/{bucket}", self.listing, allow_head=False)
        app.router.add_get("/{bucket}/{key:.+}", self.content)

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """All objects of a bucket, in one page."""
        if (refused := self._refused(request)) is not None:
            return refused
        bucket = request.match_info["bucket"]
        found = self._store.requests.get(bucket)
        if found is None:
            return _error(404, "NoSuchBucket", f"there is no bucket {bucket}")
        encoded = request.query.get("encoding-type") == "url"
        items = "".join(
            f"<Contents><Key>{escape(quote(key, safe='') if encoded else key)}</Key>"
            f"<Size>{os.path.getsize(path)}</Size></Contents>"
            for key, path in found.objects.items()
        )
        about = f"<Name>{bucket}</Name><KeyCount>{len(found.objects)}</KeyCount><IsTruncated>false</IsTruncated>"
        encoding = "<EncodingType>url</EncodingType>" if encoded else ""
        text = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{about}{encoding}{items}'
        return web.Response(text=f"{text}</ListBucketResult>", content_type="application/xml")

    async def content(self, request: web.Request) -> web.StreamResponse:
        """An object or what is in a Range of it; of HEAD its size."""
        if (refused := self._refused(request)) is not None:
            return refused
        found = self._store.requests.get(request.match_info["bucket"])
        path = found.objects.get(request.match_info["key"]) if found is not None else None
        if path is None:
            return _error(404, "NoSuchKey", f"there is no object {request.path}")
        if request.method == "GET" and self._faults.strikes("short"):
            content = Path(path).read_bytes()
            return web.Response(body=content[: len(content) // 2])
        return web.FileResponse(path)

    def _refused(self, request: web.Request) -> web.Response | None:
        if status := self._faults.status("s3"):
            return _error(status, "SlowDown" if status == 503 else "InternalError", FAULT)
        if not self._gate.has_key(request.headers.get("Authorization", ""), request.query):
            return _error(403, "InvalidAccessKeyId", "the key is not the one that the status of the request gives")
        return None


def _error(status: int, code: str, text: str) -> web.Response:
    body = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")
