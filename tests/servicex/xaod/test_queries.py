"""Queries of ATLAS events: generated code, compiled and run, gives what awkward gives for the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht

Query = Callable[..., str]
Run = Callable[..., dict[str, list[Any]]]

ELECTRONS = "(call (attr e 'Electrons') 'AnalysisElectrons')"
JETS = "(call (attr e 'Jets') 'AnalysisJets')"
TRUTH = "(call (attr e 'TruthParticles') 'TruthParticles')"
MUONS = "(call (attr e 'Muons') 'AnalysisMuons')"
MET = "(call (attr e 'MissingET') 'MET_Core_AnalysisMET')"
INFO = "(call (attr e 'EventInfo') 'EventInfo')"

KINEMATICS = tuple(
    f"{collection}.{name}"
    for collection in ("Electrons('AnalysisElectrons')", "Jets('AnalysisJets')", "TruthParticles('TruthParticles')")
    for name in ("pt", "eta", "phi")
)


def of(row: str, method: str) -> str:
    return f"(call (attr {row} '{method}'))"


def select(source: str, row: str, value: str) -> str:
    return f"(call (attr {source} 'Select') (lambda (list {row}) {value}))"


def where(source: str, row: str, condition: str) -> str:
    return f"(call (attr {source} 'Where') (lambda (list {row}) {condition}))"


def count(source: str) -> str:
    return f"(call (attr {source} 'Count'))"


def numbers(source: str) -> str:
    """A list of numbers as it is stored. The generator writes no bare list, and a filter that keeps all is none."""
    return where(source, "x", "(== 1 1)")


def fold(source: str, start: str, better: str) -> str:
    """The least (`<`) or greatest (`>`) of a sequence, or `start`."""
    return f"(call (attr {source} 'Aggregate') {start} (lambda (list a v) (if ({better} v a) v a)))"


def distance(one: str, other: str) -> str:
    return f"(call DeltaR {of(one, 'eta')} {of(one, 'phi')} {of(other, 'eta')} {of(other, 'phi')})"


def same(one: list[Any], other: ak.Array) -> bool:
    """The same lists of the same numbers, up to rounding."""
    found, expected = ak.Array(one), ak.Array(other)
    counts = [ak.num(x).to_list() if x.ndim > 1 else len(x) for x in (found, expected)]
    return counts[0] == counts[1] and bool(ak.all(ak.isclose(found, expected, rtol=1e-12, atol=0), axis=None))


def delta_r(one: ak.Array, other: ak.Array) -> ak.Array:
    """`event * one * other`."""
    first, second = ak.unzip(ak.cartesian([one, other], nested=True))
    phi = (first.phi - second.phi + np.pi) % (2 * np.pi) - np.pi
    return np.hypot(first.eta - second.eta, phi)


def test_the_first_listing_of_the_paper(run_xaod: Run, query: Query, events: ak.Array, flat: ht.Array) -> None:
    good = where(ELECTRONS, "x", f"(and (> {of('x', 'pt')} 50000) (< (call abs {of('x', 'eta')}) 1.5))")
    text = query({"pt": select(good, "x", f"(/ {of('x', 'pt')} 1000)")}, KINEMATICS)
    electrons = flat.Electrons[(flat.Electrons.pt > 50000) & (abs(flat.Electrons.eta) < 1.5)]
    expected = ht.make_local(electrons.pt / 1000)
    assert ak.sum(ak.num(expected)) > 20
    assert same(run_xaod(text, events)["pt"], expected)


def test_counts_sums_least_and_greatest(run_xaod: Run, query: Query, events: ak.Array) -> None:
    pts, electrons = select(ELECTRONS, "x", of("x", "pt")), events.AnalysisElectrons
    members = {
        "n": count(ELECTRONS),
        "sum": f"(call (attr {pts} 'Sum'))",
        "least": fold(pts, "1e9", "<"),
        "greatest": fold(select(ELECTRONS, "x", of("x", "eta")), "-1e9", ">"),
    }
    found = run_xaod(query(members, KINEMATICS), events)
    assert found["n"] == ak.num(electrons).to_list()
    assert same(found["sum"], ak.sum(electrons.pt, axis=-1))
    assert same(found["least"], ak.fill_none(ak.min(electrons.pt, axis=-1), 1e9))
    assert same(found["greatest"], ak.fill_none(ak.max(electrons.eta, axis=-1), -1e9))


def test_the_first_row_of_events_that_have_one(run_xaod: Run, query: Query, events: ak.Array) -> None:
    first = f"(call (attr {ELECTRONS} 'First'))"
    text = query({"pt": of(first, "pt")}, KINEMATICS, keep=f"(> {count(ELECTRONS)} 0)")
    electrons = events.AnalysisElectrons
    assert same(run_xaod(text, events)["pt"], electrons[ak.num(electrons) > 0].pt[:, 0])


def test_the_first_row_of_an_event_without_rows_ends_the_job(run_xaod: Run, query: Query) -> None:
    text = query({"pt": of(f"(call (attr {ELECTRONS} 'First'))", "pt")}, KINEMATICS)
    with pytest.raises(RuntimeError, match="First"):
        run_xaod(text, [{"AnalysisElectrons": []}])


def test_a_table_of_every_electron_with_every_jet(run_xaod: Run, query: Query, events: ak.Array) -> None:
    text = query({"dr": select(ELECTRONS, "x", select(JETS, "j", distance("x", "j")))}, KINEMATICS)
    expected = delta_r(events.AnalysisElectrons, events.AnalysisJets)
    found = ak.Array(run_xaod(text, events)["dr"])
    assert ak.num(found, axis=2).to_list() == ak.num(expected, axis=2).to_list()
    assert ak.all(ak.isclose(found, expected, rtol=1e-9, atol=1e-12), axis=None)


def test_an_inner_filter_that_looks_at_the_outer_row(run_xaod: Run, query: Query, events: ak.Array) -> None:
    near = where(JETS, "j", f"(< {distance('x', 'j')} 1.0)")
    found = run_xaod(query({"n": select(ELECTRONS, "x", count(near))}, KINEMATICS), events)["n"]
    expected = ak.sum(delta_r(events.AnalysisElectrons, events.AnalysisJets) < 1.0, axis=-1)
    assert found == expected.to_list()
    assert ak.sum(expected) > 20


def test_the_nearest_truth_particle_of_each_electron(
    run_xaod: Run, query: Query, events: ak.Array, flat: ht.Array
) -> None:
    nearest = where(TRUTH, "t", f"(<= {distance('x', 't')} {fold(select(TRUTH, 's', distance('x', 's')), '1e9', '<')})")
    pt = of(f"(call (attr {nearest} 'First'))", "pt")
    text = query({"pt": select(ELECTRONS, "x", pt)}, KINEMATICS, keep=f"(> {count(TRUTH)} 0)")
    kept = flat[flat.TruthParticles.Count() > 0]
    expected = ht.make_local(kept.Electrons.nearest(kept.TruthParticles).pt)
    assert ak.sum(ak.num(expected)) > 100
    assert same(run_xaod(text, events)["pt"], ak.drop_none(expected))


def test_a_function_in_cpp(run_xaod: Run, query: Query, events: ak.Array) -> None:
    function = {
        "metadata_type": "add_cpp_function",
        "name": "transverse_mass",
        "include_files": ["cmath"],
        "arguments": ["pt1", "phi1", "pt2", "phi2"],
        "code": ["auto result = std::sqrt(2 * pt1 * pt2 * (1 - std::cos(phi1 - phi2)));"],
        "return_type": "double",
    }
    arguments = " ".join(of(row, name) for row in ("x", "j") for name in ("pt", "phi"))
    value = select(ELECTRONS, "x", select(JETS, "j", f"(call transverse_mass {arguments})"))
    first, second = ak.unzip(ak.cartesian([events.AnalysisElectrons, events.AnalysisJets], nested=True))
    expected = np.sqrt(2 * first.pt * second.pt * (1 - np.cos(first.phi - second.phi)))
    found = run_xaod(query({"mt": value}, KINEMATICS, metadata=(function,)), events)["mt"]
    assert ak.all(ak.isclose(ak.Array(found), expected, rtol=1e-9, atol=1e-3), axis=None)


def test_what_an_event_has_once_keeps_all_its_digits(run_xaod: Run, query: Query) -> None:
    uses = ("EventInfo('EventInfo').eventNumber", "EventInfo('EventInfo').mcEventWeights")
    weights = numbers(of(INFO, "mcEventWeights"))
    text = query({"event": of(INFO, "eventNumber"), "weights": weights}, uses)
    events = [{"EventInfo": {"eventNumber": 2**63 + 1, "mcEventWeights": [0.5, -1.0]}}]
    assert run_xaod(text, events) == {"event": [2**63 + 1], "weights": [[0.5, -1.0]]}


def test_an_enumeration_is_a_number(run_xaod: Run, query: Query) -> None:
    text = query({"quality": select(MUONS, "x", of("x", "quality"))}, ("Muons('AnalysisMuons').quality",))
    assert run_xaod(text, [{"AnalysisMuons": [{"quality": 1}, {"quality": 3}]}]) == {"quality": [[1, 3]]}


def test_a_term_of_the_missing_energy_by_its_name(run_xaod: Run, query: Query) -> None:
    bank = "MissingET('MET_Core_AnalysisMET')"
    final = where(MET, "x", f"(== {of('x', 'name')} 'Final')")
    members = {"met": select(final, "x", of("x", "met")), "names": select(MET, "x", of("x", "name"))}
    terms = [{"name": "Jets", "mpx": 1.0, "mpy": 1.0}, {"name": "Final", "mpx": 3.0, "mpy": -4.0}]
    found = run_xaod(query(members, (f"{bank}.met", f"{bank}.name")), [{"MET_Core_AnalysisMET": terms}])
    assert found == {"met": [[5.0]], "names": [["Jets", "Final"]]}


def test_rows_behind_links_and_whether_the_links_are_valid(run_xaod: Run, query: Query) -> None:
    links = of("x", "trackParticleLinks")
    valid = where(links, "t", of("t", "isValid"))
    members = {"d0": select(ELECTRONS, "x", select(valid, "t", of("t", "d0")))}
    prefix = "Electrons('AnalysisElectrons').trackParticleLinks"
    text = query(members, (f"{prefix}.d0", f"{prefix}.isValid"))
    tracks = [{"isValid": True, "d0": 0.25}, {"isValid": False}]
    events = [{"AnalysisElectrons": [{"trackParticleLinks": tracks}, {"trackParticleLinks": []}]}]
    assert run_xaod(text, events) == {"d0": [[[0.25], []]]}


def test_constituents_of_jets(run_xaod: Run, query: Query) -> None:
    value = select(JETS, "x", select(of("x", "getConstituents"), "c", of("c", "pt")))
    text = query({"pt": value}, ("Jets('AnalysisJets').getConstituents.pt",))
    jets = [{"getConstituents": [{"pt": 1000.0}, {"pt": 500.0}]}, {"getConstituents": []}]
    assert run_xaod(text, [{"AnalysisJets": jets}]) == {"pt": [[[1000.0, 500.0], []]]}


def test_attributes_without_a_method(run_xaod: Run, query: Query) -> None:
    uses = tuple(f"Jets('AnalysisJets').auxdata_{text}" for text in ("float('Width')", "vector_unsigned_int('N')"))
    inner = numbers("(call (attr x 'auxdata_vector_unsigned_int') 'N')")
    members = {
        "width": select(JETS, "x", "(call (attr x 'auxdata_float') 'Width')"),
        "n": select(JETS, "x", inner),
    }
    events = [{"AnalysisJets": [{"Width": 0.5, "N": [2**32 - 1, 0]}]}]
    assert run_xaod(query(members, uses), events) == {"width": [[0.5]], "n": [[[2**32 - 1, 0]]]}


def test_a_method_that_does_not_exist_does_not_compile(run_xaod: Run, query: Query) -> None:
    with pytest.raises(RuntimeError, match=r"has no member named .ptt"):
        run_xaod(query({"pt": select(ELECTRONS, "x", of("x", "ptt"))}), [{"AnalysisElectrons": []}])


def test_a_bank_that_an_event_lacks_ends_the_job(run_xaod: Run, query: Query, events: ak.Array) -> None:
    good = where(ELECTRONS, "x", f"(and (> {of('x', 'pt')} 50000) (< (call abs {of('x', 'eta')}) 1.5))")
    text = query({"pt": select(good, "x", f"(/ {of('x', 'pt')} 1000)")}, KINEMATICS)
    with pytest.raises(RuntimeError, match="there is no bank AnalysisElectrons"):
        run_xaod(text, [{"Electrons": []}])


def test_no_rows_are_columns_without_values(run_xaod: Run, query: Query) -> None:
    text = query({"pt": select(ELECTRONS, "x", of("x", "pt"))}, KINEMATICS, keep=f"(> {count(ELECTRONS)} 0)")
    assert run_xaod(text, [{"AnalysisElectrons": []}]) == {"pt": []}
