"""Queries as one reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import UPROOT, as_func_adl, write_query

if TYPE_CHECKING:
    from collections.abc import Callable


def shown(keep: Any = None, **columns: Any) -> str:
    nodes = {name: column._node for name, column in columns.items()}
    text = as_func_adl(write_query(nodes, None if keep is None else keep._node, UPROOT, "Events"))
    head, _, steps = text.partition("\n")
    assert head == "FuncADL_Uproot().FromTree('Events')"
    return "\n".join(line.removeprefix("    ") for line in steps.splitlines())


def selected(e: Any) -> dict[str, Any]:
    good = e.Electron[(e.Electron.pt > 50) & (abs(e.Electron.eta) < 1.5)]
    return {"pt": good.pt / 1000, "met": e.MET.pt}


def shared(e: Any) -> dict[str, Any]:
    good = e.Electron[(e.Electron.pt > 50) & (abs(e.Electron.eta) < 1.5)]
    return {"pt": good.pt, "eta": good.eta, "n": good.Count()}


def filtered(e: Any) -> dict[str, Any]:
    keep = e.MET.pt > 20
    return {"keep": keep, "pt": e[keep].Jet.pt, "n": e[keep].Jet.Count()}


def near(e: Any) -> dict[str, Any]:
    return {"difference": e.Electron.map(lambda one: e.Jet.map(lambda jet: one.eta - jet.eta)), "run": e.run}


def twice(e: Any) -> dict[str, Any]:
    first = e.Jet[e.Jet.pt > 20]
    second = first[first.eta.Sum() + first.eta > 1]
    return {"pt": second.pt, "run": e.run}


def two(e: Any) -> dict[str, Any]:
    both = ht.pairs(e.Electron)
    return {"charge": both.a.charge * both.b.charge, "run": e.run}


TEXTS: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "a column": (
        lambda e: {"met": e.MET.pt},
        ".Select(lambda e: {'met': e.MET_pt})",
    ),
    "a list alone": (
        lambda e: {"pt": e.Jet.pt},
        ".Select(lambda e: {'pt': e.Jet_pt, 'pt_count': e.Jet_pt.Count()})",
    ),
    "a selection": (
        selected,
        (
            ".Select(lambda e: {\n"
            "    'pt': e.Electron_pt[(e.Electron_pt > 50) & (abs(e.Electron_eta) < 1.5)] / 1000,\n"
            "    'met': e.MET_pt,\n"
            "})"
        ),
    ),
    "a mask used three times": (
        shared,
        (
            ".Select(lambda e: {\n"
            "    'Electron_pt': e.Electron_pt,\n"
            "    'good': (e.Electron_pt > 50) & (abs(e.Electron_eta) < 1.5),\n"
            "    'Electron_eta': e.Electron_eta,\n"
            "})\n"
            ".Select(lambda e: {'pt': e.Electron_pt[e.good], 'eta': e.Electron_eta[e.good], 'n': e.good.Sum()})"
        ),
    ),
    "events": (
        filtered,
        ".Where(lambda e: e.MET_pt > 20)\n.Select(lambda e: {'pt': e.Jet_pt, 'n': e.Jet_pt.Count()})",
    ),
    "reducers": (
        lambda e: {"best": e.Jet.pt.Max(), "any": (e.Jet.pt > 30).Any()},
        ".Select(lambda e: {'best': e.Jet_pt.Max(), 'any': (e.Jet_pt > 30).Any(lambda jet: jet)})",
    ),
    "functions": (
        lambda e: {"a": np.hypot(e.Jet.pt, e.Jet.mass), "b": np.sqrt(e.MET.pt)},
        ".Select(lambda e: {'a': np.hypot(e.Jet_pt, e.Jet_mass), 'b': np.sqrt(e.MET_pt)})",
    ),
    "a choice": (
        lambda e: {"a": ht.where(e.Jet.pt > 30, e.Jet.pt, 1.5), "run": e.run},
        ".Select(lambda e: {'a': e.Jet_pt if e.Jet_pt > 30 else 1.5, 'run': e.run})",
    ),
    "two collections": (
        near,
        (
            ".Select(lambda e: {\n"
            "    'difference': e.Electron_eta - e.Electron_eta.Select(lambda electron: e.Jet_eta.Select(lambda jet: jet)),\n"
            "    'run': e.run,\n"
            "})"
        ),
    ),
    "a selection of a selection": (
        twice,
        (
            ".Select(lambda e: {\n"
            "    'first_Jet_pt': e.Jet_pt[e.Jet_pt > 20],\n"
            "    'first_Jet_eta': e.Jet_eta[e.Jet_pt > 20],\n"
            "    'run': e.run,\n"
            "})\n"
            ".Select(lambda e: {'pt': e.first_Jet_pt[e.first_Jet_eta.Sum() + e.first_Jet_eta > 1], 'run': e.run})"
        ),
    ),
    "pairs": (
        two,
        (
            ".Select(lambda e: {\n"
            "    'charge': e.Electron_charge.Choose(2).Select(lambda pair: pair.ElementAt(0))"
            " * e.Electron_charge.Choose(2).Select(lambda pair: pair.ElementAt(1)),\n"
            "    'run': e.run,\n"
            "})"
        ),
    ),
    "an order": (
        lambda e: {"pt": e.Jet.OrderByDescending(lambda jet: jet.eta).pt, "run": e.run},
        ".Select(lambda e: {'pt': e.Jet_pt.OrderByDescending(lambda jet: e.Jet_eta), 'run': e.run})",
    ),
}


@pytest.mark.parametrize(("columns", "expected"), TEXTS.values(), ids=TEXTS)
def test_query_reads_well(columns: Callable[[Any], dict[str, Any]], expected: str, events: ht.Array) -> None:
    assert shown(**columns(events)) == expected


def test_query_travels_as_calls(events: ht.Array) -> None:
    text = write_query({"met": events.MET.pt._node}, None, UPROOT, None)
    assert text == (
        "(call Select (call EventDataset 'bogus.root') (lambda (list e) (dict (list 'met') (list (attr e 'MET_pt')))))"
    )
