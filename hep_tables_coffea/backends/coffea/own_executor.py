"""An executor of coffea: threads, and files that stay open from chunk to chunk and from run to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coffea.processor import accumulate
from coffea.processor.executor import ExecutorBase

from hep_tables_coffea.backends.coffea.bars import drawing
from hep_tables_coffea.backends.coffea.chunks import ChunkRunner
from hep_tables_coffea.backends.coffea.stock import on_kept_files
from hep_tables_coffea.backends.coffea.threads import answers, cores
from hep_tables_coffea.config import check_cache, current, size_in_bytes
from hep_tables_coffea.errors import OptionError
from hep_tables_coffea.files import Keep, keeping

__all__ = ["AutoExecutor", "Executor"]


@dataclass
class Executor(ExecutorBase):  # type: ignore[misc]
    """Runs chunks in threads of this process, for `coffea.processor.Runner(executor=ht.Executor(), ...)`.

    A processor made by `to_processor` reads its columns from files that are kept open, whatever the schema: the Runner
    neither opens the file nor parses its branches once more for each chunk. Any other processor runs as the Runner
    would have it, in threads, as with coffea's `FuturesExecutor(pool=ThreadPoolExecutor)`: what it does in Python is
    done by one thread at a time. Answers are added in the order of the chunks, so they are those of coffea's
    `IterativeExecutor` to the last bit. The first chunk that fails ends the run.

    Args:
        workers: how many threads; all cores by default. With one of them, or one chunk, none is started.
        status, unit, desc: the bar, as of coffea's executors; without `status` there is none.
        function_name: as of coffea's executors.
        compression: is not needed, since nothing leaves the process.
        cache, cache_size: whether and where decoded columns are kept, as of `ht.options`; by default as set there.
        retries: how often a chunk that failed is tried again, as of coffea's executors.

    With `savemetrics`, `bytesread` of a generated processor are the bytes of its columns after decompression.

    Example:
        >>> from coffea.processor import Runner
        >>> import hep_tables_coffea as ht
        >>> path = ht.samples.nanoaod("/tmp/zll.root", events=100)
        >>> counting = ht.to_processor({"jets": ht.nanoaod(path).Jet.pt.Count(axis=None)})
        >>> runner = Runner(executor=ht.Executor(workers=2, status=False), metadata_cache={})
        >>> sorted(runner({"zll": {"files": {path: "Events"}}}, processor_instance=counting))
        ['jets']
    """

    workers: int | None = None
    retries: int = 3
    cache: bool | str | Path | None = None
    cache_size: int | str | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            msg = f"workers={self.workers!r} is not possible"
            raise OptionError(msg, hint="workers is a positive number, or None for all cores")
        check_cache(self.cache)
        size_in_bytes(self.cache_size)

    def __call__(
        self, items: Iterable[Any], function: Callable[[Any], Any], accumulator: Any
    ) -> tuple[Any, int | BaseException]:
        """What the function makes of each item, added to the accumulator."""
        listed = list(items)
        if not listed:
            return accumulator, 0
        chosen = on_kept_files(function, self._keep())
        with self._bar(len(listed)) as shown, answers(chosen, listed, self._threads(len(listed))) as found:
            return accumulate(shown(found), accumulator), 0

    def _keep(self) -> Keep | None:
        """Where decoded columns are kept."""
        cache = current().cache if self.cache is None else self.cache
        size = current().cache_size if self.cache_size is None else self.cache_size
        return keeping(cache, size_in_bytes(size))

    def _threads(self, items: int) -> int:
        """So many threads; to count the cores takes longer than all else around a single chunk."""
        return 1 if items == 1 else self.workers or cores()

    @contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[Iterator[Any]], Iterable[Any]]]:
        """coffea's bar, or none where nobody would see it: drawing takes as long as a small chunk."""
        from coffea.util import coffea_console, rich_bar

        if not self.status or coffea_console.quiet:
            yield iter
            return
        with drawing(True), rich_bar() as progress:
            task = progress.add_task(self.desc, total=total, unit=self.unit)
            yield lambda found: progress.track(found, total=total, task_id=task)


@dataclass
class AutoExecutor(Executor):
    """Threads where all that runs in them is ours: a function of the user's may share what two must not change."""

    def __call__(
        self, items: Iterable[Any], function: Callable[[Any], Any], accumulator: Any
    ) -> tuple[Any, int | BaseException]:
        if isinstance(function, ChunkRunner) and function.calls_users_functions():
            return Executor(**{**vars(self), "workers": 1})(items, function, accumulator)
        return super().__call__(items, function, accumulator)
