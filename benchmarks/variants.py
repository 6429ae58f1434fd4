"""Ways to get the same histograms from a file, as functions without arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from coffea.nanoevents import NanoAODSchema
from coffea.processor import IterativeExecutor, ProcessorABC, Runner
from coffea.util import coffea_console

import hep_tables_coffea as ht
from hep_tables_coffea import files
from hep_tables_coffea.processors import adl

__all__ = ["DEFAULT", "ENGINES", "TUNED", "cold", "generated", "hand_written", "kept", "recorded"]

#: Events in a chunk: coffea's default, and what an expert sets.
DEFAULT, TUNED = 100_000, 500_000
ENGINES = ("fused", "columnar")

Variant = Callable[[], dict[str, Any]]

# What the schema misses in CMS open data is no news, and costs the hand-written variants time.
NanoAODSchema.warn_missing_crossrefs = False
warnings.filterwarnings("ignore", message="Branch .* already exists but its values will be replaced")
# coffea draws its bars also where status=False.
coffea_console.quiet = True


def hand_written(
    path: str,
    processor: ProcessorABC,
    chunksize: int = DEFAULT,
    executor: Any = None,
) -> Variant:
    """A processor in a stock `Runner`, which remembers number of events and clusters of the file between runs."""

    def run() -> dict[str, Any]:
        stock = IterativeExecutor(status=False)
        runner = Runner(executor or stock, pre_executor=stock, chunksize=chunksize, schema=NanoAODSchema)
        answer: dict[str, Any] = runner({"adl": {"files": {path: "Events"}}}, processor_instance=processor)
        return answer

    return run


def recorded(events: ht.Array, query: str) -> dict[str, Any]:
    """A query of the benchmark as named histograms to be filled."""
    histograms = getattr(adl, query)(events)
    return dict(zip((f"{query}_pt", f"{query}_btag"), histograms)) if query == "q6" else {query: histograms}


def kept(outputs: dict[str, Any], engine: str, **options: Any) -> Variant:
    """Ours, one thread, from what was recorded: planning, generating code, reading and filling; metadata are kept.

    Decoded columns are not kept on disk, but for a `cache` among the options.
    """

    def run() -> dict[str, Any]:
        answer: dict[str, Any] = ht.make_local(
            outputs, engine=engine, **{"executor": "iterative", "cache": False, **options}
        )
        return answer

    return run


def cold(path: str, record: Callable[[ht.Array], dict[str, Any]], engine: str) -> Variant:
    """Ours, from a file that was never opened: finding its columns and recording are part of it."""

    def run() -> dict[str, Any]:
        files.forget()
        options: dict[str, Any] = {"engine": engine, "executor": "threads", "workers": 1, "cache": False}
        answer: dict[str, Any] = ht.make_local(record(ht.nanoaod(path)), **options)
        return answer

    return run


def generated(path: str, outputs: dict[str, Any], engine: str, executor: Any = None) -> Variant:
    """The generated processor in place of the hand-written one, in the same `Runner`."""
    with ht.options(engine=engine):
        processor = ht.to_processor(outputs)
    return hand_written(path, processor, executor=executor)
