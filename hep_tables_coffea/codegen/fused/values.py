"""Values of rows, and operations with them: each is computed once, where its row is first known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.ir import Inst, Unfusable, around, needs
from hep_tables_coffea.codegen.fused.listings import Listings
from hep_tables_coffea.codegen.fused.rows import Listed, Listing, instructions
from hep_tables_coffea.codegen.fused.vectors import Vectors
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Number
from hep_tables_coffea.types.schema import Leaf

__all__ = ["Values"]


class Values(Listings):
    """What all kinds of nodes are made with. `hints` are the user's own names."""

    def __init__(
        self,
        names: Names,
        hints: Mapping[g.Node, str],
        constants: Mapping[g.Node, Any],
        found: Collection[Any] = (),
    ) -> None:
        super().__init__(names, found)
        self.hints, self.constants = hints, constants
        self.vectors = Vectors()
        self.texts: dict[str, int] = {}
        self.arguments: dict[str, g.Metadata] = {}
        self.columns: dict[str, tuple[g.Field, Leaf]] = {}
        #: The text of the user's functions by the names that the kernel calls them.
        self.functions: dict[str, str] = {}
        self._functions: dict[Any, str] = {}
        #: What the columnar engine computes before: the arrays that hold it, and why it is left to it.
        self.given: dict[g.Node, tuple[str, str]] = {}
        self._values: dict[Any, Value] = {}

    def value(self, node: g.Node, env: Env) -> Value:
        """The value of a node for one row of each of its axes."""
        key = (node, env)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self._value(node, env)
            wish = self.hints.get(node) or self.vectors.names.get(node)
            for inst in (found.inst, *(found.inst.lift[2] if found.inst.lift is not None else ())):
                if wish and not inst.wish and inst.op not in ("const", "var", "load", "name"):
                    inst.wish = wish
        return found

    def _value(self, node: g.Node, env: Env) -> Value:
        places = [k for k, binding in enumerate(env) if isinstance(binding, Listed)]
        if len(places) == 1 and isinstance(node, (g.Field, g.Join, g.Arrange, g.Reduce)):
            found = self._of_list(node, env, places[0])
            if found is not None:
                return found
        if not node.path and not isinstance(node, g.Literal):
            return self._constant(node)
        try:
            return self._visit(node, env)
        except Unfusable as reason:
            return self._given(node, env, str(reason))

    def _visit(self, node: g.Node, env: Env) -> Value:
        visit = getattr(self, f"visit_{type(node).__name__}", None)
        if visit is None:
            raise Unfusable(f"{type(node).__name__} has no form for single rows")
        made: Value = visit(node, env)
        return made

    def _given(self, node: g.Node, env: Env, reason: str) -> Value:
        """A number for each row of a stored collection, or of some of its rows, computed before the kernel runs."""
        if not isinstance(node.type, Number) or not self.is_stored(node.path):
            raise Unfusable(reason)
        try:
            row = self.stored_row(env[-1])
        except Unfusable:
            raise Unfusable(reason) from None
        dtype = formulas.check(node.type.dtype)
        if node not in self.given:
            called = node.declared.name if isinstance(node, g.UserCall) else "given"
            name = self.names.new(self.hints.get(node) or called)
            self.names.taken.add(f"{name}_known")
            self.given[node] = name, reason
            self.arrays.columns[name] = ("given", node)
            if node.type.option:
                self.arrays.columns[f"{name}_known"] = ("given and known", node)
        name, _ = self.given[node]
        inst = self.load(name, row.index, dtype, row.ok)
        ok = self.load(f"{name}_known", row.index, bool, row.ok) if node.type.option else None
        return Value(inst, formulas.logical_and(self.program, row.ok, ok))

    def _of_list(self, node: g.Node, env: Env, k: int) -> Value | None:
        """A value of a row in a list that is kept: from how it is computed where the list is made.

        None where it has to be computed later: it needs the list itself.
        """
        here = env[k]
        assert isinstance(here, Listed)
        if isinstance(node, g.Arrange) and node.function == "local_index" and k == len(env) - 1:
            axis = here.listing.sources[0][0].info[1]
            if axis is node.path[-1]:
                return Value(here.position, here.ok)
        if k != len(env) - 1:
            if isinstance(node, g.Reduce):
                return None
            row = self.stored_row(here)
            return self.value(node, (*env[:k], row, *env[k + 1 :]))
        if _within(env[1:k], here.listing):
            raise Unfusable("values in a list of the event, of each row that the list is made of")
        parts = [self.value(node, (*env[:k], row, *env[k + 1 :])) for _, row in here.listing.sources]
        if isinstance(node, g.Reduce) and any(self._waits(part, here.listing) for part in parts):
            return None
        inst = self.lifted(here, tuple(part.inst for part in parts))
        ok: Inst | None = None
        if any(part.ok is not None for part in parts):
            true = formulas.constant(self.program, True, bool)
            ok = self.lifted(here, tuple(part.ok if part.ok is not None else true for part in parts))
        if len({part.inst.dtype for part in parts}) > 1:
            raise Unfusable("rows of collections whose columns have several types")
        return Value(inst, self._all(here.ok, ok))

    def _waits(self, value: Value, listing: Listing) -> bool:
        """Whether a value needs a list as a whole."""
        waiting = [inst for inst in value if inst is not None]
        seen: set[int] = set()
        while waiting:
            inst = waiting.pop()
            if listing.is_end(inst):
                return True
            if id(inst) not in seen:
                seen.add(id(inst))
                waiting += needs(inst)
        return False

    def _all(self, *parts: Inst | None) -> Inst | None:
        found = [part for part in dict.fromkeys(parts) if part is not None]
        found = [part for part in found if not any(part is not other and _implies(other, part) for other in found)]
        if not found:
            return None
        true = formulas.constant(self.program, True, bool)
        made = self._op(lambda settled: formulas.logical_and(self.program, *settled) or true, found)
        return None if made is true else made

    def _op(self, make: Callable[[list[Inst]], Inst], args: Sequence[Inst]) -> Inst:
        """An operation; of values of one row of one list it is computed where the list is made."""
        lifts = [arg.lift for arg in args if arg.lift is not None]
        if lifts and all(lift[0] is lifts[0][0] and lift[1] is lifts[0][1] for lift in lifts):
            listing, position, _, ok = lifts[0]
            home = listing.count.level if listing.count is not None else None
            others = [arg for arg in args if arg.lift is None]
            one_row = position.level is home  # it is cheaper to compute it of that row than of all
            if not one_row and all(
                _is_stored(arg) and (arg.level is None or arg.level in around(home)) for arg in others
            ):
                made = [
                    self._op(make, [arg.lift[2][s] if arg.lift is not None else arg for arg in args])
                    for s in range(len(listing.sources))
                ]
                return self.lifted(Listed(listing, position, ok), tuple(made))
        return make([self.settle(arg) for arg in args])

    def _constant(self, node: g.Node) -> Value:
        """A dataset-wide value that an earlier pass has found."""
        if node not in self.constants or not isinstance(node.type, Number):
            raise Unfusable("a value of the whole dataset")
        value = self.constants[node]
        made = formulas.constant(self.program, 0 if value is None else value, node.type.dtype)
        return Value(made, formulas.constant(self.program, False, bool) if value is None else None)

    def _choose(self, number: Inst, values: list[Value], dtype: Any) -> Value:
        """One of several values, by a number."""
        made = values[-1]
        true = formulas.constant(self.program, True, bool)
        for k in reversed(range(len(values) - 1)):
            is_this = self.program.make(
                "call", (number, formulas.constant(self.program, k, "int64")), ("{0} == {1}", 6), np.dtype(bool)
            )
            ok = None
            if values[k].ok is not None or made.ok is not None:
                ok = self._select(is_this, values[k].ok or true, made.ok or true)
            made = Value(self._select(is_this, self._cast(values[k].inst, dtype), self._cast(made.inst, dtype)), ok)
        return Value(self._cast(made.inst, dtype), made.ok)

    def _select(self, condition: Inst, one: Inst, other: Inst) -> Inst:
        return self._op(lambda a: formulas.select(self.program, *a), [condition, one, other])

    def _cast(self, inst: Inst, dtype: Any) -> Inst:
        return self._op(lambda a: formulas.cast(self.program, a[0], dtype), [inst])

    def _typed(self, node: g.Node, made: g.Node, env: Env) -> Value:
        """The value of a node that is computed as another one."""
        found = self.value(made, env[: len(made.path)])
        if not isinstance(node.type, Number) or not isinstance(made.type, Number) or node.type.dtype != made.type.dtype:
            raise Unfusable(f"{node.type} that would be computed as {made.type}")
        return found

    def _arguments(self, node: g.Node, env: Env) -> list[Value]:
        return [self.value(arg, env[: len(arg.path)]) for arg in node.args]


def _within(env: Env, listing: Listing) -> bool:
    """Whether rows are those of the loops that make a list: where it is made, they would be taken for the rows it adds."""
    loops = {loop for effect, _ in listing.sources for loop, _ in effect.loops}
    levels = [inst.level for binding in env for inst in instructions(binding)]
    return any(loop in loops for level in levels for loop in around(level))


def _implies(one: Inst, other: Inst) -> bool:
    """Whether a condition is a part of another one."""
    if one is other:
        return True
    return one.op == "call" and one.info[0] == "{0} and {1}" and any(_implies(arg, other) for arg in one.args)


def _is_stored(inst: Inst) -> bool:
    """Whether a value is there from the beginning: what is computed may need the list itself."""
    return inst.op in ("const", "argument") or (inst.op == "load" and inst.args[0].op == "var")
