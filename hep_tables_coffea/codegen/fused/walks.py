"""Loops over the rows of axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Program, Unfusable, deepest
from hep_tables_coffea.codegen.fused.rows import (
    Binding,
    Item,
    Listed,
    Listing,
    Many,
    Row,
    Walk,
    instructions,
)
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path

__all__ = ["Env", "Value", "Walks"]

Env = tuple[Binding, ...]


class Value(NamedTuple):
    """A number, and whether there is one: None where it is never missing."""

    inst: Inst
    ok: Inst | None = None


@dataclass(slots=True)
class Arrays:
    """What a kernel takes beside the number of events."""

    #: Name -> ("rows", axis) for where lists begin, ("data", column) and ("valid", column) for what is stored, ("given", node)
    #: and ("given and known", node) for what is computed by other means, ("computed", ...) for formulas of columns.
    columns: dict[str, tuple[str, Any]] = field(default_factory=dict)
    #: Name -> type and the axis that tells how long it must be.
    kept: dict[str, tuple[np.dtype[Any], Axis]] = field(default_factory=dict)


class Walks:
    """From axes to loops. Bindings say which row of each axis of a path is the current one."""

    def __init__(self, names: Names, found: Collection[Any]) -> None:
        self.program = Program()
        #: Filters whose rows are found once in each event, and all others by their loops and what is asked there.
        self.found = found
        self.filters: dict[tuple[Loop, tuple[Inst, ...]], Any] = {}
        self.names = names
        self.arrays = Arrays()
        self._offsets: dict[Axis, str] = {}
        self._above: dict[Axis, Axis] = {}
        self._walks: dict[Any, Walk] = {}
        self._findings: dict[Any, tuple[Inst, str, Inst]] = {}
        #: How many rows a list must have for a position in it to be used: two for those of pairs.
        self.least: dict[Inst, int] = {}
        self.events = self.program.make("argument", (), ("events",), np.dtype("int64"))

    @abstractmethod
    def value(self, node: g.Node, env: Env) -> Value:
        """The value of a node for one row of each of its axes."""

    @abstractmethod
    def listing(self, path: Path, k: int, env: Env) -> Listing:
        """The rows of an axis as a list."""

    @abstractmethod
    def lifted(self, binding: Listed, parts: tuple[Inst, ...]) -> Inst:
        """A value of a row in a list, from how it is computed where the list is made."""

    @abstractmethod
    def settle(self, inst: Inst) -> Inst:
        """The value, from the columns or from an array that is kept with the list."""

    # -- loops -------------------------------------------------------------------------------------------------------

    def walk(self, path: Path, k: int, env: Env, under: Loop | None = None) -> Walk:
        """The loops over the rows of `path[k]`, where `env` has the rows of the axes before."""
        under = under or deepest([inst for binding in env for inst in instructions(binding)])
        key = (path[k], tuple(axis.base for axis in path[:k]), env, under)
        if key not in self._walks:
            self._walks[key] = getattr(self, f"_walk_{path[k].kind}")(path, k, env, under)
        loops, binding = self._walks[key]
        return list(loops), binding

    def _walk_rows(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        axis = path[k]
        if k == 0:
            loop = self.program.loop(formulas.constant(self.program, 0, "int64"), self.events, None, "event")
            return [(loop, ())], Row(loop.var)
        start, stop = self.range_of(path, k, env)
        loop = self.program.loop(start, stop, under, axis.name.strip(".").lower() or "row")
        return [(loop, ())], Row(loop.var, start)

    def _walk_subset(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        key = (path[k], *(axis.base for axis in path[:k]))
        if key in self.found:
            return self._walk_found(path, k, env, under)
        loops, binding = self._filtered(path, k, env, under)
        if k == 1 and len(loops) == 1 and isinstance(binding, Row) and binding.start is not None:
            self.filters[loops[0]] = key
        return loops, binding

    def _filtered(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        axis = path[k]
        assert axis.parent is not None
        loops, binding = self.walk((*path[:k], axis.parent, *path[k + 1 :]), k, env, under)
        mask = self.at(axis.node, path, k, env, binding)
        loop, guards = loops[-1]
        loops[-1] = (loop, (*guards, *self.conditions(mask)))
        return loops, binding

    def _walk_found(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        """The loop over rows that were found before."""
        count, array, start = self._found(path, k, env)
        label = path[k].name.strip(".").lower() or "row"
        loop = self.program.loop(formulas.constant(self.program, 0, "int64"), count, under, label)
        index = self.program.make("load", (loop.var, count), (array,), np.dtype("int64"), wish=label)
        return [(loop, ())], Row(index, start)

    def _found(self, path: Path, k: int, env: Env) -> tuple[Inst, str, Inst]:
        """How many rows of stored ones pass a filter, the array of their positions, and where the stored ones begin."""
        key = ("found", path[k], env)
        if key not in self._findings:
            ((loop, guards),), row = self._filtered(path, k, env, None)
            assert isinstance(row, Row)
            assert row.start is not None
            name = path[k].name.strip(".").lower().replace("'", "") or "rows"
            array, counter = self.names.new(f"{name}_found"), self.names.new(f"n_{name}")
            self.arrays.kept[array] = (np.dtype("int64"), path[k])
            effect = Effect("find", ((loop, ()),), [row.index, *map(self.settle, guards)], (array,), wish=counter)
            self._findings[key] = self.program.result(effect, 0, "int64", counter), array, row.start
        return self._findings[key]

    def conditions(self, mask: Value) -> list[Inst]:
        """What must be true for a mask to take a row: what is soon known comes first."""
        whole = [formulas.cast(self.program, self.settle(mask.inst), bool)]
        if mask.ok is not None:
            whole.append(self.settle(mask.ok))
        parts: list[Inst] = []
        while whole:
            inst = whole.pop()
            if inst.op == "call" and inst.info[0] == "{0} and {1}":
                whole += inst.args
            elif inst not in parts and not (inst.op == "const" and inst.info[0] == "True"):
                parts.append(inst)
        return sorted(parts, key=lambda inst: (inst.cost, inst.number))

    def at(self, node: g.Node | None, path: Path, k: int, env: Env, binding: Binding) -> Value:
        """The value of a node that has one for each row of the parent of `path[k]`."""
        assert node is not None
        outer = self.matching(node.path[:-1], path[:k], env)
        return self.value(node, (*outer, binding))

    def matching(self, wanted: Path, path: Path, env: Env) -> Env:
        """The rows of some axes among those of a path that may have more of them."""
        if len(wanted) == len(path):
            return env
        bases, given = [axis.base for axis in wanted], [axis.base for axis in path]
        first = _places(bases, given)
        last = [len(given) - 1 - place for place in reversed(_places(bases[::-1], given[::-1]))]
        if first != last:
            raise Unfusable("a condition on rows of one of two axes of the same rows")
        return tuple(env[place] for place in first)

    def _walk_pairs(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        axis = path[k]
        number, replacement = axis.params
        listing = self.listing((*path[:k], axis.inputs[0], *path[k + 1 :]), k, env)
        assert listing.count is not None
        loops: list[tuple[Loop, tuple[Inst, ...]]] = []
        parts: list[Binding] = []
        start = formulas.constant(self.program, 0, "int64")
        for place, letter in enumerate("abcdefgh"[:number], 1):
            after = 0 if replacement else number - place  # so many rows come after it
            stop = self._binary("-", listing.count, formulas.constant(self.program, after, "int64"))
            loop = self.program.loop(start, stop if after else listing.count, under, letter)
            loops.append((loop, ()))
            self.least[loop.var] = 1 if replacement else number
            parts.append(Listed(listing, loop.var))
            under = loop
            start = loop.var if replacement else self._after_it(loop.var)
        return loops, Many(tuple(parts))

    def _walk_cross(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        loops: list[tuple[Loop, tuple[Inst, ...]]] = []
        parts: list[Binding] = []
        for number, axis in enumerate(path[k].inputs):
            inner = (*path[:k], axis, *path[k + 1 :])
            if number and axis.kind != "rows":
                more, binding = self._over(self.listing(inner, k, env), under, axis.name.lower())
            else:
                more, binding = self.walk(inner, k, env, under)
            loops += more
            parts.append(binding)
            under = loops[-1][0]
        return loops, Many(tuple(parts))

    def _walk_flat(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        outer, inner = path[k].inputs
        loops, first = self.walk((*path[:k], outer), k, env, under)
        more, second = self.walk((*path[:k], outer, inner), k + 1, (*env, first), loops[-1][0])
        return [*loops, *more], Many((first, second))

    def _walk_joined(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        return self._over(self.listing(path, k, env), under, path[k].name.lower())

    _walk_ordered = _walk_sliced = _walk_joined

    def _walk_listed(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        axis = path[k]
        if axis.params[0] == "chain":
            raise Unfusable("chains of references")
        zero, size = (formulas.constant(self.program, number, "int64") for number in (0, axis.params[1]))
        loop = self.program.loop(zero, size, under, axis.name.lower())
        return [(loop, ())], Item(loop.var)

    def _walk_padded(self, path: Path, k: int, env: Env, under: Loop | None) -> Walk:
        raise Unfusable("lists that are filled up")

    _walk_current = _walk_padded

    def _over(self, listing: Listing, under: Loop | None, label: str) -> Walk:
        assert listing.count is not None
        start = formulas.constant(self.program, 0, "int64")
        loop = self.program.loop(start, listing.count, under, label)
        return [(loop, ())], Listed(listing, loop.var)

    def _binary(self, sign: str, one: Inst, other: Inst) -> Inst:
        """A sum or a difference of positions."""
        return self.program.make("call", (one, other), (f"{{0}} {sign} {{1}}", 11), np.dtype("int64"))

    def _after_it(self, inst: Inst) -> Inst:
        """The next position."""
        return self._binary("+", inst, formulas.constant(self.program, 1, "int64"))

    # -- stored lists ------------------------------------------------------------------------------------------------

    def knows(self, nodes: Iterable[g.Node]) -> None:
        """Learn in which axis the lists of each stored collection are."""
        for node in nodes:
            if isinstance(node, g.Field) and node.path:
                path = node.args[0].path
                for above, axis in zip(node.path[len(path) - 1 :], node.path[len(path) :]):
                    self._above[axis] = above.base

    def is_stored(self, path: Path) -> bool:
        """Whether a path leads to rows of stored lists, each in a row of the one before."""
        bases = [axis.base for axis in path]
        inside = all(self._above.get(inner) is outer for outer, inner in pairwise(bases))
        return inside and bool(bases) and bases[0].kind == "rows"

    def range_of(self, path: Path, k: int, env: Env) -> tuple[Inst, Inst]:
        """Where the list of the current row begins and ends in the columns of its collection."""
        axis = path[k]
        above = self._above.get(axis)
        place = next((m for m in reversed(range(k)) if path[m].base is above), None)
        if above is None or place is None:
            raise Unfusable(f"{axis.name} is not a list of a stored row")
        row = self.stored_row(env[place])
        offsets = self.offsets(axis)
        end = self._after_it(row.index)
        start, stop = self.load(offsets, row.index, "int64", row.ok), self.load(offsets, end, "int64", row.ok)
        label = axis.name.strip(".").lower() or "row"
        start.wish, stop.wish = f"{label}_start", f"{label}_stop"
        return start, stop

    def offsets(self, axis: Axis) -> str:
        """The array that says where the lists of a collection begin."""
        if axis not in self._offsets:
            name = self.names.new(f"{axis.name.strip('.') or 'list'}_rows")
            self._offsets[axis] = name
            self.arrays.columns[name] = ("rows", axis)
        return self._offsets[axis]

    def load(self, array: str, index: Inst, dtype: Any, ok: Inst | None = None) -> Inst:
        """An element of an array; where there may be no row, zero in its place."""
        dtype = formulas.check(np.dtype(dtype))
        index = self.settle(index)
        if ok is None:
            return self.program.make("load", (index,), (array,), dtype)
        return self.program.make("load", (index, self.settle(ok)), (array,), dtype)

    def stored_row(self, binding: Binding) -> Row:
        """A row of a stored collection as its position in the columns."""
        if isinstance(binding, Row):
            return binding
        if isinstance(binding, Listed) and len(binding.listing.sources) == 1:
            inner = binding.listing.sources[0][1]
            if isinstance(inner, (Row, Listed)):
                row = self.stored_row(inner)
                index = self.settle(self.lifted(binding, (row.index,)))
                return Row(index, row.start, binding.ok)
        raise Unfusable("a row that is not one of a stored collection")


def _places(wanted: list[Axis], given: list[Axis]) -> list[int]:
    """Where some axes stand among others, each as early as possible."""
    found: list[int] = []
    for axis in wanted:
        begin = found[-1] + 1 if found else 0
        place = next((place for place in range(begin, len(given)) if given[place] is axis), None)
        if place is None:
            raise Unfusable("a condition on rows of other axes")
        found.append(place)
    return found
