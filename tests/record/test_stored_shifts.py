"""Shifts that are stored as columns are found beside the column that they shift."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import pytest
import uproot

import hep_tables_coffea as ht

PT = [[50.0, 20.0], [], [40.0]]


def scaled(factor: float) -> ak.Array:
    return ak.Array(PT) * factor


@pytest.fixture
def cms(tmp_path: Path) -> ht.Array:
    """NanoAOD with `Jet_pt_jesUp`, `Jet_pt_jerDown` and the like, as its tools write them."""
    jets = {"pt": scaled(1), "eta": scaled(0.01), "pt_jesUp": scaled(1.1), "pt_jesDown": scaled(0.9)}
    jets |= {"pt_jerTotal_2018Up": scaled(1.2), "pt_setup": scaled(0)}
    path = tmp_path / "nano.root"
    with uproot.recreate(path) as file:
        columns = {"Jet": ak.zip(jets), "MET_pt": [10.0, 20.0, 30.0], "MET_pt_jesUp": [11.0, 22.0, 33.0]}
        file["Events"] = {name: ak.Array(column) for name, column in columns.items()}
    return ht.nanoaod(path, metadata={"is_mc": True})


@pytest.fixture
def atlas(tmp_path: Path) -> ht.Array:
    """A flat table with `jet_pt_NOSYS` and its shifts, as TopCPToolkit writes them."""
    jets = {"pt_NOSYS": scaled(1), "pt_JET_EffectiveNP_1__1up": scaled(1.1), "pt_JET_EffectiveNP_1__1down": scaled(0.9)}
    path = tmp_path / "ntuple.root"
    with uproot.recreate(path) as file:
        file["reco"] = {"jet": ak.zip(jets)}
    return ht.flat(path, tree="reco", metadata={"is_mc": True})


def test_nuisance_of_nanoaod_is_found_by_its_name(cms: ht.Array) -> None:
    found = ht.make_local(ht.vary(cms.Jet.pt, "jes"))
    assert {name: ak.round(values, 3).to_list() for name, values in found.items()} == {
        "nominal": PT,
        "jes_up": [[55.0, 22.0], [], [44.0]],
        "jes_down": [[45.0, 18.0], [], [36.0]],
    }


def test_without_a_name_every_nuisance_is_found(cms: ht.Array) -> None:
    assert list(ht.make_local(ht.vary(cms.Jet.pt))) == ["nominal", "jes_up", "jes_down", "jerTotal_2018_up"]


def test_two_of_several_nuisances_are_found_one_around_the_other(cms: ht.Array) -> None:
    central = cms.Jet[cms.Jet.eta > 0.3].pt
    found = ht.make_local(ht.vary(ht.vary(central, "jes"), "jerTotal_2018").Sum(axis=None))
    assert {name: round(value, 3) for name, value in found.items()} == {
        "nominal": 90,
        "jes_up": 99,
        "jes_down": 81,
        "jerTotal_2018_up": 108,
    }


def test_nuisance_is_found_of_a_column_that_another_one_has_varied(cms: ht.Array) -> None:
    jets = cms.Jet
    jets["pt"] = ht.vary(jets.pt, "jes")
    assert list(ht.make_local(ht.vary(jets.pt, "jerTotal_2018"))) == [
        "nominal",
        "jes_up",
        "jes_down",
        "jerTotal_2018_up",
    ]


def test_up_is_before_down_in_whatever_order_they_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "flat.root"
    with uproot.recreate(path) as file:
        file["t"] = {"x": [1.0], "x_aDown": [0.5], "x_aUp": [2.0]}
    x = ht.flat(path, metadata={"is_mc": True}).x
    assert list(ht.make_local(ht.vary(x, "a").Sum())) == ["nominal", "a_up", "a_down"]


def test_column_of_the_event_has_its_shifts_beside_it(cms: ht.Array) -> None:
    found = ht.make_local(ht.vary(cms.MET.pt, "jes"))
    assert {name: values.to_list() for name, values in found.items()} == {
        "nominal": [10, 20, 30],
        "jes_up": [11, 22, 33],
    }


def test_nuisance_of_a_systematics_tree_is_found_by_its_name(atlas: ht.Array) -> None:
    pt = ht.vary(atlas.jet.pt_NOSYS, "JET_EffectiveNP_1")
    assert ht.make_local((pt > 43).Sum().Sum()) == {
        "nominal": 1,
        "JET_EffectiveNP_1_up": 2,
        "JET_EffectiveNP_1_down": 1,
    }


def test_shifts_are_those_of_the_rows_of_the_value(cms: ht.Array) -> None:
    central = cms.Jet[cms.Jet.eta > 0.3]
    found = ht.make_local(ht.vary(central.pt[:, :1], "jes"))
    assert {name: ak.round(values, 3).to_list() for name, values in found.items()} == {
        "nominal": [[50.0], [], [40.0]],
        "jes_up": [[55.0], [], [44.0]],
        "jes_down": [[45.0], [], [36.0]],
    }


def test_all_columns_of_one_nuisance_shift_together(cms: ht.Array) -> None:
    total = ht.vary(cms.Jet.pt, "jes").Sum() + ht.vary(cms.MET.pt, "jes")
    found = ht.make_local(total)
    assert {name: ak.round(values, 3).to_list() for name, values in found.items()} == {
        "nominal": [80, 20, 70],
        "jes_up": [88, 22, 77],
        "jes_down": [73, 20, 66],
    }


def test_nuisance_that_is_not_stored_is_named_with_those_that_are(cms: ht.Array) -> None:
    with pytest.raises(
        ValueError,
        match=r"no shift of 'jec' is given, and none is stored beside the value(.|\n)*Hint: did you mean jes\?",
    ):
        ht.vary(cms.Jet.pt, "jec")


def test_value_without_stored_shifts_says_how_to_give_some(cms: ht.Array) -> None:
    with pytest.raises(
        KeyError, match=r"no shifts of the value are stored beside it(.|\n)*Hint: ht\.vary\(x, \"jes\", up="
    ):
        ht.vary(cms.Jet.eta)
