"""Histograms in kernels: which bin a value goes to, where its contents stand, and how they become a histogram again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.expand import Expander
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Unfusable
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.codegen.source import quoted
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Text

__all__ = ["Bins", "Slab", "Tally", "builder", "fill_effects", "guarded", "rows_of", "template"]

#: The transformations of regular axes.
_TRANSFORMED = {"None": "{}", "log": "np.log({})", "sqrt": "np.sqrt({})"}


@dataclass(slots=True, eq=False)
class Slab:
    """The contents of a histogram, or of the part of it with some categories, in the array of all bins."""

    shape: tuple[int, ...]
    categories: tuple[str | None, ...]
    counter: str = ""
    #: Whether sums of squared weights follow.
    squares: bool = False
    #: How often it is there: for each combination of selections.
    copies: int = 1
    begins: int = 0
    #: Where it is the sum of some copies of another one.
    within: Slab | None = None
    numbers: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    @property
    def parts(self) -> tuple[int, ...]:
        """Where the parts begin that the contents are the sum of."""
        return tuple(self.within.begins + k * self.size for k in self.numbers) if self.within else (self.begins,)

    @property
    def variances(self) -> tuple[int, ...]:
        """The same for the variances, where there are any."""
        if not self.squares:
            return ()
        return self.parts if self.within else (self.begins + self.size,)


@dataclass(slots=True)
class Bins:
    """The bins of all histograms of a kernel, one after the other, and the edges of their axes."""

    size: int = 0
    edges: list[float] = field(default_factory=list)
    slabs: dict[g.Fill, list[Slab]] = field(default_factory=dict)
    counters: list[str] = field(default_factory=list)

    def place(self) -> None:
        """Give each slab its place, in the order of the histograms."""
        placed: set[int] = set()
        for slab in (slab.within or slab for slabs in self.slabs.values() for slab in slabs):
            if id(slab) not in placed:
                placed.add(id(slab))
                slab.begins, self.size = self.size, self.size + slab.size * slab.copies * (2 if slab.squares else 1)

    def edges_at(self, edges: list[float]) -> int:
        """Where some edges stand; equal ones stand there once."""
        for first in range(len(self.edges) - len(edges) + 1):
            if self.edges[first : first + len(edges)] == edges:
                return first
        first = len(self.edges)
        self.edges += edges
        return first


@dataclass(slots=True)
class _Axis:
    """One axis: how many bins it has with those for what is outside, and the expression of the bin."""

    bins: int = 0
    text: str = ""
    category: str | None = None
    #: Where not every value has a bin: the condition for one, and the number of the first bin.
    inside: str = ""
    first: int = 0


def builder(node: g.Fill) -> str:
    """The expression that makes the histogram without contents."""
    return ".".join(["hist.Hist.new", *(f"{method}({text})" for method, text in node.maker)])


def template(node: g.Fill) -> Any:
    """The histogram without contents."""
    import hist

    return eval(builder(node), {"hist": hist, "np": np})


def fill_effects(node: g.Fill, expander: Expander, bins: Bins) -> list[Effect]:
    """The statements that fill a histogram: none if it is filled already."""
    if node in bins.slabs:
        return []
    made = template(node)
    storage = made.storage_type.__name__
    if storage not in ("Double", "Int64", "Weight"):
        raise Unfusable(f"the storage {storage}")
    taken = Bins(0, list(bins.edges), {node: []}, list(bins.counters))
    effects = [_fill(node, members, made, storage, expander, taken) for members in node.fills]
    bins.edges, bins.counters = taken.edges, taken.counters
    bins.slabs.update(taken.slabs)
    return effects


def _fill(node: g.Fill, members: Any, made: Any, storage: str, expander: Expander, bins: Bins) -> Effect:
    if len(made.axes) > 10:
        raise Unfusable("histograms of more than ten axes")
    nodes = [node.args[position] for _, position in members]
    names = [name for name, _ in members]
    if "sample" in names:
        raise Unfusable("histograms of means")
    deepest = max(nodes, key=lambda one: len(one.path))
    loops, env = rows_of(deepest.path, expander)
    values = [expander.value(one, env[: len(one.path)]) for one in nodes]
    axes: list[_Axis] = []
    used: list[Inst] = []
    for axis, one, value in zip(made.axes, nodes, values):
        axes.append(_shared_bin(_axis(axis, one, value, expander, bins, used), expander, used))
    weight = None
    if "weight" in names:
        if storage == "Int64":
            raise Unfusable("weights in a storage of integers")
        weight = expander.settle(formulas.cast(expander.program, expander.settle(values[-1].inst), "float64"))
        used.append(weight)
    guards = [expander.settle(value.ok) for value in values if value.ok is not None]
    tally = Tally(axes, _slab(node, axes, storage, bins), weight is not None, len(node.fills) == 1)
    return Effect("statement", guarded(loops, guards), used, (tally.write_for(tally.slab), tally))


def rows_of(path: Any, expander: Expander) -> tuple[list[tuple[Loop, tuple[Inst, ...]]], Env]:
    """The loops over all rows of a path."""
    loops: list[tuple[Loop, tuple[Inst, ...]]] = []
    env: Env = ()
    for k in range(len(path)):
        more, row = expander.walk(path, k, env, loops[-1][0] if loops else None)
        loops += more
        env = (*env, row)
    return loops, env


def guarded(
    loops: list[tuple[Loop, tuple[Inst, ...]]], guards: list[Inst]
) -> tuple[tuple[Loop, tuple[Inst, ...]], ...]:
    """The loops with further conditions, each in the outermost body that knows it."""
    made = list(loops)
    for guard in guards:
        place = next((k for k, (loop, _) in enumerate(made) if loop is guard.level), len(made) - 1)
        loop, known = made[place]
        if guard not in known and not (guard.op == "const" and guard.info[0] == "True"):
            made[place] = (loop, (*known, guard))
    return tuple(made)


def _slab(node: g.Fill, axes: list[_Axis], storage: str, bins: Bins) -> Slab:
    shape = tuple(axis.bins for axis in axes if axis.category is None)
    categories = tuple(axis.category for axis in axes)
    known = next((slab for slab in bins.slabs[node] if slab.categories == categories), None)
    if known is None:
        known = Slab(shape, categories, squares=storage == "Weight")
        if any(one is not None for one in categories):
            known.counter = f"filled_{len(bins.counters)}"
            bins.counters.append(known.counter)
        bins.slabs[node].append(known)
    return known


@dataclass(slots=True)
class Tally:
    """What a fill does with its values."""

    axes: list[_Axis]
    slab: Slab
    weighted: bool
    #: Whether nothing else fills the histogram.
    is_only: bool

    @property
    def counts(self) -> bool:
        """Whether it adds ones to the bins of one histogram."""
        return self.is_only and not self.weighted and not self.slab.counter

    @property
    def form(self) -> tuple[Any, ...]:
        """What is the same for fills of the same bins."""
        return tuple((axis.bins, axis.text, axis.category, axis.inside, axis.first) for axis in self.axes)

    def write_for(self, slab: Slab) -> Callable[[list[str]], list[str]]:
        """How a bin of a slab is filled, given the texts of the values; behind them that of the copy, if there are some."""
        numbers = [axis for axis in self.axes if axis.category is None]

        def write(texts: list[str]) -> list[str]:
            parts, before, inside = [], [], []
            if slab.copies > 1:
                copy = texts[-1] if texts[-1].isidentifier() else f"({texts[-1]})"
                parts.append(f"{slab.size} * {copy}")
            for k, axis in enumerate(numbers):
                stride = int(np.prod(slab.shape[k + 1 :], dtype=int))
                text = axis.text.format(*texts)
                if axis.inside:
                    name = "place" if len(numbers) == 1 else f"place_{k}"
                    before.append(f"{name} = {text}")
                    inside.append(axis.inside.format(name))
                    text = name if axis.first == 0 else f"({name} - {axis.first})"
                parts.append(text if stride == 1 else f"{text} * {stride}")
            place = " + ".join([*([str(slab.begins)] if slab.begins or not parts else []), *parts])
            lines = _adding(place, slab, texts[-1] if self.weighted else "")
            if inside:
                lines = [*before, f"if {' and '.join(inside)}:", *(f"    {line}" for line in lines)]
            return [*lines, *([f"{slab.counter} += 1"] if slab.counter else [])]

        return write


def _adding(place: str, slab: Slab, weight: str) -> list[str]:
    """What is added to a bin."""
    if not slab.squares:
        return [f"bins[{place}] += {weight or '1.0'}"]
    if not weight:
        return [f"place = {place}", "bins[place] += 1.0", f"bins[place + {slab.size}] += 1.0"]
    return [
        f"place = {place}",
        f"weight = {weight}",
        "bins[place] += weight",
        f"bins[place + {slab.size}] += weight * weight",
    ]


def _axis(axis: Any, node: g.Node, value: Value, expander: Expander, bins: Bins, used: list[Inst]) -> _Axis:
    traits = axis.traits
    kind = type(axis).__name__
    if traits.circular or (traits.growth and kind != "StrCategory"):
        raise Unfusable(f"an axis {kind} that is circular or grows")
    if kind == "StrCategory":
        return _Axis(category=_category(node))
    inst = expander.settle(value.inst)
    number = len(used)

    def takes(dtype: str) -> None:
        used.append(formulas.cast(expander.program, inst, dtype))

    if kind == "Boolean":
        takes("bool")
        return _Axis(2, f"np.int64({{{number}}})")
    if kind == "Regular" and str(axis.transform) in _TRANSFORMED:
        takes("float64")
        low, width = (float(number) for number in axis._ax.__getstate__()[-2:])  # as boost-histogram reckons with them
        text = _TRANSFORMED[str(axis.transform)].format(f"{{{number}}}")
        name = "bin_between" if traits.overflow else "bin_up_to"
        return _flowing(axis, f"{name}({text}, {low!r}, {width!r}, {float(len(axis))!r})")
    if kind == "Variable" and traits.overflow:
        takes("float64")
        edges = [float(edge) for edge in axis.edges]
        first = bins.edges_at(edges)
        name = (
            "bin_of_even_edges" if np.allclose(np.diff(edges), (edges[-1] - edges[0]) / len(axis)) else "bin_of_edges"
        )
        return _flowing(axis, f"{name}({{{number}}}, edges, np.int64({first}), np.int64({len(axis)}))")
    if kind == "Integer" and inst.dtype.kind in "iub":
        takes("int32")
        low = int(axis.edges[0])
        return _flowing(axis, f"bin_of_number(np.int64({{{number}}}), np.int64({low}), np.int64({len(axis)}))")
    if kind == "IntCategory" and len(axis) <= 16 and inst.dtype.kind in "iub":
        takes("int64")
        text = str(len(axis))
        for k in reversed(range(len(axis))):
            text = f"({k} if ({{{number}}}) == {int(axis.value(k))} else {text})"
        return _Axis(len(axis) + (1 if traits.overflow else 0), text)
    raise Unfusable(f"an axis {kind} of this kind")


def _shared_bin(axis: _Axis, expander: Expander, used: list[Inst]) -> _Axis:
    """The bin as a value: histograms that differ in their selections alone look for it once."""
    if axis.category is None:
        number = len(used) - 1
        text = axis.text.replace(f"{{{number}}}", "{0}")
        place = expander.program.make("call", used[number:], (text, 20), np.dtype("int64"), wish="bin", cost=8)
        used[number] = place
        axis.text = f"{{{number}}}"
    return axis


def _flowing(axis: Any, text: str) -> _Axis:
    """An axis whose bins are numbered from 1 on, 0 and the last one being outside; it may lack these."""
    under, over = axis.traits.underflow, axis.traits.overflow
    conditions = {
        (True, True): "",
        (False, True): "{0} > 0",
        (True, False): f"{{0}} <= {len(axis)}",
        (False, False): f"0 < {{0}} <= {len(axis)}",
    }
    return _Axis(len(axis) + under + over, text, None, conditions[under, over], 0 if under else 1)


def _category(node: g.Node) -> str:
    """The expression of a category that is the same for a whole chunk."""
    while isinstance(node, g.Restrict) or (isinstance(node, g.Call) and node.function == "ht.broadcast"):
        node = node.args[0]
    if isinstance(node, g.Literal) and isinstance(node.type, Text):
        return quoted(str(node.value))
    if isinstance(node, g.Metadata) and isinstance(node.type, Text) and not node.type.option:
        return f"events.metadata[{quoted(node.name)}]"
    raise Unfusable("categories that differ from row to row")
