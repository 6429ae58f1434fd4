"""The files: the events of the ADL benchmark with 86 branches, and the same events with 1500.

Both have the layout of CMS open data in NanoAOD, ZSTD baskets and clusters of 100,000 events. `ht.samples.nanoaod` has
other columns and fewer jets, which would make the combinatorics of Q6 and Q8 too cheap, so the files are made here.
The branches that the second file has besides are triggers and short collections, few bytes each: what they cost is
opening them. A file is written once and kept.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from benchmarks.spectra import COLLECTIONS, COUNTS, EVENT, draw

__all__ = ["CLUSTER", "NARROW", "WIDE", "default_folder", "sample"]

CLUSTER = 100_000
SEED = 20_120_000
#: Numbers of branches.
NARROW, WIDE = 86, 1500
#: Counted up when other files would be written: those that are kept from before are not used then.
VERSION = 1
#: How many collections the wide file has besides, and how many columns each.
EXTRA_COLLECTIONS, EXTRA_COLUMNS = 40, 19


def default_folder() -> Path:
    """The cache folder of this user."""
    try:
        import platformdirs
    except ImportError:
        return Path.home() / ".cache" / "hep_tables_coffea" / "benchmarks"
    return Path(platformdirs.user_cache_dir("hep_tables_coffea")) / "benchmarks"


def sample(folder: Path, events: int, branches: int = NARROW) -> str:
    """The path of the file, which is written if it is not there. A longer file begins with the shorter one."""
    path = folder / f"adl-v{VERSION}-{branches}-{events}.root"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        place = path.with_suffix(f".{os.getpid()}.part")
        try:
            _write(place, events, branches)
            place.replace(path)
        finally:
            place.unlink(missing_ok=True)
    return str(path)


def _write(place: Path, events: int, branches: int) -> None:
    clusters = -(-events // CLUSTER)
    with uproot.recreate(place, compression=uproot.ZSTD(1)) as file:
        for number in range(clusters):
            columns = _cluster(number, min(CLUSTER, events - number * CLUSTER), branches)
            if number == 0:
                tree = _tree(file, columns, clusters)
            tree.extend(columns)


def _tree(file: Any, columns: dict[str, Any], clusters: int) -> Any:
    return file.mktree(
        "Events",
        {name: values.type if isinstance(values, ak.Array) else values.dtype for name, values in columns.items()},
        counter_name=lambda collection: "n" + collection,
        field_name=lambda collection, field: f"{collection}_{field}",
        initial_basket_capacity=clusters,
    )


def _cluster(number: int, size: int, branches: int) -> dict[str, Any]:
    """The columns of one cluster: its random numbers are its own, and drawn for all of it, also where it is cut."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(number,)))
    place = number * CLUSTER + np.arange(CLUSTER)
    columns: dict[str, Any] = {
        "run": np.full(CLUSTER, 194_711, np.int32),
        "luminosityBlock": (1 + place // 1000).astype(np.uint32),
        "event": (62_359_790 + 7 * place).astype(np.uint64),
        **{name: draw(rng, column, CLUSTER) for name, column in EVENT.items()},
        **{name: _collection(rng, name) for name in COLLECTIONS},
    }
    if branches > NARROW:
        columns |= _extra(branches - NARROW)
    return {name: values[:size] for name, values in columns.items()}


def _collection(rng: np.random.Generator, name: str) -> ak.Array:
    """Lists of records, the hardest first."""
    weights = np.array(COUNTS[name], float)
    counts = rng.choice(len(weights), CLUSTER, p=weights / weights.sum()).astype(np.int64)
    fields = {field: draw(rng, column, counts.sum()) for field, column in COLLECTIONS[name].items()}
    event = np.repeat(np.arange(CLUSTER), counts)
    fields["pt"] = fields["pt"][np.lexsort((-fields["pt"], event))]
    return ak.unflatten(ak.zip(fields), counts)


@functools.lru_cache(maxsize=2)
def _extra(branches: int) -> dict[str, Any]:
    """So many branches more, the same in each cluster: collections of few objects, and triggers for the rest."""
    rng = np.random.default_rng(SEED)
    flags = branches - EXTRA_COLLECTIONS * (1 + EXTRA_COLUMNS)
    columns: dict[str, Any] = {f"HLT_Path{i:03d}": rng.random(CLUSTER) < 0.01 for i in range(flags)}
    for i in range(EXTRA_COLLECTIONS):
        counts = (rng.random(CLUSTER) < 0.02).astype(np.int64)
        fields = {f"v{j:02d}": rng.integers(0, 8, counts.sum()).astype(np.float32) for j in range(EXTRA_COLUMNS)}
        columns[f"Extra{i:02d}"] = ak.unflatten(ak.zip(fields), counts)
    return columns
