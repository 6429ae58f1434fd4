"""References lead to the rows that coffea's properties of the same name give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest
from coffea.nanoevents import NanoAODSchema

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many rows each reference finds in the file.
FOUND = {
    "Electron.matched_gen": 17,
    "Electron.matched_jet": 22,
    "Electron.matched_photon": 18,
    "Muon.matched_gen": 16,
    "Muon.matched_jet": 17,
    "Tau.matched_gen": 28,
    "Tau.matched_jet": 29,
    "Photon.matched_electron": 18,
    "Photon.matched_gen": 23,
    "Photon.matched_jet": 26,
    "Jet.matched_gen": 95,
    "Jet.matched_electrons": 22,
    "Jet.matched_muons": 17,
    "GenPart.parent": 864,
    "GenPart.children": 864,
    "GenVisTau.parent": 14,
}


@pytest.mark.parametrize("name", FOUND)
def test_reference_finds_the_rows_of_coffea(data: Callable[[str], str], opened: Callable[..., Any], name: str) -> None:
    collection, reference = name.split(".")
    events = ht.nanoaod(data("nano_dy.root"))
    mine = ht.make_local(getattr(events[collection], reference)["pt"])
    theirs = getattr(opened("nano_dy.root", NanoAODSchema)[collection], reference)["pt"]
    assert ak.count(mine) == FOUND[name]
    assert mine.to_list() == theirs.to_list()
