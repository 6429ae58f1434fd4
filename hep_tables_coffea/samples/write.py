"""Writing events to a file: arguments are checked, blocks are cut into clusters, and the file appears when complete."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from hep_tables_coffea.samples.event import BLOCK, Block, generate
from hep_tables_coffea.samples.truth import PROCESSES

if TYPE_CHECKING:
    from pathlib import Path

    from hep_tables_coffea.samples.table import Array

Columns = dict[str, Any]  # numpy arrays for quantities of the event, awkward arrays for collections
Progress = Callable[[int, int], object]

#: What a compression is called in ROOT (uproot's class and a quick level) and in Parquet.
COMPRESSIONS: Mapping[str | None, tuple[tuple[str, int] | None, str | None]] = {
    "zstd": (("ZSTD", 1), "zstd"),
    "lz4": (("LZ4", 1), "lz4"),
    "zlib": (("ZLIB", 1), "gzip"),
    None: (None, None),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How events become a file: the tree, its columns, and what joins a collection and a field in a branch name."""

    tree: str
    columns: Callable[[Block], Columns]
    joint: str
    formats: tuple[str, ...]
    runs: Callable[[Columns], Columns] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    path: Path
    events: int
    seed: int
    process: str
    cluster: int
    compression: str | None
    progress: Progress | None

    def check(self, layout: Layout) -> None:
        """Refuse what cannot be written, with the reason."""
        reasons = {
            f"events is {self.events!r}: a number of events, 0 or more": not _is_number(self.events, 0),
            f"seed is {self.seed!r}: a whole number, 0 or more": not _is_number(self.seed, 0),
            f"cluster is {self.cluster!r}: a number of events, 1 or more": not _is_number(self.cluster, 1),
            f"unknown process {self.process!r}; known: {', '.join(PROCESSES)}": self.process not in PROCESSES,
            f"unknown compression {self.compression!r}; known: {', '.join(map(str, COMPRESSIONS))}": (
                self.compression not in COMPRESSIONS
            ),
            f"the name {self.path.name!r} does not end in {' or '.join(layout.formats)}": (
                self.path.suffix not in layout.formats
            ),
        }
        for reason, applies in reasons.items():
            if applies:
                raise ValueError(reason)
        if not self.path.parent.is_dir():
            message = f"no folder {str(self.path.parent)!r} to write {self.path.name!r} into"
            raise FileNotFoundError(message)


def write(layout: Layout, order: Order) -> str:
    """Generate the events and write them; returns the path."""
    order.check(layout)
    with _appearing_when_complete(order.path) as place:
        if order.path.suffix == ".parquet":
            _write_parquet(layout, order, place)
        else:
            _write_root(layout, order, place)
    return str(order.path)


def _is_number(value: object, lowest: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= lowest)


@contextmanager
def _appearing_when_complete(path: Path) -> Iterator[str]:
    """A name to write under. A run that dies leaves the old file, or none, instead of half a new one."""
    place = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield str(place)
        os.replace(place, path)
    finally:
        place.unlink(missing_ok=True)


def _clusters(layout: Layout, order: Order) -> Iterator[Columns]:
    """The columns of one cluster of events after the other; one empty cluster if there are no events."""

    @functools.lru_cache(maxsize=1)
    def block(number: int) -> Columns:
        return layout.columns(generate(order.seed, number, PROCESSES[order.process]))

    for start in range(0, max(order.events, 1), order.cluster):
        stop = min(start + order.cluster, order.events)
        pieces = [
            _cut(block(number), start - number * BLOCK, stop - number * BLOCK)
            for number in range(start // BLOCK, max(-(-stop // BLOCK), 1))
        ]
        yield pieces[0] if len(pieces) == 1 else _concatenate(pieces)
        if order.progress is not None:
            order.progress(stop, order.events)


def _cut(columns: Columns, start: int, stop: int) -> Columns:
    return {name: column[max(start, 0) : stop] for name, column in columns.items()}


def _concatenate(pieces: list[Columns]) -> Columns:
    """The same columns of consecutive events, put together."""
    return {
        name: (ak if isinstance(first, ak.Array) else np).concatenate([piece[name] for piece in pieces])
        for name, first in pieces[0].items()
    }


def _write_root(layout: Layout, order: Order, place: str) -> None:
    import uproot  # late: a Parquet file needs none

    codec, _ = COMPRESSIONS[order.compression]
    compression = None if codec is None else getattr(uproot, codec[0])(codec[1])
    with uproot.recreate(place, compression=compression) as file:
        trees: dict[str, Any] = {}
        for columns in _clusters(layout, order):
            content = {layout.tree: columns}
            if layout.runs is not None:
                content["Runs"] = layout.runs(columns)
            for name, rows in content.items():
                if name not in trees:
                    trees[name] = _make_tree(file, name, rows, layout, order)
                if order.events:
                    trees[name].extend(rows)


def _make_tree(file: Any, name: str, columns: Columns, layout: Layout, order: Order) -> Any:
    """An empty tree with these columns; a shared counter for the fields of each collection."""
    return file.mktree(
        name,
        {column: _type(values) for column, values in columns.items()},
        counter_name=_counter,
        field_name=functools.partial(_branch, layout.joint),
        initial_basket_capacity=order.events // order.cluster + 1,
    )


def _type(column: Any) -> Any:
    return column.type if isinstance(column, ak.Array) else column.dtype


def _counter(collection: str) -> str:
    """`nElectron` counts `Electron`, `nAnalysisElectrons` counts `AnalysisElectronsAuxDyn`."""
    return "n" + collection.replace("AuxDyn", "").replace("Aux", "").replace(".", "_")


def _branch(joint: str, collection: str, field: str) -> str:
    return f"{collection}{joint}{field}"


def _write_parquet(layout: Layout, order: Order, place: str) -> None:
    _, codec = COMPRESSIONS[order.compression]
    tables = (ak.Array(_flat(layout, columns)) for columns in _clusters(layout, order))
    ak.to_parquet_row_groups(tables, place, compression=codec or "none", extensionarray=False)


def _flat(layout: Layout, columns: Columns) -> dict[str, Array | ak.Array]:
    """One column for each branch that the ROOT file would have, counters included."""
    flat: dict[str, Array | ak.Array] = {}
    for name, column in columns.items():
        if isinstance(column, ak.Array):
            flat[_counter(name)] = np.asarray(ak.num(column), np.int32)
            flat.update({_branch(layout.joint, name, field): column[field] for field in column.fields})
        else:
            flat[name] = column
    return flat
