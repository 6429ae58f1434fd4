"""A function of many items in threads that are kept between runs.

Answers come in the order of the items, so that sums of floats are the same in every run; so does the first failure.

Ctrl-C may come between any two lines of Python, also in the middle of what `threading.Condition` and `Future` do with
their locks, which then nobody opens again. Here are only locks and queues that are made of C.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

__all__ = ["Interrupted", "Pool", "answers", "cores", "pool_of", "undisturbed"]

#: So many items for each worker are under way, or done and waiting for one before them.
AHEAD = 4
#: Seconds that threads have after Ctrl-C to come to the end of their item, and how long they are told to leave it.
GRACE, LEAVE = 0.4, 1.2

#: The pool of this process: one that is forked has it without its threads.
_kept: dict[int, Pool] = {}
_here = threading.local()


class Interrupted(BaseException):
    """What a thread gets in the middle of its item, when nobody waits for the answer any more."""


class Pool:
    """Threads that do what is put in `tasks`, until it is None. The end of the program does not wait for them."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        for number in range(workers):
            threading.Thread(target=_serve, args=(self.tasks,), name=f"hep_tables_{number}", daemon=True).start()

    def __del__(self) -> None:
        for _ in range(self.workers):
            self.tasks.put(None)


def _serve(tasks: SimpleQueue[Callable[[], None] | None]) -> None:
    while (task := tasks.get()) is not None:
        try:
            task()
        except Interrupted:
            return
        del task


def cores() -> int:
    """The cores that this process may use, in a container or a batch job too."""
    import loky

    return int(loky.cpu_count())


def pool_of(workers: int) -> Pool:
    """So many threads, from the last time if they were as many."""
    pool = _kept.get(os.getpid())
    if pool is None or pool.workers != workers:
        _kept.clear()
        pool = _kept[os.getpid()] = Pool(workers)
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

    def __init__(self, function: Callable[[Any], Any], pool: Pool) -> None:
        self._function, self._pool = function, pool
        self._done: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._busy: dict[int, bool] = {}  # each thread, and whether it may be interrupted
        self._over = False

    def in_order(self, items: Sequence[Any], ahead: int) -> Iterator[Any]:
        early: dict[int, tuple[Any, BaseException | None]] = {}
        sent = 0
        for number in range(len(items)):
            while sent < min(number + ahead, len(items)):
                self._pool.tasks.put(partial(self._one, sent, items[sent]))
                sent += 1
            while number not in early:
                self._receive(early)
            answer, problem = early.pop(number)
            if problem is not None:
                try:
                    raise problem
                finally:
                    del problem  # it holds this frame, and with it what the chunk had read
            yield answer

    def _receive(self, early: dict[int, tuple[Any, BaseException | None]]) -> None:
        try:
            number, answer, problem = self._done.get(timeout=1)
        except Empty:
            return  # where a signal does not end the wait, it is noticed now
        early[number] = answer, problem

    def _one(self, number: int, item: Any) -> None:
        thread = threading.get_ident()
        with self._lock:
            if self._over:
                return
            self._busy[thread] = True
        _here.work = self
        try:
            self._done.put((number, self._function(item), None))
        except BaseException as problem:
            self._done.put((number, None, problem))
        finally:
            _here.work = None
            with self._lock:
                self._busy.pop(thread, None)

    def shield(self, thread: int, shielded: bool) -> None:
        with self._lock:
            self._busy[thread] = not shielded

    def _idle(self, seconds: float) -> bool:
        """Whether nobody is at work, or will be after these seconds."""
        until = time.monotonic() + seconds
        while self._busy and time.monotonic() < until:
            time.sleep(0.005)
        return not self._busy

    def _stop(self) -> None:
        with self._lock:
            self._over = True

    def end(self) -> None:
        """Nothing new is begun, and what is under way is waited for."""
        self._stop()
        while not self._idle(60):
            pass

    def interrupt(self) -> None:
        """The same in about a second: as Ctrl-C in the main thread, an exception rises between two lines of Python."""
        self._stop()
        until = time.monotonic() + LEAVE
        while not self._idle(GRACE) and time.monotonic() < until:
            with self._lock:
                if not all(self._busy.values()):
                    until = time.monotonic() + LEAVE
                for thread in [thread for thread, allowed in self._busy.items() if allowed]:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))
