"""The coffea back end: a program becomes a generated processor, a dataset becomes chunks, an executor joins them."""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any
from uuid import uuid4

import cloudpickle

from hep_tables_coffea.backends.coffea import executors
from hep_tables_coffea.backends.coffea.account import chunk_failures, delivery
from hep_tables_coffea.backends.coffea.chunks import Chunk, ChunkRunner
from hep_tables_coffea.backends.coffea.layout import class_of, layout
from hep_tables_coffea.backends.coffea.opening import (
    Opened,
    describe,
    labelled,
    nothing_left,
    order_of,
    refuse_lacking,
    table_of,
)
from hep_tables_coffea.backends.coffea.split import chunks_of, events_per_chunk
from hep_tables_coffea.codegen.fused.ready import NUMBA, seconds_to_compile
from hep_tables_coffea.codegen.load import load_class
from hep_tables_coffea.codegen.processor import ProcessorSource
from hep_tables_coffea.codegen.programs import program as written
from hep_tables_coffea.config import Options, in_notebook, size_in_bytes
from hep_tables_coffea.files import keeping
from hep_tables_coffea.graph.nodes import Node, UserCall
from hep_tables_coffea.plan.variations import Varied
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.plugins.protocol import Delivery, Failure, Support
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.schema import Schema

__all__ = ["CoffeaBackend", "backend"]


YES = Support(True)


class CoffeaBackend:
    """Runs everything that can be recorded, with generated `ProcessorABC` subclasses on coffea's executors."""

    name = "coffea"

    def supports(self, node: Node) -> Support:
        if isinstance(node, UserCall) and node.declared.function is None:
            known = provided(node.declared.name)
            if known is None or known.numpy is None:
                return Support(False, f"nobody provides the function {node.declared.name}: ht.backend_function does")
        return YES

    def compile(
        self,
        outputs: Mapping[str, Node],
        constants: Mapping[Node, Any],
        title: str,
        engine: str = "auto",
        varied: Mapping[str, Varied] | None = None,
    ) -> ProcessorSource:
        """The program. With `varied` its answers are those of a processor, whose variations are put together."""
        return written(outputs, constants, title, engine, varied)

    def instance(self, program: ProcessorSource, dataset: Dataset, waits: bool = False) -> Any:
        """The generated processor, told in which order answers are put together.

        One with a kernel knows one without, which runs while the kernel is compiled, unless it `waits` for it.
        """
        order = order_of(dataset)
        made = _made(program, order)
        if program.meanwhile is not None:
            made.meanwhile, made.waits = _made(program.meanwhile, order), waits
        return made

    def execute(self, program: ProcessorSource, dataset: Dataset, options: Options) -> Delivery:
        pass_ = self.begin(program, options)
        pass_.add(dataset)
        return pass_.finish(dataset)

    def begin(self, program: ProcessorSource, options: Options) -> Pass:
        """A pass over files that come one after the other: `add` them, then `finish`."""
        return Pass(self, program, options)

    def layout(self, schema: type, tables: Sequence[Any]) -> Schema:
        """The schema of tables that a schema class of coffea lays out."""
        return layout(schema, tables)

    def run_job(self, *arguments: Any) -> Any:
        """A script of coffea 0.7."""
        from hep_tables_coffea.backends.coffea.job import run_job

        return run_job(*arguments)

    def first_rows(self, program: ProcessorSource, dataset: Dataset, options: Options, enough: Any) -> Any:
        """The answers of the first chunks, as many as are enough."""
        from coffea.processor import accumulate

        processor = self.instance(program, dataset)
        runner = ChunkRunner(processor, uuid4().hex, True, class_of(dataset.schema))
        out: dict[str, Any] = {}
        for sample, label, path, tree in labelled(dataset):
            for chunk in chunks_of(sample, table_of(path, tree), 1000, True, label):
                done = runner(chunk)
                chunk_failures(done["failures"], program, replace(options, on_error="raise"))
                out = accumulate([out, done["out"]]) if out else done["out"]
                answers = processor.postprocess(out)
                if enough(answers):
                    return answers
        return answers


def _made(program: ProcessorSource, order: Mapping[tuple[str, str], int]) -> Any:
    """The generated processor."""
    return load_class(program.text, program.class_name, program.functions)(order=order)


#: Seconds that awkward needs for a statement however few the events are, and for each of its events.
STATEMENT, EVENT = 5e-4, 1.5e-8
#: Seconds of awkward's work that runs of each program would have taken up to now: a question that is asked again and again
#: is worth a kernel, too.
_spent: OrderedDict[tuple[str, ...], float] = OrderedDict()


def chosen(program: ProcessorSource, chunks: Sequence[Chunk]) -> tuple[ProcessorSource, bool]:
    """The program with kernels where it pays to compile them, else the one without; and whether it waits for them.

    It pays where they are ready, or awkward's work in this run and those before would take as long as compiling. What
    numba has to compile is compiled while awkward works.
    """
    assert program.meanwhile is not None
    statements = program.meanwhile.process.count("\n") + 1
    work = sum(statements * (STATEMENT + EVENT * (chunk.stop - chunk.start)) for chunk in chunks)
    spent = _spent[program.digests] = _spent.pop(program.digests, 0.0) + work
    while len(_spent) > 1000:
        _spent.popitem(last=False)
    needed = [*map(seconds_to_compile, program.kernels, program.digests)]
    return (program, max(needed, default=0.0) < NUMBA) if sum(needed) <= spent else (program.meanwhile, False)


def cut(opened: Opened, program: ProcessorSource, options: Options) -> list[Chunk]:
    """The chunks of all files."""
    size = options.chunksize
    exact = size is not None
    if size is None:
        size = events_per_chunk([table for *_, table in opened], program.columns)
    return [chunk for sample, label, table in opened for chunk in chunks_of(sample, table, size, exact, label)]


def shows_progress(options: Options, chunks: Sequence[Chunk]) -> bool:
    """Whether a bar is drawn: as asked for, else on a terminal or in a notebook where there is something to wait for."""
    if options.progress is not None:
        return options.progress
    interactive = sys.stderr.isatty() or in_notebook()
    return interactive and (len(chunks) > 2 or sum(chunk.stop - chunk.start for chunk in chunks) > 200_000)


def run_chunks(
    chunks: Sequence[Chunk], runner: ChunkRunner, options: Options, merged: dict[str, Any] | None
) -> dict[str, Any]:
    """Every chunk through the executor, merged with what there is. There is at least one."""
    from hep_tables_coffea.backends.coffea.bars import drawing

    progress = shows_progress(options, chunks)
    executor = executors.executor_for(options, progress)
    with drawing(progress), _by_value(executors.sends_by_value(executor)), executors.in_force(executor):
        try:
            found, problem = executor(list(chunks), runner, merged)
        except KeyboardInterrupt:
            executors.abandon()
            raise
    if isinstance(problem, BaseException):
        raise problem
    return found  # type: ignore[no-any-return]


#: Runs that need it now: several may be under way at once in an event loop.
_registered: list[Any] = []
_registering = Lock()


@contextmanager
def _by_value(wanted: bool) -> Iterator[None]:
    """Send our modules along, for workers that do not have them."""
    if not wanted:
        yield
        return
    package = sys.modules[__name__.partition(".")[0]]
    with _registering:
        _registered.append(package)
        cloudpickle.register_pickle_by_value(package)
    try:
        yield
    finally:
        with _registering:
            _registered.pop()
            if not _registered:
                cloudpickle.unregister_pickle_by_value(package)


class Pass:
    """One pass over a dataset whose files are known all at once, or as they are delivered."""

    def __init__(self, backend: CoffeaBackend, program: ProcessorSource, options: Options) -> None:
        self._backend, self._program, self._options = backend, program, options
        self._run = uuid4().hex
        self._failures: list[Failure] = []
        #: As coffea's executors begin: with nothing, so that the answer of a single chunk is not copied.
        self._merged: dict[str, Any] | None = None
        self._opening = self._running = 0.0

    def add(self, dataset: Dataset) -> None:
        """Run over these files."""
        program, options = self._program, self._options
        started = time.perf_counter()
        opened, failures = describe(dataset, options, program.columns)
        failures += refuse_lacking(opened, dataset, program, options)
        described = time.perf_counter()
        chunks = cut(opened, program, options)
        waits = options.engine == "fused"
        if program.meanwhile is not None and options.engine == "auto" and chunks:
            program, waits = chosen(program, chunks)
        processor = self._backend.instance(program, dataset, waits)
        keep = keeping(options.cache, size_in_bytes(options.cache_size))
        runner = ChunkRunner(processor, self._run, options.on_error == "raise", class_of(dataset.schema), keep)
        self._failures += failures
        if chunks:
            self._merged = run_chunks(chunks, runner, options, self._merged)
            self._failures += chunk_failures(self._merged["failures"], program, options)
            self._merged["failures"] = {}
        self._opening += described - started
        self._running += time.perf_counter() - described

    def finish(self, dataset: Dataset) -> Delivery:
        """The answers of all files, in the order of this dataset."""
        started = time.perf_counter()
        if self._merged is None or not self._merged["out"]:
            raise nothing_left(self._failures)
        answers = _made(self._program, order_of(dataset)).postprocess(self._merged["out"])
        running = self._running + time.perf_counter() - started
        return delivery(answers, self._merged, self._failures, self._program, self._opening, running)


backend = CoffeaBackend()
