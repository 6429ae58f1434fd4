"""Where a program is cut: what a back end near the data delivers, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.cut import Cut, make_cut
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.record.outputs import named
from hep_tables_coffea.testing.nearby import Nearby, kind_of
from hep_tables_coffea.types.elements import Number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What back ends near the data do not know.
UNKNOWN = ("UserCall", "Metadata", "position")


def takes_numbers(node: g.Node) -> str:
    """A back end for numbers that are always there, without functions of the user."""
    if kind_of(node) in UNKNOWN:
        return f"has no {kind_of(node)}"
    if not isinstance(node.type, Number):
        return "delivers numbers"
    return "delivers no missing values" if node.type.option else ""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "zll.root", events=50, seed=3)


@pytest.fixture
def events(path: Path) -> ht.Array:
    return ht.nanoaod(path, name="zll", metadata={"xsec": 2.0})


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Nearby]:
    """A back end that is known by the name `near`."""
    made = Nearby("near", tmp_path / "delivered", takes_numbers)
    registry.register_backend(made)
    yield made
    registry._known["backend"].pop("near")


def cut_of(outputs: Any, takes: Callable[[g.Node], str] = takes_numbers) -> Cut:
    nodes = named(outputs)
    dataset = build.source_of(next(iter(nodes.values()))).dataset
    return make_cut(nodes, Nearby("near", Path("nothing is delivered"), takes), dataset)


def columns(outputs: Any, takes: Callable[[g.Node], str] = takes_numbers) -> dict[str, str]:
    """What is delivered, without what tells events apart."""
    found = cut_of(outputs, takes).columns
    return {name: node.text for name, node in found.items() if name not in ("run", "luminosityBlock", "event")}


@ht.user_func(vectorized=True)
def calibrated(pt: float) -> float:
    return pt * 1.01


# -- events ----------------------------------------------------------------------------------------------------------


def test_a_filter_of_events_that_all_outputs_share_is_delivered_filtered(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    assert columns({"met": good.MET.pt, "n": good.Jet.Count()}) == {
        "MET_pt": "event' * float32",
        "n": "event' * int64",
    }


def test_the_events_of_a_cut_are_those_that_the_filter_leaves(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    assert cut_of({"met": good.MET.pt}).events is good.MET.pt._node.path[0]


def test_of_two_selections_all_events_and_the_masks_are_delivered(events: ht.Array) -> None:
    one, other = events.MET.pt[events.Jet.Count() > 1], events.MET.phi[events.Muon.Count() > 1]
    assert columns({"one": one, "other": other}) == {
        "MET_pt": "event * float32",
        "MET_phi": "event * float32",
        "greater": "event * bool",
        "greater_2": "event * bool",
    }


def test_a_filter_of_events_and_one_within_it_deliver_the_events_of_the_first(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    best = good[good.Jet.Count() > 2]
    found = cut_of({"all": good.MET.pt, "best": best.MET.pt})
    assert found.events is good.MET.pt._node.path[0]


def test_a_metadata_value_stays_here_and_does_not_hinder_the_filter(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    weighted = good.MET.pt * ht.metadata(events, "xsec")
    assert columns({"weighted": weighted}) == {"MET_pt": "event' * float32"}


def test_a_metadata_value_of_all_events_keeps_all_of_them(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    found = cut_of({"xsec": ht.metadata(events, "xsec"), "met": good.MET.pt})
    assert found.events is events.MET.pt._node.path[0]


def test_a_function_of_the_user_does_not_hinder_the_filter(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    assert columns({"met": calibrated(good.MET.pt)}) == {"MET_pt": "event' * float32"}


def test_a_filter_by_a_function_of_the_user_is_made_here(events: ht.Array) -> None:
    good = events[calibrated(events.MET.pt) > 20]
    assert columns({"phi": good.MET.phi}) == {"MET_phi": "event * float32", "MET_pt": "event * float32"}


# -- objects ---------------------------------------------------------------------------------------------------------


def test_a_filter_of_objects_is_delivered_filtered_where_only_those_are_used(events: ht.Array) -> None:
    good = events.Jet[events.Jet.pt > 30]
    assert columns({"pt": good.pt, "eta": good.eta}) == {
        "nJet": "event * int64",
        "Jet_pt": "event * Jet' * float32",
        "Jet_eta": "event * Jet' * float32",
    }


def test_objects_are_delivered_whole_with_the_mask_where_both_are_used(events: ht.Array) -> None:
    good = events.Jet[events.Jet.pt > 30]
    assert columns({"all": events.Jet.eta, "eta": good.eta}) == {
        "nJet": "event * int64",
        "Jet_eta": "event * Jet * float32",
        "Jet_good": "event * Jet * bool",
    }


def test_the_count_of_all_objects_leaves_the_filtered_ones_filtered(events: ht.Array) -> None:
    good = events.Jet[events.Jet.pt > 30]
    assert columns({"n": events.Jet.Count(), "eta": good.eta}) == {
        "nJet": "event * int64",
        "Jet_eta": "event * Jet' * float32",
        "n": "event * int64",
    }


def test_a_filtered_record_is_delivered_column_by_column_in_the_order_of_its_fields(path: Path) -> None:
    jets = ht.nanoaod(path).Jet
    table = cut_of({"jets": jets[jets.pt > 30]}).dataset.schema.root.fields["Jet"]
    assert table.names == tuple(jets.fields)  # type: ignore[union-attr]


def test_a_computed_column_is_no_field_of_the_delivered_records(events: ht.Array) -> None:
    jets = events.Jet[["pt", "eta"]]
    found = cut_of({"jets": jets, "ratio": jets.pt / jets.eta})
    assert found.outputs["jets"].type.fields == ("pt", "eta")  # type: ignore[union-attr]


# -- rows that multiply ----------------------------------------------------------------------------------------------


def test_what_pairs_are_made_of_is_delivered_and_not_the_pairs(events: ht.Array) -> None:
    pair = ht.pairs(events.Muon)
    assert columns({"mass": calibrated(pair.a.pt * pair.b.pt)}) == {
        "nMuon": "event * int64",
        "Muon_pt": "event * Muon * float32",
    }


def test_a_value_of_pairs_is_delivered_where_it_is_an_output(events: ht.Array) -> None:
    pair = ht.pairs(events.Muon)
    assert columns({"product": pair.a.pt * pair.b.pt}) == {
        "nMuon_2": "event * int64",
        "Muon_2_product": "event * Muon_2 * float32",
    }


def test_a_value_of_pairs_that_becomes_one_number_is_computed_there(events: ht.Array) -> None:
    pair = ht.pairs(events.Muon)
    assert columns({"sum": (pair.a.pt * pair.b.pt).Sum()}) == {"sum": "event * float32"}


def test_pairs_as_records_are_made_here(events: ht.Array) -> None:
    pair = ht.pairs(events.Muon[["pt", "eta"]])
    assert columns({"pairs": pair, "product": pair.a.pt * pair.b.pt}) == {
        "nMuon": "event * int64",
        "Muon_pt": "event * Muon * float32",
        "Muon_eta": "event * Muon * float32",
    }


def test_what_nested_maps_are_made_of_is_delivered_and_not_the_table(events: ht.Array) -> None:
    far = events.Jet.map(lambda jet: events.Muon.map(lambda muon: calibrated(jet.pt - muon.pt)))
    assert columns({"far": far}) == {
        "nJet": "event * int64",
        "nMuon": "event * int64",
        "Jet_pt": "event * Jet * float32",
        "Muon_pt": "event * Muon * float32",
    }


# -- counts and the identity of events -------------------------------------------------------------------------------


def test_a_count_alone_delivers_one_counter(events: ht.Array) -> None:
    assert columns({"n": events.Jet.Count()}) == {"n": "event * int64"}


def test_the_number_of_all_rows_delivers_one_counter(events: ht.Array) -> None:
    assert columns({"n": events.Jet.Count(axis=None)}) == {"nJet": "event * int64"}


def test_the_number_of_events_delivers_what_tells_them_apart_and_no_more(events: ht.Array) -> None:
    assert list(cut_of({"n": events.Count()}).columns) == ["run", "luminosityBlock", "event"]


def test_what_tells_events_apart_comes_along(events: ht.Array) -> None:
    good = events[events.MET.pt > 20]
    found = {name: node.text for name, node in cut_of({"met": good.MET.pt}).columns.items()}
    assert found == {
        "run": "event' * uint32",
        "luminosityBlock": "event' * uint32",
        "event": "event' * uint64",
        "MET_pt": "event' * float32",
    }


# -- values of the whole dataset -------------------------------------------------------------------------------------


def test_a_value_of_the_whole_dataset_is_found_in_a_pass_before(events: ht.Array, near: Nearby) -> None:
    centered = events.MET.pt - events.MET.pt.Mean(axis=None)
    plain = ht.make_local(centered)
    np.testing.assert_allclose(ht.make_local(centered, backend="near"), plain, rtol=1e-6)


def test_a_filter_by_a_value_of_the_whole_dataset_is_made_here(events: ht.Array, near: Nearby) -> None:
    above = events.MET.phi[events.MET.pt > events.MET.pt.Mean(axis=None)]
    assert ht.make_local(above, backend="near").to_list() == ht.make_local(above).to_list()
    assert columns({"phi": above}) == {"MET_phi": "event * float32", "MET_pt": "event * float32"}


# -- names -----------------------------------------------------------------------------------------------------------


def test_stored_columns_have_their_names_and_computed_ones_those_of_outputs(events: ht.Array) -> None:
    jets = events.Jet
    outs = {"pt": jets.pt, "ratio": jets.pt / jets.eta, "total": jets.pt.Sum()}
    assert list(columns(outs)) == ["nJet", "Jet_pt", "Jet_ratio", "total"]


def test_what_fills_a_histogram_has_its_name_and_that_of_the_axis(events: ht.Array) -> None:
    filled = ht.Hist.new.Reg(5, 0, 100, name="x").Double().fill(events.MET.pt * 2)
    assert list(columns({"h": filled})) == ["h_x"]


def test_a_mask_has_the_name_of_its_variable(events: ht.Array) -> None:
    central = abs(events.Jet.eta) < 2.4
    assert list(columns({"eta": events.Jet.eta, "phi": events.Jet.phi[central]})) == [
        "nJet",
        "Jet_eta",
        "Jet_phi",
        "Jet_central",
    ]


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_refusal_has_its_reason_and_the_line_of_the_user(events: ht.Array) -> None:
    met = calibrated(events.MET.pt)
    ((node, reason),) = cut_of({"met": met}).refusals
    assert reason == "has no UserCall"
    assert node.where.source == "met = calibrated(events.MET.pt)"


def refuse_met(node: g.Node) -> str:
    return "has no strings" if isinstance(node, g.Field) and node.name == "pt" else takes_numbers(node)


def test_a_column_that_cannot_be_delivered_is_an_error(events: ht.Array) -> None:
    with pytest.raises(BackendError, match="the column 'pt' cannot be delivered: has no strings"):
        cut_of({"met": events.MET.pt}, refuse_met)


def test_rows_that_cannot_be_counted_are_selected_here(events: ht.Array) -> None:
    def takes(node: g.Node) -> str:
        is_filtered = isinstance(node, g.Reduce) and isinstance(node.args[0], g.Restrict)
        return "counts no filtered rows" if is_filtered else takes_numbers(node)

    good = events.Jet[events.Jet.pt > 30]
    assert columns({"eta": good.eta}, takes) == {
        "nJet": "event * int64",
        "Jet_eta": "event * Jet * float32",
        "Jet_good": "event * Jet * bool",
    }


def test_a_column_of_rows_that_cannot_be_counted_is_an_error(events: ht.Array) -> None:
    def takes(node: g.Node) -> str:
        return "counts no rows" if kind_of(node) == "Reduce num" else takes_numbers(node)

    with pytest.raises(BackendError, match="the column 'pt' cannot be delivered: its rows cannot be counted"):
        cut_of({"pt": events.Jet.pt}, takes)


def test_files_that_can_be_opened_are_where_a_column_cannot_be_delivered(events: ht.Array, near: Nearby) -> None:
    near.takes = refuse_met
    text = str(ht.explain({"met": events.MET.pt}, backend="near"))
    assert text.splitlines()[0] == "Stage 1: coffea over zll (1 file, nanoaod)"
    assert "  note: near delivers nothing: the column 'pt' cannot be delivered: has no strings" in text.splitlines()


def test_a_dataset_known_by_name_needs_every_column(path: Path, near: Nearby, tmp_path: Path) -> None:
    form = ht.save_form(ht.nanoaod(path), tmp_path / "form.json")
    events = ht.nanoaod("rucio://user.me:zll", form=form)
    near.takes = refuse_met
    with pytest.raises(BackendError, match="the column 'pt' cannot be delivered: has no strings"):
        ht.make_local(events.MET.pt, backend="near")


def test_a_value_that_may_be_missing_is_delivered_by_what_it_is_made_of(events: ht.Array) -> None:
    assert columns({"lead": events.Jet.pt.Max()}) == {"nJet": "event * int64", "Jet_pt": "event * Jet * float32"}
