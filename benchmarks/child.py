"""What is measured in a process of its own: imports, first runs, compiling, and memory.

Each function prints one JSON object. `call` runs one of them in a fresh Python.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["call", "compiling", "first", "imports", "memory", "planning"]

ROOT = Path(__file__).resolve().parent.parent
#: How often the memory is looked at [s].
INTERVAL = 0.003


def call(function: Callable[..., Any], *arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """What a function of this module prints, run in a fresh process."""
    code = f"from benchmarks import child; child.{function.__name__}(*{list(arguments)!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]]), **(environment or {})}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    if done.returncode:
        message = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise RuntimeError(message[0])
    return json.loads(done.stdout.splitlines()[-1])


def imports() -> None:
    """Seconds that importing the library takes once awkward is there."""
    import awkward  # noqa: F401

    started = time.perf_counter()
    import hep_tables_coffea  # noqa: F401

    print(json.dumps({"seconds": time.perf_counter() - started}))


def first(who: str, query: str, path: str, folder: str) -> None:
    """Seconds of the first run in a process, compiling included, and of the second."""
    if who == "RDataFrame":
        from benchmarks import adl_rdataframe

        adl_rdataframe.declare(Path(folder))
        run = adl_rdataframe.strings(path, query)
    else:
        from benchmarks import variants

        run = variants.cold(path, functools.partial(variants.recorded, query=query), who)
    print(json.dumps({"first": _seconds(run), "second": _seconds(run)}))


def compiling(what: str, path: str) -> None:
    """Seconds of the first run of the fused engine and of the later ones. The columnar one has imported and opened."""
    import hep_tables_coffea as ht
    from benchmarks import grid, variants

    events = ht.nanoaod(path)
    outputs = grid.record(events, grid.cells(int(what))) if what.isdecimal() else variants.recorded(events, what)
    for _ in range(2):
        ht.make_local(outputs, engine="columnar", cache=False)
    run = variants.kept(outputs, "fused")
    started = _seconds(run)
    print(json.dumps({"first": started, "later": min(_seconds(run) for _ in range(5))}))


def planning(path: str) -> None:
    """Seconds to record 10,000 nodes, to plan 1,000 histograms, and to plan a query and write its code."""
    import hep_tables_coffea as ht
    from benchmarks import grid, variants
    from hep_tables_coffea.codegen import programs

    events = ht.nanoaod(path)
    ht.explain(variants.recorded(events, "q1"))  # what is imported when it is first needed
    nodes = _seconds(lambda: [_chain(events.MET.pt, i) for i in range(0, 10_000, 20)])
    many = grid.record(events, grid.cells(1_000))
    found = {"nodes": nodes, "many": _seconds(lambda: ht.explain(many))}
    for engine in variants.ENGINES:
        times = []
        for _ in range(5):  # recorded anew each time, and what was written before is forgotten
            query = variants.recorded(ht.nanoaod(path), "q8")
            programs.forget()
            times.append(_seconds(functools.partial(ht.explain, query, engine=engine)))
        found[engine] = min(times)
    print(json.dumps(found))


def _chain(value: Any, start: int) -> Any:
    """Twenty operations on top of each other."""
    for i in range(start, start + 20):
        value = value + i
    return value


def memory(engine: str, path: str, small: str) -> None:
    """By how many private bytes a process grows while two threads run Q6. A small file has warmed it up."""
    import hep_tables_coffea as ht
    from benchmarks import variants

    options = {"executor": "threads", "workers": 2}
    for _ in range(2):
        ht.make_local(variants.recorded(ht.nanoaod(small), "q6"), engine=engine, cache=False, **options)
    outputs = variants.recorded(ht.nanoaod(path), "q6")
    print(json.dumps({"bytes": _growth(variants.kept(outputs, engine, **options))}))


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _growth(run: Callable[[], Any]) -> int:
    before, seen, done = _private(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL):
            seen.append(_private())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return max(*seen, _private()) - before


def _private() -> int:
    """Bytes that this process shares with nobody."""
    import psutil

    return int(psutil.Process().memory_full_info().uss)
