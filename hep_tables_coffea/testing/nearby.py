"""A back end that delivers columns, for tests of cuts: it computes them with the library itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import awkward as ak

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import Delivery, Support
from hep_tables_coffea.types.elements import Number, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hep_tables_coffea.config import Options
    from hep_tables_coffea.graph.axes import Axis
    from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["Nearby", "columns_of", "kind_of", "some_kinds"]


@dataclass(frozen=True)
class _Question:
    """What a back end near the data is asked."""

    columns: Mapping[str, g.Node]
    text: str


class Nearby:
    """A back end that delivers the columns that it `takes`: it computes them itself, and writes a file for each file.

    Args:
        name: as the back end is registered.
        folder: where it writes.
        takes: asked of each node: "" if it is taken, else the reason why not.
    """

    def __init__(self, name: str, folder: Path, takes: Callable[[g.Node], str] = lambda node: "") -> None:
        self.name, self.folder, self.takes = name, folder, takes

    def supports(self, node: g.Node) -> Support:
        if isinstance(node, (g.Aggregate, g.Fill)):
            return Support(False, "delivers columns, and no value of the whole dataset")
        if isinstance(node, g.Field) and _problem(node):
            return Support(False, f"cannot read {node.name}: {_problem(node)}")
        reason = self.takes(node)
        return Support(not reason, reason)

    def needs(self, node: g.Node) -> Iterable[g.Node]:
        return columns_of(node)

    def compile(self, columns: Mapping[str, g.Node], events: Axis, dataset: Dataset) -> _Question:
        wrong = [name for name, node in columns.items() if node.path[0] is not events]
        assert not wrong, f"{wrong} are not on the events that are delivered"
        return _Question(columns, "\n".join(f"{name}: {node.text}" for name, node in columns.items()))

    def deliver(self, program: _Question, dataset: Dataset, options: Options) -> _Delivering:
        return _Delivering(self.folder, program.columns, dataset, options)


def _problem(node: g.Field) -> str:
    record = node.args[0].type
    leaf = record.group.fields.get(node.name) if isinstance(record, Record) and record.group is not None else None
    return str(getattr(leaf, "problem", ""))


class _Delivering:
    """Files that are delivered one after the other."""

    def __init__(self, folder: Path, columns: Mapping[str, g.Node], dataset: Dataset, options: Options) -> None:
        self._folder, self._dataset = folder, dataset
        self._options = replace(options, backend=None)
        coffea: Any = registry.backend("coffea")
        self._program = coffea.compile(columns, {}, "delivered", "columnar")
        self._execute = coffea.execute
        self._done: list[Sample] = []

    def __enter__(self) -> _Delivering:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __iter__(self) -> Iterator[tuple[Sample, ...]]:
        for sample in self._dataset.samples:
            for file in sample.files:
                one = replace(sample, files=(file,))
                found = self._execute(self._program, replace(self._dataset, samples=(one,)), self._options)
                path = self._folder / f"{len(list(self._folder.iterdir()))}.parquet"
                ak.to_parquet(ak.zip(found.answers, depth_limit=1), str(path))
                self._done.append(replace(sample, files=((str(path), None),)))
                yield (self._done[-1],)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All files, in the order of the dataset."""
        return tuple(
            replace(sample, files=tuple(file for one in self._done if one.name == sample.name for file in one.files))
            for sample in self._dataset.samples
        )

    def account(self, delivery: Delivery) -> Delivery:
        return delivery


def columns_of(node: g.Node) -> Sequence[g.Node]:
    """What a node is computed from, column by column."""
    if isinstance(node, g.Field):
        return [node.args[0]] if isinstance(node.args[0], g.Behave) else []
    if isinstance(node, g.Restrict):
        inner, k, step = last_step(node)
        mask = [] if step.node is None else [build.restrict(step.node, inner.path[:k] + step.node.path[k:])]
        return [inner, *mask]
    if isinstance(node, g.Reduce) and node.function == "num":
        return _rows_of(node.args[0])
    if isinstance(node, (g.Side, g.Nest)) or kind_of(node) == "Call ht.broadcast":
        slot = node.slot if isinstance(node, g.Side) else 0
        others = [arg for arg in node.args if arg is not node.args[slot]]
        return [node.args[slot], *(one for arg in others for one in _rows_of(build.anchor(arg)))]
    found: list[g.Node] = []
    touched = node.touched if isinstance(node, g.Behave) else [None] * len(node.args)
    for arg, fields in zip(node.args, touched, strict=True):
        if isinstance(arg, g.Literal) or (isinstance(node, g.Iterate) and arg in node.args[node.size :]):
            continue
        if not isinstance(arg.type, Record) or isinstance(arg, g.Behave):
            found.append(arg)
        elif fields is None:
            found.append(build.anchor(arg))
        else:
            found += [build.field(arg, name) for name in functions.needed_fields(arg, fields)]
    return found


def _rows_of(node: g.Node) -> Sequence[g.Node]:
    """What says which rows there are."""
    if isinstance(node, g.Field) and node.name == build.ROW:
        return []
    if isinstance(node, g.Restrict):
        return [*_rows_of(last_step(node)[0]), *columns_of(node)[1:]]
    return [node]


def kind_of(node: g.Node) -> str:
    """What a capability tells apart: the kind of a node, its function, the rows that it takes."""
    if isinstance(node, g.Restrict):
        return f"{last_step(node)[2].kind} rows"
    if isinstance(node, (g.Side, g.Join)):
        return f"{node.axis.kind} rows"
    if isinstance(node, (g.Call, g.Reduce, g.Arrange)):
        return f"{type(node).__name__} {node.function}"
    if isinstance(node, g.Behave):
        return f"Behave {node.method}"
    if isinstance(node, g.Field):
        return "position" if node.name == build.ROW else "column"
    return type(node).__name__


def some_kinds(random: Random) -> Callable[[g.Node], str]:
    """Some kinds of nodes are taken, and others refused; with few refusals most programs are cut late."""
    part = random.choice([0.0, 0.05, 0.15, 0.4, 0.8])
    options = random.random() < part
    known = {"column": False, "Reduce num": False}

    def takes(node: g.Node) -> str:
        kind = kind_of(node)
        if kind not in known:
            known[kind] = Random(f"{part} {kind} {options} {seed}").random() < part
        if options and isinstance(node.type, Number) and node.type.option:
            return "delivers no missing values"
        return f"has no {kind}" if known[kind] else ""

    seed = random.random()
    return takes
