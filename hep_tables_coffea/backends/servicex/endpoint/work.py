"""Carrying out requests: each of its files goes to a worker, and what comes back is put on record."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.servicex.endpoint.faults import FAULT
from hep_tables_coffea.backends.servicex.endpoint.pool import Answer, WorkerLost
from hep_tables_coffea.backends.servicex.endpoint.store import Request, Result, object_names
from hep_tables_coffea.backends.servicex.endpoint.transform import Job

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.catalog import Input
    from hep_tables_coffea.backends.servicex.endpoint.faults import Faults
    from hep_tables_coffea.backends.servicex.endpoint.pool import Pool
    from hep_tables_coffea.backends.servicex.endpoint.store import Store

__all__ = ["Work"]

log = logging.getLogger(__name__)
#: How often a file is given to another worker when the one that had it was lost.
TRIES = 2


class Work:
    """The requests that are being carried out. Only its event loop calls this."""

    def __init__(self, store: Store, pool: Pool, faults: Faults, folder: Path, delay: float) -> None:
        self._store, self._pool, self._faults, self._folder, self._delay = store, pool, faults, folder, delay
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, request: Request, query: Any) -> None:
        """Carry out a request in the background."""
        task = asyncio.get_running_loop().create_task(self._carry_out(request, query))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, request: Request) -> None:
        """It gets no more workers, and loses those it has."""
        request.finish("Canceled")
        self._pool.cancel(request.id)

    def remove(self, request: Request) -> None:
        """Also its objects go."""
        self.cancel(request)
        self._store.requests.pop(request.id, None)
        shutil.rmtree(self._folder / request.id, ignore_errors=True)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, request: Request, query: Any) -> None:
        request.status = "Running"
        folder = self._folder / request.id
        folder.mkdir(parents=True)
        names = object_names(request.inputs, request.asked["result-format"])
        files = enumerate(zip(request.inputs, names))
        try:
            await asyncio.gather(
                *(self._file(request, query, one, name, folder / str(number)) for number, (one, name) in files)
            )
            request.finish("Complete")
        except Exception as error:
            log.exception("request %s", request.id)
            request.finish("Fatal", f"{type(error).__name__}: {error}")

    async def _file(self, request: Request, query: Any, one: Input, name: str, path: Path) -> None:
        codegen, file_format = request.asked["codegen"], request.asked["result-format"]
        job = Job(codegen, query, one.path, str(path), file_format, self._delay + self._faults.seconds)
        failure = one.problem
        if not failure and self._faults.strikes("fail", one.name):
            failure = FAULT
        answer = Answer(0, 0, failure, 0.0) if failure else await self._answer(request, job, one.name)
        if not request.is_done:
            self._record(request, one, name, str(path), answer)

    async def _answer(self, request: Request, job: Job, name: str) -> Answer:
        lost = ""
        for _ in range(TRIES):
            if request.is_done:
                break
            try:
                kill = self._faults.strikes("kill", name)
                return await self._pool.run(job, request.id, kill, lambda: request.is_done)
            except WorkerLost as error:
                lost = str(error)
        return Answer(0, 0, lost, 0.0)

    def _record(self, request: Request, one: Input, name: str, path: str, answer: Answer) -> None:
        result = Result(one.name, name, self._store.moment(), seconds=answer.seconds, failure=answer.failure)
        if answer.failure:
            request.failed += 1
        else:
            result.path, result.total_bytes, result.total_events = path, answer.bytes, answer.events
            request.objects[name] = path
            request.completed += 1
        if answer.failure or not self._faults.strikes("lost"):
            request.results.append(result)
