"""Lists of rows that are kept for the event: sorted, sliced, joined, or walked over more than once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Unfusable, around, deepest
from hep_tables_coffea.codegen.fused.rows import Binding, InPart, Kept, Listed, Listing, Row, Walk, instructions
from hep_tables_coffea.codegen.fused.walks import Env, Walks
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path

__all__ = ["Listings"]


class Listings(Walks):
    """From axes to lists, and from their rows to the arrays that hold what is kept of them."""

    def __init__(self, names: Names, found: Collection[Any]) -> None:
        super().__init__(names, found)
        self._listings: dict[Any, Listing] = {}

    def listing(self, path: Path, k: int, env: Env) -> Listing:
        """The rows of an axis as a list."""
        axis = path[k]
        if k > 1 and _of_event(axis):
            path, k, env = (path[0], axis), 1, env[:1]  # the same for every row of the axes between
        key = (axis, tuple(one.base for one in path[:k]), env)
        if key not in self._listings:
            self._listings[key] = self._make_listing(path, k, env)
        return self._listings[key]

    def _make_listing(self, path: Path, k: int, env: Env) -> Listing:
        axis = path[k]
        if axis.kind == "ordered":
            return self._ordered(path, k, env)
        if axis.kind == "sliced":
            return self._sliced(path, k, env)
        name = self.names.new(axis.name.strip(".").lower().replace("'", "") or "rows")
        inputs = axis.inputs if axis.kind == "joined" else (axis,)
        walks = [self.walk((*path[:k], one), k, env) for one in inputs]
        if all(map(_is_whole, walks)):
            return self._whole(name, walks, axis)
        listing = Listing(name, self.names.new(f"n_{name}"))
        for number, (loops, binding) in enumerate(walks):
            if axis.kind == "joined":
                info = (listing.counter, number)
                place = self.program.make("name", (), info, np.dtype("int64"), level=loops[-1][0])
                listing.places = (*listing.places, place)
                binding = InPart(number, binding, place)
            self._keeps(listing, loops, binding, axis)
        return listing

    def _whole(self, name: str, walks: list[Walk], axis: Axis) -> Listing:
        """A list of all rows of some collections."""
        listing = Listing(name)
        for number, (loops, row) in enumerate(walks):
            assert isinstance(row, Row)
            assert row.start is not None
            loop = loops[0][0]
            place, size = loop.var, loop.stop  # of rows that were found
            if row.index is loop.var:
                place, size = self._binary("-", loop.var, loop.start), self._binary("-", loop.stop, loop.start)
                size.wish = size.wish or f"n_{loop.label}"
            if listing.count is not None:
                place, size = self._binary("+", listing.count, place), self._binary("+", listing.count, size)
                place.wish = place.wish or "at"
            listing.count, listing.begins = size, row.start if row.index is loop.var else None
            listing.places = (*listing.places, place)
            binding = InPart(number, row, place) if axis.kind == "joined" else row
            listing.sources.append((Effect("keep", tuple(loops), [], (listing, axis)), binding))
        if len(walks) > 1:
            listing.begins = None
            size.wish = size.wish or f"n_{name}"
        return listing

    def _keeps(self, listing: Listing, loops: Any, row: Binding, axis: Axis) -> None:
        """Loops that add rows to a list."""
        before = (listing.count,) if listing.count is not None else ()
        effect = Effect("keep", tuple(loops), [], (listing, axis), before, wish=listing.counter)
        listing.count = self.program.result(effect, 0, "int64", listing.counter)
        listing.sources.append((effect, row))

    def _sliced(self, path: Path, k: int, env: Env) -> Listing:
        axis = path[k]
        assert axis.parent is not None
        first, last, step = axis.params
        step = 1 if step is None else step
        inner = self.listing((*path[:k], axis.parent), k, env)
        assert inner.count is not None
        start, stop = self._bounds(first, last, step, inner.count)
        outer = deepest([inner.count, *(i for b in env for i in instructions(b))])
        if step == 1:
            loop = self.program.loop(start, stop, outer, "k")
            return self._again(inner, loop, loop.var, axis, ())
        text = f"({{1}} - {{0}} + {step - 1}) // {step}" if step > 0 else f"({{0}} - {{1}} + {-step - 1}) // {-step}"
        number = self.program.make("call", (start, stop), (text, 12), np.dtype("int64"))
        loop = self.program.loop(formulas.constant(self.program, 0, "int64"), number, outer, "k")
        text = f"{{0}} + {{1}} * {step}" if step > 0 else f"{{0}} - {{1}} * {-step}"
        place = self.program.make("call", (start, loop.var), (text, 11), np.dtype("int64"))
        return self._again(inner, loop, place, axis, ())

    def _bounds(self, first: int | None, last: int | None, step: int, size: Inst) -> tuple[Inst, Inst]:
        """Where a slice begins and ends, as positions; backwards it may end before the first row."""
        if step > 0:
            return self._clipped(first, size, 0), self._clipped(last, size, None)

        def bound(number: int | None, default: str) -> Inst:
            text = default if number is None else "min({0}, {1} - 1)" if number >= 0 else "max({1} + {0}, -1)"
            constant = formulas.constant(self.program, number or 0, "int64")
            return self.program.make("call", (constant, size), (text, 20), np.dtype("int64"))

        return bound(first, "({1} - 1)"), bound(last, "(-1)")

    def _clipped(self, bound: int | None, size: Inst, default: int | None) -> Inst:
        """A bound of a slice as a position."""
        constant = formulas.constant(self.program, bound if bound is not None else (default or 0), "int64")
        if bound is None:
            return constant if default is not None else size
        text = "max({1} + {0}, 0)" if bound < 0 else "min({0}, {1})"
        return self.program.make("call", (constant, size), (text, 20), np.dtype("int64"))

    def _ordered(self, path: Path, k: int, env: Env) -> Listing:
        axis = path[k]
        order = axis.node
        while isinstance(order, g.Restrict):
            order = order.args[0]
        if not isinstance(order, g.Arrange) or order.function != "argsort" or order.path[-1] is not axis.parent:
            raise Unfusable("rows in an order that is no sorting of them")
        key = order.args[0]
        options = dict(order.options)
        inner = self.listing((*path[:k], axis.parent), k, env)
        assert inner.count is not None
        position = self.program.make("var", (), ("sorted", id(inner)), np.dtype("int64"))
        outer = self.matching(key.path[:-1], path[:k], env)
        found = self.value(key, (*outer, Listed(inner, position)))
        if found.inst.lift is None or (found.ok is not None and found.ok.lift is None):
            raise Unfusable("sorting by what is the same for all rows")
        keys = [one.lift[2] for one in found if one is not None and one.lift is not None]
        columns = [self.kept(inner, key, axis, 1) for key in keys]
        column, known = [*(one.array for one in columns), ""][:2]
        name = self.names.new(f"order_of_{inner.name}")
        self.arrays.kept[name] = (np.dtype("int64"), axis)
        info = ("sort", column, known, name, bool(options.get("ascending", True)))
        ends = dict.fromkeys(end for one in columns for end in one.ends)
        count = self.program.make("sort", (inner.count, *ends), info, np.dtype("int64"), wish=f"n_{inner.name}")
        zero = formulas.constant(self.program, 0, "int64")
        loop = self.program.loop(zero, count, deepest([count, *(i for b in env for i in instructions(b))]), "k")
        place = self.load(name, loop.var, "int64")
        return self._again(inner, loop, place, axis, ())

    def _again(self, inner: Listing, loop: Loop, place: Inst, axis: Axis, guards: tuple[Inst, ...]) -> Listing:
        """A list of rows of another list."""
        name = self.names.new(f"{inner.name}_{axis.kind}")
        listing = Listing(name, self.names.new(f"n_{name}"))
        self._keeps(listing, [(loop, guards)], Listed(inner, place), axis)
        return listing

    def lifted(self, binding: Listed, parts: tuple[Inst, ...]) -> Inst:
        """A value of a row in a list, from how it is computed where the list is made."""
        listing = binding.listing
        assert listing.count is not None
        loops = {loop for effect, _ in listing.sources for loop, _ in effect.loops}
        if len(parts) == 1 and not any(loop in loops for loop in around(parts[0].level)):
            return parts[0]
        made = self.program.make(
            "at", (binding.position, listing.count), (id(listing), *map(id, parts)), parts[0].dtype
        )
        made.lift = (listing, binding.position, parts, binding.ok)
        made.cost = 1
        return made

    def settle(self, inst: Inst) -> Inst:
        """The value, from the columns or from an array that is kept with the list."""
        if inst.lift is None:
            return inst
        listing, position, parts, ok = inst.lift
        effect, row = listing.sources[0]
        if len(listing.sources) == 1 and isinstance(row, Row):
            if parts[0] is row.index and listing.begins is not None:
                return self._binary("+", listing.begins, position)
            if parts[0] is row.index and not listing.counter:
                return self.program.make("load", (position, *row.index.args[1:]), row.index.info, inst.dtype)
            if parts[0].op == "load" and parts[0].args == (row.index,):
                index = self.settle(self.lifted(Listed(listing, position), (row.index,)))
                found = self.load(parts[0].info[0], index, inst.dtype, ok)
                found.wish = parts[0].wish
                return found
        if parts == listing.places:
            return position
        kept = self.kept(listing, parts, effect.info[1], self.least.get(position, 1))
        found = self.program.make("load", (position, *kept.ends), (kept.array,), inst.dtype)
        found.wish = parts[0].wish
        return found

    def kept(self, listing: Listing, parts: tuple[Inst, ...], axis: Axis, least: int) -> Kept:
        """The array that holds a value of each row of a list, used where there are so many of them."""
        if parts not in listing.columns:
            wish = next((part.wish for part in parts if part.wish), "") or "value"
            name = self.names.new(f"{listing.name}_{wish}")
            self.arrays.kept[name] = (parts[0].dtype, axis)
            effects = [effect for effect, _ in listing.sources]
            if not listing.counter:
                effects = [self._puts(listing, effect, place, name) for effect, place in zip(effects, listing.places)]
            listing.columns[parts] = Kept(name, tuple(effects))
            for effect, part in zip(effects, parts):
                effect.values.append(self.settle(part))
        kept = listing.columns[parts]
        for effect in kept.effects:
            effect.least = min(effect.least, least)
        return kept

    def _puts(self, listing: Listing, source: Effect, place: Inst, array: str) -> Effect:
        """Puts a value of each row of a source into an array."""
        effect = Effect("put", source.loops, [place], (array,), rows=listing.count, least=99)
        self.program.result(effect, 0, "int64", array)
        return effect


def _is_whole(walk: Walk) -> bool:
    """Whether a loop is over all rows of a stored list."""
    loops, row = walk
    return len(loops) == 1 and not loops[0][1] and isinstance(row, Row) and row.start is not None


def _of_event(axis: Axis) -> bool:
    """Whether the rows of an axis are the same for all rows of other axes in the event."""
    if axis.parent is not None:
        inner = axis.node is None or len(axis.node.path) <= 2
        return inner and _of_event(axis.parent)
    if axis.kind == "rows":
        return "." not in axis.params[1]
    return axis.kind in ("pairs", "cross", "joined") and all(map(_of_event, axis.inputs))
