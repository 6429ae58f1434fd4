"""One value of each list."""

from __future__ import annotations

from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Unfusable
from hep_tables_coffea.codegen.fused.picks import Picks
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.codegen.source import identifier
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Number

__all__ = ["Reducers"]

_SUMS = ("sum", "prod")
_EXTREMES = ("min", "max")


class Reducers(Picks):
    """Reducers of lists, as statements of the loop over them."""

    def visit_Reduce(self, node: g.Reduce, env: Env) -> Value:
        function = node.function
        if function in ("argmin", "argmax"):
            _, effect = self.best(node, env)
            if len(effect.results) == len(effect.values) - 1:
                self.program.result(effect, len(effect.results), "int64", "place")
            return Value(effect.results[-1], effect.results[0])
        if function in ("mean", "ptp", "std", "var"):
            return self._of_others(node, env)
        array = node.args[0]
        k = len(array.path) - 1
        if function == "num" and array.path[k].kind == "rows" and k:
            start, stop = self.range_of(array.path, k, env)
            return Value(self._binary("-", stop, start))
        loops, row = self.walk(array.path, k, env)
        if node.options:
            raise Unfusable(f"{function} with options")
        if function == "num":
            if k and len(loops) == 1 and not loops[0][1] and loops[0][0].start.op == "const":
                return Value(loops[0][0].stop)  # of a list that is kept
            return self._reduced("sum", loops, formulas.constant(self.program, 1, "int64"), None, node)
        found = self.value(array, (*env, row))
        return self._reduction(function, loops, found, node)

    def _reduction(self, function: str, loops: Any, found: Value, node: g.Reduce) -> Value:
        one = formulas.constant(self.program, 1, "int64")
        inst = found.inst
        if function == "count":
            return self._reduced("sum", loops, one, found.ok, node)
        if function in ("any", "all", "count_nonzero"):
            truth = self._cast(inst, bool)
            if function == "count_nonzero":
                return self._reduced("sum", loops, one, self._all(found.ok, truth), node)
            return self._reduced(function, loops, truth, found.ok, node)
        if function not in (*_SUMS, *_EXTREMES):
            raise Unfusable(f"{function} of a list")
        assert isinstance(node.type, Number)
        if inst.dtype.kind == "b" and function in _EXTREMES:
            raise Unfusable(f"{function} of truth values")
        return self._reduced(function, loops, self._cast(inst, node.type.dtype), found.ok, node)

    def _reduced(self, kind: str, loops: Any, inst: Inst, ok: Inst | None, node: g.Reduce) -> Value:
        inst, ok = self.settle(inst), self.settle(ok) if ok is not None else None
        if kind == "min" and inst.op == "call" and inst.info[0] == "np.sqrt({0})" and _is_sum_of_squares(inst.args[0]):
            # the root of the least one, to the last bit
            least = self._reduced(kind, loops, inst.args[0], ok, node)
            return Value(
                self.program.make("call", (least.inst,), inst.info, inst.dtype, wish=inst.wish, cost=4), least.ok
            )
        key = ("reduce", kind, tuple(loops), inst, ok)
        if key not in self._values:
            guards = [*loops[:-1], (loops[-1][0], (*loops[-1][1], *([ok] if ok is not None else [])))]
            wish = self.hints.get(node) or _reduced_name(kind, inst, node)
            effect = Effect(kind, tuple(guards), [inst], (inst.dtype,), wish=wish)
            made = self.program.result(effect, 0, inst.dtype, wish)
            found = self.program.result(effect, 1, bool, "found") if kind in _EXTREMES else None
            self._values[key] = Value(made, found)
        return self._values[key]

    def _of_others(self, node: g.Reduce, env: Env) -> Value:
        """A reducer that is made of others, in double precision as awkward has it."""
        options = dict(node.options)
        ddof = options.pop("ddof", 0)
        if options or (node.function == "ptp" and ddof):
            raise Unfusable(f"{node.function} with options")
        array = node.args[0]
        if node.function == "ptp":
            high, low = (functions.reduce(name, array) for name in ("max", "min"))
            return self._typed(node, functions.call("np.subtract", [high, low]), env)
        wide = functions.call("ak.values_astype", [array], {"to": "float64"})
        count = functions.reduce("count", array)
        mean = functions.call("np.true_divide", [functions.reduce("sum", wide), count])
        if node.function == "mean":
            return self._some(node, mean, count, env)
        squares = functions.call("np.square", [functions.call("np.subtract", [wide, mean])])
        made = functions.call("np.true_divide", [functions.reduce("sum", squares), count])
        if ddof:
            less = functions.call("np.subtract", [count, build.literal(ddof)])
            made = functions.call("np.multiply", [made, functions.call("np.true_divide", [count, less])])
        if node.function == "std":
            made = functions.call("np.sqrt", [made])
        return self._some(node, made, count, env)

    def _some(self, node: g.Node, made: g.Node, count: g.Node, env: Env) -> Value:
        """A value that is missing where nothing is counted."""
        inst, number = self._typed(node, made, env).inst, self.value(count, env).inst
        zero = formulas.constant(self.program, 0, "int64")
        known = self._op(lambda a: self.program.make("call", a, ("{0} > {1}", 6), np.dtype(bool)), [number, zero])
        return Value(inst, known)


def _is_sum_of_squares(inst: Inst) -> bool:
    """Whether a number is not below zero, or none."""
    if inst.op != "call" or inst.dtype.kind != "f":
        return False
    if inst.info[0] == "{0} + {1}":
        return all(map(_is_sum_of_squares, inst.args))
    return inst.info[0] == "{0} * {1}" and inst.args[0] is inst.args[1]


def _reduced_name(kind: str, inst: Inst, node: g.Reduce) -> str:
    rows = identifier(node.args[0].path[-1].base.name.strip(".").lower() or "row")
    if kind in ("any", "all"):
        return f"{kind}_{rows}"
    return f"{inst.wish}_{kind}" if inst.wish else f"n_{rows}"
