"""The eight queries, each in every way there is: P1 to P4, P6, and all eight in one pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from coffea.processor import ProcessorABC

import hep_tables_coffea as ht
from benchmarks import adl_rdataframe
from benchmarks.adl_coffea import ADL, QUERIES
from benchmarks.bench import Bench
from benchmarks.measure import Timing, mean_ratio, ratio
from benchmarks.read_limit import COLUMNS, Limit
from benchmarks.targets import Row
from benchmarks.variants import ENGINES, TUNED, Variant, cold, generated, hand_written, kept, recorded
from hep_tables_coffea.processors import adl

__all__ = ["run", "together"]

A, B, L, EMPTY = "A default", "B tuned", "L read limit", "nothing in Runner"
RDF, STRINGS = "RDataFrame compiled", "RDataFrame strings"
PART = "queries"


def run(bench: Bench) -> None:
    """Measure all variants of the eight queries by turns, query by query."""
    path = bench.sample()
    events = ht.nanoaod(path)
    reason = adl_rdataframe.prepare(bench.folder)
    if reason:
        bench.note(f"RDataFrame is skipped: {reason}")
    timings = {}
    for query in QUERIES:
        variants = _variants(path, events, query)
        if not reason:
            variants |= {RDF: adl_rdataframe.compiled(path, query), STRINGS: adl_rdataframe.strings(path, query)}
        timings[query] = bench.measure(PART, query, variants)
    if not bench.quick:
        _rows(bench, timings)


def _variants(path: str, events: ht.Array, query: str) -> dict[str, Variant]:
    outputs, record = recorded(events, query), functools.partial(recorded, query=query)
    limit = Limit(path, COLUMNS[query])
    variants: dict[str, Variant] = {
        A: hand_written(path, QUERIES[query]()),
        B: hand_written(path, QUERIES[query](), TUNED),
        L: _without_answer(limit.read),
        EMPTY: _without_answer(hand_written(path, Nothing())),
    }
    for engine in ENGINES:
        variants[f"{engine} kept"] = kept(outputs, engine)
        variants[f"{engine} first contact"] = cold(path, record, engine)
        variants[f"{engine} in Runner"] = generated(path, outputs, engine)
    executor = ht.Executor(workers=1, status=False, cache=False)
    variants["fused in ht.Executor"] = generated(path, outputs, "fused", executor)
    return variants


class Nothing(ProcessorABC):  # type: ignore[misc]
    """Computes nothing: what the Runner costs by itself."""

    def process(self, events: Any) -> dict[str, Any]:
        return {}

    def postprocess(self, accumulator: Any) -> Any:
        return accumulator


def _without_answer(run: Callable[[], Any]) -> Callable[[], None]:
    """Of what fills no histograms only the time is compared."""

    def done() -> None:
        run()

    return done


Queries = Mapping[str, Mapping[str, Timing]]


def _rows(bench: Bench, timings: Queries) -> None:
    def row(
        number: str, what: str, target: float | None, variant: str, reference: str, reduce: Any = mean_ratio
    ) -> None:
        fused, columnar = (reduce(_ratios(timings, f"{engine} {variant}", reference)) for engine in ENGINES)
        bench.rows.append(Row(number, what, target, fused, columnar))

    row("P1", "metadata kept / A, mean", 0.08, "kept", A)
    row("P1", "metadata kept / B, mean", 0.20, "kept", B)
    row("P1", "metadata kept / B, worst query", 0.30, "kept", B, _largest)
    row("P2", "first contact / A, mean", 0.12, "first contact", A)
    row("P2", "first contact / B, mean", 0.33, "first contact", B)
    row("P3", "metadata kept / read limit, mean", 1.25, "kept", L)
    row("P3", "metadata kept / read limit, worst query", 2.0, "kept", L, _largest)
    row("P4", "first contact / RDataFrame compiled, mean", 0.40, "first contact", RDF)
    row("P4", "first contact / RDataFrame strings, warm, mean", 0.25, "first contact", STRINGS)
    row("P6", "generated in Runner / A, worst query", 0.75, "in Runner", A, _largest)
    row("P6", "generated in Runner / A, mean", None, "in Runner", A)
    opening = _ratios(timings, EMPTY, A)
    bench.rows.append(Row("P6", "a processor that does nothing in Runner / A, worst query", None, _largest(opening)))
    bench.rows.append(Row("P6", "a processor that does nothing in Runner / A, mean", None, mean_ratio(opening)))
    row("P6", "the same Runner with ht.Executor / A, mean", None, "in ht.Executor", A)


def _ratios(timings: Queries, ours: str, reference: str) -> list[float | None]:
    return [ratio(each, ours, reference) for each in timings.values()]


def _largest(ratios: list[float | None]) -> float | None:
    known = [value for value in ratios if value is not None]
    return max(known) if known and len(known) == len(ratios) else None


def together(bench: Bench) -> None:
    """All eight in one pass, against the dearest of them alone."""
    path = bench.sample()
    events = ht.nanoaod(path)
    variants = {B: hand_written(path, ADL(), TUNED)}
    variants |= {engine: kept(adl.queries(events), engine) for engine in ENGINES}
    passes = bench.measure("together", "all eight", variants)
    if bench.quick:
        return
    alone = {query: bench.timings.get(PART, {}).get(query) or _alone(bench, events, query) for query in QUERIES}
    numbers = []
    for engine in ENGINES:
        times = [each[name].of("cpu") for each in alone.values() for name in (f"{engine} kept",) if name in each]
        numbers.append(passes[engine].of("cpu") / max(times) if times and engine in passes else None)
    bench.rows.append(Row("P7", "eight queries in one pass / the dearest one", 1.5, *numbers))


def _alone(bench: Bench, events: ht.Array, query: str) -> dict[str, Timing]:
    outputs = recorded(events, query)
    return bench.measure("alone", query, {f"{engine} kept": kept(outputs, engine) for engine in ENGINES})
