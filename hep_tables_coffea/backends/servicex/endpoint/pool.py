"""The worker processes of an endpoint: started when there is work, kept warm, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hep_tables_coffea.backends.servicex.endpoint.transform import Job

__all__ = ["Answer", "Pool", "WorkerLost"]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from hep_tables_coffea.backends.servicex.endpoint.worker import main; main(int(sys.argv[2]), sys.argv[3])"
)


class WorkerLost(RuntimeError):
    """The process that had the job has ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says of a job."""

    events: int
    bytes: int
    failure: str
    seconds: float


class _Worker:
    """One process, and one thread that waits for its answers."""

    def __init__(self, number: int, folder: Path) -> None:
        self.request = ""
        arguments = [json.dumps([path for path in sys.path if path]), str(os.getpid()), str(folder)]
        with open(folder / f"worker-{number}.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C in a terminal is for the program: it ends its workers itself.
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, job: Job) -> Answer:
        """Blocks until the job is done. Raises `WorkerLost`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (OSError, ValueError):
            line = b""
        if not line.endswith(b"\n"):
            status = self.end()
            msg = f"the worker process {self.process.pid} ended in the middle (exit status {status})"
            raise WorkerLost(msg)
        return Answer(**json.loads(line))

    def end(self) -> int:
        """Kill it, unless it has ended by itself or is about to; its exit status."""
        try:
            status = self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                # what is left in it cannot be flushed any more
                if pipe is not None:
                    pipe.close()
        return status


class Pool:
    """At most so many workers. Only its event loop calls this; what waits for a worker waits in a thread of its own.

    The threads are daemons and not of an executor, which would keep the program from ending before the last answer.
    """

    def __init__(self, size: int, folder: Path) -> None:
        self._size, self._folder = size, folder
        self._free = asyncio.Semaphore(size)
        self._idle: deque[_Worker] = deque()
        self._workers: set[_Worker] = set()
        self._started = 0

    @property
    def processes(self) -> list[int]:
        return [worker.process.pid for worker in self._workers if worker.is_alive]

    def warm_up(self) -> None:
        """Have one worker ready, so that its imports are done when the first job comes."""
        if not self._workers:
            self._idle.append(self._start())

    async def run(
        self, job: Job, request: str, kill: bool = False, given_up: Callable[[], bool] = lambda: False
    ) -> Answer:
        """The answer of a worker; with `kill` the worker is lost while it has the job. Raises `WorkerLost`.

        What has been given up when a worker is free is not done.
        """
        async with self._free:
            if given_up():
                return Answer(0, 0, "canceled", 0.0)
            worker = self._take()
            worker.request = request
            try:
                if kill:
                    worker.process.kill()
                return await _in_thread(lambda: worker.ask(job))
            finally:
                worker.request = ""
                if worker.is_alive:
                    self._idle.append(worker)
                else:
                    self._workers.discard(worker)

    def cancel(self, request: str) -> None:
        """End the workers that are busy with a request."""
        for worker in self._workers:
            if worker.request == request:
                worker.process.kill()

    def close(self) -> None:
        """End all workers. May be called from any thread."""
        for worker in list(self._workers):
            worker.process.kill()
        for worker in list(self._workers):
            if worker.request:
                # the thread that waits for its answer ends it
                worker.process.wait()
            else:
                worker.end()

    def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            worker.end()
            self._workers.discard(worker)
        return self._start()

    def _start(self) -> _Worker:
        self._started += 1
        worker = _Worker(self._started, self._folder)
        self._workers.add(worker)
        return worker


async def _in_thread(call: Callable[[], Answer]) -> Answer:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def tell(set_it: Any, value: Any) -> None:
        if not future.done():
            set_it(value)

    def work() -> None:
        done: tuple[Any, Any]
        try:
            done = (future.set_result, call())
        except Exception as error:
            done = (future.set_exception, error)
        with contextlib.suppress(RuntimeError):
            # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, *done)

    threading.Thread(target=work, daemon=True).start()
    return await future
