"""Random tables of events: strategies for hypothesis, and the files that hold what they draw."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Column", "Table", "random_table", "tables", "write"]

#: Multiples of 1/8, so that sums and products of a few are exact in single precision, in whatever order.
_USUAL = [0.0, 0.125, 0.5, 1.0, 1.5, 2.0, 3.25, 7.0, 16.5, -0.25, -1.0, -2.5, -6.0]
_SPECIAL = [float("nan"), float("inf"), float("-inf"), -0.0]
_DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
_FLOATS = ("float32", "float64")
_WORDS = ["a", "b", "", "abc", "ü"]


@dataclass(frozen=True)
class Column:
    """One column: its type, how many lists are in an event, and the values of each event."""

    dtype: str
    depth: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table of events with flat names, `jets_pt` and its counter `njets`, to be written as ROOT or Parquet.

    `missing` says which columns hold nulls; only Parquet can.
    """

    columns: Mapping[str, Column]
    format: str = "root"

    def without(self, names: Sequence[str]) -> Table:
        """The table without some of its columns."""
        return Table({name: column for name, column in self.columns.items() if name not in names}, self.format)

    def events(self, start: int, stop: int | None = None) -> Table:
        """Some of the events."""
        cut = {n: Column(c.dtype, c.depth, c.values[start:stop]) for n, c in self.columns.items()}
        return Table(cut, self.format)

    def __repr__(self) -> str:
        shown = {name: (column.dtype, list(column.values)) for name, column in self.columns.items()}
        return f"Table({self.format}, {shown})"


@st.composite
def tables(draw: st.DrawFn, formats: Sequence[str] = ("root", "parquet"), max_events: int = 8) -> Table:
    """A table with the collections `jets` (vectors), `els` (vectors with a charge) and `hits` (numbers of any kind).

    Every event may be empty. Numbers of `hits` and of the event may be NaN, infinite or -0.0. A Parquet table has a list
    in each jet (`jets_cells`), values that are missing (`hits_maybe`, `maybe`), and strings (`word`, `marks_word`). How many events and rows there are is
    drawn, the types and numbers come from a seed.
    """
    size = draw(st.integers(0, max_events))
    form = draw(st.sampled_from(list(formats)))
    random = Random(draw(st.integers(0, 2**32)))
    counts = {name: draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)) for name in _COLLECTIONS}
    return _table(random, size, form, counts)


def random_table(random: Random, formats: Sequence[str] = ("root", "parquet"), max_events: int = 8) -> Table:
    """A table like those of `tables`, without hypothesis; now and then with long lists."""
    size, most = random.choice([0, *range(1, max_events + 1)]), random.choice([1, 3, 3, 3, 6])
    form = random.choice(list(formats))
    counts = {name: [random.randint(0, most) for _ in range(size)] for name in _COLLECTIONS}
    return _table(random, size, form, counts)


def _table(random: Random, size: int, form: str, lengths: Mapping[str, Sequence[int]]) -> Table:
    numbers = Numbers(random)
    columns = _event_columns(numbers, size, form)
    for name, fields in _COLLECTIONS.items():
        counts = lengths[name]
        if name == "marks" and form != "parquet":
            continue
        columns[f"n{name}"] = Column("int32", 0, tuple(counts))
        for field, (dtypes, usual) in fields.items():
            columns[f"{name}_{field}"] = numbers.lists(dtypes, usual, counts)
        if form == "parquet":
            columns |= _parquet_columns(numbers, name, counts)
    return Table(columns, form)


class Numbers:
    """Columns of numbers from a seed."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def some(self, dtype: str, usual: Sequence[Any], count: int) -> list[Any]:
        """Numbers that the type holds."""
        if dtype == "bool":
            usual = [True, False]
        elif dtype.startswith("uint"):
            usual = [0, 1, 2, 3, 7, 250]
        elif dtype.startswith("int"):
            usual = usual if set(usual) <= {-1, 1} else [0, 1, 2, 3, 11, -1, -4]
        return self.random.choices(usual, k=count)

    def column(self, dtypes: Sequence[str], usual: Sequence[Any], size: int) -> Column:
        dtype = self.random.choice(dtypes)
        return Column(dtype, 0, tuple(self.some(dtype, usual, size)))

    def lists(self, dtypes: Sequence[str], usual: Sequence[Any], counts: Sequence[int]) -> Column:
        dtype = self.random.choice(dtypes)
        return Column(dtype, 1, tuple(self.some(dtype, usual, count) for count in counts))


def _event_columns(numbers: Numbers, size: int, form: str) -> dict[str, Column]:
    columns = {
        "met": numbers.column(_FLOATS, _USUAL + _SPECIAL, size),
        "weight": numbers.column(["float64"], _USUAL, size),
        "run": numbers.column(["int32", "int64"], _USUAL, size),
        "flag": numbers.column(["bool"], [], size),
    }
    if form == "parquet":
        columns["maybe"] = numbers.column(["float64"], [*_USUAL, None, None, None], size)
        columns["word"] = numbers.column(["str"], _WORDS, size)
    return columns


def _parquet_columns(numbers: Numbers, name: str, counts: Sequence[int]) -> dict[str, Column]:
    """What only Parquet holds: lists in lists, and nulls."""
    if name == "jets":
        cells = (tuple(numbers.some("float32", _USUAL, numbers.random.randint(0, 2)) for _ in range(n)) for n in counts)
        return {"jets_cells": Column("float32", 2, tuple(cells))}
    if name == "hits":
        return {"hits_maybe": numbers.lists(["float32"], [*_USUAL, None, None, None], counts)}
    if name == "marks":
        return {"marks_word": numbers.lists(["str"], _WORDS, counts)}
    return {}


_VECTOR: dict[str, tuple[Sequence[str], list[float]]] = {
    "pt": (_FLOATS, [1.0, 2.5, 8.0, 20.0, 50.5]),
    "eta": (_FLOATS, [-2.0, -0.5, 0.0, 0.125, 1.5]),
    "phi": (_FLOATS, [-3.0, -1.0, 0.0, 0.5, 2.5]),
    "mass": (_FLOATS, [0.0, 0.5, 1.0, 4.0]),
}
_COLLECTIONS: dict[str, dict[str, tuple[Sequence[str], list[float]]]] = {
    "jets": {**_VECTOR, "tag": (("bool",), _USUAL), "number": (("int32", "uint8"), _USUAL)},
    "els": {**_VECTOR, "charge": (("int32",), [-1, 1])},
    "hits": {"x": (_FLOATS, _USUAL + _SPECIAL), "any": (_DTYPES, _USUAL), "n": (("int32", "int64", "uint8"), _USUAL)},
    "marks": {"size": (_FLOATS, _USUAL)},
}


def write(table: Table, path: Path) -> str:
    """Write a table; the ending of the name is its format."""
    target = str(path.with_suffix(f".{table.format}"))
    arrays = {name: _array(column) for name, column in table.columns.items()}
    if table.format == "parquet":
        ak.to_parquet(ak.zip(arrays, depth_limit=1), target)
        return target
    _write_root(arrays, target)
    return target


def _write_root(arrays: Mapping[str, Any], target: str) -> None:
    import uproot

    collections = [name[1:] for name in arrays if name[:1] == "n" and name[1:] in _COLLECTIONS]
    plain = {n: np.asarray(a) for n, a in arrays.items() if a.ndim == 1 and n[1:] not in collections}
    jagged = {
        c: ak.zip({n.removeprefix(f"{c}_"): a for n, a in arrays.items() if n.startswith(f"{c}_")}) for c in collections
    }
    with uproot.recreate(target) as file:
        file.mktree("events", {n: a.dtype for n, a in plain.items()} | {n: a.type for n, a in jagged.items()})
        file["events"].extend(plain | jagged)


def _array(column: Column) -> Any:
    """An awkward array of exactly the type of the column."""
    leaves = list(_leaves(column.values, column.depth))
    nulls = any(value is None for value in leaves)
    content: Any = _words_layout(leaves) if column.dtype == "str" else _numbers_layout(leaves, column.dtype, nulls)
    for depth in reversed(range(column.depth)):
        counts = [len(rows) for rows in _leaves(column.values, depth)]
        content = ak.contents.ListOffsetArray(ak.index.Index64(np.cumsum([0, *counts])), content)
    return ak.Array(content)


def _words_layout(values: Sequence[str]) -> Any:
    """Strings; also if there are none."""
    return ak.from_iter([*values, ""]).layout[:-1]


def _leaves(values: Sequence[Any], depth: int) -> Sequence[Any]:
    for _ in range(depth):
        values = [row for rows in values for row in rows]
    return values


def _numbers_layout(values: Sequence[Any], dtype: str, nulls: bool) -> Any:
    numbers = ak.contents.NumpyArray(np.array([0 if value is None else value for value in values], dtype))
    if not nulls:
        return numbers
    there = ak.index.Index8(np.array([value is not None for value in values], np.int8))
    return ak.contents.ByteMaskedArray(there, numbers, valid_when=True)
