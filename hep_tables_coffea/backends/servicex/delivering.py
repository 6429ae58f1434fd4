"""Requests under way: their files come as parts of a dataset, while others are still computed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from hep_tables_coffea.backends.servicex.delivery import Delivered, DeliveredFile, Request, deliver, discard
from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.services import service_for
from hep_tables_coffea.config import Options
from hep_tables_coffea.plugins.protocol import Delivery, Failure
from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["Delivering"]

Samples = tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of one input file in the dataset."""

    sample: int
    request: Request
    source: str


class Delivering:
    """The delivery of a dataset: `with Delivering(...) as parts: for samples in parts: ...`.

    Each part has the files that have come, in the order of the dataset: of files that were listed one waits for those
    before it, so that sums are the same in every run; of a dataset that a catalogue knows the order is that in which
    they come, and `samples` at the end has the order of their names. Leaving the block before the end cancels all.
    """

    def __init__(self, requests_of: Callable[[Sample], list[Request]], dataset: Dataset, options: Options) -> None:
        self._samples, self._options = dataset.samples, options
        self._service: Service = service_for(dataset)
        self._requests = [(k, request) for k, sample in enumerate(dataset.samples) for request in requests_of(sample)]
        self._slots = [
            _Slot(k, request, source) for k, request in self._requests if request.is_list for source in request.listed
        ]
        self._come: dict[tuple[int, str], str] = {}
        self._news: SimpleQueue[Any] = SimpleQueue()
        self._given = 0
        self._delivered: list[Delivered] = []
        self._started = time.perf_counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="servicex delivery", daemon=True)

    def __enter__(self) -> Delivering:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive() and self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # it is done meanwhile
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        if self._options.cache is False:
            for one in self._delivered:
                discard(one)

    # -- the thread that talks to the server --

    def _run(self) -> None:
        try:
            self._news.put(asyncio.run(self._all()))
        except BaseException as error:  # also that it was canceled
            self._news.put(error)

    async def _all(self) -> list[Delivered]:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        options = self._options
        tasks = [
            asyncio.ensure_future(
                deliver(
                    request,
                    self._service,
                    on_file=lambda file, k=k, request=request: self._news.put((k, request, file)),
                    on_error=options.on_error,
                    progress=options.progress,
                    cache=options.cache,
                    cache_size=options.cache_size,
                )
            )
            for k, request in self._requests
        ]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- the thread that processes --

    def __iter__(self) -> Iterator[Samples]:
        done = False
        while not done:
            fresh: list[tuple[int, str]] = []
            for news in self._waited():
                if isinstance(news, BaseException):
                    raise news
                if isinstance(news, list):
                    self._delivered, done = news, True
                else:
                    fresh += self._take(*news)
            part = self._ready(done) + fresh
            if part:
                yield self._as_samples(part)

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

    def _take(self, sample: int, request: Request, file: DeliveredFile) -> list[tuple[int, str]]:
        """A file that has come; what is not in a list can be processed at once."""
        if not request.is_list:
            return [(sample, file.path)]
        self._come[sample, file.source] = file.path
        return []

    def _ready(self, done: bool) -> list[tuple[int, str]]:
        """The next files of lists: up to the first that has not come, or all that have when nothing more comes."""
        found = []
        while self._given < len(self._slots):
            slot = self._slots[self._given]
            path = self._come.get((slot.sample, slot.source))
            if path is None and not done:
                break
            if path is not None:
                found.append((slot.sample, path))
            self._given += 1
        return found

    def _as_samples(self, files: Sequence[tuple[int, str]]) -> Samples:
        return tuple(
            replace(sample, files=tuple((path, None) for number, path in files if number == k))
            for k, sample in enumerate(self._samples)
            if any(number == k for number, _ in files)
        )

    # -- the account --

    @property
    def samples(self) -> Samples:
        """All that was delivered, in the order of the dataset."""
        files = [(k, file.path) for (k, _), one in zip(self._requests, self._delivered) for file in one.files]
        return self._as_samples(files)

    def account(self, delivery: Delivery) -> Delivery:
        """The account of a pass over what was delivered, with that of the delivery."""
        failures = [
            Failure(self._samples[k].name, failed.source, 0, 0, "file", failed.reason)
            for (k, _), one in zip(self._requests, self._delivered)
            for failed in one.failures
        ]
        seconds = {f"servicex, {name}": 0.0 for one in self._delivered for name in one.seconds}
        for one in self._delivered:
            for name, value in one.seconds.items():
                seconds[f"servicex, {name}"] = max(seconds[f"servicex, {name}"], value)
        notes = [_note(self._samples[k].name, one) for (k, _), one in zip(self._requests, self._delivered)]
        return replace(
            delivery,
            failures=(*failures, *delivery.failures),
            seconds={**seconds, **delivery.seconds},
            notes=(*notes, *delivery.notes),
        )


def _note(sample: str, one: Delivered) -> str:
    whole = f" of {one.input_bytes / 1e6:.1f} MB" if one.input_bytes else ""
    how = "kept from before" if one.cached else f"request {one.request_id}"
    failed = f", {len(one.failures)} failed" if one.failures else ""
    return f"{sample}: servicex delivered {one.bytes / 1e6:.2f} MB{whole} in {one.coverage}{failed} ({how})"
