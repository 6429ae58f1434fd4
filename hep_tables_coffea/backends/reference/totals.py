"""Answers of the whole dataset: columns one after the other, aggregates, histograms filled value by value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np

from hep_tables_coffea.backends.reference.arrays import kind_of, layout_of
from hep_tables_coffea.backends.reference.elements import cast, compute
from hep_tables_coffea.backends.reference.nested import flat, together
from hep_tables_coffea.graph import functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hep_tables_coffea.backends.reference.events import EventValues

__all__ = ["Totals", "per_event", "plain"]


def aggregates(node: g.Node) -> list[g.Node]:
    """The aggregates of an expression of dataset-wide values, and of a histogram itself."""
    stop = (g.Aggregate, g.Fill)
    return [n for n in walk([node], lambda n: () if isinstance(n, stop) else n.needs) if isinstance(n, stop)]


def per_event(outputs: Mapping[str, g.Node]) -> list[g.Node]:
    """The values that must be known of each event."""
    found: dict[g.Node, None] = {}
    for node in outputs.values():
        if node.path:
            found[node] = None
        for total in [] if node.path else aggregates(node):
            found.update(dict.fromkeys(arg for arg in total.args if arg.path))
    return list(found)


class Totals:
    """Gathers the rows of every event, and makes the answers of them."""

    def __init__(self, outputs: Mapping[str, g.Node]) -> None:
        self.outputs = outputs
        self._rows: dict[g.Node, list[Any]] = {node: [] for node in outputs.values() if node.path}
        for node in outputs.values():
            self._rows.update({total: [] for total in ([] if node.path else aggregates(node))})

    def add(self, event: EventValues) -> None:
        """The rows of one more event."""
        for node, rows in self._rows.items():
            if isinstance(node, g.Fill):
                rows += [(number, row) for number in range(len(node.fills)) for row in _fill_rows(node, number, event)]
            elif isinstance(node, g.Aggregate):
                arg = node.args[0]
                depth = 1 if node.function in ("first", "last") else len(arg.path)
                rows += flat(event.value(arg), depth)
            else:
                rows += event.value(node)

    def absorb(self, other: Totals) -> None:
        """The rows of another table after these."""
        for node, rows in other._rows.items():
            self._rows[node] += rows

    def answers(self) -> dict[str, Any]:
        """The answers, by the names of the outputs."""
        with np.errstate(all="ignore"):
            return self._answers()

    def _answers(self) -> dict[str, Any]:
        known: dict[g.Node, Any] = {}
        for node, rows in self._rows.items():
            if isinstance(node, g.Aggregate):
                known[node] = plain(cast(_AGGREGATED[node.function](rows, **dict(node.options)), node.type))
            elif isinstance(node, g.Fill):
                known[node] = _histogram(node, rows)
            else:
                known[node] = ak.Array(layout_of(rows, len(node.path) - 1, kind_of(node)))
        return {name: _dataset_wide(node, known) for name, node in self.outputs.items()}


def _dataset_wide(node: g.Node, known: dict[g.Node, Any]) -> Any:
    if isinstance(node, g.Literal):
        return functions.constant(node)
    if node not in known:
        assert isinstance(node, g.Call)
        arguments = [_dataset_wide(arg, known) for arg in node.args]
        known[node] = plain(compute(node.function, arguments, dict(node.options), node.type))
    return known[node]


def plain(value: Any) -> Any:
    """A numpy scalar as Python has it."""
    return value.item() if isinstance(value, np.generic) else value


# -- aggregates ------------------------------------------------------------------------------------------------------


def _present(rows: list[Any]) -> list[Any]:
    return [plain(row) for row in rows if row is not None]


def _sum(rows: list[Any]) -> Any:
    """In double precision, of whole numbers exactly."""
    values = _present(rows)
    if not any(isinstance(value, float) for value in values):
        return sum(values)
    return math.fsum(values) if all(map(math.isfinite, values)) else float(np.sum(values))


def _extreme(rows: list[Any], sign: int) -> Any:
    """The least (sign 1) or greatest (-1); NaN wins, as in numpy."""
    values = _present(rows)
    if any(map(np.isnan, values)):
        return math.nan
    if not values:
        return None
    return min(values) if sign > 0 else max(values)


def _mean(rows: list[Any]) -> Any:
    values = [float(value) for value in _present(rows)]
    return _sum(list(values)) / len(values) if values else None


def _variance(rows: list[Any], ddof: int = 0) -> Any:
    """Two passes: the mean, then the squared deviations from it."""
    values, middle = _present(rows), _mean(rows)
    if len(values) <= ddof:
        return None
    return _sum([(np.float64(value) - middle) ** 2 for value in values]) / (len(values) - ddof)


def _std(rows: list[Any], ddof: int = 0) -> Any:
    found = _variance(rows, ddof)
    return None if found is None else math.sqrt(found)


_AGGREGATED: dict[str, Callable[..., Any]] = {
    "num": len,
    "count": lambda rows: len(_present(rows)),
    "count_nonzero": lambda rows: sum(1 for value in _present(rows) if value),
    "sum": _sum,
    "any": lambda rows: any(map(bool, _present(rows))),
    "all": lambda rows: all(map(bool, _present(rows))),
    "min": lambda rows: _extreme(rows, 1),
    "max": lambda rows: _extreme(rows, -1),
    "mean": _mean,
    "var": _variance,
    "std": _std,
    "first": lambda rows: rows[0] if rows else None,
    "last": lambda rows: rows[-1] if rows else None,
}


# -- histograms ------------------------------------------------------------------------------------------------------


def _fill_rows(node: g.Fill, number: int, event: EventValues) -> list[dict[str, Any]]:
    """The rows of one fill of an event, each with a value for every axis; a row with a missing value is no row."""
    members = node.fills[number]
    names = [name for name, _ in members]
    args = [node.args[position] for _, position in members]
    depth = max(len(arg.path) for arg in args)
    values = [(event.value(arg), len(arg.path)) for arg in args]
    rows = flat(together(lambda *row: dict(zip(names, row, strict=True)), depth, values), depth)
    return [row for row in rows if all(value is not None for value in row.values())]


def _histogram(node: g.Fill, rows: list[tuple[int, dict[str, Any]]]) -> Any:
    builder: Any = hist.Hist.new
    for method, text in node.maker:
        builder = eval(f"builder.{method}({text})", {"builder": builder})
    histogram = _with_categories(builder, node, rows)
    for _, row in sorted(rows, key=lambda numbered: numbered[0]):
        extra = {name: row[name] for name in ("weight", "sample") if name in row}
        histogram.fill(*(value for name, value in row.items() if name not in extra), **extra)
    if node.view == "hist":
        return histogram
    return histogram.values().astype(np.int64) if node.view == "counts" else histogram.values()


def _with_categories(histogram: Any, node: g.Fill, rows: list[tuple[int, dict[str, Any]]]) -> Any:
    """Growing axes in an order that does not depend on that of the events: as the program names them, then sorted."""
    axes = list(histogram.axes)
    for position, axis in enumerate(axes):
        if not axis.traits.growth:
            continue
        name = axis.name or f"#{position}"
        met = {plain(row[name]) for _, row in rows}
        named = [value for members in node.fills for value in _named(node.args[dict(members)[name]])]
        wanted = list(dict.fromkeys([*axis, *(v for v in named if v in met), *sorted(met - set(named))]))
        axes[position] = type(axis)(wanted, growth=True, name=axis.name, label=axis.__dict__["label"])
    return hist.Hist(*axes, storage=histogram.storage_type(), name=histogram.name, label=histogram.label)


def _named(node: g.Node) -> list[Any]:
    """The categories that a program names itself: constants, and the samples of the dataset."""
    while isinstance(node, g.Restrict) or (isinstance(node, g.Call) and node.function == "ht.broadcast"):
        node = node.args[0]
    if isinstance(node, g.Literal):
        return [node.value]
    return [value for value in node.values if value is not None] if isinstance(node, g.Metadata) else []
