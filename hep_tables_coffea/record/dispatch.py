"""numpy's and awkward's protocols: a function called on a recorded value is recorded, or refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import awkward as ak
import numpy as np

from hep_tables_coffea.errors import RecordingError, UsageError
from hep_tables_coffea.graph import functions
from hep_tables_coffea.graph.nodes import Literal, Node
from hep_tables_coffea.record.columns import as_record
from hep_tables_coffea.record.values import node_of, shown
from hep_tables_coffea.types.elements import Record

__all__ = ["record_awkward", "record_numpy", "record_ufunc"]

#: ufuncs on records that are operators of vectors.
_VECTOR_OPERATORS = {"add", "subtract", "multiply", "divide", "negative", "equal", "not_equal", "absolute"}


def ufunc_name(ufunc: np.ufunc) -> str:
    """`np.hypot`, `scipy.special.erf`: where the function is found again."""
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return f"np.{name}"
    import sys

    special = sys.modules.get("scipy.special")
    if special is not None and getattr(special, name, None) is ufunc:
        return f"scipy.special.{name}"
    msg = f"the ufunc {name} cannot be found by name"
    raise RecordingError(msg, hint="functions of numpy and scipy.special can be recorded")


def record_ufunc(
    ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]
) -> Node | tuple[Node, ...]:
    """`np.hypot(x, y)`, and every operator."""
    if method != "__call__":
        way = {"reduce": "use a reducer, x.Sum()", "accumulate": "it would depend on the chunks"}.get(method, "")
        msg = f"np.{ufunc.__name__}.{method} cannot be recorded"
        raise RecordingError(msg, hint=way or "use ht.cross for all pairs")
    if options:
        msg = f"np.{ufunc.__name__}: the keyword {', '.join(options)} cannot be recorded"
        raise RecordingError(msg, hint="call it without, and use ak.values_astype or ht.where")
    doing = _OPERATORS.get(ufunc.__name__, f"call np.{ufunc.__name__} on")
    nodes = [node_of(value, doing) for value in inputs]
    if ufunc is np.divmod:
        return ufunc_node(np.floor_divide, nodes, "divide"), ufunc_node(np.remainder, nodes, "divide")
    return ufunc_node(ufunc, nodes, doing)


#: ufuncs that give no single number for each element, and what does.
_NOT_ONE_NUMBER = {
    "modf": "np.trunc(x) is the whole part, and x - np.trunc(x) the rest",
    "frexp": "np.floor(np.log2(abs(x))) is the exponent",
    "matmul": "(x * y).Sum() multiplies lists",
    "vecdot": "(x * y).Sum() multiplies lists",
}


def ufunc_node(ufunc: np.ufunc, nodes: Sequence[Node], doing: str) -> Node:
    """The elementwise call, or the operator of vectors."""
    if ufunc.nout > 1 or ufunc.signature is not None:
        msg = f"np.{ufunc.__name__} cannot be recorded: it does not give one number for each element"
        raise RecordingError(msg, hint=_NOT_ONE_NUMBER.get(ufunc.__name__, "use ufuncs that do"))
    if any(isinstance(node.type, Record) for node in nodes):
        return _of_records(ufunc, [as_record(node) for node in nodes])
    if ufunc.__name__.startswith("bitwise") or ufunc.__name__ == "invert":
        _check_bits(ufunc, nodes)
    if ufunc is np.power:
        _check_power(nodes)
    return functions.call(ufunc_name(ufunc), nodes, doing=doing)


_OPERATORS = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "true_divide": "divide",
    "bitwise_and": "combine (&)",
    "bitwise_or": "combine (|)",
    "greater": "compare",
    "less": "compare",
    "greater_equal": "compare",
    "less_equal": "compare",
    "floor_divide": "divide",
    "remainder": "divide",
    "power": "take the power of",
    "negative": "negate",
    "equal": "compare",
    "not_equal": "compare",
}


def _check_bits(ufunc: np.ufunc, nodes: Sequence[Node]) -> None:
    sign = {"bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^", "invert": "~"}.get(ufunc.__name__, "")
    if sign and any(getattr(node.type, "dtype", np.dtype("O")).kind not in "biu" for node in nodes):
        msg = f"{sign} needs truth values or integers"
        values = [(f"operand {k + 1}", node.text) for k, node in enumerate(nodes)]
        raise UsageError(msg, values=values, hint=f"parentheses: (x > 30) {sign} (y < 2), since {sign} binds first")


def _check_power(nodes: Sequence[Node]) -> None:
    base, exponent = nodes
    whole = all(getattr(node.type, "dtype", np.dtype("O")).kind in "iu" for node in nodes)
    if whole and isinstance(exponent, Literal) and exponent.value < 0:
        msg = f"whole numbers have no power of {exponent.value}: the result would be no whole number"
        raise UsageError(msg, values=[("base", base.text)], hint=f"x ** {float(exponent.value)}")


def _of_records(ufunc: np.ufunc, nodes: Sequence[Node]) -> Node:
    if ufunc.__name__.replace("true_divide", "divide") not in _VECTOR_OPERATORS:
        msg = f"np.{ufunc.__name__} is not defined for records"
        values = [(f"operand {k + 1}", node.text) for k, node in enumerate(nodes)]
        fields = next(node.type.fields for node in nodes if isinstance(node.type, Record))
        raise RecordingError(msg, values=values, hint=f"use one of the columns: {', '.join(fields[:6])}")
    name = ufunc.__name__.replace("true_divide", "divide")  # numpy 1 has the long name
    if name in ("multiply", "divide") and all(isinstance(node.type, Record) for node in nodes):
        msg = f"two records cannot be {'multiplied' if name == 'multiply' else 'divided'}"
        raise RecordingError(msg, values=[("one", nodes[0].text), ("other", nodes[1].text)], hint="a.dot(b)")
    first = next(k for k, node in enumerate(nodes) if isinstance(node.type, Record))
    if first:
        if ufunc.__name__ != "multiply":
            msg = f"a record cannot stand on the right of {ufunc.__name__} here"
            raise RecordingError(msg, values=[(f"operand {k + 1}", node.text) for k, node in enumerate(nodes)])
        nodes = list(nodes)[::-1]
    return functions.behave(nodes[0], name, "operator", nodes[1:])


# -- numpy -----------------------------------------------------------------------------------------------------------

#: numpy functions that are awkward's, or ours.
_NUMPY_AS_AWKWARD = (
    "all any argmax argmin argsort broadcast_arrays concatenate full_like isclose max mean min nan_to_num nanmax "
    "nanmin nansum nanmean ones_like prod ptp real imag angle sort std sum unflatten var where zeros_like ravel "
    "count_nonzero round corrcoef array_equal"
).split()
_NO_MERGE = "median quantile percentile unique cumsum cumprod diff nanmedian nanpercentile nanquantile".split()


def record_numpy(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`np.where(...)`, `np.histogram(...)` and the other functions that are no ufuncs."""
    name = getattr(function, "__name__", str(function))
    name = {"amax": "max", "amin": "min", "around": "round"}.get(name, name)
    own = _numpy_own().get(name)
    if own is not None:
        return own(*args, **kwargs)
    if name in _NUMPY_AS_AWKWARD and hasattr(ak, name):
        return record_awkward(getattr(ak, name), args, kwargs)
    if name in _NO_MERGE:
        from hep_tables_coffea.errors import MergeError

        msg = f"np.{name} cannot be recorded: the answers of two chunks do not merge into the answer of both"
        raise MergeError(msg, hint="fill a fine histogram, or take the column with ht.make_local and compute there")
    msg = f"np.{name} cannot be recorded"
    raise RecordingError(msg, hint="ufuncs, np.where, np.clip, np.histogram and the reducers can")


def _numpy_own() -> dict[str, Callable[..., Any]]:
    from hep_tables_coffea.record import elementwise, histogram

    return {
        "histogram": histogram.numpy_histogram,
        "histogram2d": histogram.numpy_histogram2d,
        "clip": elementwise.clip,
        "isin": elementwise.isin,
        "digitize": elementwise.digitize,
        "interp": elementwise.interp,
        "absolute": abs,
    }


# -- awkward ---------------------------------------------------------------------------------------------------------


def record_awkward(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`ak.sum(...)` and every other function that dispatches."""
    from hep_tables_coffea.record.awkward_table import TABLE, refusal

    name = _awkward_name(function)
    handler = TABLE.get(name)
    if handler is None:
        why, instead = refusal(name)
        msg = f"ak.{name} cannot be recorded: {why}"
        raise RecordingError(msg, hint=instead)
    return handler(**_honoured(name, function, handler, _bind(name, function, args, kwargs)))


def _awkward_name(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", "")
    name = getattr(function, "__name__", str(function))
    return f"str.{name}" if ".operations.str" in module or module.endswith("ak.str") else name


def _bind(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are given, by awkward's own names."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        msg = f"ak.{name}: {error}"
        raise UsageError(msg) from error
    variadic = inspect.signature(function).parameters
    return {
        ("args" if variadic[k].kind is inspect.Parameter.VAR_POSITIONAL else k): v for k, v in bound.arguments.items()
    }


def _honoured(
    name: str, function: Callable[..., Any], handler: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments that the handler takes; any other must be what awkward takes if nothing is given."""
    takes = inspect.signature(handler).parameters
    defaults = inspect.signature(function).parameters
    everything = getattr(handler, "takes_all", False)
    kept: dict[str, Any] = {}
    for option, value in given.items():
        plumbing = option in ("highlevel", "behavior", "attrs")
        if option in takes or (everything and not plumbing):
            kept[option] = value
        elif value is not defaults[option].default:
            refuse_option(name, option, value)
    return kept


#: What to write instead of an option that cannot be recorded.
_INSTEAD = {
    "weight": "ak.sum(x * w, axis=1) / ak.sum(w, axis=1)",
    "initial": "np.maximum(ak.max(x, axis=1), value)",
    "mask_identity": "ak.fill_none(ak.max(x, axis=1), value)",
    "highlevel": "recorded values have no other level",
    "behavior": "behaviors come from the schema of the dataset",
    "out": "recorded values never change: y = f(x)",
    "dtype": 'ak.values_astype(x, "float64")',
}


def refuse_option(name: str, option: str, value: Any, hint: str = "") -> NoReturn:
    """An option of an awkward function that cannot be recorded."""
    msg = f"ak.{name}: {option}={shown(value)} cannot be recorded"
    raise RecordingError(msg, hint=hint or _INSTEAD.get(option, f"leave {option} out"))
