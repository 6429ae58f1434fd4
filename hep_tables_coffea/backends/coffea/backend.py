"""The coffea back end: a program becomes a generated processor, a dataset becomes chunks, an executor joins them."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any
from uuid import uuid4

import cloudpickle

from hep_tables_coffea import files
from hep_tables_coffea.backends.coffea import executors
from hep_tables_coffea.backends.coffea.chunks import Chunk, ChunkRunner
from hep_tables_coffea.backends.coffea.layout import class_of, layout
from hep_tables_coffea.backends.coffea.split import chunks_of, events_per_chunk
from hep_tables_coffea.codegen.load import load_class
from hep_tables_coffea.codegen.processor import ProcessorSource, write
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import DataError, HepTablesError, RunError, translate
from hep_tables_coffea.graph.nodes import Node, UserCall
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.plugins.protocol import Delivery, Failure, Support
from hep_tables_coffea.types.dataset import Dataset, Sample
from hep_tables_coffea.types.schema import Schema

__all__ = ["CoffeaBackend", "backend"]


class CoffeaBackend:
    """Runs everything that can be recorded, with generated `ProcessorABC` subclasses on coffea's executors."""

    name = "coffea"

    def supports(self, node: Node) -> Support:
        if isinstance(node, UserCall) and node.declared.function is None:
            known = provided(node.declared.name)
            if known is None or known.numpy is None:
                return Support(False, f"nobody provides the function {node.declared.name}: ht.backend_function does")
        return Support(True)

    def compile(self, outputs: Mapping[str, Node], constants: Mapping[Node, Any], title: str) -> ProcessorSource:
        return write(outputs, title=title, constants=constants)

    def instance(self, program: ProcessorSource, dataset: Dataset) -> Any:
        """The generated processor, told in which order answers are put together."""
        return load_class(program.text, program.class_name, program.functions)(order=order_of(dataset))

    def execute(self, program: ProcessorSource, dataset: Dataset, options: Options) -> Delivery:
        started = time.perf_counter()
        opened, failures = describe(dataset, options)
        failures += refuse_lacking(opened, dataset, program, options)
        described = time.perf_counter()
        processor = self.instance(program, dataset)
        chunks = cut(opened, program, options)
        runner = ChunkRunner(processor, uuid4().hex, options.on_error == "raise", class_of(dataset.schema))
        merged = run_chunks(chunks, runner, options)
        failures += _failures(merged["failures"], program, options)
        answers = processor.postprocess(merged["out"]) if merged["out"] else {}
        if not merged["out"]:
            raise _nothing_left(failures)
        return _delivery(answers, merged, failures, program, described - started, time.perf_counter() - described)

    def layout(self, schema: type, tables: Sequence[Any]) -> Schema:
        """The schema of tables that a schema class of coffea lays out."""
        return layout(schema, tables)

    def run_job(self, *arguments: Any) -> Any:
        """A script of coffea 0.7."""
        from hep_tables_coffea.backends.coffea.job import run_job

        return run_job(*arguments)

    def first_rows(self, program: ProcessorSource, dataset: Dataset, options: Options, enough: Any) -> Any:
        """The answers of the first chunks, as many as are enough."""
        processor = self.instance(program, dataset)
        runner = ChunkRunner(processor, uuid4().hex, True, class_of(dataset.schema))
        out: dict[str, Any] = {}
        for sample, path, tree in ((s, path, tree) for s in dataset.samples for path, tree in s.files):
            for chunk in chunks_of(sample, _table(path, tree), 1000, True):
                done = runner(chunk)
                _failures(done["failures"], program, options)
                from coffea.processor import accumulate

                out = accumulate([out, done["out"]]) if out else done["out"]
                answers = processor.postprocess(out)
                if enough(answers):
                    return answers
        return processor.postprocess(out)


def order_of(dataset: Dataset) -> dict[tuple[str, str], int]:
    """The place of each file in the dataset."""
    return {(sample.name, label): number for number, (sample, label, _, _) in enumerate(_labelled(dataset))}


def _labelled(dataset: Dataset) -> list[tuple[Sample, str, str, str | None]]:
    """Every file with a label: its path, and a number where a sample has it again."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for sample in dataset.samples:
        for path, tree in sample.files:
            seen[sample.name, path] += 1
            again = seen[sample.name, path]
            found.append((sample, path if again == 1 else f"{path} ({again})", path, tree))
    return found


def _table(path: str, tree: str | None) -> Any:
    try:
        return files.describe(path, tree)
    except Exception as error:
        raise translate(error) from error


Opened = list[tuple[Sample, str, Any]]


def describe(dataset: Dataset, options: Options) -> tuple[Opened, list[Failure]]:
    """The metadata of every file; what cannot be opened is an error, or reported."""

    def one(task: tuple[Sample, str, str, str | None]) -> Any:
        try:
            return files.describe(task[2], task[3])
        except Exception as error:  # noqa: BLE001 (returned, then raised or reported)
            return translate(error)

    tasks = _labelled(dataset)
    with ThreadPoolExecutor(max_workers=8) as pool:
        tables = list(pool.map(one, tasks))
    bad = [(task, table) for task, table in zip(tasks, tables) if isinstance(table, HepTablesError)]
    if bad and options.on_error == "raise":
        raise bad[0][1]
    failures = [Failure(task[0].name, task[2], 0, 0, "file", table.summary) for task, table in bad]
    opened = [(task[0], task[1], table) for task, table in zip(tasks, tables) if not isinstance(table, HepTablesError)]
    if not opened:
        raise _nothing_left(failures)
    return opened, failures


def refuse_lacking(opened: Opened, dataset: Dataset, program: ProcessorSource, options: Options) -> list[Failure]:
    """Drop files without a column that every file had when types were found: its type does not say that it may miss."""
    if dataset.schema.coffea_schema:
        return []
    known = dataset.schema.columns
    needed = [name for name in program.columns if name in known and not known[name].optional]
    failures = []
    for one in list(opened):
        sample, _, table = one
        lacking = [name for name in needed if name not in table.columns]
        if not lacking:
            continue
        error = _lacking(table.path, lacking)
        if options.on_error == "raise":
            raise error
        opened.remove(one)
        failures.append(Failure(sample.name, table.path, 0, table.num_entries, "file", error.summary))
    if not opened:
        raise _nothing_left(failures)
    return failures


def _lacking(path: str, names: Sequence[str]) -> HepTablesError:
    msg = f"{path} has no column {names[0]!r}, which every file had that was looked at when the dataset was opened"
    return DataError(msg, hint="ht.dataset(..., every_file=True) looks at all: the column is then missing there")


def _nothing_left(failures: Sequence[Failure]) -> HepTablesError:
    msg = "no file of the dataset could be processed"
    values = [(failure.file, failure.reason) for failure in failures[:5]]
    return DataError(msg, values=values, located=False)


def cut(opened: Opened, program: ProcessorSource, options: Options) -> list[Chunk]:
    """The chunks of all files."""
    size = options.chunksize
    exact = size is not None
    if size is None:
        size = events_per_chunk([table for *_, table in opened], program.columns, executors.workers_of(options))
    return [chunk for sample, label, table in opened for chunk in chunks_of(sample, table, size, exact, label)]


def shows_progress(options: Options, chunks: Sequence[Chunk]) -> bool:
    """Whether a bar is drawn: as asked for, else on a terminal or in a notebook where there is something to wait for."""
    if options.progress is not None:
        return options.progress
    interactive = sys.stderr.isatty() or "ipykernel" in sys.modules
    return interactive and (len(chunks) > 2 or sum(chunk.stop - chunk.start for chunk in chunks) > 200_000)


def run_chunks(chunks: Sequence[Chunk], runner: ChunkRunner, options: Options) -> dict[str, Any]:
    """Every chunk through the executor, merged."""
    progress = shows_progress(options, chunks)
    executor = executors.executor_for(options, progress)
    empty: dict[str, Any] = {"out": {}, "chunks": {}, "failures": {}}
    with executors.quiet(not progress), _by_value(executors.sends_by_value(executor)):
        merged, problem = executor(list(chunks), runner, empty)
    if isinstance(problem, BaseException):
        raise problem
    return merged  # type: ignore[no-any-return]


#: Runs that need it now: several may be under way at once in an event loop.
_registered: list[Any] = []
_registering = Lock()


@contextmanager
def _by_value(wanted: bool) -> Iterator[None]:
    """Send our modules along, for workers that do not have them."""
    import hep_tables_coffea

    if not wanted:
        yield
        return
    with _registering:
        _registered.append(hep_tables_coffea)
        cloudpickle.register_pickle_by_value(hep_tables_coffea)
    try:
        yield
    finally:
        with _registering:
            _registered.pop()
            if not _registered:
                cloudpickle.unregister_pickle_by_value(hep_tables_coffea)


def _failures(found: Mapping[Any, Mapping[str, Any]], program: ProcessorSource, options: Options) -> list[Failure]:
    """The failures of chunks: those of files raised or reported, those of the program always raised."""
    listed = [(key, about) for key, abouts in sorted(found.items()) for about in abouts]
    fatal = [one for one in listed if one[1]["kind"] == "program" or options.on_error == "raise"]
    if fatal:
        raise _chunk_error(*fatal[0], program)
    return [
        Failure(key[0], about["file"], key[2], about["stop"], about["kind"], about["reason"]) for key, about in listed
    ]


def _chunk_error(key: Any, about: Mapping[str, Any], program: ProcessorSource) -> HepTablesError:
    sample, _, start = key
    values = [("sample", sample), ("file", about["file"]), ("entries", f"{start} to {about['stop']}")]
    where = next((program.origins[line] for line in about["lines"] if line in program.origins), None)
    if about["kind"] == "file":
        return DataError(about["reason"].splitlines()[0], values=values, where=where, located=False)
    summary = f"{about['type']}: {about['reason'].splitlines()[0]}"
    return RunError(summary, values=values, where=where, located=False)


def _delivery(
    answers: Mapping[str, Any],
    merged: Mapping[str, Any],
    failures: Sequence[Failure],
    program: ProcessorSource,
    opening: float,
    running: float,
) -> Delivery:
    listed = [(key, account) for key, accounts in merged["chunks"].items() for account in accounts]
    accounts = [account for _, account in listed]
    lacking: dict[str, set[str]] = {}
    for (_, file, _), account in listed:
        for name in account["lacking"]:
            lacking.setdefault(name, set()).add(file)
    return Delivery(
        answers,
        events=sum(account["events"] for account in accounts),
        bytes=sum(account["bytes"] for account in accounts),
        chunks=len(accounts),
        columns=tuple(sorted(program.columns)),
        failures=tuple(failures),
        seconds={
            "opening": opening,
            "running": running,
            "reading, all workers": sum(account["read"] for account in accounts),
            "computing, all workers": sum(account["compute"] for account in accounts),
        },
        lacking={name: tuple(sorted(found)) for name, found in lacking.items()},
    )


backend = CoffeaBackend()
