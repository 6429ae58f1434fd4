"""Deliver: one request in an event loop, or several side by side in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from hep_tables_coffea.backends.servicex.delivery.request import Delivered, DeliveredFile, Request
from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.delivery.work import How, Stop, Work

__all__ = ["deliver", "deliver_all"]

Answer = TypeVar("Answer")


async def deliver(
    request: Request, service: Service, *, on_file: Callable[[DeliveredFile], None] | None = None, **how: Any
) -> Delivered:
    """All results of a request, checked; or an error that says why not.

    When it is canceled, so is the request on the server. It may be called in any event loop, several times at once.

    Args:
        request: what is asked for.
        service: which server is asked.
        on_file: called with each file as soon as it is there and checked, in the order in which they come.
        on_error: "raise" refuses an answer in which an input file is missing, "report" gives the others and names it.
        progress: whether a line of progress is drawn; None draws it where somebody can see it.
        timeout: so long it is waited for [s]. The request goes on: another call has its answer.
        cache: True, or a folder, keeps the answer, and takes it from there; False asks anew and keeps nothing: the
            files are there until `discard`, or the end of the program. None is True.
        cache_size: how much is kept, in bytes or as "5 GB".
        copy: False gives URLs, which are good for a day, and copies nothing.
        pace: how often the server is asked, and how long trouble is borne.

    Raises:
        DeliveryError: the server has no answer. Of its kinds, `IncompleteError` says that files failed,
            `UnreachableError` that nobody answers, `AccessError` that the token is not accepted, `OverdueError` that
            the time is up.
        BackendError: the servicex package is not installed.
    """
    return await _deliver(request, service, on_file, How(**how), Stop())


def deliver_all(
    requests: Sequence[Request],
    service: Service,
    *,
    on_file: Callable[[Request, DeliveredFile], None] | None = None,
    **how: Any,
) -> tuple[Delivered, ...]:
    """Several requests side by side, in a thread of its own: in scripts, notebooks and threads alike.

    The arguments are those of `deliver`; `on_file` is told the request as well, and is called in that thread. If one
    request fails the others are not waited for: they go on at the server, and the next call has their answers. If this
    call is interrupted, all are canceled.

    Example:
        >>> deliver_all([], Service("http://localhost:5000"))
        ()
    """
    wanted, stop = How(**how), Stop()
    return in_thread(lambda: _side_by_side(requests, service, on_file, wanted, stop))


def in_thread(work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """The result of a coroutine that runs in a thread. If the waiting is interrupted, it is canceled and ends first."""
    answer: Future[Answer] = Future()
    started = threading.Event()
    running: list[Any] = []

    async def main() -> Answer:
        running.extend((asyncio.get_running_loop(), asyncio.current_task()))
        started.set()
        return await work()

    def run() -> None:
        try:
            answer.set_result(asyncio.run(main()))
        except BaseException as error:
            answer.set_exception(error)

    thread = threading.Thread(target=run, name="servicex delivery", daemon=True)
    thread.start()
    try:
        return answer.result()
    except BaseException:
        if not answer.done() and started.wait(5):
            with suppress(RuntimeError):  # the loop is closed: it was done meanwhile
                running[0].call_soon_threadsafe(running[1].cancel)
        raise
    finally:
        thread.join()


async def _side_by_side(
    requests: Sequence[Request], service: Service, on_file: Any, how: How, stop: Stop
) -> tuple[Delivered, ...]:
    def told(request: Request) -> Callable[[DeliveredFile], None] | None:
        return (lambda file: on_file(request, file)) if on_file else None

    tasks = [asyncio.ensure_future(_deliver(one, service, told(one), how, stop)) for one in requests]
    try:
        return tuple(await asyncio.gather(*tasks))
    except Exception:
        stop.goes_on = True
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _deliver(request: Request, service: Service, on_file: Any, how: How, stop: Stop) -> Delivered:
    """`deliver`, within its time."""
    work = Work(request, service, on_file, how.pace_for(service), how, stop)
    task = asyncio.ensure_future(work.run())
    try:
        await asyncio.wait({task}, timeout=how.timeout)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    if task.done():
        return task.result()
    overdue = work.overdue(f"{how.timeout:g} s have passed")
    work.stop = Stop(goes_on=True)
    task.cancel()
    await asyncio.wait({task})
    if task.cancelled() or task.exception() is not None:
        raise overdue
    return task.result()
