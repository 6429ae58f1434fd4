"""The text of nodes where operators take one number: rows of lists are the parameters of lambdas.

What func_adl_xAOD makes C++ of. A list is its source, filtered by `Where`, with `Select` of the value of each row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hep_tables_coffea.backends.servicex.query import text
from hep_tables_coffea.backends.servicex.query.calls import Call, called, calls_of, is_list
from hep_tables_coffea.backends.servicex.query.cpp import OWN, cpp_function, mathematical
from hep_tables_coffea.backends.servicex.query.dialect import XAOD
from hep_tables_coffea.backends.servicex.query.loop_rules import ARITHMETIC, COMPARISONS, COMPUTED, dtype_of
from hep_tables_coffea.backends.servicex.query.lowering import column_of, parts, resolved
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plugins.functions import provided

__all__ = ["EVENT", "Loops"]

EVENT = "e"
Env = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of a stored list come from: calls one after the other, of the event or of a row of `owner`."""

    calls: tuple[Call, ...]
    owner: Axis | None = None


#: What the least and the greatest of a list are, of all in it.
_TOWARDS = {"min": "<=", "max": ">="}


class Loops:
    """Writes nodes of the dialect for ATLAS. `bound` are lists that an earlier step has filtered, by their axes."""

    def __init__(self, nodes: Iterable[g.Node], bound: Mapping[Axis, str] | None = None) -> None:
        self.bound = bound or {}
        #: What an earlier step has to hand on beside, with names; None where there is no such step.
        self.handed_on: dict[Call, str] | None = None if bound is None else {}
        self._names = Names(self.bound.values())
        #: How often each filtered list of the event is used.
        self.uses: Counter[Axis] = Counter()
        #: Which of the bound lists are used.
        self.taken: set[Axis] = set()
        #: Functions of C++ that the generator is told of.
        self.functions: dict[str, dict[str, Any]] = {}
        self._rows: dict[Axis, Rows] = {}
        #: Parameters of the functions around what is written.
        self._around: list[str] = []
        for node in nodes:
            if isinstance(node, g.Field):
                self._learn(node)

    def _learn(self, node: g.Field) -> None:
        """The lists that a column is in, from its name."""
        calls, lists = calls_of(column_of(node)), [axis.base for axis in node.path[1:]]
        if not is_list(node):
            calls = calls[:-1]
        for k, axis in enumerate(lists):
            first = len(calls) - len(lists) + 1  # an object of the event has its lists behind a call of its own
            made = calls[:first] if k == 0 else calls[first + k - 1 : first + k]
            self._rows.setdefault(axis, Rows(tuple(made), lists[k - 1] if k else None))

    # -- lists --

    def column(self, node: g.Node, env: Env = (EVENT,)) -> str:
        """The values of a node for the rows of `env`: one, or a list."""
        node = resolved(node, XAOD)
        if len(env) == len(node.path):
            return self.scalar(node, env)
        return self._each(self.rows(node, env), node, env)

    def _each(self, rows: str, node: g.Node, env: Env) -> str:
        """The value of a node for each of some rows."""

        def value(row: str) -> str:
            written = self.column(node, (*env, row))
            # a list of numbers is only written if something is done with them
            return text.operation("+", row) if written == row else written

        return text.method(rows, "Select", self._of_row(node.path[len(env)], value))

    def _of_row(self, axis: Axis, write: Callable[[str], str]) -> str:
        """A function of one row of an axis. Its parameter is none of the functions around: the generator mixes these."""
        words = re.sub("(?<=[a-z])(?=[A-Z])", "_", self.collection(axis).removeprefix("get")).lower()
        row = Names((EVENT, *self._around)).new(words.removesuffix("s"))
        self._around.append(row)
        body = write(row)
        self._around.pop()
        return text.function([row], body)

    def collection(self, axis: Axis) -> str:
        """What the rows of an axis are called in the data."""
        known = self._rows.get(axis.base)
        return known.calls[-1][0] if known is not None else axis.base.name.strip(".")

    def rows(self, node: g.Node, env: Env) -> str:
        """The rows of the next axis of a node, filtered as they are."""
        axis = node.path[len(env)]
        if len(env) == 1 and axis.kind == "subset":
            self.uses[axis] += 1
            if axis in self.bound:
                self.taken.add(axis)
                return text.attribute(EVENT, self.bound[axis])
        return self._rows_of(resolved(node, XAOD), env)

    def _rows_of(self, node: g.Node, env: Env) -> str:
        k = len(env)
        if isinstance(node, g.Restrict):
            return self._restricted(node, env)
        if isinstance(node, g.Nest):
            value, outer = parts(node, XAOD)
            more = len(outer.path) - node.prefix
            if k < len(outer.path):
                return self._rows_of(outer, env)
            return self.rows(value, (*env[: node.prefix], *env[node.prefix + more :]))
        if isinstance(node, g.Field):
            return self._source(node, env)
        same = next(part for part in parts(node, XAOD) if part.path[: k + 1] == node.path[: k + 1])
        return self._rows_of(same, env)

    def _restricted(self, node: g.Restrict, env: Env) -> str:
        inner, *chosen = parts(node, XAOD)
        _, k, step = last_step(node)
        if k != len(env):
            return self._rows_of(inner, env)
        condition = self._of_row(step, lambda row: self.column(chosen[0], (*env, row)))
        return text.method(self.rows(inner, env), "Where", condition)

    def _source(self, node: g.Field, env: Env) -> str:
        found = self._rows[node.path[len(env)].base]
        owners = [row for axis, row in zip(node.path, env) if axis.base is found.owner]
        if not owners and self.handed_on is not None:
            name, *more = found.calls
            return called(self._hand_on(name), more)
        return called(owners[-1] if owners else EVENT, found.calls)

    def _hand_on(self, call: Call) -> str:
        """An object of the event that an earlier step hands on."""
        assert self.handed_on is not None
        if call not in self.handed_on:
            self.handed_on[call] = self._names.new(call[0])
        return text.attribute(EVENT, self.handed_on[call])

    def call(self, call: Call) -> str:
        """An object of the event."""
        return called(EVENT, [call])

    # -- one row --

    def scalar(self, node: g.Node, env: Env) -> str:
        """The value of a node for one row of each of its axes."""
        return getattr(self, f"visit_{type(node).__name__}")(node, env)  # type: ignore[no-any-return]

    def visit_Field(self, node: g.Field, env: Env) -> str:
        if is_list(node):
            return env[-1]  # a number in a list of numbers
        calls = calls_of(column_of(node))
        if len(env) > 1:
            return called(env[-1], calls[-1:])
        if self.handed_on is not None:
            return called(self._hand_on(calls[0]), calls[1:])
        return called(EVENT, calls)

    def visit_Restrict(self, node: g.Restrict, env: Env) -> str:
        return self.column(parts(node, XAOD)[0], env)

    def visit_Nest(self, node: g.Nest, env: Env) -> str:
        value, outer = parts(node, XAOD)
        return self.column(value, (*env[: node.prefix], *env[len(outer.path) :]))

    def visit_Call(self, node: g.Call, env: Env) -> str:
        if node.function == "ht.broadcast":
            return self._argument(node.args[0], node, env)
        if node.function == "ht.required":
            return self._required(node, env)
        if XAOD.operators.get(node.function) == "not" and _is_any(resolved(node.args[0], XAOD)):
            return self._any(resolved(node.args[0], XAOD), env, "==")
        values = [self._argument(arg, node, env) for arg in node.args]
        if node.function == "ht.where":
            return text.choice(*values)
        sign = XAOD.operators.get(node.function)
        if sign is not None:
            return text.operation(sign, *values)
        return text.call(self._own_function(XAOD.functions[node.function], len(values)), *values)

    def _required(self, node: g.Node, env: Env) -> str:
        """A row or an extreme of a list, where there is one: of an empty list the job would end."""
        leaf, (array, *keys) = node.args[0], parts(node, XAOD)
        if isinstance(leaf, g.Reduce):
            return self._extreme(array, leaf.function, env)
        if leaf.constant == 0:
            return text.method(self.column(array, env), "First")
        if leaf.constant == -1:
            is_known = dtype_of(array).name in COMPUTED  # of other types, only a choice is a number
            last = text.function(["found", "value"], "value" if is_known else text.choice("True", "value", "found"))
            return text.method(self.column(array, env), "Aggregate", "0.0", last)
        function = leaf.args[1].function.removeprefix("arg")

        def is_taken(row: str) -> str:
            least = self._extreme(keys[0], function, env, poisoned=True)
            return text.operation(_TOWARDS[function], self.column(keys[0], (*env, row)), least)

        nearest = text.method(self.rows(array, env), "Where", self._of_row(array.path[-1], is_taken))
        return text.method(self._each(nearest, array, env), "First")

    def _extreme(self, array: g.Node, function: str, env: Env, poisoned: bool = False) -> str:
        """The least or greatest of a list: the generator's own methods begin with zero.

        NaN is none. Where it is asked which row has it, NaN ends the job: its place would decide.
        """
        better = text.operation(_TOWARDS[function][0], "value", "found")
        if poisoned and dtype_of(array).kind == "f":
            better = text.operation("or", better, text.operation("!=", "value", "value"))
        step = text.function(["found", "value"], text.choice(better, "value", "found"))
        infinite = text.operation("/", "1" if function == "min" else "-1", "0.0")
        return text.method(self.column(array, env), "Aggregate", infinite, step)

    def _argument(self, node: g.Node, user: g.Node, env: Env) -> str:
        if isinstance(node, g.Literal):
            return text.number(_as_cpp(node, user))
        node, outer = resolved(node, XAOD), env[: len(node.path)]
        compared = isinstance(user, g.Call) and user.function in COMPARISONS
        known = XAOD.functions.get(node.function, "") if compared and isinstance(node, g.Call) else ""
        if known and known not in OWN:
            values = [self._argument(arg, node, outer) for arg in node.args]
            return text.call(known, *values)
        return self.column(node, outer)

    def _own_function(self, name: str, count: int) -> str:
        """A mathematical function by a name of ours: those that the generator knows it can only compare."""
        if name == "DeltaR":
            return name
        arguments = [f"x{k + 1}" for k in range(count)]
        self.functions[name] = mathematical(name, arguments)
        return f"{name}_of"

    def visit_UserCall(self, node: g.UserCall, env: Env) -> str:
        declared = node.declared
        known = provided(declared.name)
        assert known is not None
        result = XAOD.results[dtype_of(node).name]
        code = f"auto result = [&]() -> {result} {{ {known.cpp} }}();"
        self.functions[declared.name] = cpp_function(declared.name, list(declared.parameters), code, result)
        return text.call(declared.name, *(self._argument(arg, node, env) for arg in node.args))

    def visit_Reduce(self, node: g.Reduce, env: Env) -> str:
        array = parts(node, XAOD)[0]
        if node.function == "num":
            return text.method(self.rows(array, env), "Count")
        if dtype_of(array).kind != "b":
            return text.method(self.column(array, env), "Sum")
        if node.function == "sum":
            return self._count(array, env)
        return self._any(node, env, ">" if node.function == "any" else "==")

    def _any(self, node: g.Node, env: Env, sign: str) -> str:
        """Whether one of a list fulfils a condition, or none; of all, whether none fails to."""
        return text.operation(sign, self._count(parts(node, XAOD)[0], env, opposite=node.function == "all"), "0")

    def _count(self, array: g.Node, env: Env, opposite: bool = False) -> str:
        """How many of a list fulfil a condition."""

        def condition(row: str) -> str:
            written = self.column(array, (*env, row))
            return text.operation("not", written) if opposite else written

        chosen = text.method(self.rows(array, env), "Where", self._of_row(array.path[-1], condition))
        return text.method(chosen, "Count")


def _is_any(node: g.Node) -> bool:
    return isinstance(node, g.Reduce) and node.function == "any"


def _as_cpp(node: g.Literal, user: g.Node) -> Any:
    """A constant beside a column: as precise as the column, and no whole number where one divides."""
    value, plain = node.value, node.kind == type(node.value).__name__
    if not isinstance(user, g.Call) or isinstance(value, bool):
        return value
    types = [dtype_of(arg) for arg in user.args if not isinstance(arg, g.Literal)]
    if plain and user.function in COMPARISONS and any(dtype == np.float32 for dtype in types):
        return float(np.float32(value))
    if user.function in ARITHMETIC and np.dtype(np.float64) not in types and dtype_of(user).kind == "f":
        return float(value)
    return value
