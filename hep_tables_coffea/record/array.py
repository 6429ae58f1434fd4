"""The recorded value that a user holds: operators, names, brackets and reducers, and nothing else."""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Callable
from weakref import WeakValueDictionary

import numpy as np

from hep_tables_coffea.errors import ControlFlowError, RecordingError, UsageError
from hep_tables_coffea.graph import serialize
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.record.values import node_of
from hep_tables_coffea.types.elements import Record

__all__ = ["Array", "wrap"]

_arrays: WeakValueDictionary[Node, Array] = WeakValueDictionary()


def wrap(node: Node) -> Array:
    """The recorded value of a node: the same object for the same node, so that it can be the key of a dict."""
    array = _arrays.get(node)
    if array is None:
        array = _arrays[node] = object.__new__(Array)
        object.__setattr__(array, "_node", node)
    return array


class Array(np.lib.mixins.NDArrayOperatorsMixin):
    """A recorded value: nothing is computed until `ht.make_local` or `ht.run`.

    Its type says for which rows it has a value: `event * Jet * float32` is a number for each jet of each event.
    Operators, numpy and awkward functions, filters in brackets and the names of the schema give recorded values.

    Example:
        >>> import hep_tables_coffea as ht
        >>> events = ht.nanoaod("events.root")  # doctest: +SKIP
        >>> events.Jet[events.Jet.pt > 30].pt  # doctest: +SKIP
        <Array event * Jet' * float32>
    """

    __slots__ = ("__weakref__", "_node")
    _node: Node

    def __init__(self) -> None:
        msg = "recorded values come from datasets"
        raise UsageError(msg, hint='events = ht.dataset("file.root")')

    # -- what it is --

    @property
    def type(self) -> str:
        """The axis path and the element type: `event * Jet * float32`."""
        return self._complete().text

    def _complete(self) -> Node:
        """The node, a record with the columns that are defined now."""
        from hep_tables_coffea.record.columns import as_record

        return as_record(self._node)

    @property
    def fields(self) -> list[str]:
        """The names of the columns."""
        from hep_tables_coffea.record.columns import defined_names

        stored = self._node.type.fields if isinstance(self._node.type, Record) else ()
        return list(dict.fromkeys((*stored, *defined_names(self._node))))

    def __repr__(self) -> str:
        return f"<Array {self.type}>"

    def _repr_html_(self) -> str:
        from hep_tables_coffea.show.html import array_html

        return array_html(self._complete())

    def __dir__(self) -> list[str]:
        from hep_tables_coffea.record.names import known_names

        return sorted({name for name in dir(type(self)) if not name.startswith("_")} | known_names(self._node))

    def _ipython_key_completions_(self) -> list[str]:
        return self.fields

    def __hash__(self) -> int:
        return hash(self._node)

    def __copy__(self) -> Array:
        return self

    def __deepcopy__(self, memo: dict[int, t.Any]) -> Array:
        return self

    def __reduce__(self) -> tuple[t.Any, ...]:
        return _load, (serialize.dump([self._node]),)

    # -- names and brackets --

    def __getattr__(self, name: str) -> t.Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from hep_tables_coffea.record.names import attribute

        found = attribute(self._node, name)
        return wrap(found) if isinstance(found, Node) else lambda *args, **options: wrap(found(*args, **options))

    def __setattr__(self, name: str, value: t.Any) -> None:
        msg = f"a column cannot be set as the attribute {name!r}"
        raise UsageError(msg, values=[("value", self.type)], hint=f'x["{name}"] = ... names a new column')

    def __getitem__(self, key: t.Any) -> Array:
        from hep_tables_coffea.record.index import index

        return wrap(index(self._node, key))

    def __setitem__(self, name: str, value: t.Any) -> None:
        from hep_tables_coffea.record.columns import define_column

        define_column(self._node, name, value)

    def __call__(self, bank: str | None = None, **options: t.Any) -> Array:
        """The call forms of the paper: `x.pt()` is `x.pt`, `df.Electrons("Electrons")` names the stored collection."""
        from hep_tables_coffea.record.names import bank_of

        return self if bank is None and not options else wrap(bank_of(self._node, bank, options))

    # -- protocols --

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: t.Any, **options: t.Any) -> t.Any:
        from hep_tables_coffea.record.dispatch import record_ufunc

        recorded = record_ufunc(ufunc, method, inputs, options)
        return tuple(map(wrap, recorded)) if isinstance(recorded, tuple) else wrap(recorded)

    def __array_function__(
        self, function: Callable[..., t.Any], types: t.Any, args: tuple[t.Any, ...], kwargs: dict[str, t.Any]
    ) -> t.Any:
        from hep_tables_coffea.record.dispatch import record_numpy

        return record_numpy(function, args, kwargs)

    def __awkward_function__(self, function: Callable[..., t.Any], arrays: t.Any, args: t.Any, kwargs: t.Any) -> t.Any:
        from hep_tables_coffea.record.dispatch import record_awkward

        return record_awkward(function, args, kwargs)

    def __array__(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        self._now("a numpy array", "ht.make_local(x) gives the array")

    def __dlpack_device__(self) -> t.Any:
        # what awkward asks of an unknown operand: `ak.Array(...) + recorded` ends here
        msg = "an array in memory cannot be combined with a recorded value: it has no rows of the dataset"
        raise UsageError(
            msg,
            values=[("value", self.type)],
            hint="compute with arrays after ht.make_local(...), or use ht.where or map",
        )

    def __dlpack__(self, **_: t.Any) -> t.Any:
        return self.__dlpack_device__()

    def __round__(self, digits: int | None = None) -> Array:
        from hep_tables_coffea.graph import functions

        if digits is None:
            return wrap(functions.call("np.rint", [self._node]))
        return wrap(functions.call("ak.round", [self._node], {"decimals": int(digits)}))

    # -- what Python would need now --

    def _now(self, what: str, hint: str) -> t.Any:
        msg = f"{what} is needed now, and a recorded value has none before the data are read"
        raise ControlFlowError(msg, values=[("value", self.type)], hint=hint)

    def __bool__(self) -> bool:
        hint = (
            "(a) & (b) for and and for a < x < b, (a) | (b) for or, ~(a) for not; ht.where(c, a, b) for if; "
            "(x == v).Any() for in; np.maximum and np.minimum for max and min"
        )
        return bool(self._now("a truth value", hint))

    def __len__(self) -> int:
        if sys._getframe(1).f_code.co_name == "format_argument":
            return sys.maxsize  # awkward, which formats the note of an error of ours: an error here would hide it
        return int(self._now("a length", "x.Count() is the number of rows"))

    def __iter__(self) -> t.Any:
        return self._now("a loop over rows", "x.map(f) for each row, or x[mask], or the whole column: x.pt * 2")

    def __contains__(self, value: t.Any) -> bool:
        return bool(self._now("an answer to 'in'", "(x == value).Any(), or np.isin(x, values)"))

    def __float__(self) -> float:
        return float(self._now("a number", "ht.make_local(x) gives the value; ak.values_astype(x, float) converts"))

    def __int__(self) -> int:
        return int(self._now("a number", "ht.make_local(x) gives the value; ak.values_astype(x, int) converts"))

    def __index__(self) -> int:
        return int(self._now("an index", "index the recorded value by another one, or use ht.make_local(x)"))

    def __complex__(self) -> complex:
        return complex(self._now("a number", "ht.make_local(x) gives the value"))

    def __format__(self, spec: str) -> str:
        return str(self._now("a text", "ht.make_local(x) gives the value")) if spec else repr(self)

    # -- reducers --

    def _reduced(self, function: str, axis: t.Any, options: dict[str, t.Any]) -> Array:
        from hep_tables_coffea.record import reducers

        if options:
            msg = f"{function} has no keyword {', '.join(options)}"
            raise UsageError(
                msg, values=[("value", self.type)], hint="axis= is a number, a name, or None for everything"
            )
        return wrap(reducers.reduce(function, self._node, *axis))

    def Count(self, *axis: t.Any, **options: t.Any) -> Array:
        """The number of rows: `event * int64` of `event * Jet * float32`; of the dataset on an event-level value."""
        return self._reduced("num", *_axis(axis, options))

    def Sum(self, *axis: t.Any, **options: t.Any) -> Array:
        """The sum; 0 of nothing. Vectors add."""
        return self._reduced("sum", *_axis(axis, options))

    def Min(self, *axis: t.Any, **options: t.Any) -> Array:
        """The least value; missing where there is none."""
        return self._reduced("min", *_axis(axis, options))

    def Max(self, *axis: t.Any, **options: t.Any) -> Array:
        """The greatest value; missing where there is none."""
        return self._reduced("max", *_axis(axis, options))

    def Mean(self, *axis: t.Any, **options: t.Any) -> Array:
        """The mean; missing where there is none."""
        return self._reduced("mean", *_axis(axis, options))

    def Std(self, *axis: t.Any, **options: t.Any) -> Array:
        """The standard deviation of the values (divided by n); missing where there is none."""
        return self._reduced("std", *_axis(axis, options))

    def Any(self, *axis: t.Any, **options: t.Any) -> Array:
        """Whether one is true; False of nothing."""
        return self._reduced("any", *_axis(axis, options))

    def All(self, *axis: t.Any, **options: t.Any) -> Array:
        """Whether every one is true; True of nothing."""
        return self._reduced("all", *_axis(axis, options))

    def First(self, *axis: t.Any, **options: t.Any) -> Array:
        """The first row; missing where there is none."""
        return self._reduced("first", *_axis(axis, options))

    def Last(self, *axis: t.Any, **options: t.Any) -> Array:
        """The last row; missing where there is none."""
        return self._reduced("last", *_axis(axis, options))

    def ArgMin(self, *axis: t.Any, **options: t.Any) -> Array:
        """The position of the least value, the first of equals; missing where there is none."""
        return self._reduced("argmin", *_axis(axis, options))

    def ArgMax(self, *axis: t.Any, **options: t.Any) -> Array:
        """The position of the greatest value, the first of equals; missing where there is none."""
        return self._reduced("argmax", *_axis(axis, options))

    # -- order and picks --

    def MinBy(self, key: t.Any) -> Array:
        """The row with the least key, the first of equals; missing where there is none."""
        from hep_tables_coffea.record.lambdas import key_of
        from hep_tables_coffea.record.order import pick_by

        return wrap(pick_by(self._node, key_of(self._node, key), "argmin"))

    def MaxBy(self, key: t.Any) -> Array:
        """The row with the greatest key, the first of equals; missing where there is none."""
        from hep_tables_coffea.record.lambdas import key_of
        from hep_tables_coffea.record.order import pick_by

        return wrap(pick_by(self._node, key_of(self._node, key), "argmax"))

    def OrderBy(self, key: t.Any) -> Array:
        """The rows in ascending order of the key."""
        from hep_tables_coffea.record.lambdas import key_of
        from hep_tables_coffea.record.order import order_by

        return wrap(order_by(self._node, key_of(self._node, key), True))

    def OrderByDescending(self, key: t.Any) -> Array:
        """The rows in descending order of the key."""
        from hep_tables_coffea.record.lambdas import key_of
        from hep_tables_coffea.record.order import order_by

        return wrap(order_by(self._node, key_of(self._node, key), False))

    def Take(self, n: int) -> Array:
        """The first n rows of each list."""
        return self[: int(n)]

    def map(self, function: Callable[[Array], t.Any]) -> Array:
        """What a function makes of each row: `event * Jet * float32` of `jets.map(lambda j: j.pt * 2)`.

        The parameter is one current element; any other mention of a collection is the whole of it, so that
        `jets.map(lambda j: electrons.map(lambda e: j.delta_r(e)))` is `event * Jet * Electron * float32`.
        """
        from hep_tables_coffea.record.lambdas import map_rows

        return wrap(map_rows(self._node, function))

    # -- combining --

    def nearest(
        self, other: Array, max_dr: float | None = None, *, threshold: float | None = None, return_metric: bool = False
    ) -> t.Any:
        """The row of `other` closest in eta and phi to each row; missing beyond `max_dr`.

        `threshold` is coffea's name of `max_dr`. With `return_metric` also the distance.
        """
        from hep_tables_coffea.record.combine import nearest

        limit = max_dr if threshold is None else threshold
        found, distance = nearest(self._node, node_of(other, "match"), limit)
        return (wrap(found), wrap(distance)) if return_metric else wrap(found)

    def metric_table(self, other: Array) -> Array:
        """The distance of every row to every row of the other: `event * Jet * Electron * float32`."""
        from hep_tables_coffea.record.combine import metric_table

        return wrap(metric_table(self._node, node_of(other, "match")))

    def delta_r(self, other: Array) -> Array:
        """The distance in eta and phi, with phi wrapped around."""
        from hep_tables_coffea.record.combine import distance

        return wrap(distance(self._node, node_of(other, "measure the distance of")))

    def without(self, *others: Array) -> Array:
        """The rows that are not among the rows of the others."""
        from hep_tables_coffea.record.combine import without

        return wrap(without(self._node, [node_of(other, "take away") for other in others]))

    @property
    def exists(self) -> Array:
        """Whether there is a value; the opposite of `ht.is_missing`."""
        from hep_tables_coffea.graph import functions
        from hep_tables_coffea.record.elementwise import missing

        return wrap(functions.call("np.logical_not", [missing(self._node)]))

    # -- a look --

    def peek(self, n: int = 10) -> t.Any:
        """The first n rows, now: reads no more of the dataset than it needs."""
        from hep_tables_coffea.run.peek import peek

        return peek(self, n)


# `x += 1` is `x = x + 1`: a recorded value never changes
for _name in "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul".split():
    setattr(Array, f"__i{_name}__", getattr(Array, f"__{_name}__"))


def _axis(axis: tuple[t.Any, ...], options: dict[str, t.Any]) -> tuple[tuple[t.Any, ...], dict[str, t.Any]]:
    if "axis" in options:
        axis = (*axis, options.pop("axis"))
    if len(axis) > 1:
        msg = f"a reducer has one axis, and not {len(axis)}"
        raise RecordingError(msg)
    return axis, options


def _load(content: bytes) -> Array:
    return wrap(serialize.load(content)[0])
