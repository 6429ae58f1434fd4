"""Measure this library side by side with hand-written coffea: `make bench`, or `python benchmarks/run.py --help`.

Whole runs from file to histogram, in one process and by turns; the histograms of all variants are compared bin by bin in
the same run, and a difference ends it with an error. Local files, warm page cache: reading from a disk is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import data, formats, histograms, planning, plot, queries, scaling, threads, variations, wide
from benchmarks.bench import Bench
from benchmarks.targets import table

EVENTS, QUICK_EVENTS = 1_000_000, 20_000
REPEATS, QUICK_REPEATS = 5, 2
#: So many errors are repeated at the end.
MOST = 10

#: Each part of the benchmark, and the targets that it is needed for.
PARTS: tuple[tuple[Callable[[Bench], None], tuple[str, ...]], ...] = (
    (queries.run, ("P1", "P2", "P3", "P4", "P6", "P14")),
    (queries.together, ("P7", "P14")),
    (wide.run, ("P5",)),
    (histograms.run, ("P7", "P14")),
    (threads.run, ("P8", "P14")),
    (threads.cached, ("P9",)),
    (variations.run, ("P10", "P14")),
    (planning.run, ("P11",)),
    (planning.compiling, ("P12",)),
    (planning.first_runs, ("P4",)),
    (threads.memory, ("P13",)),
    (formats.run, ("formats",)),
    (scaling.run, ("scaling",)),
)
KNOWN = sorted({name for _, names in PARTS for name in names}, key=lambda name: (len(name), name))

CACHED = (
    "Warm: the page cache, imports, compiled kernels; number of events and clusters of a file, which coffea's Runner keeps "
    "between runs. `kept`: also open files and the positions of baskets. `first contact`: none of those."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 where histograms differ or something failed."""
    given = _parser().parse_args(arguments)
    events = given.events or (QUICK_EVENTS if given.quick else EVENTS)
    bench = Bench(given.folder, events, QUICK_REPEATS if given.quick else given.repeats, given.quick)
    started = time.perf_counter()
    for part, names in PARTS:
        if not given.only or set(names) & set(given.only):
            part(bench)
    _report(bench, given, time.perf_counter() - started)
    return 1 if bench.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure side by side with hand-written coffea.")
    parser.add_argument("--quick", action="store_true", help="compare the histograms of all variants, measure nothing")
    parser.add_argument("--only", type=_targets, help="these targets only: P1,P7; `formats` and `scaling` are two more")
    parser.add_argument("--events", type=int, help=f"(default: {EVENTS:,}; with --quick {QUICK_EVENTS:,})")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of each variant (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where to write everything that was measured")
    parser.add_argument(
        "--folder", type=Path, default=data.default_folder(), help="of the files (default: %(default)s)"
    )
    return parser


def _targets(text: str) -> list[str]:
    wanted = [name.strip() for name in text.split(",")]
    unknown = [name for name in wanted if name not in KNOWN]
    if unknown:
        msg = f"there is no {', '.join(unknown)}; there are {', '.join(KNOWN)}"
        raise argparse.ArgumentTypeError(msg)
    return wanted


def _report(bench: Bench, given: argparse.Namespace, seconds: float) -> None:
    """The table, the notes, the JSON file and the picture."""
    rows = [row for row in bench.rows if not given.only or row.number in {*given.only, "-"}]
    if rows:
        rows.sort(key=lambda row: (len(row.number), row.number))
        bench.console.print(table(rows))
        bench.console.print(CACHED)
    if bench.timings and not bench.quick:
        picture = bench.folder / "benchmarks.png"
        plot.draw(bench.timings, bench.events, picture)
        bench.console.print(f"The picture is {picture}", soft_wrap=True)
    if given.json:
        given.json.write_text(json.dumps(_everything(bench, rows, seconds), indent=1))
    for line in (*bench.notes, *bench.wrong[:MOST]):
        bench.console.print(line, markup=False, soft_wrap=True)
    if len(bench.wrong) > MOST:
        bench.console.print(f"and {len(bench.wrong) - MOST} more, as printed above")
    verdict = "some histograms differ, or were not filled" if bench.wrong else "all variants filled the same histograms"
    bench.console.print(f"{verdict} [{seconds:.0f} s]", markup=False)


def _everything(bench: Bench, rows: Sequence[Any], seconds: float) -> dict[str, Any]:
    """For the JSON file."""
    return {
        "when": datetime.now().astimezone().isoformat(timespec="seconds"),
        "seconds": seconds,
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg(), "system": platform.platform()},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("hep_tables_coffea", "coffea", "awkward", "uproot", "numba", "numpy")},
        "events": bench.events,
        "repeats": bench.repeats,
        "cached": CACHED,
        "targets": [row.summary() for row in rows],
        "timings": {
            part: {
                what: {name: timing.summary() for name, timing in variants.items()} for what, variants in each.items()
            }
            for part, each in bench.timings.items()
        },
        "notes": bench.notes,
        "wrong": bench.wrong,
    }


if __name__ == "__main__":
    sys.exit(main())
