"""The course of one request: where it stands, what is ready, what is fetched, and when all is there."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from hep_tables_coffea.backends.servicex.delivery.lines import Line
from hep_tables_coffea.backends.servicex.delivery.problems import (
    DeliveryError,
    IncompleteError,
    OverdueError,
    UnreachableError,
    of_files,
)
from hep_tables_coffea.backends.servicex.delivery.request import Delivered, DeliveredFile, Request
from hep_tables_coffea.backends.servicex.delivery.server import Row, Server, Status
from hep_tables_coffea.backends.servicex.delivery.store import Store
from hep_tables_coffea.backends.servicex.delivery.verdicts import Inputs, refuse_count, refuse_end

__all__ = ["Course"]

WAITING = ("Submitted", "Lookup", "Pending Lookup")
SUFFIXES = {"parquet": ".parquet", "root-ttree": ".root"}


@dataclass(eq=False)
class Course:
    """One request on its way. `folder` is where files go; None asks for URLs."""

    request: Request
    server: Server
    request_id: str
    folder: str | None
    line: Line
    slots: asyncio.Semaphore
    on_file: Callable[[DeliveredFile], None]
    reports: bool = False
    lists_results: bool = True
    #: Whether another run can go on with the request.
    resumes: bool = False

    status: Status | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    failing: dict[str, Row] = field(default_factory=dict)
    files: dict[str, DeliveredFile] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _trouble: asyncio.Event = field(default_factory=asyncio.Event)
    _problem: BaseException | None = None
    _store: Store | None = None
    _newest: str = ""
    #: When it began, the server began, a first file failed, the server was done, something last changed.
    _times: dict[str, float] = field(default_factory=dict)
    _state: Any = None
    _nbytes: int = 0

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.request)

    async def run(self) -> Delivered:
        """Follow the request to its end. Whatever stops that, nothing of it goes on afterwards."""
        self._times["began"] = time.monotonic()
        async with AsyncExitStack() as stack:
            try:
                while not await self._step(stack):
                    await self._pause()
                if self._tasks:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
                self._raise_problem()
                return await self._answer()
            finally:
                await self._stop()

    async def _step(self, stack: AsyncExitStack) -> bool:
        """Ask once. Whether the server is done, and everything it has is known."""
        status = await self.server.status_of(self.request_id)
        if status is None:
            msg = f"the server does not know the request {self.request_id} of {self.request.title!r} any more"
            raise DeliveryError(msg, hint="it was restarted or cleared; run again to ask anew")
        self.status = status
        self._note(status)
        if status.is_done and status.word != "Complete":
            await refuse_end(self.request, status, self.server)
        for row in await self._found(status, stack):
            self._meet(row)
        self._raise_problem()
        return self._is_settled(status)

    def _note(self, status: Status) -> None:
        now, model = time.monotonic(), status.model
        if status.word not in WAITING:
            self._times.setdefault("runs", now)
        if model.files_failed:
            self._times.setdefault("failed", now)
        if status.is_done:
            self._times.setdefault("ended", now)
        state = (status.word, model.files, model.files_completed, model.files_failed, len(self.files))
        if state != self._state:
            self._state, self._times["changed"] = state, now
        if now - self._times["changed"] > self.server.pace.still:
            msg = f"nothing has changed for {self.server.pace.still:.0f} s"
            raise self.overdue(msg)
        self._show()

    def _show(self) -> None:
        if self.status is not None:
            model = self.status.model
            about = {"ready": len(self.files), "total": model.files, "failed": model.files_failed}
            self.line.show(**about, nbytes=self._nbytes, word=self.status.word)

    # -- results --------------------------------------------------------------------------------------------------

    async def _found(self, status: Status, stack: AsyncExitStack) -> list[Row]:
        """Results, new ones among them, the oldest first."""
        model = status.model
        if len(self.rows) >= model.files_completed and len(self.failing) >= model.files_failed:
            return []
        if self._store is None and model.minio_endpoint:
            self._store = await stack.enter_async_context(Store(status, self.server.pace))
        if not self.lists_results:
            return await self._store.rows() if self._store and model.files_completed else []
        # when it is done, what was noted late is looked for among all
        found = await self.server.rows_of(self.request_id, "" if status.is_done else self._newest)
        self._newest = max([self._newest, *(row.created for row in found)])
        return sorted(found, key=lambda row: row.created)

    def _meet(self, row: Row) -> None:
        if not row.ok:
            self.failing[row.source or row.name] = row
        elif row.name not in self.rows:
            task = asyncio.ensure_future(self._take(row))
            self._tasks.add(task)
        if row.ok:
            self.rows[row.name] = row

    async def _take(self, row: Row) -> None:
        """Have one result, checked."""
        try:
            async with self.slots:
                source = self.inputs.source_of(row)
                file = DeliveredFile(source, await self._place(row), row.bytes)
            file = DeliveredFile(source, file.path, self.rows[row.name].bytes)
            self.files[row.name] = file
            self._nbytes += file.bytes
            self._show()
            for _ in range(self.inputs.times(source)):
                self.on_file(file)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._problem = self._problem or error
            self._trouble.set()
            raise

    async def _place(self, row: Row) -> str:
        if self._store is None:
            msg = "the server does not say where its results are"
            hint = "results on a volume of the server cannot be fetched: it has to give minio-endpoint and keys"
            raise DeliveryError(msg, hint=hint)
        if self.folder is None:
            return await self._store.url(row)
        path = os.path.join(self.folder, self._name(row))
        try:
            await self._store.fetch(row, path, self.request.format)
        except DeliveryError as error:
            newest = None if isinstance(error, UnreachableError) else await self._announced(row)
            if newest is None or newest.bytes == row.bytes:
                raise
            # a file that was transformed twice has the size of the last time
            self.rows[row.name] = newest
            await self._store.fetch(newest, path, self.request.format)
        return path

    async def _announced(self, row: Row) -> Row | None:
        found = await self.server.rows_of(self.request_id) if self.lists_results else []
        same = [one for one in found if one.ok and one.name == row.name]
        return max(same, key=lambda one: one.created, default=None)

    def _name(self, row: Row) -> str:
        """The name on disk: short enough, of no other result, and with what the input file is called."""
        mark = blake2b(f"{self.request_id} {row.name}".encode(), digest_size=6).hexdigest()
        base = self.inputs.source_of(row).partition("?")[0].rpartition("/")[2]
        words = "".join(c if c.isalnum() or c in "._-" else "_" for c in base)[-80:]
        return f"{mark}-{words}{SUFFIXES[self.request.format]}"

    # -- the end --------------------------------------------------------------------------------------------------

    def _is_settled(self, status: Status) -> bool:
        """Whether all is known that can be. Raises if something is lacking that may not."""
        model, now, grace = status.model, time.monotonic(), self.server.pace.grace
        if model.files_failed and not self.reports:
            known = len(self.failing) >= model.files_failed or not self.lists_results
            if (status.is_done and known) or now - self._times["failed"] > grace:
                raise self._incomplete(status)
        if not status.is_done:
            return False
        counted = len(self.rows) >= model.files_completed
        told = len(self.failing) >= model.files_failed or not self.lists_results
        ended = model.files_completed + model.files_failed >= model.files
        late = now - self._times["ended"] > grace
        if counted and ended and (told or late):
            return True
        if late:
            msg = f"the server is done with {self.request.title!r}, and a result is missing"
            told_of = f"{status.counts}; {len(self.rows)} results and {len(self.failing)} failures are listed"
            hint = "a result was lost, or two have one name; run again to ask anew"
            raise DeliveryError(msg, values=[("the server says", told_of), ("request", self.request_id)], hint=hint)
        return False

    def _incomplete(self, status: Status) -> IncompleteError:
        failures = self.inputs.failed(status, self.rows, self.failing)
        count = max(status.model.files_failed, len(failures))
        msg = f"{count} of {status.model.files} files of {self.request.title!r} failed on the server"
        values = [*of_files(failures), ("request", self.request_id)]
        if status.model.log_url:
            values.append(("log", status.model.log_url))
        error = IncompleteError(msg, values=values, hint='on_error="report" goes on with those that did not')
        error.failures = failures
        return error

    async def _answer(self) -> Delivered:
        status = self.status
        assert status is not None
        refuse_count(self.request, status)
        failures = self.inputs.failed(status, self.rows, self.failing) if status.model.files_failed else ()
        return Delivered(
            self.request,
            self.request_id,
            self.inputs.ordered(self.files),
            failures,
            status.model.files,
            self._seconds(),
            await self._input_bytes(status),
            log_url=status.model.log_url or None,
            folder=self.folder,
        )

    async def _input_bytes(self, status: Status) -> int | None:
        if not self.request.is_list:
            return await self.server.size_of(status.model.did_id)
        try:
            return sum(os.path.getsize(path) for path in self.request.listed)
        except OSError:
            return None

    def _seconds(self) -> dict[str, float]:
        at = [
            self._times["began"],
            self._times.get("runs", self._times["ended"]),
            self._times["ended"],
            time.monotonic(),
        ]
        return {name: b - a for name, a, b in zip(("queue", "transform", "download"), at, at[1:])}

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        pause = self.server.pace.pause(time.monotonic() - self._times["began"])
        try:
            await asyncio.wait_for(self._trouble.wait(), pause)
        except asyncio.TimeoutError:
            return

    def _raise_problem(self) -> None:
        if self._problem is not None:
            raise self._problem

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def overdue(self, why: str) -> OverdueError:
        """The error of a request that takes too long, with all that is known of it."""
        word = self.status.word if self.status else "no answer yet"
        counts = self.status.counts if self.status else ""
        values = [
            ("status", word),
            ("counts", counts),
            ("here", f"{len(self.files)} files"),
            ("request", self.request_id),
        ]
        hint = "run again to go on waiting for it; cache=False asks anew" if self.resumes else "it was canceled"
        return OverdueError(f"the request {self.request.title!r} has no end: {why}", values=values, hint=hint)
