"""From nodes to scalar instructions: what a value is for one row of each axis of its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.hoist import hoisted, is_numpys_own
from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Unfusable, needs
from hep_tables_coffea.codegen.fused.rows import Binding, InPart, Item, Listed, Listing, Many, Row, instructions
from hep_tables_coffea.codegen.fused.users import compiled_text
from hep_tables_coffea.codegen.fused.vectors import Vectors
from hep_tables_coffea.codegen.fused.walks import Env, Value, Walks
from hep_tables_coffea.codegen.source import Names, identifier
from hep_tables_coffea.graph import build, functions, helpers
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Number, Record, Text
from hep_tables_coffea.types.schema import Leaf

__all__ = ["Expander"]

#: Reducers that go on from a value to begin with: the statement of each row, as `Writer` has it.
_SUMS = ("sum", "prod")
_EXTREMES = ("min", "max")


class Expander(Walks):
    """Makes the instructions of values. `hints` are the user's own names."""

    def __init__(self, names: Names, hints: Mapping[g.Node, str], constants: Mapping[g.Node, Any]) -> None:
        super().__init__(names)
        self.hints, self.constants = hints, constants
        self.vectors = Vectors()
        self.texts: dict[str, int] = {}
        self.arguments: dict[str, g.Metadata] = {}
        self.columns: dict[str, tuple[g.Field, Leaf]] = {}
        #: The text of the user's functions by the names that the kernel calls them.
        self.functions: dict[str, str] = {}
        self._functions: dict[Any, str] = {}
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
        visit = getattr(self, f"visit_{type(node).__name__}", None)
        if visit is None:
            raise Unfusable(f"{type(node).__name__} has no form for single rows")
        made: Value = visit(node, env)
        return made

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
            if inst is listing.done:
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
                _is_stored(arg) and (arg.level is None or arg.level in _around(home)) for arg in others
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

    # -- columns -----------------------------------------------------------------------------------------------------

    def visit_Literal(self, node: g.Literal, env: Env) -> Value:
        if isinstance(node.type, Text):
            return Value(self._code(str(node.value)))
        assert isinstance(node.type, Number)
        return Value(formulas.constant(self.program, node.value, node.type.dtype))

    def _code(self, text: str) -> Inst:
        """A string that the program knows, as a number."""
        number = self.texts.setdefault(text, len(self.texts))
        return self.program.make("const", (), (repr(number), text), np.dtype("int64"))

    def visit_Metadata(self, node: g.Metadata, env: Env) -> Value:
        value = next(value for value in node.values if value is not None)
        dtype = np.dtype("int64") if isinstance(value, str) else node.type.dtype  # type: ignore[union-attr]
        name = next((name for name, known in self.arguments.items() if known is node), "")
        if not name:
            name = self.names.new(node.name)
            self.names.taken.add(f"{name}_known")
        self.arguments[name] = node
        if isinstance(value, str):
            for text in node.values:
                if text is not None:
                    self._code(text)
        made = self.program.make("argument", (), (name,), formulas.check(np.dtype(dtype)))
        if not node.type.option:
            return Value(made)
        return Value(made, self.program.make("argument", (), (f"{name}_known",), np.dtype(bool)))

    def visit_Field(self, node: g.Field, env: Env) -> Value:
        record = node.args[0]
        if isinstance(record, g.Behave):
            return self._typed(node, self.vectors.component(record, node.name), env)
        row = self.stored_row(env[-1])
        if node.name == build.ROW:
            if row.start is None:
                return Value(row.index, row.ok)
            place = self.program.make("call", (row.index, row.start), ("{0} - {1}", 11), np.dtype("int64"))
            return Value(place, row.ok)
        assert isinstance(record.type, Record)
        if isinstance(node.type, Record):
            return Value(formulas.constant(self.program, True, bool), row.ok)
        leaf: Any = record.type.group.fields[node.name]  # type: ignore[union-attr]
        if not isinstance(node.type, Number):
            raise Unfusable("stored strings")
        if leaf.constant is not None:
            return Value(formulas.constant(self.program, leaf.constant, node.type.dtype), row.ok)
        return self._stored(node, leaf, row)

    def _stored(self, node: g.Field, leaf: Leaf, row: Row) -> Value:
        if leaf.depth != len(node.path) - 1:
            raise Unfusable("lists that are no axis")
        known = next((name for name, (_, other) in self.columns.items() if other.column == leaf.column), None)
        name = known or self.names.new(_field_name(node))
        if known is None:
            self.columns[name] = (node, leaf)
            self.names.taken.add(f"{name}_known")
            self.arrays.columns[name] = ("data", leaf.column)
        if leaf.optional:
            self.arrays.columns[f"{name}_known"] = ("valid", leaf.column)
        inst = self.load(name, row.index, node.type.dtype, row.ok)  # type: ignore[union-attr]
        inst.wish = inst.wish or node.name
        ok = self.load(f"{name}_known", row.index, bool, row.ok) if leaf.optional else None
        return Value(inst, formulas.logical_and(self.program, row.ok, ok))

    def visit_Zip(self, node: g.Zip, env: Env) -> Value:
        """Records as a whole: only whether they are there."""
        return Value(formulas.constant(self.program, True, bool))

    def visit_Extend(self, node: g.Extend, env: Env) -> Value:
        return self.value(node.args[0], env)

    # -- structure: the same value, of another row -------------------------------------------------------------------

    def visit_Restrict(self, node: g.Restrict, env: Env) -> Value:
        return self.value(node.args[0], env)

    def visit_Side(self, node: g.Side, env: Env) -> Value:
        here = env[node.position]
        if not isinstance(here, Many):
            raise Unfusable("one member of a pair that is kept in a list")
        return self.value(
            node.args[node.slot], (*env[: node.position], here.parts[node.slot], *env[node.position + 1 :])
        )

    def visit_Nest(self, node: g.Nest, env: Env) -> Value:
        more = len(node.path) - len(node.args[0].path)
        return self.value(node.args[0], env[: node.prefix] + env[node.prefix + more :])

    def visit_Join(self, node: g.Join, env: Env) -> Value:
        here = env[node.position]
        if not isinstance(here, InPart):
            raise Unfusable("rows of several collections outside of a list")
        found = self.value(node.args[here.number], (*env[: node.position], here.row, *env[node.position + 1 :]))
        if isinstance(node.type, (Text, Record)):
            return found
        return Value(self._cast(found.inst, node.type.dtype), found.ok)

    def visit_Flatten(self, node: g.Flatten, env: Env) -> Value:
        here = env[node.position - 1]
        if not isinstance(here, Many):
            raise Unfusable("flattened rows that are kept in a list")
        return self.value(node.args[0], (*env[: node.position - 1], *here.parts, *env[node.position :]))

    def visit_Listed(self, node: g.Listed, env: Env) -> Value:
        here = env[-1]
        if not isinstance(here, Item):
            raise Unfusable("values side by side that are kept in a list")
        if not isinstance(node.type, Number):
            raise Unfusable("strings side by side")
        values = [self.value(arg, env[: len(arg.path)]) for arg in node.args]
        found = self._choose(here.number, values, node.type.dtype)
        return Value(found.inst, self._all(found.ok, here.ok))

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

    # -- one row of a list -------------------------------------------------------------------------------------------

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

    def _binary(self, sign: str, one: Inst, other: Inst) -> Inst:
        return self.program.make("call", (one, other), (f"{{0}} {sign} {{1}}", 11), np.dtype("int64"))

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

    # -- reducers ----------------------------------------------------------------------------------------------------

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

    def _typed(self, node: g.Node, made: g.Node, env: Env) -> Value:
        """The value of a node that is computed as another one."""
        found = self.value(made, env[: len(made.path)])
        if not isinstance(node.type, Number) or not isinstance(made.type, Number) or node.type.dtype != made.type.dtype:
            raise Unfusable(f"{node.type} that would be computed as {made.type}")
        return found

    def visit_Arrange(self, node: g.Arrange, env: Env) -> Value:
        here = env[-1]
        if node.function == "local_index" and isinstance(here, InPart) and node.path[-1].kind == "joined":
            return Value(here.place)
        stored = isinstance(here, Row) and here.start is not None and node.path[-1].kind == "rows"
        if node.function != "local_index" or not stored:
            raise Unfusable(f"{node.function} as a value")
        assert isinstance(here, Row)
        assert here.start is not None
        return Value(self._binary("-", here.index, here.start), here.ok)

    # -- functions of each row ---------------------------------------------------------------------------------------

    def visit_Behave(self, node: g.Behave, env: Env) -> Value:
        if isinstance(node.type, Record):
            raise Unfusable("whole records")
        return self._typed(node, self.vectors.number(node), env)

    def visit_Call(self, node: g.Call, env: Env) -> Value:
        special = getattr(self, "call_" + node.function.replace(".", "_"), None)
        if special is not None:
            made: Value = special(node, env)
            return made
        module, _, name = node.function.rpartition(".")
        if module != "np" or node.options or not isinstance(getattr(np, name, None), np.ufunc):
            raise Unfusable(f"{node.function} has no form for single numbers")
        values = self._arguments(node, env)
        if any(isinstance(arg.type, Text) for arg in node.args):
            return self._texts(node, name, values)
        kinds = [_kind(arg) for arg in node.args]
        out = node.type.dtype  # type: ignore[union-attr]
        inst = self._op(lambda a: self._ufunc(name, a, kinds, out), [value.inst for value in values])
        return Value(inst, self._all(*(value.ok for value in values)))

    def _ufunc(self, name: str, args: list[Inst], kinds: list[Any], out: np.dtype[Any]) -> Inst:
        """A function of numpy: of columns it is a column."""
        inst = formulas.ufunc(self.program, name, args, kinds, out)
        if is_numpys_own(name, out) and inst.op == "call" and "*" not in inst.info[0]:
            return hoisted(self, name, inst.args if inst.info[-1] != "narrow" else inst.args[0].args, out) or inst
        return inst

    def visit_UserCall(self, node: g.UserCall, env: Env) -> Value:
        declared = node.declared
        function = declared.function
        if function is None:
            known = provided(declared.name)
            if known is None or known.numpy is not helpers.delta_r:
                raise Unfusable(f"{declared.name} is a function of arrays")
            return self.call_ht_delta_r(node, env)
        if declared.vectorized or not isinstance(declared.returns, Number):
            raise Unfusable(f"{declared.name} is a function of arrays")
        values = self._arguments(node, env)
        if any(not isinstance(arg.type, Number) for arg in node.args):
            raise Unfusable(f"{declared.name} takes strings")
        inst = self._op(lambda a: self._user_call(declared, a), [value.inst for value in values])
        return Value(inst, self._all(*(value.ok for value in values)))

    def _user_call(self, declared: g.Declared, args: list[Inst]) -> Inst:
        wide = {"f": np.dtype("float64"), "i": np.dtype("int64")}  # Python's numbers
        args = [formulas.cast(self.program, arg, wide.get(arg.dtype.kind, arg.dtype)) for arg in args]
        dtypes = tuple(arg.dtype for arg in args)
        name = self._functions.get((declared.function, dtypes))
        if name is None:
            name = self.names.new(declared.name)
            assert declared.function is not None
            self.functions[name] = compiled_text(name, declared.function, dtypes)
            self._functions[declared.function, dtypes] = name
        dtype = declared.returns.dtype  # type: ignore[union-attr]
        called = f"{name}({', '.join(f'{{{k}}}' for k in range(len(args)))})"
        text = f"np.{dtype.name.replace('bool', 'bool_')}({called})"
        return self.program.make("call", args, (text, 20), formulas.check(dtype), cost=40)

    def _arguments(self, node: g.Node, env: Env) -> list[Value]:
        return [self.value(arg, env[: len(arg.path)]) for arg in node.args]

    def _texts(self, node: g.Call, name: str, values: list[Value]) -> Value:
        if name not in ("equal", "not_equal"):
            raise Unfusable(f"np.{name} of strings")
        text = "{0} == {1}" if name == "equal" else "{0} != {1}"
        inst = self._op(
            lambda a: self.program.make("call", a, (text, 6), np.dtype(bool), cost=1), [v.inst for v in values]
        )
        return Value(inst, self._all(*(value.ok for value in values)))

    def call_ht_broadcast(self, node: g.Call, env: Env) -> Value:
        return self.value(node.args[0], env[: len(node.args[0].path)])

    def call_ht_required(self, node: g.Call, env: Env) -> Value:
        return Value(self.value(node.args[0], env).inst)

    def call_ht_where(self, node: g.Call, env: Env) -> Value:
        condition, one, other = self._arguments(node, env)
        if not isinstance(node.type, Number):
            raise Unfusable("a choice between strings")
        true = formulas.constant(self.program, True, bool)
        ok = None
        if one.ok is not None or other.ok is not None:
            ok = self._select(condition.inst, one.ok or true, other.ok or true)
        inst = self._select(
            condition.inst, self._cast(one.inst, node.type.dtype), self._cast(other.inst, node.type.dtype)
        )
        return Value(inst, self._all(condition.ok, ok))

    def call_ak_mask(self, node: g.Call, env: Env) -> Value:
        value, mask = self._arguments(node, env)
        return Value(value.inst, self._all(value.ok, mask.ok, self._cast(mask.inst, bool)))

    def call_ak_is_none(self, node: g.Call, env: Env) -> Value:
        (value,) = self._arguments(node, env)
        if value.ok is None:
            return Value(formulas.constant(self.program, False, bool))
        return Value(self._op(lambda a: formulas.logical_not(self.program, a[0]), [value.ok]))

    def call_ak_fill_none(self, node: g.Call, env: Env) -> Value:
        value, filling = self._arguments(node, env)
        if not isinstance(node.type, Number):
            raise Unfusable("missing strings")
        inst = self._cast(value.inst, node.type.dtype)
        if value.ok is None:
            return Value(inst)
        return Value(self._select(value.ok, inst, self._cast(filling.inst, node.type.dtype)))

    def call_ak_values_astype(self, node: g.Call, env: Env) -> Value:
        (value,) = self._arguments(node, env)
        return Value(self._cast(value.inst, node.type.dtype), value.ok)  # type: ignore[union-attr]

    def call_ak_nan_to_none(self, node: g.Call, env: Env) -> Value:
        (value,) = self._arguments(node, env)
        if value.inst.dtype.kind != "f":
            return value
        number = self._op(
            lambda a: self.program.make("call", a, ("{0} == {0}", 6), np.dtype(bool), cost=1), [value.inst]
        )
        return Value(value.inst, self._all(value.ok, number))

    def call_ht_isin(self, node: g.Call, env: Env) -> Value:
        (value,) = self._arguments(node, env)
        values = np.asarray(dict(node.options)["values"])
        if not 0 < len(values) <= 16 or values.dtype.kind not in "if":
            raise Unfusable("np.isin with a long list")
        common = np.result_type(value.inst.dtype, values.dtype)
        wide = self._cast(value.inst, common)
        text = " or ".join(f"{{0}} == {{{k + 1}}}" for k in range(len(values)))
        constants = [formulas.constant(self.program, one, common) for one in values.tolist()]
        inst = self._op(
            lambda a: self.program.make("call", a, (text, 4), np.dtype(bool), cost=len(values)), [wide, *constants]
        )
        return Value(inst, value.ok)

    def call_ht_delta_r(self, node: g.Node, env: Env) -> Value:
        from hep_tables_coffea.record.array import wrap

        made = helpers.delta_r(*(wrap(arg) for arg in node.args))._node
        return self._typed(node, made, env)


def _reduced_name(kind: str, inst: Inst, node: g.Reduce) -> str:
    rows = identifier(node.args[0].path[-1].base.name.strip(".").lower() or "row")
    if kind in ("any", "all"):
        return f"{kind}_{rows}"
    return f"{inst.wish}_{kind}" if inst.wish else f"n_{rows}"


def _kind(node: g.Node) -> Any:
    """The type of an argument as numpy sees it."""
    if isinstance(node, g.Literal) and node.kind in ("int", "float"):
        return int if node.kind == "int" else float
    return node.type.dtype  # type: ignore[union-attr]


def _there(binding: Binding) -> Inst | None:
    """Whether there is a row: the members of a pair that was looked for are there together."""
    if isinstance(binding, Many):
        return next((ok for ok in map(_there, binding.parts) if ok is not None), None)
    if isinstance(binding, InPart):
        return _there(binding.row)
    return binding.ok


def _implies(one: Inst, other: Inst) -> bool:
    """Whether a condition is a part of another one."""
    if one is other:
        return True
    return one.op == "call" and one.info[0] == "{0} and {1}" and any(_implies(arg, other) for arg in one.args)


def _is_stored(inst: Inst) -> bool:
    """Whether a value is there from the beginning: what is computed may need the list itself."""
    return inst.op in ("const", "argument") or (inst.op == "load" and inst.args[0].op == "var")


def _around(loop: Loop | None) -> list[Loop]:
    return [] if loop is None else list(loop.around())


def _field_name(node: g.Field) -> str:
    names = []
    record: g.Node = node
    while isinstance(record, g.Field):
        names.append(record.name)
        record = record.args[0]
    return identifier("_".join(reversed(names)))
