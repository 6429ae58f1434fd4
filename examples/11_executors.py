"""Who does the work: one process, threads, processes, a dask cluster. The answer is the same, to the bit.

`if __name__ == "__main__":` is needed in scripts that start a dask cluster on this machine: its workers import the script.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import hep_tables_coffea as ht


def main() -> None:
    folder = Path(__file__).parent / "output"
    folder.mkdir(exist_ok=True)
    events = ht.nanoaod(ht.samples.nanoaod(folder / "large.root", events=50_000))
    pairs = ht.pairs(events.Muon[events.Muon.pt > 20])
    mass = (pairs.a + pairs.b).mass
    outputs = {
        "mass": ht.Hist.new.Reg(60, 60, 120, name="mass").Weight().fill(mass, weight=events.genWeight),
        "leading": events.Muon[0].pt,
        "met": events.MET.pt.Mean(),
    }

    executors = ["iterative", "threads", "futures"]
    if importlib.util.find_spec("distributed"):
        executors.append("dask")

    answers = {}
    for executor in executors:
        started = time.perf_counter()
        answers[executor] = ht.make_local(outputs, executor=executor, workers=2, chunksize=10_000)
        print(f"{executor:10}{time.perf_counter() - started:6.2f} s, with the start of the workers")

    # Options can be set for a block, and a cluster of your own is an executor too.
    with ht.options(executor="threads", workers=2):
        again = ht.make_local(outputs)

    expected = answers["iterative"]
    for found in [*answers.values(), again]:
        assert found["leading"].to_list() == expected["leading"].to_list()  # in the order of the file
        assert found["mass"].sum().value == expected["mass"].sum().value
        assert abs(found["met"] - expected["met"]) < 1e-6 * expected["met"]


if __name__ == "__main__":
    main()
