"""Recorded histograms: built as with hist, filled with recorded values, delivered as `hist.Hist`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import hist
import numpy as np

from hep_tables_coffea.errors import AxisError, MergeError, UsageError, hint_names
from hep_tables_coffea.graph import build, serialize
from hep_tables_coffea.graph.nodes import Fill, Literal, Node
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.values import node_of
from hep_tables_coffea.types.elements import Number, Record, Text, number

__all__ = ["Hist", "RecordedHist", "numpy_histogram", "numpy_histogram2d"]

#: One call of the builder: the method's name, and its arguments as source text.
Step = tuple[str, str]


def _text(value: Any) -> str:
    """A constant as source text."""
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(_text, value))
        return f"[{inner}]"
    if isinstance(value, range):
        return repr(list(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value)
    msg = f"an argument of type {type(value).__name__} cannot be written into a program"
    raise UsageError(msg, hint="axes take numbers, strings and lists of them")


class Builder:
    """`Hist.new.Reg(...).Weight()`: each step as hist's own builder has it, until a storage makes the histogram."""

    def __init__(self, real: Any, steps: tuple[Step, ...]) -> None:
        self._real, self._steps = real, steps

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._real, name, None)
        if name == "fill" and method is None:
            msg = "the histogram has no storage yet"
            raise UsageError(msg, hint="choose one before fill: .Double(), .Int64(), .Weight()")
        if method is None:
            names = [known for known in dir(self._real) if not known.startswith("_")]
            msg = f"hist's builder has no {name!r} here"
            raise UsageError(msg, hint=hint_names(name, names))

        def step(*args: Any, **kwargs: Any) -> Any:
            made = method(*args, **kwargs)
            text = ", ".join([*map(_text, args), *(f"{key}={_text(value)}" for key, value in kwargs.items())])
            steps = (*self._steps, (name, text))
            return RecordedHist(steps, made) if isinstance(made, hist.Hist) else Builder(made, steps)

        return step

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._real) if not name.startswith("_")]


class _New:
    def __get__(self, instance: Any, owner: Any) -> Builder:
        return Builder(hist.Hist.new, ())


class Hist:
    """Histograms to be filled with recorded values, built as with hist.

    Example:
        >>> import hep_tables_coffea as ht
        >>> ht.Hist.new.Reg(60, 60, 120, name="mass").Weight()
        RecordedHist(Regular(60, 60, 120, name='mass'), storage=Weight(), fills=0)
    """

    new = _New()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        msg = "a recorded histogram is built step by step"
        raise UsageError(msg, hint='ht.Hist.new.Reg(60, 60, 120, name="mass").Weight()')


class RecordedHist:
    """A histogram and its fills. `fill` adds one; several fills add up."""

    def __init__(self, steps: tuple[Step, ...], template: hist.Hist[Any]) -> None:
        self._steps, self._template = steps, template
        self._fills: list[tuple[tuple[tuple[str, Node], ...], Any]] = []
        _check_growth(template)

    @property
    def axes(self) -> Any:
        """hist's axes."""
        return self._template.axes

    def fill(self, *values: Any, weight: Any = None, sample: Any = None, **named: Any) -> RecordedHist:
        """Fill every value that is not missing; jagged values one by one, weights broadcast from outer axes.

        Args:
            values: one recorded value or constant for each axis, or by the names of the axes.
            weight: `event * ...` on the same rows or a prefix of their path; or a constant.
            sample: for storages that keep a mean.

        Returns:
            The histogram itself, so that fills can be chained.
        """
        nodes = self._by_axis(values, named)
        for extra, value in (("weight", weight), ("sample", sample)):
            if value is not None:
                nodes[extra] = node_of(value, f"fill the {extra} of a histogram with")
        self._check_weight(nodes.get("weight"))
        self._fills.append((tuple(zip(nodes, _aligned(nodes))), None))
        return self

    def _check_weight(self, weight: Node | None) -> None:
        """Integers would cut off what comes after the point, event by event."""
        storage = self._template.storage_type.__name__
        if weight is None or "Int64" not in storage or not isinstance(weight.type, Number):
            return
        is_whole = isinstance(weight, Literal) and float(weight.value) == int(weight.value)
        if weight.type.dtype.kind == "f" and not is_whole:
            msg = f"the storage {storage} counts in integers, and the weight is a {weight.type}"
            raise UsageError(msg, values=[("weight", weight.text)], hint="use .Weight() or .Double() in place of it")

    def _by_axis(self, values: Sequence[Any], named: dict[str, Any]) -> dict[str, Node]:
        names = [axis.name or f"#{k}" for k, axis in enumerate(self._template.axes)]
        for name in named:
            if name not in names:
                msg = f"the histogram has no axis {name!r}"
                raise UsageError(msg, values=[("histogram", repr(self))], hint=hint_names(name, names))
        free = [name for name in names if name not in named]
        if len(values) != len(free):
            msg = f"{len(values) + len(named)} values for the {len(names)} axes of the histogram"
            raise UsageError(msg, values=[("axes", ", ".join(names))], hint="give one value for each axis")
        given = dict(zip(free, values)) | named
        return {name: _checked(node_of(given[name], "fill a histogram with"), name, axis)
                for name, axis in zip(names, self._template.axes)}  # fmt: skip

    @property
    def _node(self) -> Node:
        """The node of the histogram as it is filled now."""
        args: list[Node] = []
        fills = []
        for members, _ in self._fills:
            fills.append(tuple((name, len(args) + k) for k, (name, _) in enumerate(members)))
            args += [node for _, node in members]
        return Fill.make(tuple(args), (self._steps, tuple(fills), "hist"), (), Record((), "hist"), None)

    @property
    def empty(self) -> bool:
        """Whether nothing is filled."""
        return not self._fills

    def template(self) -> hist.Hist[Any]:
        """A new unfilled histogram."""
        return self._template.copy().reset()

    def __repr__(self) -> str:
        axes = ", ".join(repr(axis) for axis in self._template.axes)
        return f"RecordedHist({axes}, storage={self._template.storage_type.__name__}(), fills={len(self._fills)})"

    def __deepcopy__(self, memo: dict[int, Any]) -> RecordedHist:
        twin = RecordedHist(self._steps, self._template)
        twin._fills = list(self._fills)
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        nodes = [node for members, _ in self._fills for _, node in members]
        names = [tuple(name for name, _ in members) for members, _ in self._fills]
        return _load, (self._steps, self._template, names, serialize.dump(nodes))


def _load(steps: tuple[Step, ...], template: Any, names: Any, content: bytes) -> RecordedHist:
    made = RecordedHist(steps, template)
    nodes = iter(serialize.load(content))
    made._fills = [(tuple((name, next(nodes)) for name in members), None) for members in names]
    return made


def _check_growth(template: hist.Hist[Any]) -> None:
    for axis in template.axes:
        if axis.traits.growth and not isinstance(axis, (hist.axis.StrCategory, hist.axis.IntCategory)):
            msg = f"the axis {axis.name or axis!r} grows with the data: histograms of two chunks would not add"
            raise MergeError(msg, hint="give it a fixed range")


def _checked(node: Node, name: str, axis: Any) -> Node:
    wants_text = isinstance(axis, hist.axis.StrCategory)
    real = isinstance(node.type, Number) and node.type.dtype.kind != "c"
    fits = isinstance(node.type, Text) if wants_text else real
    if not fits:
        msg = f"the axis {name} is filled with {'strings' if wants_text else 'numbers'}, and not with {node.type}"
        hint = "fill one of its columns" if isinstance(node.type, Record) else "use another axis or value"
        raise UsageError(msg, values=[("value", node.text)], hint=hint)
    return node


def _aligned(nodes: dict[str, Node]) -> list[Node]:
    """The values on one path; a weight may not be deeper than the values."""
    values = [node for name, node in nodes.items() if name not in ("weight", "sample")]
    depth = max((len(node.path) for node in values), default=0)
    for extra in ("weight", "sample"):
        node = nodes.get(extra)
        if node is not None and len(node.path) > max(depth, 0):
            msg = f"the {extra} has one value for each of the {node.path[-1].name}, and what is filled has not"
            shown = [("filled", values[0].text), (extra, node.text)]
            raise AxisError(msg, values=shown, hint=f"fill a value of {node.path[-1].name}, or reduce the {extra}")
        if node is not None and not isinstance(node.type, Number):
            msg = f"the {extra} must be a number, and is {node.type}"
            raise UsageError(msg, values=[(extra, node.text)])
    if depth == 0 and all(not node.path for node in values):
        msg = "a histogram is filled with values of the events, and not with one value of the dataset"
        raise UsageError(msg, hint="fill a column")
    path, aligned = build.align(list(nodes.values()), "fill a histogram with")
    del path
    return aligned


# -- numpy's histograms ----------------------------------------------------------------------------------------------


def _edges(bins: Any, limits: Any, what: str) -> Any:
    if isinstance(bins, (int, np.integer)):
        if limits is None:
            msg = f"np.{what} without a range cannot be recorded: each chunk would choose its own bins"
            raise MergeError(msg, hint=f"np.{what}(x, bins={bins}, range=(low, high)), or a list of edges")
        return np.linspace(float(limits[0]), float(limits[1]), int(bins) + 1)
    if isinstance(bins, str):
        msg = f"np.{what} with bins={bins!r} cannot be recorded: each chunk would choose its own bins"
        raise MergeError(msg, hint="give the number of bins and the range, or a list of edges")
    edges = np.asarray(bins, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        msg = f"np.{what}: the edges must increase"
        raise UsageError(msg)
    return edges


def _numpy_fill(values: Sequence[Any], edges: Sequence[Any], weights: Any) -> Array:
    builder: Any = Hist.new
    for one in edges:
        closed = [*one[:-1].tolist(), float(np.nextafter(one[-1], np.inf))]  # numpy's last bin has its upper edge
        builder = builder.Var(closed)
    recorded = builder.Double().fill(*values, weight=weights)
    view = "counts" if weights is None else "sums"
    node = recorded._node
    element = number("int64" if weights is None else "float64")
    return wrap(Fill.make(node.args, (node.maker, node.fills, view), (), element, None))


def numpy_histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Array, Any]:
    """`np.histogram`: the recorded counts, and the edges."""
    if density:
        msg = "np.histogram with density=True cannot be recorded"
        raise MergeError(msg, hint="divide after ht.make_local")
    edges = _edges(bins, range, "histogram")
    return _numpy_fill([a], [edges], weights), edges


def numpy_histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Array, Any, Any]:
    """`np.histogram2d`: the recorded counts, and the edges of both axes."""
    if density:
        msg = "np.histogram2d with density=True cannot be recorded"
        raise MergeError(msg, hint="divide after ht.make_local")
    pair = bins if isinstance(bins, (list, tuple)) and len(bins) == 2 and not np.isscalar(bins) else (bins, bins)
    limits = range if range is not None else (None, None)
    edges = [_edges(b, r, "histogram2d") for b, r in zip(pair, limits)]
    return _numpy_fill([x, y], edges, weights), edges[0], edges[1]
