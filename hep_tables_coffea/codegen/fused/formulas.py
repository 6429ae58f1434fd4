"""Arithmetic of single numbers, as numpy does it with arrays: which types go in, which comes out, and the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hep_tables_coffea.codegen.fused.ir import Inst, Program, Unfusable

__all__ = ["cast", "constant", "logical_and", "logical_not", "select", "ufunc"]

_OPERATORS = {
    "multiply": ("*", 12),
    "true_divide": ("/", 12),
    "divide": ("/", 12),
    "add": ("+", 11),
    "subtract": ("-", 11),
    "bitwise_and": ("&", 9),
    "bitwise_xor": ("^", 8),
    "bitwise_or": ("|", 7),
    "left_shift": ("<<", 10),
    "right_shift": (">>", 10),
    "less": ("<", 6),
    "less_equal": ("<=", 6),
    "greater": (">", 6),
    "greater_equal": (">=", 6),
    "equal": ("==", 6),
    "not_equal": ("!=", 6),
}
_LOGICAL = {"logical_and": ("and", 5), "logical_or": ("or", 4)}
#: What numba computes of single numbers as numpy does of arrays, and about how many additions it costs.
_FUNCTIONS = dict.fromkeys(
    "sqrt absolute fabs negative positive sign floor ceil trunc rint maximum minimum fmax fmin square isnan isfinite"
    " isinf signbit copysign remainder floor_divide conjugate".split(),
    4,
) | dict.fromkeys(
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh"
    " arctanh hypot power deg2rad rad2deg degrees radians cbrt".split(),
    40,
)
_CHEAP_TEXT = {"absolute": "abs({0})", "negative": "-{0}", "positive": "{0}"}
_KINDS = "bifu"


def constant(program: Program, value: Any, dtype: Any) -> Inst:
    """A constant of a type."""
    dtype = np.dtype(dtype)
    if dtype.kind not in _KINDS or (dtype.itemsize == 2 and dtype.kind == "f") or dtype.itemsize > 8:
        raise Unfusable(f"numbers of the type {dtype}")
    with np.errstate(all="ignore"):
        plain = np.asarray(value).astype(dtype)
    return program.make("const", (), (str(plain) if dtype.name == "float32" else repr(plain.item()),), dtype)


def check(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in _KINDS or (dtype.kind == "f" and dtype.itemsize not in (4, 8)):
        raise Unfusable(f"numbers of the type {dtype}")
    return dtype


def cast(program: Program, inst: Inst, dtype: Any) -> Inst:
    """The value in another type."""
    dtype = check(np.dtype(dtype))
    if inst.dtype == dtype:
        return inst
    if inst.op == "const":
        return constant(program, eval(inst.info[0], {"nan": np.nan, "inf": np.inf}), dtype)
    if dtype.kind == "b":
        return program.make("call", (inst,), ("{0} != 0", 6, "cast"), dtype)
    return program.make("call", (inst,), (f"np.{dtype.name}({{0}})", 20, "cast"), dtype)


def ufunc(program: Program, name: str, args: Sequence[Inst], kinds: Sequence[Any], out: np.dtype[Any]) -> Inst:
    """A ufunc of numpy. `kinds` are the types of the arguments as numpy sees them: a Python type for a bare constant."""
    function = getattr(np, name)
    try:
        *inside, result = function.resolve_dtypes((*kinds, None))
    except Exception as error:
        raise Unfusable(f"np.{name} of {' and '.join(map(str, kinds))}") from error
    if result != out:
        raise Unfusable(f"np.{name} gives {result} here, and {out} as awkward computes it")
    values = [cast(program, arg, check(dtype)) for arg, dtype in zip(args, inside)]
    check(out)
    if name in _LOGICAL or (inside[0].kind == "b" and name in _FOR_TRUTHS):
        sign, binding = _LOGICAL.get(name) or _FOR_TRUTHS[name]
        truths = [cast(program, value, bool) for value in values]
        return program.make("call", truths, (f"{{0}} {sign} {{1}}", binding), out, cost=1)
    if name == "logical_not" or (name == "invert" and inside[0].kind == "b"):
        return logical_not(program, cast(program, values[0], bool))
    return _wrapped(program, name, values, inside, out)


_FOR_TRUTHS = {
    "bitwise_and": ("and", 5),
    "bitwise_or": ("or", 4),
    "bitwise_xor": ("!=", 6),
    "add": ("or", 4),
    "multiply": ("and", 5),
    "maximum": ("or", 4),
    "minimum": ("and", 5),
}


def _wrapped(program: Program, name: str, values: list[Inst], inside: Sequence[Any], out: np.dtype[Any]) -> Inst:
    """The text of an operation; numba widens small integers, numpy does not."""
    if inside[0].kind == "b" and name not in _OPERATORS:
        raise Unfusable(f"np.{name} of truth values")
    if name in ("floor", "ceil", "trunc") and inside[0].kind in "iu" and out == inside[0]:
        return values[0]
    if name == "power" and out.kind in "iu" and not (values[1].op == "const" and int(values[1].info[0]) >= 0):
        raise Unfusable("a power of whole numbers that may be negative")
    if name in ("left_shift", "right_shift") and not (
        values[1].op == "const" and 0 <= int(values[1].info[0]) < 8 * out.itemsize
    ):
        raise Unfusable("a shift by what differs from row to row")
    cost = 2
    if name == "square" or (name == "power" and values[1].op == "const" and values[1].info[0] in ("2", "2.0")):
        text, binding, values = "{0} * {1}", 12, [values[0], values[0]]
    elif name == "invert":
        text, binding = "~{0}", 13
    elif name in _OPERATORS:
        sign, binding = _OPERATORS[name]
        text = f"{{0}} {sign} {{1}}"
        if name in ("true_divide", "divide"):
            cost = 6
    elif name in _CHEAP_TEXT and not (name == "absolute" and out.kind == "u"):
        text, binding = _CHEAP_TEXT[name], {"negative": 13}.get(name, 20)
    elif name == "floor_divide" and out.kind == "f":
        text, binding, cost = "floor_quotient({0}, {1})", 20, 20
    elif name == "remainder" and out.kind == "f":
        text, binding, cost = "remainder_of({0}, {1})", 20, 20
    elif name in _FUNCTIONS:
        cost = _FUNCTIONS[name]
        text, binding = f"np.{name}({', '.join(f'{{{k}}}' for k in range(len(values)))})", 20
    else:
        raise Unfusable(f"np.{name} has no form for single numbers")
    made = program.make("call", values, (text, binding), out, cost=cost)
    small = (out.kind in "iu" and out.itemsize < 8) or (out.kind == "u" and name not in _OPERATORS)
    if small or (out.name == "float32" and name in _WIDENED and binding == 20):
        return program.make("call", (made,), (f"np.{out.name}({{0}})", 20, "narrow"), out)
    return made


#: What numba gives in double precision.
_WIDENED = ("copysign", "power", "remainder", "floor_divide", "sign", "rint")


def logical_and(program: Program, *parts: Inst | None) -> Inst | None:
    """Whether all of the conditions hold; None where there is none."""
    made: Inst | None = None
    for part in parts:
        if part is None or (part.op == "const" and part.info[0] == "True"):
            continue
        if made is None or made is part:
            made = part
        else:
            made = program.make("call", (made, part), ("{0} and {1}", 5), np.dtype(bool), cost=1)
    return made


def logical_not(program: Program, inst: Inst) -> Inst:
    """Whether a condition does not hold."""
    return program.make("call", (inst,), ("not {0}", 5.5), np.dtype(bool), cost=1)


def select(program: Program, condition: Inst, one: Inst, other: Inst) -> Inst:
    """One value or the other, of the same type."""
    if one is other:
        return one
    return program.make("call", (condition, one, other), ("{1} if {0} else {2}", 2), one.dtype, cost=1)
