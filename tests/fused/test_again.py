"""Filters that several loops of an event ask: their rows are found once, and give what they gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable


def spectrum() -> Any:
    return ht.Hist.new.Reg(8, 0, 120, name="x").Double()


@pytest.fixture(scope="module")
def jets(d: ht.Array) -> dict[str, ht.Array]:
    """Columns of the jets above 10: of four events they have 2, 0, 1 and 1 of them."""
    chosen = d.jets[d.jets.pt > 10]
    return {"pt": chosen.pt, "maybe": chosen.maybe}


@pytest.fixture(scope="module")
def twice(jets: dict[str, ht.Array]) -> dict[str, Any]:
    """The jets are counted, then filled."""
    pt = jets["pt"]
    return {"one": spectrum().fill(pt[pt.Count() > 1]), "sum": pt.Sum(), "maybe": jets["maybe"]}


def test_rows_are_found_once(twice: dict[str, Any], fused: Callable[[Any], Any]) -> None:
    text = fused(twice).kernel
    assert text.count("> np.float32(10") == 1
    assert text.count("_found[n_") == 1


def test_number_of_rows_that_were_found_is_not_counted_again(
    twice: dict[str, Any], fused: Callable[[Any], Any]
) -> None:
    assert "+= 1\n" not in fused({"one": twice["one"]}).kernel


def test_sums_and_what_is_missing_are_those_of_the_rows(twice: dict[str, Any]) -> None:
    answer = ht.make_local(twice, engine="fused")
    assert answer["sum"].tolist() == [70.0, 0.0, 31.0, 35.0]
    assert answer["maybe"].tolist() == [[1.5, None], [], [None], [2.0]]


def test_histogram_is_that_of_the_rows(twice: dict[str, Any]) -> None:
    assert ht.make_local(twice, engine="fused")["one"].values().tolist() == [0, 1, 0, 1, 0, 0, 0, 0]


def test_what_is_used_where_events_pass_alone_is_not_found_in_others(
    many: ht.Array, fused: Callable[[Any], Any]
) -> None:
    jets = many.Jet[many.Jet.pt > 25]
    low, high = many.MET.pt < 10, many.MET.pt > 100
    outputs = {"low": spectrum().fill(jets.pt.Sum()[low]), "high": spectrum().fill(jets.pt.Max()[high])}
    assert "_found" not in fused(outputs).kernel.replace("max_found", "")


def test_what_is_dear_is_not_asked_of_every_row(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    jets = many.Jet[(many.Jet.metric_table(many.Muon) > 0.4).All()]
    outputs = {"x": spectrum().fill(jets.pt[jets.Count() > 1])}
    assert "_found[" not in fused(outputs).kernel


def test_pairs_of_rows_that_were_found(many: ht.Array, same: Callable[[Any, Any], bool]) -> None:
    jets = many.Jet[many.Jet.pt > 25]
    pairs = ht.pairs(jets)
    outputs = {"mass": spectrum().fill((pairs.a + pairs.b).mass[jets.Count() > 2]), "sum": jets.pt.Sum()}
    assert same(ht.make_local(outputs, engine="fused"), ht.make_local(outputs, engine="columnar"))


def test_rows_of_a_filter_of_a_filter_are_found_at_once(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    central = many.Jet[abs(many.Jet.eta) < 2]
    pt = central[central.pt > 25].pt
    text = fused({"x": spectrum().fill(pt[pt.Count() > 1]), "sum": pt.Sum()}).kernel
    assert text.count("_found[n_") == 1
