"""Deliver: several requests side by side, in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, cast

from hep_tables_coffea.backends.servicex.delivery.request import Delivered, DeliveredFile, Request
from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.delivery.work import How, Stop, Work

__all__ = ["Deliveries"]


class Deliveries:
    """Several requests side by side, in a thread of their own: in scripts, notebooks and threads alike.

    While the block lasts, iterating gives what has come since the last time: pairs of the number of a request and a
    file, each as soon as it is there and checked. It ends when all is there, or raises why not. If one request fails,
    the others go on at the server, and the next run has their answers; if the block is left before the end, all are
    canceled.

    Args:
        requests: what is asked for.
        service: which server is asked.
        on_error: "raise" refuses an answer in which an input file is missing, "report" gives the others and names it.
        progress: whether a line of progress is drawn; None draws it where somebody can see it.
        timeout: so long each request is waited for [s]. It goes on: another run has its answer.
        cache: True, or a folder, keeps answers, and takes them from there; False asks anew and keeps nothing: the
            files are there until `discard`, or the end of the program. None is True.
        cache_size: how much is kept, in bytes or as "5 GB".
        copy: False gives URLs, which are good for a day, and copies nothing.
        pace: how often the server is asked, and how long trouble is borne.

    Raises:
        DeliveryError: the server has no answer. Of its kinds, `IncompleteError` says that files failed,
            `UnreachableError` that nobody answers, `AccessError` that the token is not accepted, `OverdueError` that
            the time is up.
        BackendError: the servicex package is not installed.

    Example:
        >>> with Deliveries([], Service("http://localhost:5000")) as coming:
        ...     list(coming), coming.delivered
        ([], ())
    """

    def __init__(self, requests: Sequence[Request], service: Service, **how: Any) -> None:
        self._requests, self._service, self._how = tuple(requests), service, How(**how)
        self._news: SimpleQueue[Any] = SimpleQueue()
        self._stop, self._started = Stop(), threading.Event()
        self._waste: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="servicex delivery", daemon=True)
        #: All that was delivered, in the order of the requests; when the iteration has ended.
        self.delivered: tuple[Delivered, ...] = ()

    def __enter__(self) -> Deliveries:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive() and self._started.wait(5):
            with suppress(RuntimeError):  # the loop is closed: it was done meanwhile
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        for drop in self._waste:
            drop()

    def __iter__(self) -> Iterator[list[tuple[int, DeliveredFile]]]:
        while True:
            files: list[tuple[int, DeliveredFile]] = []
            for news in self._waited():
                if isinstance(news, BaseException):
                    raise news
                if isinstance(news, list):
                    self.delivered = tuple(news)
                    if files:
                        yield files
                    return
                files.append(news)
            yield files

    def _waited(self) -> list[Any]:
        """All news since the last time, at least one."""
        found: list[Any] = []
        while not found:
            with suppress(Empty):
                found.append(self._news.get(timeout=1))  # so that Ctrl-C is noticed
        with suppress(Empty):
            while True:
                found.append(self._news.get_nowait())
        return found

    def _run(self) -> None:
        try:
            self._news.put(asyncio.run(self._all()))
        except BaseException as error:  # also that it was canceled
            self._news.put(error)

    async def _all(self) -> list[Delivered]:
        self._loop, self._task = asyncio.get_running_loop(), cast("asyncio.Task[Any]", asyncio.current_task())
        self._started.set()
        tasks = [asyncio.ensure_future(self._one(number)) for number in range(len(self._requests))]
        try:
            return list(await asyncio.gather(*tasks))
        except Exception:
            self._stop.goes_on = True
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, number: int) -> Delivered:
        """What one request gives, within its time."""
        work = self._work(number)
        task = asyncio.ensure_future(work.run())
        try:
            await asyncio.wait({task}, timeout=self._how.timeout)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        if task.done():
            return task.result()
        overdue = work.overdue(f"{self._how.timeout:g} s have passed")
        work.stop = Stop(goes_on=True)
        task.cancel()
        await asyncio.wait({task})
        if task.cancelled() or task.exception() is not None:
            raise overdue
        return task.result()

    def _work(self, number: int) -> Work:
        def on_file(file: DeliveredFile) -> None:
            self._news.put((number, file))

        pace = self._how.pace_for(self._service)
        return Work(self._requests[number], self._service, on_file, self._waste.append, pace, self._how, self._stop)
