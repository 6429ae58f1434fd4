"""A function of many items in threads that are kept between runs.

Answers come in the order of the items, so that sums of floats are the same in every run; so does the first failure.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

__all__ = ["Interrupted", "answers", "cores", "pool_of", "undisturbed"]

#: So many items for each worker are under way, or done and waiting for one before them.
AHEAD = 4
#: Seconds that threads have after Ctrl-C to come to the end of their item, and how long they are told to leave it.
GRACE, LEAVE = 0.4, 1.2

#: The pool of this process: one that is forked has it without its threads.
_kept: dict[int, ThreadPoolExecutor] = {}
_here = threading.local()


class Interrupted(BaseException):
    """What a thread gets in the middle of its item, when nobody waits for the answer any more."""


def cores() -> int:
    """The cores that this process may use, in a container or a batch job too."""
    import loky

    return int(loky.cpu_count())


def pool_of(workers: int) -> ThreadPoolExecutor:
    """So many threads, from the last time if they were as many."""
    pool = _kept.get(os.getpid())
    if pool is None or pool._max_workers != workers:
        _kept.clear()
        pool = _kept[os.getpid()] = ThreadPoolExecutor(workers, thread_name_prefix="hep_tables")
    return pool


@contextmanager
def answers(function: Callable[[Any], Any], items: Sequence[Any], workers: int) -> Iterator[Iterator[Any]]:
    """The answers, in the order of the items. However the block ends, nobody is at work on them afterwards.

    One item, one worker, and items of items in a thread of ours: no thread is started.
    """
    if min(len(items), workers) < 2 or getattr(_here, "work", None):
        yield map(function, items)
        return
    work = _Work(function, pool_of(workers))
    try:
        yield work.in_order(items, AHEAD * workers)
    except Exception:
        work.end()
        raise
    except BaseException:
        _kept.clear()
        work.interrupt()
        raise
    work.end()


@contextmanager
def undisturbed() -> Iterator[None]:
    """For what must not be left half done, as writing a file."""
    work = getattr(_here, "work", None)
    if work is None:
        yield
        return
    thread = threading.get_ident()
    work.shield(thread, True)
    try:
        yield
    finally:
        work.shield(thread, False)


class _Work:
    """The items of one run, in a pool that others may use too."""

    def __init__(self, function: Callable[[Any], Any], pool: ThreadPoolExecutor) -> None:
        self._function, self._pool = function, pool
        self._waiting: deque[Future[Any]] = deque()
        self._changed = threading.Condition()
        self._busy: dict[int, bool] = {}  # each thread, and whether it may be interrupted
        self._over = False

    def in_order(self, items: Sequence[Any], ahead: int) -> Iterator[Any]:
        for item in items:
            self._waiting.append(self._pool.submit(self._one, item))
            if len(self._waiting) >= ahead:
                yield self._next()
        while self._waiting:
            yield self._next()

    def _next(self) -> Any:
        while not wait([self._waiting[0]], timeout=1).done:
            pass  # where a signal does not end the wait, it is noticed here
        return self._waiting.popleft().result()

    def _one(self, item: Any) -> Any:
        thread = threading.get_ident()
        with self._changed:
            if self._over:
                return None
            self._busy[thread] = True
        _here.work = self
        try:
            return self._function(item)
        finally:
            _here.work = None
            with self._changed:
                self._busy.pop(thread, None)
                self._changed.notify_all()

    def shield(self, thread: int, shielded: bool) -> None:
        with self._changed:
            self._busy[thread] = not shielded

    def _idle(self, seconds: float) -> bool:
        """Whether nobody is at work, or will be after these seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, seconds)

    def _cancel(self) -> None:
        self._over = True
        for future in self._waiting:
            future.cancel()

    def end(self) -> None:
        """Nothing new is begun, and what is under way is waited for."""
        self._cancel()
        while not self._idle(1):
            pass

    def interrupt(self) -> None:
        """The same in about a second: as Ctrl-C in the main thread, an exception rises between two lines of Python."""
        self._cancel()
        until = time.monotonic() + LEAVE
        while not self._idle(GRACE) and time.monotonic() < until:
            with self._changed:
                if not all(self._busy.values()):
                    until = time.monotonic() + LEAVE
                for thread in [thread for thread, allowed in self._busy.items() if allowed]:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))
