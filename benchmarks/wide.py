"""A file with 1500 branches, as real NanoAOD has: P5."""

from __future__ import annotations

import functools

import hep_tables_coffea as ht
from benchmarks.adl_coffea import QUERIES
from benchmarks.bench import Bench
from benchmarks.data import WIDE
from benchmarks.measure import mean_ratio, ratio
from benchmarks.targets import Row
from benchmarks.variants import ENGINES, TUNED, Variant, cold, hand_written, kept, recorded

__all__ = ["run"]

A, B = "A default", "B tuned"
#: What they compute differs, what they open does not: three of the eight show the whole range.
SOME = ("q1", "q5", "q8")
#: Opening takes seconds and varies little.
REPEATS = 3


def run(bench: Bench) -> None:
    """The same queries on the same events, with branches beside them that nobody asks for."""
    if bench.quick:
        return
    path = bench.sample(bench.fewer, WIDE)
    events = ht.nanoaod(path)
    timings = []
    for query in SOME:
        variants: dict[str, Variant] = {
            A: hand_written(path, QUERIES[query]()),
            B: hand_written(path, QUERIES[query](), TUNED),
        }
        for engine in ENGINES:
            variants[f"{engine} kept"] = kept(recorded(events, query), engine)
            record = functools.partial(recorded, query=query)
            variants[f"{engine} first contact"] = cold(path, record, engine)
        timings.append(bench.measure("wide", query, variants, repeats=min(bench.repeats, REPEATS)))
    for what, variant, reference, target in (
        ("metadata kept / A", "kept", A, 1 / 100),
        ("metadata kept / B", "kept", B, 1 / 20),
        ("first contact / A", "first contact", A, 1 / 20),
    ):
        numbers = [mean_ratio(ratio(each, f"{engine} {variant}", reference) for each in timings) for engine in ENGINES]
        bench.rows.append(Row("P5", f"1500 branches, {what}", target, *numbers))
