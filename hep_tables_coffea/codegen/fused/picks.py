"""One row of a list: by its position, by an index, or the one with the least or greatest value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Unfusable
from hep_tables_coffea.codegen.fused.rows import Binding, InPart, Item, Listed, Many, Row, instructions
from hep_tables_coffea.codegen.fused.values import Values
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.graph import nodes as g

__all__ = ["Picks"]


class Picks(Values):
    """Picks of rows."""

    def visit_Pick(self, node: g.Pick, env: Env) -> Value:
        array, k = node.args[0], node.position
        row = self._picked(node, env[:k])
        found = self.value(array, (*env[:k], row, *env[k:]))
        return Value(found.inst, self._all(found.ok, _there(row)))  # a constant is not there where its row is not

    def _picked(self, node: g.Pick, env: Env) -> Binding:
        key = ("pick", node.args[0].path[: node.position + 1], node.constant, node.args[1:], env)
        if key not in self._values:
            self._values[key] = self._pick(node, env)  # type: ignore[assignment]
        return self._values[key]  # type: ignore[return-value]

    def _pick(self, node: g.Pick, env: Env) -> Binding:
        path, k = node.args[0].path, node.position
        axis = path[k]
        if len(node.args) > 1:
            index = node.args[1]
            inner = index
            while isinstance(inner, g.Restrict):
                inner = inner.args[0]
            extreme = isinstance(inner, g.Reduce) and inner.function in ("argmin", "argmax")
            if extreme and inner.args[0].path[-1] is axis and len(inner.args[0].path) == k + 1:
                return self.best(inner, env)[0]  # type: ignore[arg-type]
            found = self.value(index, env[: len(index.path)])
            position = self.settle(self._cast(found.inst, "int64"))
            return self._nth(path, k, env, position, found.ok, from_end=False)
        assert node.constant is not None
        position = formulas.constant(self.program, abs(node.constant), "int64")
        return self._nth(path, k, env, position, None, from_end=node.constant < 0)

    def _nth(self, path: Any, k: int, env: Env, position: Inst, ok: Inst | None, from_end: bool) -> Binding:
        """The row at a position: computed where positions are numbers in a list, else searched for."""
        axis = path[k]
        if axis.kind == "rows" and k:
            start, stop = self.range_of(path, k, env)
            return self._nth_stored(start, stop, position, ok, from_end)
        if axis.kind == "listed" and axis.params[0] != "chain":
            zero, size = (formulas.constant(self.program, number, "int64") for number in (0, axis.params[1]))
            place = self._binary("-", size, position) if from_end else position
            known = self._inside(place, zero, size, ok)
            return Item(formulas.select(self.program, known, place, zero), known)
        if axis.kind in ("joined", "ordered", "sliced") or from_end:
            listing = self.listing(path[: k + 1], k, env)
            assert listing.count is not None
            place = self._binary("-", listing.count, position) if from_end else position
            known = self._inside(place, formulas.constant(self.program, 0, "int64"), listing.count, ok)
            zero = formulas.constant(self.program, 0, "int64")
            return Listed(listing, formulas.select(self.program, known, place, zero), known)
        loops, row = self.walk(path[: k + 1], k, env)
        effect = Effect("nth", tuple(loops), [*map(self.settle, instructions(row))], (), (position,), wish="found")
        return self._after(effect, row, self.settle(ok) if ok is not None else None)

    def _nth_stored(self, start: Inst, stop: Inst, position: Inst, ok: Inst | None, from_end: bool) -> Row:
        place = self._binary("-", stop, position) if from_end else self._binary("+", start, position)
        return Row(place, start, self._inside(place, start, stop, ok))

    def _inside(self, place: Inst, start: Inst, stop: Inst, ok: Inst | None) -> Inst:
        inside = self.program.make("call", (start, place, stop), ("{0} <= {1} < {2}", 6), np.dtype(bool), cost=1)
        made = formulas.logical_and(self.program, self.settle(ok) if ok is not None else None, inside)
        assert made is not None
        return made

    def best(self, node: g.Reduce, env: Env) -> tuple[Binding, Effect]:
        """The row with the least or greatest value, and the search for it."""
        key = ("best", node, env)
        if key not in self._values:
            self._values[key] = self._best(node, env)  # type: ignore[assignment]
        return self._values[key]  # type: ignore[return-value]

    def _best(self, node: g.Reduce, env: Env) -> tuple[Binding, Effect]:
        values = node.args[0]
        k = len(values.path) - 1
        loops, row = self.walk(values.path, k, env)
        found = self.value(values, (*env, row))
        if found.inst.dtype.kind not in "iuf":
            raise Unfusable(f"{node.function} of {values.type}")
        sign = "<" if node.function == "argmin" else ">"
        rows = [self.settle(inst) for inst in instructions(row)]
        ok = self.settle(found.ok) if found.ok is not None else formulas.constant(self.program, True, bool)
        effect = Effect(
            "best", tuple(loops), [self.settle(found.inst), ok, *rows], (sign,), wish=self.hints.get(node, "best")
        )
        return self._after(effect, row, None), effect

    def _after(self, effect: Effect, row: Binding, ok: Inst | None) -> Binding:
        """The row that an effect has found, as it is known after its loops."""
        found = self.program.result(effect, 0, bool, "found")
        known = formulas.logical_and(self.program, ok, found)
        slots = iter(range(1, 100))

        def moved(binding: Binding) -> Binding:
            if isinstance(binding, Row):
                if binding.ok is not None:
                    raise Unfusable("a row of what may be missing")
                return Row(self._result(effect, next(slots), binding.index), binding.start, known)
            if isinstance(binding, Listed):
                if binding.ok is not None:
                    raise Unfusable("a row of what may be missing")
                position = self._result(effect, next(slots), binding.position)
                self.least[position] = self.least.get(binding.position, 1)
                return Listed(binding.listing, position, known)
            if isinstance(binding, Many):
                return Many(tuple(map(moved, binding.parts)))
            if isinstance(binding, InPart):
                return replace(binding, row=moved(binding.row))
            return Item(self._result(effect, next(slots), binding.number), known)

        return moved(row)

    def _result(self, effect: Effect, slot: int, inst: Inst) -> Inst:
        return self.program.result(effect, slot, "int64", inst.wish or "row")


def _there(binding: Binding) -> Inst | None:
    """Whether there is a row: the members of a pair that was looked for are there together."""
    if isinstance(binding, Many):
        return next((ok for ok in map(_there, binding.parts) if ok is not None), None)
    if isinstance(binding, InPart):
        return _there(binding.row)
    return binding.ok
