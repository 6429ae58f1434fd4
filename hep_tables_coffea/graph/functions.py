"""Functions in the graph: elementwise calls, reducers, order, dataset-wide reducers, and behaviors of records."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.errors import RecordingError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.helpers import HELPERS
from hep_tables_coffea.graph.nodes import (
    Aggregate,
    Arrange,
    Behave,
    Call,
    Chain,
    Declared,
    Fill,
    Iterate,
    Literal,
    Node,
    Reduce,
    UserCall,
)
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Element, Number, Record, number, optional, required

__all__ = [
    "AGGREGATES",
    "REDUCERS",
    "VARY",
    "aggregate",
    "arrange",
    "behave",
    "call",
    "call_again",
    "is_row_index",
    "present",
    "reduce",
    "resolve",
    "typical",
]

#: name -> (awkward function, keywords); "missing" where an empty list has no value.
REDUCERS: dict[str, tuple[str, dict[str, Any]]] = {
    "num": ("ak.num", {}),
    "count": ("ak.count", {}),
    "count_nonzero": ("ak.count_nonzero", {}),
    "sum": ("ak.sum", {}),
    "prod": ("ak.prod", {}),
    "min": ("ak.min", {}),
    "max": ("ak.max", {}),
    "ptp": ("ak.ptp", {}),
    "mean": ("ak.mean", {"mask_identity": True}),
    "std": ("ak.std", {"mask_identity": True}),
    "var": ("ak.var", {"mask_identity": True}),
    "any": ("ak.any", {}),
    "all": ("ak.all", {}),
    "argmin": ("ak.argmin", {}),
    "argmax": ("ak.argmax", {}),
}

#: The call that stands for a value with its variations: args are the value and what it is in each variation, options the
#: `nuisance` and the names of the `variations`. A plan has none: it asks for each variation.
VARY = "ht.vary"

#: Dataset-wide reducers and whether their value may be missing.
AGGREGATES = {
    "num": False,
    "count": False,
    "count_nonzero": False,
    "sum": False,
    "any": False,
    "all": False,
    "min": True,
    "max": True,
    "mean": True,
    "std": True,
    "var": True,
    "first": True,
    "last": True,
}


def resolve(name: str) -> Callable[..., Any]:
    """The function of a name such as `np.hypot`, `ak.where`, `scipy.special.erf`, `ht.delta_r`."""
    module, _, function = name.rpartition(".")
    if module == "ht":
        return HELPERS[function]
    if module == "np":
        return getattr(np, function)  # type: ignore[no-any-return]
    if module in ("ak", "ak.str"):
        found: Any = ak
        for part in name.split(".")[1:]:
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]
    from importlib import import_module

    return getattr(import_module(module), function)  # type: ignore[no-any-return]


def argument_type(node: Node) -> Element | infer.Constant:
    """The type of an argument for inference; a Python constant stays weak, as in numpy."""
    return (node.kind, constant(node)) if isinstance(node, Literal) else node.type


def _typical_type(node: Node) -> Element | infer.Constant:
    """The same, with one constant for all that give the same types: a thousand constants are inferred once."""
    return (node.kind, typical(constant(node))) if isinstance(node, Literal) else node.type


#: Where an integer ceases to fit into one of numpy's types.
_BOUNDS = sorted({bound for n in (8, 16, 32, 64) for bound in (-(2 ** (n - 1)), 2 ** (n - 1), 2**n)} | {0})


def typical(value: Any) -> Any:
    """A constant of the same type for which functions of numpy and awkward give the same types."""
    if isinstance(value, (float, np.floating)):
        return type(value)(-1 if value < 0 else 1)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        reached = bisect_right(_BOUNDS, value)
        if 0 < reached < len(_BOUNDS):
            return type(value)(_BOUNDS[reached - 1] or 1)
    return value


def _refuse_fills(function: str, args: Sequence[Node]) -> None:
    if any(isinstance(arg, Fill) for arg in args):
        msg = f"{function}: a histogram is an answer, and cannot be computed with before the data are read"
        raise RecordingError(msg, hint="ht.make_local(...) gives the histogram; compute with that")


def constant(node: Literal) -> Any:
    """The value of a literal, as it was given: a numpy scalar stays one."""
    weak = node.kind == type(node.value).__name__
    return node.value if weak else np.dtype(node.kind).type(node.value)


def call(function: str, args: Sequence[Node], options: Mapping[str, Any] | None = None, doing: str = "combine") -> Node:
    """A function of each element."""
    given = tuple(sorted((options or {}).items()))
    path, args = build.align(args, doing)
    args = _implicit(args, len(path))
    _refuse_fills(function, args)
    records = [arg for arg in args if isinstance(arg.type, Record)]
    if records:
        element = infer.common([r.type for r in records])
        if isinstance(element, Record) and not element.fields:
            msg = "the records have no fields in common"
            values = [(f"records {k + 1}", record.text) for k, record in enumerate(records)]
            raise RecordingError(msg, values=values, hint="give records of one kind, or use their columns")
        if function == "ak.mask" or any(arg.type.option for arg in args):
            element = optional(element)
    elif function == VARY:
        element = _varied(args)
    else:
        element = _element(function, args, given, f"call {function} on" if doing == "combine" else doing)
    return Call.make(tuple(args), (function, given), path, element, None)


def _varied(args: Sequence[Node]) -> Element:
    """The type of a value with its variations: one that holds them all."""
    if all(isinstance(arg.type, Number) for arg in args):
        kinds = [constant(arg) if isinstance(arg, Literal) else arg.type.dtype for arg in args]  # type: ignore[union-attr]
        return Number(np.result_type(*kinds), any(arg.type.option for arg in args))
    return infer.common([arg.type for arg in args])


def _element(function: str, args: Sequence[Node], given: tuple[Any, ...], doing: str) -> Element:
    """The element type of a call, or an error that says why there is none."""
    try:
        element = _inferred(resolve(function), args, given)
    except Exception as error:
        cause: Exception | None = error
        reason = next(iter(str(error).strip().splitlines()), "") or "there is no such function of these types"
    else:
        if element is not None:
            return element
        cause, reason = None, "it does not give one value for each element"
    shown = " and ".join(str(arg.type) for arg in args)
    msg = f"cannot {doing} {shown}: {reason}"
    raise RecordingError(msg, values=[(f"argument {k + 1}", arg.text) for k, arg in enumerate(args)]) from cause


def _inferred(function: Callable[..., Any], args: Sequence[Node], given: tuple[Any, ...]) -> Element | None:
    try:
        return infer.flat_type(function, [_typical_type(arg) for arg in args], given)
    except Exception:  # an error names the constant that was given
        return infer.flat_type(function, [argument_type(arg) for arg in args], given)


def present(node: Node) -> Node:
    """Values of which none is missing any more. Of records only the type would change, so that they stay."""
    if isinstance(node.type, Record) or not node.type.option:
        return node
    return call("ht.required", [node])


def user_call(declared: Declared, args: Sequence[Node]) -> Node:
    """A function of the user, for each element."""
    path, args = build.align(args, f"call {declared.name} with")
    if not path:
        msg = f"{declared.name} would be called with values of the whole dataset alone"
        raise RecordingError(msg, values=[("argument", arg.text) for arg in args], hint="call it after ht.make_local")
    for arg in args:
        if isinstance(arg.type, Record):
            msg = f"{declared.name} takes numbers, and not records"
            raise RecordingError(msg, values=[("argument", arg.text)], hint="give it the columns that it needs")
    element = optional(declared.returns) if any(arg.type.option for arg in args) else declared.returns
    return UserCall.make(tuple(_implicit(args, len(path))), (declared,), path, element, None)


def iterate(
    begin: Sequence[Node], parameters: Sequence[Node], steps: Sequence[Node], until: Node, bound: int, slot: int
) -> Node:
    """One value of the last state of a loop."""
    args = (*begin, *parameters, *steps, until)
    return Iterate.make(args, (bound, slot), parameters[slot].path, parameters[slot].type, None)


def chain(pointer: Node, name: str, bound: int) -> Node:
    """The rows that a pointer leads to, as positions: the parent, its parent, and so on."""
    axis = Axis("listed", name, params=("chain", bound))
    return Chain.make((pointer,), (axis, bound), (*pointer.path, axis), number("int64"), None)


def call_again(node: Call, args: Sequence[Node]) -> Node:
    """The same call with other arguments."""
    if node.function == "ht.broadcast":
        return build.broadcast(args[0], args[1], len(args[1].path))
    if node.function == "ht.same_rows":
        return build.same_rows(args[0], args[1])
    return call(node.function, args, dict(node.options))


def _implicit(args: list[Node], depth: int) -> list[Node]:
    """The arguments without repetition for each row, where another argument has these rows: prefixes broadcast anyhow."""
    repeated = [isinstance(arg, Call) and arg.function == "ht.broadcast" and bool(arg.args[0].path) for arg in args]
    if not any(repeated) or not any(len(arg.path) == depth for arg, again in zip(args, repeated) if not again):
        return args
    return [arg.args[0] if again else arg for arg, again in zip(args, repeated)]


def reduce(function: str, node: Node, options: Mapping[str, Any] | None = None) -> Node:
    """One value of each innermost list."""
    given = tuple(sorted((options or {}).items()))
    path = node.path[:-1]
    if function in ("num", "count") and isinstance(node.type, Record):
        node, function = build.row(node), "num"
    if isinstance(node.type, Record):
        return _vector_sum(node, function)
    node = _single(node)
    if function in ("argmin", "argmax"):
        element: Element | None = number("int64", True)
    elif function == "num":
        element = number("int64")
    else:
        name, fixed = REDUCERS[function]
        element = infer.list_type(resolve(name), required(node.type), tuple({**fixed, **dict(given)}.items()))
    assert element is not None
    return Reduce.make((node,), (function, given), path, element, None)


def _single(node: Node) -> Node:
    """The same numbers, where they are of half precision in single precision: awkward does not reduce or order halves."""
    half = isinstance(node.type, Number) and node.type.dtype == "float16"
    return call("ak.values_astype", [node], {"to": "float32"}) if half else node


def _vector_sum(node: Node, function: str) -> Node:
    if function != "sum":
        msg = f"{function} of records is not defined"
        raise RecordingError(msg, values=[("records", node.text)], hint=f"reduce one of its columns: {node.type}")
    form, touched = _run_behavior("sum", "reduce", [node], (form_of(node),))
    element = infer.element_of_json(form)
    assert element is not None
    return Behave.make((node,), ("sum", "reduce", (), touched, form), node.path[:-1], element, None)


def arrange(function: str, node: Node, options: Mapping[str, Any] | None = None) -> Node:
    """A value for each row that depends on its whole list: `argsort`, `local_index`."""
    given = tuple(sorted((options or {}).items()))
    if isinstance(node.type, Record):
        node = build.anchor(node)
    node = _single(node)
    element: Element = number("int64")
    if function == "softmax":
        element = infer.list_type(ak.softmax, node.type) or number("float64")
    return Arrange.make((node,), (function, given), node.path, element, None)


def is_row_index(node: Node) -> Any:
    """The axis whose positions an index array holds (`ak.argsort(jets.pt)`), or None where it is none."""
    from hep_tables_coffea.graph.nodes import Listed, Restrict

    inner = node
    while isinstance(inner, (Restrict, Listed)):
        inner = inner.args[0]
    if isinstance(inner, Arrange) and inner.function in ("argsort", "local_index"):
        return inner.path[-1]
    if isinstance(inner, Reduce) and inner.function in ("argmin", "argmax"):
        return inner.args[0].path[-1]
    return None


def aggregate(function: str, node: Node, options: Mapping[str, Any] | None = None) -> Node:
    """One value of the whole dataset."""
    given = tuple(sorted((options or {}).items()))
    if isinstance(node.type, Record):
        if function not in ("num", "count"):
            msg = f"{function} of records is not defined"
            raise RecordingError(msg, values=[("records", node.text)], hint="reduce one of its columns")
        node, function = build.row(node), "num"
    element = _aggregate_type(function, node)
    return Aggregate.make((node,), (function, given), (), element, None)


def _aggregate_type(function: str, node: Node) -> Element:
    option = AGGREGATES[function]
    if function in ("num", "count", "count_nonzero"):
        return number("int64")
    if function in ("any", "all"):
        return number(bool)
    if function in ("mean", "std", "var"):
        return number("float64", option)
    if function == "sum":
        assert isinstance(node.type, Number)
        kind = node.type.dtype.kind
        return number({"f": "float64", "c": "complex128", "u": "uint64"}.get(kind, "int64"))
    return optional(node.type)


# -- behaviors -------------------------------------------------------------------------------------------------------


def behaviors_of(node: Node) -> str:
    """The module of the behaviors that apply to a value: its dataset's."""
    return str(build.source_of(node).dataset.schema.behaviors)


def form_of(node: Node, only: Sequence[str] | None = None) -> str:
    """The form of one element, as text; of a record with these fields only."""
    element = node.type
    if not isinstance(element, Record):
        return infer.number_form(element)
    if isinstance(node, Behave):
        return str(node.form)
    members = {}
    for name in element.fields if only is None else only:
        stored = element.group.fields.get(name) if element.group is not None else None
        if getattr(stored, "problem", ""):
            continue
        member = build.field(node, name)
        if not isinstance(member.type, Record) and len(member.path) == len(node.path):
            members[name] = required(member.type) if element.option else member.type
    return infer.record_form(members, element.behavior, element.option)


def _run_behavior(
    method: str, how: str, args: Sequence[Node], arguments: tuple[str | infer.Constant, ...], given: Any = ()
) -> tuple[str, tuple[frozenset[str], ...]]:
    """The form of the result of a behavior, and the fields that each argument needs."""
    try:
        return infer.run_behavior(behaviors_of(args[0]), method, how, arguments, given)
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        if "@events_factory" in reason:
            reason = "coffea looks for it in the whole event, and the schema describes no such reference"
        msg = f"{method} cannot be used here: {reason}"
        hint = ""
        if build.source_of(args[0]).dataset.schema.coffea_schema:
            hint = (
                'if coffea looks for it in the whole event, open the file with a schema pack such as schema="nanoaod"'
            )
        values = [(f"argument {k + 1}", arg.text) for k, arg in enumerate(args)]
        raise RecordingError(msg, values=values, hint=hint) from error


def needed_fields(record: Node, touched: frozenset[str]) -> tuple[str, ...]:
    """The fields that a record must have so that a behavior which touches these fields works."""
    element = record.type
    assert isinstance(element, Record)
    if not element.behavior:
        return tuple(name for name in element.fields if name in touched)
    return infer.valid_fields(behaviors_of(record), element.behavior, element.fields, touched)


def _needed_forms(args: Sequence[Node], forms: Sequence[Any], touched: Sequence[frozenset[str]]) -> tuple[Any, ...]:
    """The forms of the arguments as they are when the behavior is computed: with no field but those that it needs."""
    stored = [isinstance(arg.type, Record) and not isinstance(arg, Behave) for arg in args]
    return tuple(
        form_of(arg, needed_fields(arg, fields)) if is_stored else form
        for arg, form, fields, is_stored in zip(args, forms, touched, stored)
    )


def behave(
    node: Node, method: str, how: str, others: Sequence[Node] = (), options: Mapping[str, Any] | None = None
) -> Node:
    """A property, method or operator that the schema gives to records."""
    given = tuple(sorted((options or {}).items()))
    path, args = build.align([node, *others])
    # a method may do with a constant what it likes; of an operator only the types matter
    type_of = _typical_type if how == "operator" else argument_type
    arguments: tuple[Any, ...] = tuple(type_of(arg) if isinstance(arg, Literal) else form_of(arg) for arg in args)
    form, touched = _run_behavior(method, how, args, arguments, given)
    element = infer.element_of_json(form)
    if isinstance(element, Record):
        form, _ = _run_behavior(method, how, args, _needed_forms(args, arguments, touched), given)
        element = infer.element_of_json(form)
    if element is None:
        msg = f"{method} gives a list for each element, which cannot be recorded"
        raise RecordingError(msg, values=[("record", node.text)], hint="write it with map, ht.cross or nearest")
    return Behave.make(tuple(args), (method, how, given, touched, form), path, element, None)
