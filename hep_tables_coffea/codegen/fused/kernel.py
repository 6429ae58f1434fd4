"""The kernel of some outputs: which of them it can compute, its text, and what it takes and gives."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas, primitives
from hep_tables_coffea.codegen.fused.again import asked_again
from hep_tables_coffea.codegen.fused.calls import OF_KERNELS
from hep_tables_coffea.codegen.fused.crossed import crossed
from hep_tables_coffea.codegen.fused.expand import Expander
from hep_tables_coffea.codegen.fused.fills import Bins, Slab, fill_effects, rows_of
from hep_tables_coffea.codegen.fused.flat import flattened
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Unfusable, reason_of
from hep_tables_coffea.codegen.fused.schedule import Nest, schedule
from hep_tables_coffea.codegen.fused.writer import Writer
from hep_tables_coffea.codegen.native.compile import digest_of
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.needs import readable, scalar_walk
from hep_tables_coffea.types.elements import Number, Record
from hep_tables_coffea.types.schema import Leaf

__all__ = ["HEAD", "Column", "Kernel", "aggregated", "fuse"]

_TAKEN = {*OF_KERNELS, *(f"place_{k}" for k in range(10))}
_TAKEN |= set("np math events bins edges used place weight range abs min max bool".split())


@dataclass(slots=True)
class Column:
    """Values that a kernel appends: for each row of a path."""

    name: str
    dtype: np.dtype[Any]
    option: bool
    path: Path


@dataclass(slots=True)
class Kernel:
    """A compiled loop over events, as text, and what stands around it."""

    text: str
    digest: str
    #: Arrays that are taken: name -> ("rows", axis), ("data", column), ("computed", formula), ("given", node), ...
    arrays: dict[str, tuple[str, Any]]
    #: Arrays that formulas take beside these.
    inputs: dict[str, tuple[str, Any]]
    #: Arrays that are used for lists of one event: name -> type and axis.
    kept: dict[str, tuple[np.dtype[Any], Axis]]
    metadata: dict[str, g.Metadata]
    texts: dict[str, int]
    stored: dict[str, tuple[g.Field, Leaf]]
    bins: int
    edges: list[float]
    slabs: dict[g.Fill, list[Slab]]
    columns: dict[g.Node, Column]
    counters: list[str]
    #: Output -> why it is left to the columnar engine.
    refused: dict[str, str] = field(default_factory=dict)
    #: Value that the columnar engine computes for the kernel -> why it is left to it.
    given: dict[g.Node, str] = field(default_factory=dict)


class _Maker:
    """Collects what outputs need, as far as they can be fused."""

    def __init__(
        self,
        outputs: Mapping[str, g.Node],
        hints: Mapping[g.Node, str],
        constants: Mapping[g.Node, Any],
        refused: Mapping[str, str],
        found: Collection[Any] = (),
    ) -> None:
        self.expander = Expander(Names(_TAKEN), hints, constants, found)
        self.expander.knows(walk(list(outputs.values())))
        self.bins = Bins()
        self.columns: dict[g.Node, Column] = {}
        self.effects: list[Effect] = []
        self.refused = dict(refused)
        for name, node in outputs.items():
            if name in refused:
                continue
            slabs = dict(self.bins.slabs)
            try:
                effects, columns = self._output(node)
            except Exception as error:
                self.refused[name], self.bins.slabs = reason_of(error), slabs
                continue
            self.effects += effects
            self.columns |= columns

    def scheduled(self) -> list[Inst | Nest]:
        """The loops of the kernel, outermost first."""
        fewer = crossed(self.effects, self.expander.program)
        self.bins.place()
        effects = [flattened(effect, self.expander.program, self.expander.events) for effect in fewer]
        return schedule(effects)

    def _output(self, node: g.Node) -> tuple[list[Effect], dict[g.Node, Column]]:
        if isinstance(node, g.Fill):
            return fill_effects(node, self.expander, self.bins), {}
        columns: dict[g.Node, Column] = {}
        effects: list[Effect] = []
        for one in [node] if node.path else aggregated(node):
            flat = not node.path
            if isinstance(one, g.Fill):
                effects += fill_effects(one, self.expander, self.bins)
                continue
            self._column(one, effects, columns, flat)
        return effects, columns

    def _column(self, node: g.Node, effects: list[Effect], columns: dict[g.Node, Column], flat: bool) -> None:
        """The values of a node, and unless they are wanted flat the numbers of rows in its lists."""
        if node in self.columns or node in columns:
            self._lengths(node, effects, columns, flat)  # it may have been wanted flat before
            return
        if isinstance(node.type, Record):
            if isinstance(node, g.Behave) or not node.type.fields or flat:
                raise Unfusable("whole records of a method")
            if node.type.option:
                self._values(node, np.dtype(bool), effects, columns)
                self._lengths(node, effects, columns, flat)
            for name in readable(node):
                member = build.field(node, name)
                if len(member.path) != len(node.path):
                    raise Unfusable("records with lists in them")
                self._column(member, effects, columns, flat)
            return
        if not isinstance(node.type, Number):
            raise Unfusable("strings")
        self._values(node, formulas.check(node.type.dtype), effects, columns)
        self._lengths(node, effects, columns, flat)

    def _lengths(self, node: g.Node, effects: list[Effect], columns: dict[g.Node, Column], flat: bool) -> None:
        if not flat and len(node.path) > 1:
            self._column(functions.reduce("num", build.anchor(node)), effects, columns, flat)

    def _values(self, node: g.Node, dtype: np.dtype[Any], effects: list[Effect], columns: dict[g.Node, Column]) -> None:
        """The values of a node, one after the other; of records whether they are there."""
        loops, env = rows_of(node.path, self.expander)
        found = self.expander.value(node, env)
        if node in self.expander.given:
            raise Unfusable(self.expander.given[node][1])
        inst = self.expander.settle(found.inst)
        if inst.dtype != dtype:
            inst = formulas.cast(self.expander.program, inst, dtype)
        name = self.expander.names.new("column")
        values = [inst]
        option = node.type.option and not self._is_known(node, found.ok)
        if option:
            true = formulas.constant(self.expander.program, True, bool)
            values.append(self.expander.settle(found.ok) if found.ok is not None else true)

        def write(texts: list[str]) -> list[str]:
            lines = [f"{name}[n_{name}] = {texts[0]}"]
            lines += [f"{name}_known[n_{name}] = {text}" for text in texts[1:]]
            return [*lines, f"n_{name} += 1"]

        effects.append(Effect("statement", tuple(loops), values, (write,)))
        columns[node] = Column(name, dtype, option, node.path)

    def _is_known(self, node: g.Node, ok: Inst | None) -> bool:
        """Whether nothing can be missing any more, since a value of the whole dataset that might have been is there."""
        return ok is None and any(one in self.expander.constants for one in walk([node]))


def aggregated(node: g.Node) -> list[g.Node]:
    """What a dataset-wide value is computed from in each chunk."""
    found: list[g.Node] = []
    for one in scalar_walk(node):
        if isinstance(one, g.Fill):
            found.append(one)
        elif isinstance(one, g.Aggregate):
            if one.function in ("first", "last") and len(one.args[0].path) > 1:
                raise Unfusable("the first list of the dataset")
            found += one.args
    return found


def fuse(
    outputs: Mapping[str, g.Node],
    hints: Mapping[g.Node, str],
    constants: Mapping[g.Node, Any],
    refused: Mapping[str, str],
) -> Kernel:
    """The kernel of all outputs that can be fused, but for those `refused`; which cannot, and why, is in its `refused`."""
    maker = _Maker(outputs, hints, constants, refused)
    items = maker.scheduled()
    found = asked_again(items, maker.expander.filters)
    if found:
        maker = _Maker(outputs, hints, constants, refused, found)
        items = maker.scheduled()
    expander = maker.expander
    lines = Writer(expander.names).write(items)
    body = "\n".join(lines)
    words = set(re.findall(r"\w+", body))
    arrays = {name: about for name, about in expander.arrays.columns.items() if name in words}
    inputs = _inputs(arrays, expander.arrays.columns)
    read = words | set(inputs)
    kept = {name: about for name, about in expander.arrays.kept.items() if name in words}
    metadata = {name: node for name, node in expander.arguments.items() if name in words or f"{name}_known" in words}
    columns = maker.columns
    counters = maker.bins.counters
    takes = ["events", *arrays, *_metadata_names(metadata), *kept]
    if maker.bins.size:
        takes += ["bins"] + (["edges"] if maker.bins.edges else [])
    for column in columns.values():
        takes += [column.name] + ([f"{column.name}_known"] if column.option else [])
    counted = [f"n_{column.name}" for column in columns.values()] + counters
    start = [f"    {name} = 0" for name in counted]
    end = [f"    used[{k}] = {name}" for k, name in enumerate(counted)]
    takes += ["used"] if counted else []
    types = ", ".join(_types(takes, arrays, expander, metadata, kept, columns))
    head = [
        "@njit(",
        f"    types.void({types}),",
        '    nogil=True, error_model="numpy", cache=True,',
        ")",
        *_signature(takes),
    ]
    text = "\n".join([*_primitives(words), *_of_users(words, expander.functions), *head, *start, *lines, *end, ""])
    return Kernel(
        text, digest_of(text), arrays, inputs, kept, metadata, dict(expander.texts),
        {name: about for name, about in expander.columns.items() if name in read or f"{name}_known" in read},
        maker.bins.size, maker.bins.edges, maker.bins.slabs, columns, counters, maker.refused,
        {node: reason for node, (name, reason) in expander.given.items() if name in words or f"{name}_known" in words},
    )  # fmt: skip


def _types(
    takes: list[str],
    arrays: Mapping[str, tuple[str, Any]],
    expander: Expander,
    metadata: Mapping[str, g.Metadata],
    kept: Mapping[str, tuple[np.dtype[Any], Axis]],
    columns: Mapping[g.Node, Column],
) -> list[str]:
    """The types of what a kernel takes, as numba writes them: it is compiled before it is called."""
    known = {
        "events": "types.int64",
        "bins": "types.float64[::1]",
        "edges": "column(types.float64)",
        "used": "types.int64[::1]",
    }
    for name, (kind, about) in arrays.items():
        if kind == "data":
            dtype = expander.columns[name][0].type.dtype  # type: ignore[union-attr]
        elif kind == "computed":
            dtype = about[2]
        elif kind == "given":
            dtype = about.type.dtype
        else:
            dtype = np.dtype("int64" if kind == "rows" else bool)
        known[name] = f"column({_numba(dtype)})"
    for name, node in metadata.items():
        known[name] = "types.int64" if not isinstance(node.type, Number) else _numba(node.type.dtype)
        known[f"{name}_known"] = "types.boolean"
    known |= {name: f"{_numba(dtype)}[::1]" for name, (dtype, _) in kept.items()}
    for column in columns.values():
        known[column.name] = f"{_numba(column.dtype)}[::1]"
        known[f"{column.name}_known"] = "types.boolean[::1]"
    return [known[name] for name in takes]


def _numba(dtype: np.dtype[Any]) -> str:
    return "types.boolean" if dtype.kind == "b" else f"types.{dtype.name}"


def _inputs(arrays: Mapping[str, tuple[str, Any]], all_: Mapping[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    """What the formulas of computed arrays take."""
    found: dict[str, tuple[str, Any]] = {}
    waiting = [about for kind, about in arrays.values() if kind == "computed"]
    while waiting:
        for name in waiting.pop()[1]:
            if name not in arrays and name not in found:
                found[name] = all_[name]
                if all_[name][0] == "computed":
                    waiting.append(all_[name][1])
    return found


def _of_users(words: set[str], functions_: Mapping[str, str]) -> list[str]:
    """The text of the user's functions that are called."""
    texts = [text for name, text in functions_.items() if name in words]
    return [line for text in texts for line in [*text.splitlines(), "", ""]]


def _metadata_names(metadata: Mapping[str, g.Metadata]) -> list[str]:
    return [one for name, node in metadata.items() for one in ([name, f"{name}_known"] if node.type.option else [name])]


def _signature(takes: list[str]) -> list[str]:
    """`def kernel(...)`, broken where it is long."""
    lines = ["def kernel("]
    current = "   "
    for name in takes:
        if len(current) + len(name) > 110:
            lines.append(current)
            current = "   "
        current += f" {name},"
    return [*lines, current, "):"]


@functools.cache
def _sources() -> dict[str, str]:
    return {name: inspect.getsource(getattr(primitives, name)) for name in primitives.__all__}


def _primitives(words: Iterable[str]) -> list[str]:
    """The text of what the kernel calls."""
    sources = _sources()
    calls = {name: set(re.findall(r"\w+", text)) for name, text in sources.items()}
    wanted = [name for name in sources if name in set(words)]
    for name in sources:  # what is called stands before what calls it
        if any(name in calls[other] for other in wanted) and name not in wanted:
            wanted.insert(0, name)
    texts = [re.sub(r"  # type: ignore\[[\w-]+\]", "", sources[name]) for name in wanted]
    compiled = "\n\n".join(f'@njit(nogil=True, error_model="numpy")\n{text}' for text in texts)
    return [*HEAD, *(f"{compiled}\n\n" if texts else "").splitlines()]


HEAD = """\
import numpy as np
from numba import njit, types


def column(dtype):
    \"\"\"The type of what is read and never written.\"\"\"
    return types.Array(dtype, 1, "C", readonly=True)


""".splitlines()
