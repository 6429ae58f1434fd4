"""How times grow with the number of events and shrink with the size of chunks. No targets: the plot shows it."""

from __future__ import annotations

import hep_tables_coffea as ht
from benchmarks.adl_coffea import QUERIES
from benchmarks.bench import Bench
from benchmarks.targets import Row
from benchmarks.variants import DEFAULT, ENGINES, TUNED, Variant, hand_written, kept, recorded

__all__ = ["run"]

QUERY = "q5"
COFFEA = "hand-written"
SHARES = (10, 3, 1)
FEWER = 3
CHUNKS = (20_000, DEFAULT, TUNED)


def run(bench: Bench) -> None:
    """Q5 on files of three sizes, and in chunks of three sizes."""
    if bench.quick:
        return
    for share in SHARES:
        events = bench.events // share
        bench.measure("events", str(events), _variants(bench.sample(events)), repeats=min(bench.repeats, FEWER))
    for size in CHUNKS:
        bench.measure("chunks", str(size), _variants(bench.sample(), size), repeats=min(bench.repeats, FEWER))
    for engine in ENGINES:
        times = {what: each[engine].of("cpu") for what, each in bench.timings["events"].items() if engine in each}
        few, many = str(bench.events // SHARES[0]), str(bench.events)
        growth = times[many] / times[few] if few in times and many in times else None
        bench.rows.append(Row("-", f"Q5 on {SHARES[0]} times the events, {engine}", None, growth))


def _variants(path: str, size: int | None = None) -> dict[str, Variant]:
    outputs = recorded(ht.nanoaod(path), QUERY)
    options = {"chunksize": size} if size else {}
    variants: dict[str, Variant] = {COFFEA: hand_written(path, QUERIES[QUERY](), size or TUNED)}
    return variants | {engine: kept(outputs, engine, **options) for engine in ENGINES}
