"""The law of variations: what an output is in one of them is what the program gives with the shift in place of the value.

A program is a function of the events and of what stands for `ht.vary`, so that it can be recorded with either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import awkward as ak
import hist
import numpy as np

from hep_tables_coffea.graph import build
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.record.variation import NOMINAL

__all__ = ["Program", "Shifted", "bits", "in_variation", "labels_of"]

Program = Callable[[Any, Callable[..., Any]], Any]


class Shifted:
    """Stands for `ht.vary` and gives one of the values: the shift of that name, else the value itself."""

    def __init__(self, label: str) -> None:
        self.label = label
        #: All variations that were met.
        self.labels: dict[str, None] = {NOMINAL: None}

    def __call__(
        self, x: Any, name: str, up: Any = None, down: Any = None, variations: Mapping[str, Any] | None = None
    ) -> Any:
        points = {f"{name}_up": up, f"{name}_down": down} | dict(variations or {})
        self.labels.update(dict.fromkeys(label for label, value in points.items() if value is not None))
        shift = points.get(self.label)
        return x if shift is None else _on_rows(shift, x)


def _on_rows(shift: Any, x: Any) -> Any:
    """The shift for each row of the value, where it is one for several."""
    depth = len(x._node.path) if hasattr(x, "_node") else 0
    node = shift._node if hasattr(shift, "_node") else build.literal(shift)
    return shift if len(node.path) >= depth else wrap(build.broadcast(node, x._node, depth))


def labels_of(program: Program, events: Any) -> list[str]:
    """The variations of a program."""
    every = Shifted(NOMINAL)
    program(events, every)
    return list(every.labels)


def bits(value: Any) -> Any:
    """An answer to the last bit, to be compared: NaN is NaN, and -0.0 is not 0.0."""
    if isinstance(value, hist.Hist):
        return [repr(axis) for axis in value.axes], value.storage_type, bits(np.asarray(value.view(flow=True)))
    if isinstance(value, ak.Array):
        return str(value.type), repr(ak.to_list(value))
    if isinstance(value, np.ndarray):
        return str(value.dtype), repr(value.tolist())
    if isinstance(value, dict):
        return {name: bits(part) for name, part in value.items()}
    return [bits(part) for part in value] if isinstance(value, (list, tuple)) else repr(value)


def in_variation(value: Any, label: str, like: Any) -> Any:
    """An answer in one variation, to be compared with `like`; what this one does not reach is as it is without."""
    if isinstance(value, hist.Hist):
        return _histogram(value, label, like)
    if isinstance(value, dict):
        if NOMINAL in value:
            return value.get(label, value[NOMINAL])
        return {name: in_variation(part, label, like[name]) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(in_variation(part, label, other) for part, other in zip(value, like, strict=True))
    return value


def _histogram(value: Any, label: str, like: Any) -> Any:
    """The bins of one variation. Categories that only others have are left out where nothing is in them."""
    if "variation" in value.axes.name:
        names = list(value.axes["variation"])
        value = value[{"variation": names.index(label if label in names else NOMINAL)}]
    if value.axes == like.axes:
        return value
    made = like.copy()
    there = np.ix_(*(_places(mine, other) for mine, other in zip(value.axes, like.axes, strict=True)))
    bins = np.asarray(value.view(flow=True))
    made.view(flow=True)[...] = bins[there]
    left = bins.copy()
    left[there] = np.zeros((), bins.dtype)
    return value if np.any(left != np.zeros((), bins.dtype)) else made


def _places(mine: Any, other: Any) -> list[int]:
    if mine == other or sorted(map(str, mine)) != sorted({*map(str, mine), *map(str, other)}):
        return list(range(mine.extent))
    return [list(mine).index(category) for category in other]
