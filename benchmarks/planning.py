"""What happens before the first event: P11, P12, and the first run of all for P4."""

from __future__ import annotations

import tempfile
from statistics import median

from benchmarks import adl_rdataframe, child
from benchmarks.bench import Bench
from benchmarks.data import NARROW
from benchmarks.targets import Row
from benchmarks.variants import ENGINES

__all__ = ["compiling", "first_runs", "run"]

#: Compiling is not reading: a small file will do.
EVENTS = 20_000
#: What a person takes as instant [s].
INSTANT = 0.1


def run(bench: Bench) -> None:
    """Recording, planning, writing code and importing, each in a fresh process."""
    if bench.quick:
        return
    found = [each for each in (bench.child(child.imports) for _ in range(3)) if each]
    seconds = min(each["seconds"] for each in found) if found else None
    planned = bench.child(child.planning, bench.sample(EVENTS, NARROW)) or {}
    fused, columnar = (1000 * planned[engine] if engine in planned else None for engine in ENGINES)
    bench.rows += [
        Row("P11", "recording 10,000 nodes", 1, planned.get("nodes"), unit="s"),
        Row("P11", "planning 1,000 histograms", 2, planned.get("many"), unit="s"),
        Row("P11", "plan and code of Q8", 50, fused, columnar, unit="ms"),
        Row("P11", "import beyond awkward", 0.3, seconds, unit="s"),
    ]


def compiling(bench: Bench) -> None:
    """First fused run less a later one, with nothing on disk from before, and in a second process."""
    if bench.quick:
        return
    path = bench.sample(EVENTS, NARROW)
    for what, name, target in (("q6", "Q6", 1.0), ("200", "200 histograms", 5.0)):
        with tempfile.TemporaryDirectory() as folder:
            places = {"XDG_CACHE_HOME": folder, "NUMBA_CACHE_DIR": folder}
            for process, allowed in (("", target), (", second process", INSTANT)):
                found = bench.child(child.compiling, what, path, **places)
                seconds = None if found is None else found["first"] - found["later"]
                bench.rows.append(Row("P12", f"compiling {name}{process}", allowed, seconds, unit="s"))


def first_runs(bench: Bench) -> None:
    """The first run of a process, compiling included, against RDataFrame's from Python."""
    if bench.quick or adl_rdataframe.prepare(bench.folder):
        return
    path = bench.sample()
    ratios: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for query in ("q1", "q6"):
        with tempfile.TemporaryDirectory() as empty:
            places = {"HEP_TABLES_COFFEA_CACHE": empty, "NUMBA_CACHE_DIR": empty}
            found = {
                who: bench.child(child.first, who, query, path, str(bench.folder), **places)
                for who in (*ENGINES, "RDataFrame")
            }
        theirs = found["RDataFrame"]
        for engine in ENGINES:
            ours = found[engine]
            if ours and theirs:
                ratios[engine].append(ours["first"] / theirs["first"])
    numbers = [median(each) if each else None for each in ratios.values()]
    bench.rows.append(Row("P4", "first run of a process / RDataFrame's first, wall", 0.5, *numbers))
