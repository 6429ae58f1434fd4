"""What `ht.explain` shows of a program with ServiceX below."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import hep_tables_coffea as ht

pytest.importorskip("servicex", reason="the extra servicex is not installed")


def shown(*outputs: Any) -> str:
    """The plan without the code of the processor, and without the folders of files."""
    text = str(ht.explain(*outputs, backend="servicex", engine="columnar"))
    return re.sub(r"/\S*/", "", text[: text.index("\n\nclass Analysis")])


def test_plan_shows_what_is_delivered_the_query_and_what_is_left(nano_files: list[str]) -> None:
    @ht.user_func
    def scale(pt: float) -> float:
        return pt * 1.01

    events = ht.nanoaod(nano_files, name="zll")
    busy = events[events.MET.pt > 20]
    electrons = busy.Electron[(busy.Electron.pt > 25) & (abs(busy.Electron.eta) < 2.5)]
    scaled = scale(electrons.pt)
    here = f"at test_explained.py:{inspect.currentframe().f_lineno - 1}: scaled = scale(electrons.pt)"  # type: ignore[union-attr]
    assert shown({"pt": scaled, "met": busy.MET.pt}) == dedent(
        f"""\
        Stage 1: servicex near zll (3 files, nanoaod)
          delivers nElectron: event' * int64
          delivers MET_pt: event' * float32
          delivers Electron_pt: event' * Electron' * float32
          delivers run: event' * uint32
          delivers luminosityBlock: event' * uint32
          delivers event: event' * uint64
          left to coffea: the uproot dialect of func_adl has no function scale, which is Python, {here}

        FuncADL_Uproot().FromTree('Events')
            .Where(lambda e: e.MET_pt > 20)
            .Select(lambda e: {{
                'electrons': (e.Electron_pt > 25) & (abs(e.Electron_eta) < 2.5),
                'MET_pt': e.MET_pt,
                'Electron_pt': e.Electron_pt,
                'run': e.run,
                'luminosityBlock': e.luminosityBlock,
                'event': e.event,
            }})
            .Select(lambda e: {{
                'nElectron': e.electrons.Sum(),
                'MET_pt': e.MET_pt,
                'Electron_pt': e.Electron_pt[e.electrons],
                'run': e.run,
                'luminosityBlock': e.luminosityBlock,
                'event': e.event,
            }})

        Stage 2: coffea over what is delivered
          pt: event' * Electron' * float64
          met: event' * float32
          reads 2 columns: Electron_pt, MET_pt
          engine: columnar"""
    )


def test_plan_without_delivery_says_why(tmp_path: Path) -> None:
    import numpy as np
    import uproot

    path = str(tmp_path / "odd.root")
    with uproot.recreate(path) as file:
        file["Events"] = {"x": np.arange(3, dtype="f4"), "name": ["a", "b", "c"]}
    assert "  note: servicex delivers nothing: the column 'name' cannot be delivered" in shown(
        ht.flat(path, tree="Events").name
    )


def test_values_of_the_whole_dataset_are_in_a_pass_before(nano_files: list[str]) -> None:
    events = ht.nanoaod(nano_files)
    assert "in a pass before: test_explained.py:" in shown(events.Jet.pt / events.Jet.pt.Max(axis=None))


def test_nothing_is_asked_for_by_explaining(nano_files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        pytest.fail("it was")

    monkeypatch.setattr("hep_tables_coffea.backends.servicex.backend.service_for", refused)
    assert "FuncADL_Uproot()" in shown(ht.nanoaod(nano_files).Jet.pt)
