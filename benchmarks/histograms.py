"""Many histograms in one pass: P7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hep_tables_coffea as ht
from benchmarks.bench import Bench
from benchmarks.grid import AXES, Shared, Unshared, cells, record
from benchmarks.measure import Timing, ratio
from benchmarks.targets import Row
from benchmarks.variants import ENGINES, TUNED, Variant, hand_written, kept

__all__ = ["run"]

PART = "histograms"
SHARED, UNSHARED = "hand-written, shared", "hand-written, unshared"


def run(bench: Bench) -> None:
    """Fifty, against each way to write them by hand and against one; then the 201st."""
    path = bench.sample()
    events = ht.nanoaod(path)
    wanted = cells(50)
    fifty = bench.measure(
        PART, "50", {SHARED: hand_written(path, Shared(wanted), TUNED), **_ours(record(events, wanted))}
    )
    _unshared(bench, path)
    if bench.quick:
        return
    dearest = _dearest(bench, events)
    numbers = [_quotient(fifty.get(engine), dearest[engine]) for engine in ENGINES]
    bench.rows.append(Row("P7", "50 histograms / the dearest one", 2, *numbers))
    numbers = [ratio(fifty, engine, SHARED) for engine in ENGINES]
    bench.rows.append(Row("P7", "50 histograms / hand-written, shared", 0.15, *numbers))
    numbers = [_quotient(fifty.get(engine), bench.timings[PART]["50"].get(UNSHARED)) for engine in ENGINES]
    bench.rows.append(Row("P7", "50 histograms / hand-written, unshared", 0.01, *numbers))
    _one_more(bench, ht.nanoaod(bench.sample(bench.fewer)))


def _ours(outputs: dict[str, Any], prefix: str = "") -> dict[str, Variant]:
    return {prefix + engine: kept(outputs, engine) for engine in ENGINES}


def _unshared(bench: Bench, path: str) -> None:
    """Takes so long that it is measured once or twice, and by itself."""
    wanted = cells(50)
    variants = {UNSHARED: hand_written(path, Unshared(wanted), TUNED)}
    if bench.quick:
        variants[SHARED] = hand_written(path, Shared(wanted), TUNED)
    for name, timing in bench.measure(PART, "50 unshared", variants, repeats=1).items():
        bench.once(PART, "50", name, timing)


def _dearest(bench: Bench, events: ht.Array) -> dict[str, Timing | None]:
    """Each observable under one selection by itself, once; the longest of each engine then as often as the rest."""
    last = cells(50)[-len(AXES) :]
    found: dict[str, Timing | None] = {}
    alone = [bench.measure(PART, cell[2], _ours(record(events, [cell])), repeats=2) for cell in last]
    for engine in ENGINES:
        times = {i: each[engine].of("cpu", min) for i, each in enumerate(alone) if engine in each}
        if times:
            cell = last[max(times, key=times.__getitem__)]
            again = bench.measure(PART, f"{cell[2]} again", {engine: kept(record(events, [cell]), engine)})
            found[engine] = again.get(engine)
        else:
            found[engine] = None
    return found


def _one_more(bench: Bench, events: ht.Array) -> None:
    """What the 201st adds, against what it takes by itself."""
    wanted = cells(201)
    fewer, more, one = (record(events, some) for some in (wanted[:-1], wanted, wanted[-1:]))
    variants = {f"200, {engine}": kept(fewer, engine) for engine in ENGINES}
    variants |= {f"201, {engine}": _less(kept(more, engine), set(one)) for engine in ENGINES}
    timings = dict(bench.measure(PART, "200 and 201", variants))
    timings |= bench.measure(PART, "the 201st alone", {f"one, {engine}": kept(one, engine) for engine in ENGINES})
    numbers = [_added(timings, engine) for engine in ENGINES]
    bench.rows.append(Row("P7", "the 201st histogram / that one alone", 1.5, *numbers))


def _less(variant: Variant, names: set[str]) -> Variant:
    """The same without some of its answers, so that the rest can be compared."""
    return lambda: {name: histogram for name, histogram in variant().items() if name not in names}


def _added(timings: Mapping[str, Timing], engine: str) -> float | None:
    """A small difference of two large times: the least ones, which vary least. None where noise is larger."""
    names = [f"{number}, {engine}" for number in ("200", "201", "one")]
    if not all(name in timings for name in names):
        return None
    fewer, more, alone = (timings[name].of("cpu", min) for name in names)
    return (more - fewer) / alone if more > fewer else None


def _quotient(ours: Timing | None, reference: Timing | None) -> float | None:
    return ours.of("cpu") / reference.of("cpu") if ours and reference else None
