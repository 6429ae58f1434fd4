"""The reference back end: reads whole files, and goes through their events one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hep_tables_coffea import files
from hep_tables_coffea.backends.reference.events import EventValues
from hep_tables_coffea.backends.reference.questions import Question, ask, columns_of, in_order
from hep_tables_coffea.backends.reference.tables import FileTable
from hep_tables_coffea.backends.reference.totals import Totals, per_event
from hep_tables_coffea.errors import DataError, HepTablesError, RunError, translate
from hep_tables_coffea.graph.nodes import Source, UserCall
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.plugins.protocol import Delivery, Failure, Support

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hep_tables_coffea.config import Options
    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.types.dataset import Dataset
    from hep_tables_coffea.types.schema import Leaf

__all__ = ["ReferenceBackend", "ReferenceProgram", "backend"]


@dataclass(frozen=True, slots=True)
class ReferenceProgram:
    """The nodes of a program in the order in which they are computed."""

    outputs: Mapping[str, Node]
    constants: Mapping[Node, Any]
    order: tuple[Question, ...]
    columns: Mapping[str, Leaf]
    title: str

    @property
    def text(self) -> str:
        """A line for each node: what it is, and its type."""
        lines = [f"# {self.title}", "for each event:"]
        lines += [f"    {type(node).__name__:10} {node.text}" for node, _ in self.order]
        return "\n".join([*lines, *(f"{name}: {node.text}" for name, node in self.outputs.items())])


class ReferenceBackend:
    """Runs everything that can be recorded, slowly. What it gives is what a program means."""

    name = "reference"

    def supports(self, node: Node) -> Support:
        if isinstance(node, Source) and node.dataset.schema.coffea_schema:
            return Support(False, "a table that a schema class of coffea lays out is read by coffea alone")
        if isinstance(node, UserCall) and node.declared.function is None:
            known = provided(node.declared.name)
            if known is None or known.numpy is None:
                return Support(False, f"nobody provides the function {node.declared.name}: ht.backend_function does")
        return Support(True)

    def compile(
        self, outputs: Mapping[str, Node], constants: Mapping[Node, Any], title: str, engine: str = "auto"
    ) -> ReferenceProgram:
        order = tuple(in_order(map(ask, per_event(outputs))))
        return ReferenceProgram(dict(outputs), dict(constants), order, columns_of(order), title)

    def execute(self, program: ReferenceProgram, dataset: Dataset, options: Options) -> Delivery:
        started = time.perf_counter()
        totals, failures = Totals(program.outputs), []
        events, size, done = 0, 0, 0
        lacking: dict[str, list[str]] = {}
        for number, sample, path, tree in _files(dataset):
            try:
                table, found = _run_file(program, number, sample, path, tree)
            except HepTablesError as error:
                if options.on_error == "raise":
                    raise
                failures.append(_failure(sample, path, error))
                continue
            totals.absorb(found)
            events, size, done = events + table.entries, size + table.bytes, done + 1
            for name in (name for name in program.columns if table.lists(name) is None):
                lacking.setdefault(name, []).append(path)
        if not done:
            msg = "no file of the dataset could be processed"
            raise DataError(msg, values=[(failure.file, failure.reason) for failure in failures[:5]], located=False)
        return Delivery(
            totals.answers(),
            events=events,
            bytes=size,
            chunks=done,
            columns=tuple(sorted(program.columns)),
            failures=tuple(failures),
            seconds={"running": time.perf_counter() - started},
            lacking={name: tuple(sorted(set(paths))) for name, paths in lacking.items()},
        )


def _files(dataset: Dataset) -> Iterator[tuple[int, str, str, str | None]]:
    for number, sample in enumerate(dataset.samples):
        for path, tree in sample.files:
            yield number, sample.name, path, tree


def _run_file(
    program: ReferenceProgram, number: int, sample: str, path: str, tree: str | None
) -> tuple[FileTable, Totals]:
    """The rows of one file."""
    try:
        table = FileTable(number, path, tree, files.describe(path, tree).num_entries)
        table.load(program.columns)
    except Exception as error:
        raise translate(error) from error
    totals = Totals(program.outputs)
    for entry in range(table.entries):
        event = EventValues(table, entry, program.constants)
        with np.errstate(all="ignore"):
            _compute(program, event, [("sample", sample), ("file", path), ("event", str(entry))])
            totals.add(event)
    return table, totals


def _compute(program: ReferenceProgram, event: EventValues, about: list[tuple[str, str]]) -> None:
    for node, fields in program.order:
        try:
            event.value(node, fields or None)
        except Exception as error:
            summary = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise RunError(summary, values=about, where=node.where, located=False) from error


def _failure(sample: str, path: str, error: HepTablesError) -> Failure:
    kind = "program" if isinstance(error, RunError) else "file"
    return Failure(sample, path, 0, 0, kind, error.summary)


backend = ReferenceBackend()
