"""The same events as Parquet and as RNTuple: whole queries, and what the libraries that decode these files take alone."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

import hep_tables_coffea as ht
from benchmarks import data
from benchmarks.bench import Bench
from benchmarks.measure import mean_ratio, ratio
from benchmarks.read_limit import COLUMNS
from benchmarks.targets import Row
from benchmarks.variants import kept, recorded

__all__ = ["run"]

SUFFIXES = {"TTree": "root", "RNTuple": "rntuple.root", "Parquet": "parquet"}
DECODERS = {"RNTuple": "uproot", "Parquet": "pyarrow"}


def run(bench: Bench) -> None:
    """Each query from the three kinds of files; the same columns read by the libraries alone."""
    tree = bench.sample(bench.fewer)
    paths = {kind: tree if kind == "TTree" else _written(tree, kind) for kind in SUFFIXES}
    timings = []
    for query, names in COLUMNS.items():
        variants: dict[str, Callable[[], Any]] = {}
        for kind, path in paths.items():
            variants[f"{kind}, fused"] = kept(recorded(ht.nanoaod(path), query), "fused")
        read = [name for name in names if not name.startswith("n")]
        variants["pyarrow"] = functools.partial(_by_pyarrow, paths["Parquet"], read)
        variants["uproot"] = functools.partial(_by_uproot, paths["RNTuple"], read)
        timings.append(bench.measure("formats", query, variants))
    if not bench.quick:
        for kind, decoder in DECODERS.items():
            number = mean_ratio(ratio(each, f"{kind}, fused", decoder) for each in timings)
            bench.rows.append(Row("-", f"Q1 to Q8 from {kind}, fused / reading alone by {decoder}", None, number))
            number = mean_ratio(ratio(each, f"{kind}, fused", "TTree, fused") for each in timings)
            bench.rows.append(Row("-", f"Q1 to Q8 from {kind} / from a TTree, fused", None, number))


def _written(tree: str, kind: str) -> str:
    """The path of the file of another kind with the same events, in clusters of the same size."""
    path = Path(tree).with_suffix(f".{SUFFIXES[kind]}")
    if not path.exists():
        place = path.with_suffix(f".{os.getpid()}.part")
        try:
            with uproot.open(tree, array_cache=None)["Events"] as branches:
                names = branches.keys(filter_name=lambda name: not name.startswith("n"))
                _write(place, kind, ak.zip(branches.arrays(names, how=dict), depth_limit=1))
            place.replace(path)
        finally:
            place.unlink(missing_ok=True)
    return str(path)


def _write(place: Path, kind: str, events: Any) -> None:
    if kind == "Parquet":
        ak.to_parquet(events, place, compression="zstd", row_group_size=data.CLUSTER, extensionarray=False)
        return
    with uproot.recreate(place, compression=uproot.ZSTD(1)) as file:
        made = file.mkrntuple("Events", events[: data.CLUSTER])
        for start in range(data.CLUSTER, len(events), data.CLUSTER):
            made.extend(events[start : start + data.CLUSTER])


def _by_pyarrow(path: str, names: list[str]) -> None:
    import pyarrow.parquet

    pyarrow.parquet.read_table(path, columns=names, use_threads=False)


def _by_uproot(path: str, names: list[str]) -> None:
    with uproot.open(path, array_cache=None)["Events"] as events:
        events.arrays(names)
