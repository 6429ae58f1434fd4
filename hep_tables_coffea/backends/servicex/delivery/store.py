"""The store of a request's results: the client's S3 session, and downloads that are whole or not there."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from contextlib import AsyncExitStack, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aioboto3  # type: ignore[import-untyped]
import aiohttp
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import AioSession  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from botocore.loaders import create_loader  # type: ignore[import-untyped]
from servicex.minio_adapter import MinioAdapter

from hep_tables_coffea.backends.servicex.delivery.check import refuse_broken
from hep_tables_coffea.backends.servicex.delivery.problems import DeliveryError, UnreachableError, UnwritableError
from hep_tables_coffea.backends.servicex.delivery.request import Pace
from hep_tables_coffea.backends.servicex.delivery.server import Row, Status

__all__ = ["Store"]

#: What may pass when a store is asked.
PASSING = (BotoCoreError, ClientError, aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)
#: So often a result is fetched that has another size than announced, or is broken.
TRIES = 3
#: URLs are good for a day, so that a chunk that waits in a queue can still be read [s].
GOOD_FOR = 24 * 3600


@functools.cache
def _descriptions() -> Any:
    """What botocore knows of S3: each session would read it anew (0.2 s)."""
    return create_loader()


class Store:
    """The results of one request. It is closed by `async with`."""

    def __init__(self, status: Status, pace: Pace) -> None:
        model = status.model
        self._adapter = MinioAdapter.for_transform(model)
        session = AioSession()
        session.register_component("data_loader", _descriptions())
        self._adapter.minio = aioboto3.Session(model.minio_access_key, model.minio_secret_key, botocore_session=session)
        self._pace = pace
        self._open = AsyncExitStack()
        self._s3: Any = None
        self._opening = asyncio.Lock()

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def __aenter__(self) -> Store:
        return self

    async def _client(self) -> Any:
        async with self._opening:
            if self._s3 is None:
                host = urlsplit(self._adapter.endpoint_host).hostname or ""
                own: Any = {} if host in ("localhost", "::1") or host.startswith("127.") else None
                config = AioConfig(
                    connect_timeout=5,
                    read_timeout=60,
                    retries={"mode": "standard", "max_attempts": 2},
                    signature_version="s3v4",
                    proxies=own,
                    s3={"addressing_style": "path"},
                )
                # results are in a MinIO, which has no region; nobody's configuration of Amazon is asked for one
                opened = self._adapter.minio.client(
                    "s3", endpoint_url=self._adapter.endpoint_host, config=config, region_name="us-east-1"
                )
                self._s3 = await self._open.enter_async_context(opened)
            return self._s3

    async def rows(self) -> list[Row]:
        """What is there, for a server that lists no results."""
        client = await self._client()
        paginator = client.get_paginator("list_objects_v2")

        async def listing() -> Any:
            return await paginator.paginate(Bucket=self._adapter.bucket).build_full_result()

        found = await self._patiently(listing, "the list of results")
        contents = found.get("Contents", [])
        return [Row(one["Key"], "", int(one["Size"]), True, "") for one in contents if not one["Key"].endswith("/")]

    async def url(self, row: Row) -> str:
        """An address under which anybody can read a result, for a day."""
        client = await self._client()
        about = {"Bucket": self._adapter.bucket, "Key": row.name}
        return str(await client.generate_presigned_url("get_object", Params=about, ExpiresIn=GOOD_FOR))

    async def fetch(self, row: Row, path: str, file_format: str) -> None:
        """A result as a file. It has another name until it is whole, so that no later run takes a half for it."""
        for left in reversed(range(TRIES)):
            part = f"{path}.{uuid4().hex[:8]}.part"
            try:
                await self._patiently(lambda: self._download(row.name, part), f"the result {row.name}")  # noqa: B023
                refuse_broken(part, row.bytes, file_format, row.name)
                os.replace(part, path)
                return
            except DeliveryError as error:
                if not left or isinstance(error, UnreachableError):
                    raise
            except OSError as error:
                msg = f"the result {row.name} cannot be written: {error.strerror or error}"
                raise UnwritableError(msg, values=[("file", path), ("size", f"{row.bytes} bytes")]) from error
            finally:
                with suppress(OSError):
                    os.unlink(part)

    async def _download(self, name: str, path: str) -> None:
        client = await self._client()
        with open(path, "wb") as file:  # noqa: ASYNC230 - aioboto3 would leave it open when canceled while it opens
            await client.download_fileobj(Bucket=self._adapter.bucket, Key=name, Fileobj=file)

    async def _patiently(self, what: Any, name: str) -> Any:
        until, pause = time.monotonic() + self._pace.patience, self._pace.first
        while True:
            try:
                return await what()
            except PASSING as error:
                if time.monotonic() + pause > until:
                    msg = f"the store at {self._adapter.endpoint_host} does not give {name}"
                    raise UnreachableError(msg, values=[("it says", " ".join(str(error).split()))]) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._pace.longest)
