"""What the dialect of ATLAS can say, where operators take one number: C++ that computes in double precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from hep_tables_coffea.backends.servicex.query.array_rules import foreign, is_writable
from hep_tables_coffea.backends.servicex.query.dialect import Dialect
from hep_tables_coffea.backends.servicex.query.lowering import needs
from hep_tables_coffea.backends.servicex.query.missing import is_required
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Number

__all__ = ["ARITHMETIC", "COMPARISONS", "COMPUTED", "LOGIC", "RULES", "dtype_of"]

ARITHMETIC = ("np.add", "np.subtract", "np.multiply", "np.true_divide", "np.divide", "np.negative", "np.power")
COMPARISONS = ("np.less", "np.less_equal", "np.greater", "np.greater_equal", "np.equal", "np.not_equal")
LOGIC = ("np.bitwise_and", "np.bitwise_or", "np.logical_and", "np.logical_or", "np.invert", "np.logical_not")
#: What the generator computes with.
COMPUTED = ("float32", "float64", "int32")
#: Numbers that a double holds exactly.
_EXACT = ("float32", "float64", "int8", "int16", "int32", "uint8", "uint16", "uint32")
#: What is used in several places of an expression is computed in each of them, so that it must not grow.
LARGEST = 200
_sizes: WeakKeyDictionary[g.Node, tuple[int, int]] = WeakKeyDictionary()


def dtype_of(node: g.Node) -> np.dtype[Any]:
    """The type of a number."""
    assert isinstance(node.type, Number)
    return node.type.dtype


def _size(node: g.Node, dialect: Dialect) -> int:
    """How many operations the text of a value has, for one row."""
    for one in walk([node], lambda one: () if one in _sizes else needs(one, dialect)):
        if one not in _sizes:
            value, rows = _own_size(one, needs(one, dialect))
            _sizes[one] = (min(value, 10 * LARGEST), min(rows, 10 * LARGEST))
    return _sizes[node][0]


def _own_size(node: g.Node, asked: Sequence[g.Node]) -> tuple[int, int]:
    """The sizes of a value for one row, and of its innermost list of rows: where they come from, and which they are."""
    values, lists = zip(*map(_sizes.__getitem__, asked)) if asked else ((), ())
    if isinstance(node, g.Restrict):
        innermost = last_step(node)[1] == len(node.path) - 1
        return values[0], lists[0] + (sum(values[1:]) if innermost else 0) + 1
    if isinstance(node, g.Nest):
        return values[0], lists[0]
    rows = next((size for need, size in zip(asked, lists) if need.path == node.path), 1)
    through = sum(lists) if isinstance(node, g.Reduce) or is_required(node) else 0
    return 1 + sum(values) + through, rows


def _call(node: g.Call, dialect: Dialect) -> str:
    name = node.function
    if name in ("ak.is_none", "ak.fill_none"):
        return "puts nothing in place of missing values"
    if name not in (*dialect.operators, *dialect.functions, "ht.broadcast", "ht.required", "ht.where"):
        return f"has no {name.removeprefix('ht.')}"
    if node.options:
        return f"has no options of {name}"
    for arg in node.args:
        if reason := foreign(arg):
            return reason
        if (arg.type.option and name != "ht.required") or not isinstance(arg.type, Number):
            return "has no numbers that may be missing"
    if _size(node, dialect) > LARGEST:
        return "would compute one expression many times over"
    rule = next((rule for names, rule in _CALLS if name in names), _function)
    return rule(node)


def _arithmetic(node: g.Call) -> str:
    if _is_count(node):
        return ""
    if dtype_of(node) != np.float64:
        return f"computes in double precision, and this is {node.type}"
    columns = [arg for arg in node.args if not isinstance(arg, g.Literal)]
    others = [dtype_of(arg).name for arg in columns if not _is_count(arg) and dtype_of(arg).name not in COMPUTED]
    if others:
        return f"cannot compute with {' and '.join(others)} in double precision"
    if len(columns) < len(node.args) or any(dtype_of(arg) == np.float64 for arg in columns):
        return ""  # constants are in double precision
    single = any(dtype_of(arg).kind == "f" for arg in columns)
    return "computes in single precision there" if single else "divides whole numbers as C++ does"


def _is_count(node: g.Node) -> bool:
    """Whether a value counts things: small, so that the width of whole numbers does not matter."""
    if isinstance(node, g.Restrict):
        return _is_count(node.args[0])
    if isinstance(node, g.Reduce):
        truth = isinstance(node.args[0].type, Number) and dtype_of(node.args[0]).kind == "b"
        return node.function == "num" or (node.function == "sum" and truth)
    if isinstance(node, g.Literal):
        return type(node.value) is int and abs(node.value) < 1_000_000
    return isinstance(node, g.Call) and node.function in ("np.add", "np.subtract") and all(map(_is_count, node.args))


def _comparison(node: g.Call) -> str:
    literal = next((arg.value for arg in node.args if isinstance(arg, g.Literal)), None)
    types = [dtype_of(arg) for arg in node.args if not isinstance(arg, g.Literal)]
    if any(dtype.kind == "b" for dtype in types) or isinstance(literal, bool):
        equal = node.function in ("np.equal", "np.not_equal")
        truths = all(dtype.kind == "b" for dtype in types) and (literal is None or isinstance(literal, bool))
        return "" if truths and equal else "has no order of truth values"
    if literal is not None:
        return _beside_constant(types[0], literal, all(map(_is_count, node.args)))
    if {dtype.kind for dtype in types} == {"i", "u"}:
        return "compares signed with unsigned numbers as C++ does"
    single = any(dtype == np.float32 for dtype in types) and any(dtype.kind in "iu" for dtype in types)
    if single and not any(map(_is_count, node.args)):
        return "compares whole numbers in single precision there"
    others = [dtype_of(arg) for arg in node.args if not _is_count(arg)]
    wide = any(dtype.name in ("int64", "uint64") for dtype in others) and len(set(types)) > 1
    return "compares long whole numbers with others inexactly" if wide else ""


def _beside_constant(dtype: np.dtype[Any], value: float, counts: bool) -> str:
    if isinstance(value, int):
        if dtype.kind == "u" and value < 0:
            return "compares unsigned numbers as C++ does"
        return "" if abs(value) < 2**31 else f"has no whole number {value}"
    exact = dtype.name in _EXACT or counts
    return "" if exact else f"compares {dtype.name} with others inexactly"


def _logic(node: g.Call) -> str:
    truths = all(dtype_of(arg).kind == "b" for arg in node.args)
    return "" if truths else f"has {node.function.removeprefix('np.')} of truth values alone"


def _choice(node: g.Call) -> str:
    condition, *others = node.args
    if isinstance(condition, g.Literal) or dtype_of(condition).kind != "b":
        return "chooses by a truth value"
    exact = all(isinstance(arg, g.Literal) or dtype_of(arg).name in _EXACT for arg in others)
    whole = [arg.value for arg in others if isinstance(arg, g.Literal) and isinstance(arg.value, int)]
    if not exact or any(abs(value) > 2**53 for value in whole):
        return "chooses in double precision, which does not hold such numbers"
    rounded = [arg for arg in others if isinstance(arg, g.Literal) and float(np.float32(arg.value)) != arg.value]
    return "chooses in double precision, and this is float32" if rounded and dtype_of(node) == np.float32 else ""


def _function(node: g.Call) -> str:
    if node.function == "np.absolute":
        held = dtype_of(node).name in _EXACT
        return "" if held and dtype_of(node).kind != "b" else f"has no absolute value of {node.type}"
    if all(dtype_of(arg) == np.float64 or isinstance(arg, g.Literal) for arg in node.args):
        return ""
    return f"computes {node.function.rpartition('.')[2]} in double precision alone"


def _broadcast(node: g.Call) -> str:
    return ""


def _required(node: g.Call) -> str:
    """A row or an extreme of a list, where there is one."""
    leaf = node.args[0]
    if isinstance(leaf, g.Pick):
        key = [index.args[0] for index in leaf.args[1:]]
        if leaf.position != len(leaf.args[0].path) - 1 or (not key and leaf.constant not in (0, -1)):
            return "takes the first and the last row of a list alone"
        computed = key or ([leaf.args[0]] if leaf.constant else [])
    elif isinstance(leaf, g.Reduce) and leaf.function in ("min", "max"):
        computed = [leaf.args[0]]
    else:
        return "puts nothing in place of missing values"
    others = [one for one in computed if dtype_of(one).name not in _EXACT]
    return f"compares in double precision, which does not hold {others[0].type}" if others else ""


_CALLS: tuple[tuple[tuple[str, ...], Callable[[g.Call], str]], ...] = (
    (ARITHMETIC, _arithmetic),
    (COMPARISONS, _comparison),
    (LOGIC, _logic),
    (("ht.where",), _choice),
    (("ht.broadcast",), _broadcast),
    (("ht.required",), _required),
)


def _nested(node: g.Nest, dialect: Dialect) -> str:
    return "" if len(node.args[0].path) > node.prefix else "repeats no records"


def _reducer(node: g.Reduce, dialect: Dialect) -> str:
    array = node.args[0]
    if node.function not in dialect.reducers:
        return f"has no {node.function} of a list"
    if node.options:
        return f"has no options of {node.function}"
    if array.type.option:
        return "has no numbers that may be missing"
    truth = dtype_of(array).kind == "b"
    if node.function in ("any", "all") and not truth:
        return f"has {node.function} of truth values alone"
    if node.function == "sum" and not truth and dtype_of(array) != np.float64:
        return f"sums in double precision, and this is {node.type}"
    return "" if len(array.path) > 1 else "reduces lists of the event"


def _user_call(node: g.UserCall, dialect: Dialect) -> str:
    known = provided(node.declared.name) if node.declared.function is None else None
    if known is None or known.cpp is None:
        return f"has no function {node.declared.name}: ht.backend_function(..., cpp=...) gives it one"
    if node.type.option or not isinstance(node.type, Number) or node.type.dtype.name not in dialect.results:
        return f"has no functions that give {node.type}"
    if any(isinstance(arg, g.Literal) and not is_writable(arg) for arg in node.args):
        return "cannot write an argument"
    return "" if all(isinstance(arg, g.Literal) or arg.path for arg in node.args) else "sees one file alone"


#: Why a node has no form, or ""; by its kind.
RULES: Mapping[type[g.Node], Callable[[Any, Dialect], str]] = {
    g.Nest: _nested,
    g.Call: _call,
    g.Reduce: _reducer,
    g.UserCall: _user_call,
}
