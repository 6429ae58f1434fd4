"""The eight queries in RDataFrame, where there is a ROOT that Python can import: compiled C++, and Python strings.

Both open the file in each run, and both use what is in `adl_rdataframe.h`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
from hist import Hist

__all__ = ["compiled", "declare", "prepare", "strings"]

HERE = Path(__file__).resolve().parent

#: Name, bins and range of the histograms of each query.
AXES = {
    "q1": [("q1", 100, 0, 2000)],
    "q2": [("q2", 100, 15, 60)],
    "q3": [("q3", 100, 15, 60)],
    "q4": [("q4", 100, 0, 2000)],
    "q5": [("q5", 100, 0, 2000)],
    "q6": [("q6_pt", 100, 15, 40), ("q6_btag", 100, 0, 1)],
    "q7": [("q7", 100, 15, 200)],
    "q8": [("q8", 100, 15, 250)],
}
JET, MUON, ELECTRON = (
    ", ".join(f"{name}_{field}" for field in ("pt", "eta", "phi", "mass")) for name in ("Jet", "Muon", "Electron")
)
ANGLES = ", ".join(f"{name}_{field}" for name in ("Jet", "Muon", "Electron") for field in ("pt", "eta", "phi"))
MASS = f"adl::transverse_mass({ELECTRON}, Electron_charge, {MUON}, Muon_charge, MET_pt, MET_phi)"

#: Filters and definitions of each query, and what is filled.
STEPS: dict[str, tuple[list[tuple[str, ...]], list[str]]] = {
    "q1": ([], ["MET_pt"]),
    "q2": ([], ["Jet_pt"]),
    "q3": ([("x", "Jet_pt[abs(Jet_eta) < 1]")], ["x"]),
    "q4": ([("Sum(Jet_pt > 40) >= 2",)], ["MET_pt"]),
    "q5": ([(f"adl::has_z({MUON}, Muon_charge)",)], ["MET_pt"]),
    "q6": (
        [("nJet >= 3",), ("x", f"adl::trijet({JET}, Jet_btag)"), ("pt", "x[0]"), ("btag", "x[1]")],
        ["pt", "btag"],
    ),
    "q7": ([("x", f"adl::isolated({ANGLES})"), ("x >= 0",)], ["x"]),
    "q8": ([("x", MASS), ("x >= 0",)], ["x"]),
}


def prepare(folder: Path) -> str | None:
    """Compile the C++ program; returns why RDataFrame cannot be measured, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ROOT
    except ImportError:
        return "there is no ROOT that this Python can import"
    if not hasattr(ROOT, "adl") or not hasattr(ROOT.adl, "run"):
        build = _sources(folder)
        ROOT.gErrorIgnoreLevel = ROOT.kWarning
        ROOT.gSystem.SetFlagsOpt("-O3")
        if not ROOT.gSystem.CompileMacro(str(build / "adl_rdataframe.cpp"), "kO"):
            return "its program does not compile"
        _declare(build)
    return None


def declare(folder: Path) -> None:
    """What the strings call, and not the program: another process need not compile that again."""
    _declare(_sources(folder))


def _declare(build: Path) -> None:
    import ROOT

    ROOT.gInterpreter.Declare(f'#include "{build / "adl_rdataframe.h"}"')


def _sources(folder: Path) -> Path:
    """The sources beside what is compiled of them."""
    build = folder / "rdataframe"
    build.mkdir(parents=True, exist_ok=True)
    for name in ("adl_rdataframe.h", "adl_rdataframe.cpp"):
        copy(HERE / name, build)
    return build


def compiled(path: str, query: str) -> Callable[[], dict[str, Any]]:
    """The C++ program with -O3."""
    import ROOT

    def run() -> dict[str, Any]:
        return _histograms(query, [np.array(each) for each in ROOT.adl.run(query, path)])

    return run


def strings(path: str, query: str) -> Callable[[], dict[str, Any]]:
    """As one writes it in Python: filters and definitions are strings, which ROOT compiles when it first meets them."""
    import ROOT

    def run() -> dict[str, Any]:
        events = ROOT.RDataFrame("Events", path)
        steps, filled = STEPS[query]
        for step in steps:
            events = events.Define(*step) if len(step) == 2 else events.Filter(*step)
        results = [events.Histo1D(("", "", *axis[1:]), column) for axis, column in zip(AXES[query], filled)]
        return _histograms(query, [np.array([h.GetBinContent(i) for i in range(h.GetNcells())]) for h in results])

    return run


def _histograms(query: str, contents: list[Any]) -> dict[str, Any]:
    filled = {}
    for (name, bins, low, high), values in zip(AXES[query], contents):
        filled[name] = Hist.new.Reg(bins, low, high).Double()
        filled[name].view(flow=True)[:] = values
    return filled
