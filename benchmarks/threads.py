"""Two threads, kept columns and memory: P8, P9 and P13."""

from __future__ import annotations

import hep_tables_coffea as ht
from benchmarks import child
from benchmarks.adl_coffea import QUERIES
from benchmarks.bench import Bench
from benchmarks.measure import mean_ratio, ratio
from benchmarks.targets import Row
from benchmarks.variants import ENGINES, TUNED, hand_written, kept, recorded

__all__ = ["cached", "memory", "run"]

#: Less work than this is not worth a second thread [s].
LEAST = 0.010
#: Events of the file that compiles and imports before memory is measured.
WARM = 20_000
DEAR = ("q5", "q6", "q7", "q8")
#: The references were measured before, and are measured again only to be side by side.
FEWER = 3


def run(bench: Bench) -> None:
    """Wall times of two threads and of one, where there is enough to do."""
    events = ht.nanoaod(bench.sample())
    gains: dict[str, list[float | None]] = {engine: [] for engine in ENGINES}
    for query in DEAR:
        outputs = recorded(events, query)
        variants = {f"{engine}, 1": kept(outputs, engine, executor="threads", workers=1) for engine in ENGINES}
        variants |= {f"{engine}, 2": kept(outputs, engine, executor="threads", workers=2) for engine in ENGINES}
        timings = bench.measure("threads", query, variants)
        for engine in ENGINES:
            if timings and timings[f"{engine}, 1"].of("wall") > LEAST:
                gains[engine].append(ratio(timings, f"{engine}, 1", f"{engine}, 2", "wall"))
    if not bench.quick:
        numbers = [mean_ratio(gains[engine]) for engine in ENGINES]
        bench.rows.append(Row("P8", "1 thread / 2 threads, wall, Q5 to Q8", 1.8, *numbers, at_least=True))


def cached(bench: Bench) -> None:
    """A query over columns that were decoded before."""
    path = bench.sample()
    events = ht.nanoaod(path)
    folder = bench.folder / "columns"
    timings = []
    for query, processor in QUERIES.items():
        variants = {"A": hand_written(path, processor()), "B": hand_written(path, processor(), TUNED)}
        outputs = recorded(events, query)
        variants |= {engine: kept(outputs, engine, cache=str(folder)) for engine in ENGINES}
        timings.append(bench.measure("cached", query, variants, repeats=min(bench.repeats, FEWER)))
    if not bench.quick:
        for reference, target in (("A", 0.05), ("B", 0.10)):
            numbers = [mean_ratio(ratio(each, engine, reference) for each in timings) for engine in ENGINES]
            bench.rows.append(Row("P9", f"columns kept / {reference}, mean", target, *numbers))


def memory(bench: Bench) -> None:
    """Private memory of each of two threads while Q6 runs, on a small file and on a large one."""
    if bench.quick:
        return
    warm = bench.sample(WARM)
    fifth = bench.sample(max(bench.events // 5, 1))
    for what, path in (("a fifth of the events", fifth), ("all events", bench.sample())):
        numbers = []
        for engine in ENGINES:
            found = bench.child(child.memory, engine, path, warm)
            numbers.append(None if found is None else found["bytes"] / 2 / 1e6)
        bench.rows.append(Row("P13", f"private memory a thread, Q6, {what}", 50, *numbers, unit="MB"))
