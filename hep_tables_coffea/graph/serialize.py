"""Nodes as bytes and back. Flat, in topological order: a chain of ten thousand nodes is no problem."""

from __future__ import annotations

import copyreg
import importlib
import io
import pickle
import sys
from collections.abc import Sequence
from types import FunctionType, MappingProxyType
from typing import Any

from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node, Source
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.dataset import Column
from hep_tables_coffea.types.elements import Record

__all__ = ["dump", "load"]


def _proxy(content: dict[Any, Any]) -> Any:
    return MappingProxyType(content)


def _named(module: str, name: str) -> Any:
    """What a module has under a name; None where it has nothing."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _undecorated(module: str, name: str) -> Any:
    importlib.import_module(module)
    return _named(module, name).__wrapped__


class _Pickler(pickle.Pickler):
    """Pickles plain content; nodes and axes are written as their numbers."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda proxy: (_proxy, (dict(proxy),))}

    def __init__(self, file: io.BytesIO, numbers: dict[Any, int]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.numbers = numbers

    def reducer_override(self, thing: Any) -> Any:
        """A function that its module has decorated is what is inside of that."""
        if isinstance(thing, FunctionType):
            about = thing.__module__, thing.__qualname__
            if getattr(_named(*about), "__wrapped__", None) is thing:
                return _undecorated, about
        return NotImplemented

    def persistent_id(self, thing: Any) -> int | None:
        return self.numbers.get(thing) if isinstance(thing, (Node, Axis)) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, made: list[Any]) -> None:
        super().__init__(file)
        self.made = made

    def persistent_load(self, number: Any) -> Any:
        return self.made[number]


def _things(roots: Sequence[Node]) -> list[Any]:
    """Nodes and axes, each after those that it is made of."""
    ordered: list[Any] = []
    seen: set[Any] = set()

    def add_axis(axis: Axis) -> None:
        for part in (axis.parent, *axis.inputs):
            if part is not None and part not in seen:
                add_axis(part)
        if axis not in seen:
            seen.add(axis)
            ordered.append(axis)

    for node in walk(roots):
        axes = [*node.path]
        if isinstance(node.type, Record) and node.type.rows is not None:
            axes.append(node.type.rows)
        for axis in axes:
            add_axis(axis)
        seen.add(node)
        ordered.append(node)
    return ordered


def _columns(roots: Sequence[Node]) -> list[tuple[Source, str, Column]]:
    """The columns that are defined for the datasets of records: a record that was sent away still has them."""
    records = [root for root in roots if isinstance(root.type, Record)]
    sources = [node for node in walk(records) if isinstance(node, Source)]
    return [(node, name, one) for node in sources for name, known in node.dataset.columns.items() for one in known]


def dump(roots: Sequence[Node]) -> bytes:
    """The nodes and all that they need."""
    columns = _columns(roots)
    things = _things([*roots, *(node for _, _, column in columns for node in (column.record, column.value))])
    numbers = {thing: number for number, thing in enumerate(things)}
    file = io.BytesIO()
    pickler = _Pickler(file, numbers)
    pickler.dump((len(things), [numbers[root] for root in roots]))
    for thing in things:
        if isinstance(thing, Axis):
            pickler.dump((Axis, (thing.kind, thing.name, thing.parent, thing.node, thing.params, thing.inputs)))
        else:
            pickler.dump((type(thing), (thing.args, thing.params, thing.path, thing.type, thing.where)))
    pickler.dump(columns)
    return file.getvalue()


def load(content: bytes) -> list[Node]:
    """The nodes again: the same objects where they exist already."""
    made: list[Any] = []
    unpickler = _Unpickler(io.BytesIO(content), made)
    count, roots = unpickler.load()
    for _ in range(count):
        kind, parts = unpickler.load()
        if kind is Axis:
            axis_kind, name, parent, node, params, inputs = parts
            made.append(Axis(axis_kind, name, parent=parent, node=node, params=params, inputs=inputs))
        else:
            made.append(kind.make(*parts))
    for source, name, column in unpickler.load():
        known = source.dataset.columns.setdefault(name, [])
        if column not in known:
            known.append(column)
    return [made[number] for number in roots]
