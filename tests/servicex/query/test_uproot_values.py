"""Queries run by func_adl_uproot over real files give what our own engine gives: value by value, type by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import UPROOT, write_query
from hep_tables_coffea.graph.helpers import delta_r

Check = Callable[..., str]
Columns = Callable[[Any], dict[str, Any]]


def pairs(events: Any) -> dict[str, Any]:
    both = ht.pairs(events.Electron)
    return {"pt": both.a.pt + both.b.pt, "charge": both.a.charge * both.b.charge}


def triples(events: Any) -> dict[str, Any]:
    jets = ht.combinations(events.Jet, 3)
    return {"first": jets.a.pt, "second": jets.b.pt, "third": jets.c.pt}


def crossed(events: Any) -> dict[str, Any]:
    both = ht.cross(e=events.Electron[events.Electron.pt > 20], j=events.Jet)
    return {"e": both.e.pt, "j": both.j.pt, "difference": both.e.pt - both.j.pt}


def masses(events: Any) -> dict[str, Any]:
    both = ht.pairs(events.Muon)
    return {"mass": (both.a + both.b).mass, "sum": events.Muon.Sum().pt}


def chained(events: Any) -> dict[str, Any]:
    first = events.Jet[events.Jet.pt > 20]
    second = first[first.eta > -2]
    third = second[second.eta < second.phi + 2]
    return {"pt": third.pt, "of_events": third.pt / events.MET.pt, "sum": third.pt.Sum()}


def nested(events: Any) -> dict[str, Any]:
    electrons, jets = events.Electron, events.Jet
    return {
        "difference": electrons.map(lambda e: jets.map(lambda j: e.pt - j.pt)),
        "twice": jets.map(lambda a: jets.map(lambda b: a.pt + b.pt)),
        "near": electrons.map(lambda e: jets[lambda j: j.delta_r(e) < 0.4].Count()),
        "softest": electrons.map(lambda e: jets[lambda j: j.pt > e.pt].pt.Min()),
        "any": electrons.map(lambda e: (jets.delta_r(e) < 0.4).Any()),
    }


def overlap(events: Any) -> dict[str, Any]:
    clean = events.Jet[lambda j: ~(events.Electron.map(lambda e: e.delta_r(j)) < 0.4).Any()]
    return {"pt": clean.pt, "n": clean.Count()}


CASES: dict[str, Columns] = {
    "stored": lambda e: {"pt": e.Jet.pt, "met": e.MET.pt, "id": e.Jet.jetId, "flag": e.Muon.tightId, "run": e.run},
    "one list alone": lambda e: {"pt": e.Jet.pt},
    "one number alone": lambda e: {"met": e.MET.pt},
    "arithmetic": lambda e: {
        "a": e.Jet.pt / 1000,
        "b": e.Jet.pt * 2 + e.MET.pt,
        "c": 3 - e.Jet.jetId,
        "d": e.Jet.jetId // 2,
        "e": e.Jet.pt % 7.5,
        "f": e.Jet.eta**2,
        "g": -abs(e.Jet.eta),
        "h": e.Jet.jetId / e.Jet.jetId,
        "i": e.Jet.pt * 1e-05,
        "j": e.Electron.charge * e.MET.pt,
    },
    "functions of numpy": lambda e: {
        "a": np.hypot(e.Jet.pt, e.MET.pt),
        "b": np.sqrt(e.Jet.pt),
        "h": np.clip(e.Jet.pt, 0, 30),
        "c": np.arctan2(e.Jet.eta, -1.5),
        "d": np.maximum(0.5, e.Jet.eta),
        "e": np.isfinite(e.Jet.eta),
        "f": np.cosh(e.Jet.eta) - np.exp(e.Jet.phi),
        "g": np.maximum(20, e.Jet.pt).Sum(),
    },
    "conditions": lambda e: {
        "a": (e.Jet.pt > 30) & (abs(e.Jet.eta) < 2.4) | ~(e.Jet.jetId >= 6),
        "b": (e.Jet.jetId & 2) != 0,
        "c": e.Jet.jetId << 1,
        "d": e.Muon.tightId ^ e.Muon.looseId,
        "e": np.isin(e.Jet.jetId, [2, 6]),
        "f": ak.values_astype(e.Jet.jetId, "float64") / 4,
    },
    "choices": lambda e: {
        "a": ht.where(e.Jet.pt > 30, e.Jet.pt, 1.5),
        "b": ht.where(e.Jet.pt > 30, e.Jet.pt, e.MET.pt),
        "c": ht.where(e.MET.pt > 30, e.Jet.pt, e.MET.pt),
        "d": ht.where(e.MET.pt > 30, 1, 0),
        "e": ht.where(e.MET.pt > 30, e.Jet.pt, -1.0),
    },
    "filters": lambda e: {
        "a": e.Electron[(e.Electron.pt > 30) & (abs(e.Electron.eta) < 1.5)].pt / 1000,
        "b": e.Electron[(e.Electron.pt > 30) & (abs(e.Electron.eta) < 1.5)].eta,
        "c": e.Jet[e.MET.pt + e.Jet.pt > 60].pt,
    },
    "filters of filtered rows": chained,
    "reducers": lambda e: {
        "n": e.Jet.Count(),
        "m": e.Jet[e.Jet.pt > 30].Count(),
        "sum": e.Jet.pt.Sum(),
        "min": e.Electron.pt.Min(),
        "max": e.Electron.jetIdx.Max(),
        "any": (e.Electron.pt > 30).Any(),
        "all": (e.Electron.pt > 30).All(),
        "count": ak.count(e.Jet.pt, axis=-1),
        "nonzero": ak.count_nonzero(e.Jet.jetId, axis=-1),
        "missing": e.Electron.pt.Max() + e.MET.pt,
        "compared": e.Electron.pt.Max() > e.Muon.pt.Max(),
        "flags": e.Muon.tightId.Sum(),
    },
    "lists in lists": nested,
    "overlap": overlap,
    "pairs": pairs,
    "triples": triples,
    "two collections": crossed,
    "vectors": masses,
    "sorted": lambda e: {
        "a": e.Jet.OrderBy(lambda j: abs(j.eta)).pt,
        "b": e.Jet.OrderByDescending(lambda j: j.eta).eta,
        "c": e.Jet[e.Jet.pt > 30].OrderBy(lambda j: j.phi).pt,
    },
    "joined": lambda e: {"pt": ht.concat(e.Electron, e.Muon).pt},
    "flattened": lambda e: {"a": ak.flatten(e.Electron.map(lambda one: e.Jet.map(lambda j: one.pt * j.pt)), axis=-1)},
    "repeated": lambda e: {"met": e.Jet.map(lambda j: e.MET.pt), "one": ak.zip({"a": e.Jet.pt, "b": e.MET.pt})["b"]},
}


@pytest.mark.parametrize("columns", CASES.values(), ids=CASES)
def test_columns_are_those_of_our_engine(columns: Columns, check: Check, events: ht.Array) -> None:
    check(**columns(events))


def test_distance_is_the_same_to_the_last_bit(check: Check, events: ht.Array) -> None:
    both = ht.cross(e=events.Electron, j=events.Jet)
    check(
        method=both.e.delta_r(both.j),
        function=delta_r(both.e.eta, both.e.phi, both.j.eta, both.j.phi),
        azimuth=both.e.delta_phi(both.j),
    )


def test_user_function_for_distances_is_written_as_its_formula(check: Check, events: ht.Array) -> None:
    @ht.user_func
    def DeltaR(eta1: float, phi1: float, eta2: float, phi2: float) -> float: ...

    both = ht.cross(e=events.Electron, j=events.Jet)  # whole numbers times a float are in double precision
    check(dr=DeltaR(both.e.charge * 0.7, both.e.cutBased * 1.3, both.j.jetId * 0.3, both.j.puId * 0.5))


def test_events_are_filtered(check: Check, events: ht.Array) -> None:
    good = events.Jet[events.Jet.pt > 40]
    keep = (good.Count() >= 2) & (events.MET.pt > 10)
    chosen = events[keep]
    text = check(keep=keep, pt=chosen.Jet.pt, good=good[keep].eta, ht=chosen.Jet.pt.Sum(), run=chosen.run)
    assert text.count("Where") == 1


KEPT: dict[str, Callable[[Any], Any]] = {
    "greatest": lambda e: e.Jet.pt.Max() > 40,
    "greatest at least": lambda e: e.Jet.pt.Max() >= 40,
    "none greater": lambda e: e.Electron.pt.Max() < 30,
    "not": lambda e: ~(e.Electron.pt.Max() > 30),
    "and": lambda e: (e.Electron.pt.Max() > 20) & (e.Jet.eta.Min() < 0) & (e.MET.pt > 5),
    "or": lambda e: (e.Electron.pt.Max() > 20) | ~(e.Jet.eta.Min() < 0),
    "value of the event": lambda e: e.MET.pt < e.Jet.pt.Max(),
    "whole numbers": lambda e: e.Jet.jetId.Min() >= e.Electron.Count(),
    "filtered rows": lambda e: e.Jet[abs(e.Jet.eta) < 1].pt.Max() > 40,
    "filled": lambda e: ht.fill_missing(e.Electron.pt.Max(), 0) > 20.3,
    "nothing": lambda e: ht.is_missing(e.Electron.First().pt),
    "nothing nearer": lambda e: (e.Electron.map(lambda a: e.Jet.delta_r(a)).Min() < 2.0).All(),
}


@pytest.mark.parametrize("condition", KEPT.values(), ids=KEPT)
def test_a_missing_condition_selects_no_events(condition: Callable[[Any], Any], check: Check, events: ht.Array) -> None:
    keep = condition(events)
    check(keep=keep, pt=events[keep].Jet.pt, run=events[keep].run)


def test_a_missing_condition_selects_no_rows(check: Check, events: ht.Array) -> None:
    electrons, jets = events.Electron, events.Jet
    nearest = jets.map(lambda j: electrons.map(lambda e: e.delta_r(j))).Min()
    hardest = jets.map(lambda j: electrons[lambda e: e.delta_r(j) < 2].pt).Max()
    check(
        isolated=jets[nearest > 0.4].pt,
        close=jets[nearest <= 2].pt,
        clean=jets[ht.fill_missing(nearest, 9.0) > 0.4].pt,
        harder=jets[hardest > jets.pt].pt,
        mask=ht.fill_missing(nearest, 0) > 0.4,
        n=jets[~(hardest > 30)].Count(),
        least=hardest,
    )


def test_extremes_of_nothing_but_nan(tmp_path: Any, compare: Check) -> None:
    import uproot

    path = str(tmp_path / "nan.root")
    single = np.float32(0.4)
    lists = [[np.nan], [np.nan, 0.4], [], [0.4, 0.5], [-np.inf], [np.nextafter(single, np.float32(0))], [np.inf, 0.3]]
    with uproot.recreate(path) as file:
        file.mktree("t", {"x": ak.values_astype(ak.Array([[0.0]]), "float32").type.content, "bound": "float64"})
        file["t"].extend(
            {"x": ak.values_astype(ak.Array(lists), "float32"), "bound": np.array([0.4, np.nan, 1, 0, -np.inf, 0.4, 1])}
        )
    table = ht.flat(path, tree="t")
    x, bound = table["x"], table["bound"]
    masks = [x.Max() > 0.4, x.Max() >= 0.4, x.Max() < 0.4, x.Max() <= 0.4, ~(x.Max() > 0.4), x.Max() > bound]
    masks += [x.Min() > 0.4, x.Min() >= 0.4, x.Min() < 0.4, x.Min() <= 0.4, ~(x.Min() < 0.4), bound > x.Min()]
    for mask in masks:
        compare({"x": table[mask]["x"], "bound": table[mask]["bound"]}, path, "t", mask)
    filled = [ht.fill_missing(x.Max(), 1.0), ht.fill_missing(x.Min(), -1.0)]
    columns = [
        f(one) for one in filled for f in (lambda y: y > 0.4, lambda y: y >= 0.4, lambda y: y < 0.4, lambda y: y <= 0.4)
    ]
    compare({f"c{k}": column for k, column in enumerate(columns)}, path, "t")


def test_filtered_events_are_filtered_again(check: Check, events: ht.Array) -> None:
    some = events[events.MET.pt > 20]
    keep = some.Jet[some.Jet.pt > 30].Count() > 0
    fewer = some[keep]
    text = check(keep=keep, pt=fewer.Jet[fewer.Jet.pt > 30].pt, met=fewer.MET.pt)
    assert text.count("call Where") == 2


def test_all_columns_on_events_before_the_filter_are_filtered_too(
    events: ht.Array, nano: str, run_uproot: Callable[[str, str], ak.Array]
) -> None:
    keep = events.MET.pt > 20
    text = write_query({"met": events.MET.pt._node, "pt": events.Jet.pt._node}, keep._node, UPROOT, "Events")
    found, expected = run_uproot(text, nano), ht.make_local({"met": events[keep].MET.pt, "pt": events[keep].Jet.pt})
    assert ak.array_equal(found.met, expected["met"])
    assert ak.array_equal(found.pt, expected["pt"])


def test_no_event_passes(check: Check, events: ht.Array) -> None:
    keep = events.MET.pt < 0
    check(keep=keep, pt=events[keep].Jet.pt, best=events[keep].Jet.pt.Max())


def test_long_expressions_are_computed_in_steps(check: Check, events: ht.Array) -> None:
    value = events.Jet.pt
    for k in range(120):
        value = value * 1.5 - events.Jet.eta if k % 3 else np.sqrt(abs(value))
    check(value=value)


def test_what_is_shared_is_written_once(check: Check, events: ht.Array) -> None:
    value = events.Jet.pt
    for _ in range(12):
        value = value + value * events.Jet.eta
    assert len(check(value=value)) < 3000


def test_columns_whose_names_are_no_attributes(tmp_path: Any, compare: Check) -> None:
    import uproot

    path = str(tmp_path / "names.root")
    with uproot.recreate(path) as file:
        file.mktree("t", {"mask": "float32", "layout": ak.Array([[1.0]]).type.content, "e": "int32"})
        file["t"].extend(
            {"mask": np.arange(3, dtype="f4"), "layout": ak.Array([[1.0], [], [2.0, 3.0]]), "e": np.arange(3)}
        )
    table = ht.flat(path, tree="t")
    layout = table["layout"]
    columns = {"mask": table["mask"] + 1, "e": table["e"], "nested": layout.map(lambda a: layout.map(lambda b: a - b))}
    compare(columns, path, "t")


def test_real_nanoaod(data: Callable[[str], str], compare: Check) -> None:
    path = data("nano_dy.root")
    events = ht.nanoaod(path)
    good = events.Electron[(events.Electron.pt > 20) & (abs(events.Electron.eta) < 2.0)]
    columns = {"pt": good.pt, "charge": good.charge, "n": good.Count(), "met": events.MET.pt, "run": events.run}
    compare(columns, path, "Events")
