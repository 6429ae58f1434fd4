"""Functions of each row: of numpy and awkward, methods of vectors, functions of the user."""

from __future__ import annotations

from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused import formulas, primitives
from hep_tables_coffea.codegen.fused.hoist import hoisted, is_numpys_own
from hep_tables_coffea.codegen.fused.ir import Inst, Unfusable
from hep_tables_coffea.codegen.fused.users import clash, compiled_text
from hep_tables_coffea.codegen.fused.values import Values
from hep_tables_coffea.codegen.fused.walks import Env, Value
from hep_tables_coffea.graph import helpers
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Number, Record, Text

__all__ = ["OF_KERNELS", "Calls"]

#: What every kernel may have beside the functions of the user.
OF_KERNELS = (
    *("njit", "types", "column", "kernel", "abs", "bool", "int", "max", "min", "range"), *primitives.__all__,
)  # fmt: skip


class Calls(Values):
    """Functions of single numbers."""

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
        called = inst.args[0] if inst.info[-1:] == ("narrow",) else inst
        if is_numpys_own(name, out) and called.op == "call" and called.info[0].startswith(f"np.{name}("):
            return hoisted(self, name, called.args, out) or inst
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
        wide = {"f": np.dtype("float64"), "i": np.dtype("int64"), "u": np.dtype("int64")}  # Python's numbers
        if any(arg.dtype == np.uint64 for arg in args):
            raise Unfusable(f"{declared.name} takes whole numbers beyond those of numba")
        args = [formulas.cast(self.program, arg, wide.get(arg.dtype.kind, arg.dtype)) for arg in args]
        dtypes = tuple(arg.dtype for arg in args)
        dtype = declared.returns.dtype  # type: ignore[union-attr]
        name = self._functions.get((declared.function, dtypes))
        if name is None:
            name = self.names.new(declared.name)
            assert declared.function is not None
            text = compiled_text(name, declared.function, dtypes, dtype)
            if twice := clash(text, self.functions.values(), OF_KERNELS):
                raise Unfusable(
                    f"{declared.name} uses {twice}, and so does something else that means another thing by it"
                )
            self.functions[name] = text
            self._functions[declared.function, dtypes] = name
        passed = (f"bool({{{k}}})" if arg.dtype == bool else f"{{{k}}}" for k, arg in enumerate(args))
        called = f"{name}({', '.join(passed)})"
        text = f"np.{dtype.name.replace('bool', 'bool_')}({called})"
        return self.program.make("call", args, (text, 20), formulas.check(dtype), cost=40)

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


def _kind(node: g.Node) -> Any:
    """The type of an argument as numpy sees it."""
    if isinstance(node, g.Literal) and node.kind in ("int", "float"):
        return int if node.kind == "int" else float
    return node.type.dtype  # type: ignore[union-attr]
