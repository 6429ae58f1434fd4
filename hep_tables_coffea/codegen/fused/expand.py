"""From nodes to scalar instructions: what a value is for one row of each axis of its path."""

from __future__ import annotations

from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas
from hep_tables_coffea.codegen.fused.calls import Calls
from hep_tables_coffea.codegen.fused.ir import Inst, Unfusable
from hep_tables_coffea.codegen.fused.reducers import Reducers
from hep_tables_coffea.codegen.fused.rows import InPart, Item, Many, Row
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.codegen.source import identifier
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Number, Record, Text
from hep_tables_coffea.types.schema import Leaf

__all__ = ["Expander"]


class Expander(Reducers, Calls):
    """Makes the instructions of values: of columns, and of rows that are moved."""

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
            place = self._binary("-", row.index, row.start)
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


def _field_name(node: g.Field) -> str:
    names = []
    record: g.Node = node
    while isinstance(record, g.Field):
        names.append(record.name)
        record = record.args[0]
    return identifier("_".join(reversed(names)))
