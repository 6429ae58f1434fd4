"""map, filters and keys by functions: the parameter is one current element, everything else is whole."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.errors import AxisError, FilterError, RecordingError

PT = [[50.0, 20.0, 35.0], [], [31.0]]


class Above:
    """A cut with a parameter: itself, and its method, are functions of a jet."""

    def __init__(self, cut: float) -> None:
        self.cut = cut

    def __call__(self, jet: Any) -> Any:
        return jet.pt > self.cut

    def method(self, jet: Any) -> Any:
        return jet.pt > self.cut


def sum_of_four(e: Any) -> Any:
    return e.jets.map(
        lambda j: e.els.map(lambda l: e.tracks.map(lambda t: e.mcs.map(lambda m: j.pt + l.pt + t.pt + m.pt)))
    )


NESTED: dict[str, tuple[Callable[[Any], Any], str, list[Any]]] = {
    "four collections": (
        sum_of_four,
        "event * jets * els * tracks * mcs * float64",
        [[[[[101, 102]], [[86, 87]]], [[[71, 72]], [[56, 57]]], [[[86, 87]], [[71, 72]]]], [], [[]]],
    ),
    "one collection twice": (
        lambda e: e.jets.map(lambda a: e.jets.map(lambda b: a.pt - b.pt)),
        "event * jets * jets * float64",
        [[[0, 30, 15], [-30, 0, -15], [-15, 15, 0]], [], [[0]]],
    ),
    "a filter of an outer element": (
        lambda e: e.jets.map(lambda j: e.mcs[lambda m: m.eta < j.eta].pt),
        "event * jets * mcs' * float64",
        [[[1, 2], [1, 2], []], [], [[]]],
    ),
    "a filter of two outer elements": (
        lambda e: e.jets.map(lambda j: e.els.map(lambda l: e.mcs[lambda m: m.eta < j.eta + l.eta].pt)),
        "event * jets * els * mcs' * float64",
        [[[[1, 2], [1, 2]], [[1, 2], [1, 2]], [[], []]], [], [[]]],
    ),
    "a mask of the outer element alone": (
        lambda e: e.jets.map(lambda j: e.mcs[j.eta > 0].pt),
        "event * jets * mcs' * float64",
        [[[1, 2], [1, 2], []], [], [[]]],
    ),
    "the closest to two outer elements": (
        lambda e: e.jets.map(lambda j: e.els.map(lambda l: e.mcs.MinBy(lambda m: abs(m.eta - l.eta - j.eta)).pt)),
        "event * jets * els * ?float64",
        [[[2, 2], [2, 2], [1, 1]], [], [[]]],
    ),
    "an order that depends on the outer element": (
        lambda e: e.jets.map(lambda j: e.mcs.OrderBy(lambda m: -abs(m.eta - j.eta)).pt),
        "event * jets * mcs' * float64",
        [[[1, 2], [1, 2], [2, 1]], [], [[]]],
    ),
    "an index array of the outer element": (
        lambda e: e.jets.map(lambda j: e.mcs[ak.argsort(abs(e.mcs.pt - j.pt))].pt),
        "event * jets * mcs' * float64",
        [[[2, 1], [2, 1], [2, 1]], [], [[]]],
    ),
    "all others": (
        lambda e: e.jets.map(lambda j: e.jets.without(j).pt),
        "event * jets * jets' * float64",
        [[[20, 35], [50, 35], [50, 20]], [], [[]]],
    ),
    "all but the closest": (
        lambda e: e.jets.map(lambda j: e.mcs.without(e.mcs.MinBy(lambda m: abs(m.eta - j.eta))).pt),
        "event * jets * mcs' * float64",
        [[[1], [1], [2]], [], [[]]],
    ),
    "a filter, then a map of the same collection": (
        lambda e: e.jets.map(lambda a: e.jets[lambda b: b.pt < a.pt].map(lambda b: a.pt - b.pt)),
        "event * jets * jets' * float64",
        [[[30, 15], [], [15]], [], [[]]],
    ),
    "pairs": (
        lambda e: ht.pairs(e.jets).map(lambda p: p.a.pt + p.b.pt + e.mcs.pt),
        "event * jets_2 * mcs * float64",
        [[[71, 72], [86, 87], [56, 57]], [], []],
    ),
    "two collections as one": (
        lambda e: ht.concat(e.jets, e.mcs).map(lambda x: e.els[lambda l: l.eta < x.eta].pt),
        "event * jets_mcs * els' * float64",
        [[[], [45], [], [], []], [[60]], [[]]],
    ),
    "two filtered collections as one": (
        lambda e: e.jets.map(lambda j: ht.concat(e.mcs[lambda m: m.eta < j.eta], e.tracks[lambda t: t.eta < j.eta]).pt),
        "event * jets * mcs_tracks * float64",
        [[[1, 2, 5], [1, 2, 5], []], [], [[7]]],
    ),
    "a nested list": (
        lambda e: e.jets.map(lambda j: e.mcs).map(lambda m: m.pt * 10),
        "event * jets * mcs * float64",
        [[[10, 20], [10, 20], [10, 20]], [], [[]]],
    ),
    "an ordered collection": (
        lambda e: e.jets.OrderBy(lambda j: j.pt).map(lambda j: j.pt - e.met),
        "event * jets' * float64",
        [[10, 25, 40], [], [-39]],
    ),
    "a subset and its parent": (
        lambda e: e.jets[e.jets.pt > 30].map(lambda j: e.jets[lambda k: k.pt < j.pt].Count()),
        "event * jets' * int64",
        [[2, 1], [], [0]],
    ),
    "a choice": (
        lambda e: e.jets.map(lambda j: ht.where(j.pt > e.mcs.pt * 20, j.pt, e.mcs.pt)),
        "event * jets * mcs * float64",
        [[[50, 50], [1, 2], [35, 2]], [], [[]]],
    ),
    "selected events": (
        lambda e: e[e.met > 0].jets.map(lambda j: e.mcs[lambda m: m.eta < j.eta].pt),
        "event' * jets * mcs' * float64",
        [[[1, 2], [1, 2], []], [[]]],
    ),
    "a first row that may miss": (
        lambda e: e.jets.map(lambda j: j.pt + e.mcs.First().pt),
        "event * jets * ?float64",
        [[51, 21, 36], [], [None]],
    ),
    "a value of the whole dataset": (
        lambda e: e.jets.map(lambda j: j.pt - e.jets.pt.Sum(axis=None)),
        "event * jets * float64",
        [[-86, -116, -101], [], [-105]],
    ),
    "a reducer inside": (
        lambda e: e.jets.map(lambda j: e.els.map(lambda l: l.eta - j.eta).Max()),
        "event * jets * ?float64",
        [[0.8, 0.30000000000000004, 3.9000000000000004], [], [None]],
    ),
    "a reducer outside": (
        lambda e: e.jets.map(lambda j: e.els.map(lambda l: l.eta - j.eta)).Max(),
        "event * jets * ?float64",
        [[0.8, 0.30000000000000004, 3.9000000000000004], [], [None]],
    ),
    "an event": (lambda e: e.map(lambda x: x.met + x.jets.Count()), "event * float64", [13, -30, 71]),
}


@pytest.mark.parametrize(("record", "type_", "expected"), NESTED.values(), ids=NESTED)
def test_map_nests(toy: Any, local: Any, record: Any, type_: str, expected: Any) -> None:
    mapped = record(toy)
    assert mapped.type == type_
    assert local(mapped) == expected


@pytest.mark.parametrize("name", [name for name in NESTED if name != "a value of the whole dataset"])
def test_reference_agrees(toy: Any, local: Any, name: str) -> None:
    assert local(NESTED[name][0](toy), backend="reference") == NESTED[name][2]


RECORDS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "a tuple": (lambda e: e.mcs.map(lambda m: (m.pt, 1)), [[(1, 1), (2, 1)], [(3, 1)], []]),
    "a list": (lambda e: e.mcs.map(lambda m: [m.pt, m.eta])["0"], [[1, 2], [3], []]),
    "a dict in a dict": (
        lambda e: e.mcs.map(lambda m: {"a": m.pt, "in": {"b": m.eta}})["in"].b,
        [[0.1, 0.2], [0.3], []],
    ),
    "two lists of different things": (
        lambda e: e.jets.map(lambda j: {"m": e.mcs.pt, "t": e.tracks.pt}),
        [[{"m": [1, 2], "t": [5]}] * 3, [], [{"m": [], "t": [7, 8]}]],
    ),
    "the element itself": (lambda e: e.jets.map(lambda j: {"jet": j})[lambda x: x.jet.pt > 30].jet.eta, [[0.5, -2.6], [], [0.2]]),
    "a list, filtered later": (
        lambda e: e.jets.map(lambda j: {"pt": j.pt, "m": e.mcs[lambda m: m.eta < j.eta]})[lambda x: x.pt > 30].m.pt,
        [[[1, 2], []], [], [[]]],
    ),
    "a row that may miss": (
        lambda e: e.jets.map(lambda j: {"l": e.els.First()}).l.exists,
        [[True] * 3, [], [False]],
    ),
    "a number": (lambda e: e.mcs.map(lambda m: 1), [[1, 1], [1], []]),
    "a string": (lambda e: e.mcs.map(lambda m: "x"), [["x", "x"], ["x"], []]),
}  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), RECORDS.values(), ids=RECORDS)
def test_lambda_may_give(toy: Any, local: Any, record: Any, expected: Any) -> None:
    assert local(record(toy)) == expected


CALLABLES: dict[str, Any] = {
    "a lambda": lambda j: j.pt > 30,
    "an object": Above(30),
    "a bound method": Above(30).method,
    "a partial": functools.partial(lambda cut, j: j.pt > cut, 30),
    "a partial with a keyword": functools.partial(lambda j, *, cut: j.pt > cut, cut=30),
    "a default": lambda j, cut=30: j.pt > cut,
    "any arguments": lambda *j: j[0].pt > 30,
    "a curried function": ht.curry(lambda low, high, j: (j.pt > low) & (j.pt < high))(30)(1000),
}


@pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
def test_rows_are_filtered_by(toy: Any, local: Any, function: Any) -> None:
    assert local(toy.jets[function].pt) == [[50, 35], [], [31]]


@pytest.mark.parametrize(("function", "expected"), [(np.sqrt, 2), (abs, 4)], ids=["sqrt", "abs"])
def test_ufuncs_and_builtins_are_functions_too(toy: Any, local: Any, function: Any, expected: int) -> None:
    assert local((toy.mcs.pt + 1).map(function)[:, 1])[0] == pytest.approx({2: 3**0.5, 4: 3}[expected])


def test_two_lambdas_on_a_line_are_two(toy: Any, local: Any) -> None:
    assert local(toy.mcs.map(lambda m: m.pt + 1), toy.mcs.map(lambda m: m.pt + 2)) == (
        [[2, 3], [4], []],
        [[3, 4], [5], []],
    )


def test_closures_of_a_factory_are_two(toy: Any, local: Any) -> None:
    def above(cut: float) -> Callable[[Any], Any]:
        return lambda j: j.pt > cut

    assert local(toy.jets[above(40)].pt, toy.jets[above(32)].pt) == ([[50], [], []], [[50, 35], [], []])


def test_loop_variable_has_the_value_of_its_turn(toy: Any, local: Any) -> None:
    made = [toy.mcs.map(lambda m: m.pt * k) for k in (2, 3)]  # noqa: B023
    assert local(*made) == ([[2, 4], [6], []], [[3, 6], [9], []])


@pytest.mark.parametrize("truth", [True, np.True_], ids=["bool", "numpy"])
def test_filter_may_keep_everything(toy: Any, local: Any, truth: Any) -> None:
    assert local(toy.jets[lambda j: truth].pt) == PT


def test_nested_values_are_filled_one_by_one(toy: Any) -> None:
    nested = toy.jets.map(lambda j: toy.mcs.pt * j.pt)
    filled = ht.make_local(ht.Hist.new.Reg(4, 0, 100).Weight().fill(nested, weight=toy.jets.eta))
    assert filled.values() == pytest.approx([1, -1.6, -2.1, 0])


def test_vectors_add_and_are_compared_inside(tmp_path: Any) -> None:
    events = ht.nanoaod(ht.samples.nanoaod(tmp_path / "tt.root", events=200, process="ttbar"))
    muons, jets = events.Muon, events.Jet
    inside = jets.map(lambda j: muons.map(lambda m: {"dr": j.delta_r(m), "mass": (j + m).mass}))
    both = ak.cartesian({"j": jets, "m": muons}, nested=True)
    found = ht.make_local(inside.dr, both.j.delta_r(both.m), inside.mass, (both.j + both.m).mass)
    assert found[0].tolist() == found[1].tolist()
    assert found[2].tolist() == found[3].tolist()


def test_references_of_a_parameter_are_followed(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    inside = events.Muon.map(lambda m: m.matched_gen.parent.pdgId)
    found = ht.make_local(inside, events.Muon.matched_gen.parent.pdgId)
    assert found[0].tolist() == found[1].tolist()


def test_children_are_a_list_of_each_parameter(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    copies = events.GenPart.map(lambda g: g.children[lambda c: c.pdgId == g.pdgId].Count())
    pdg, mother = ht.make_local(events.GenPart.pdgId, events.GenPart.genPartIdxMother)
    expected = [
        [sum(m == row and p == ids[row] for p, m in zip(ids, mothers, strict=True)) for row in range(len(ids))]
        for ids, mothers in zip(pdg.tolist(), mother.tolist(), strict=True)
    ]
    assert ht.make_local(copies).tolist() == expected


# -- what is refused --


ONE_ELEMENT: dict[str, Callable[[Any], Any]] = {
    "a mask": lambda j: j[j.pt > 30],
    "a filter": lambda j: j[lambda k: k.pt > 30],
    "a position": lambda j: j[0],
    "a slice": lambda j: j[:1],
    "an order": lambda j: j.OrderBy(lambda k: k.pt),
    "a sort": lambda j: ak.sort(j.pt, axis=-1),
    "the least": lambda j: j.MinBy(lambda k: k.pt),
    "a sum": lambda j: j.pt.Sum(),
    "a number": lambda j: j.Count(),
    "pairs": lambda j: ht.pairs(j),
}


@pytest.mark.parametrize("function", ONE_ELEMENT.values(), ids=ONE_ELEMENT)
def test_parameter_is_no_list(toy: Any, function: Any) -> None:
    with pytest.raises(AxisError, match="of one element: the parameter of a lambda is a single row of jets"):
        toy.jets.map(function)


WRONG: dict[str, tuple[Any, str]] = {
    "nothing": (lambda j: None, "the lambda gives None, which cannot be recorded"),
    "an array": (lambda j: np.array([1.0]), "the lambda gives a ndarray, which cannot be recorded"),
    "an empty dict": (lambda j: {}, "the lambda gives a dict, which cannot be recorded"),
    "a histogram": (
        lambda j: ht.Hist.new.Reg(2, 0, 1).Double().fill(j.pt),
        "the lambda gives a histogram, which has no value for each row",
    ),
    "two parameters": (lambda a, b: a, "the lambda cannot be called with one argument"),
    "no parameter": (lambda: 1, "the lambda cannot be called with one argument"),
    "a keyword without default": (lambda j, *, cut: j.pt > cut, "missing a required argument: 'cut'"),
    "its own error": (lambda j: {}["x"], "the lambda raised KeyError: 'x'"),
    "control flow": (lambda j: j.pt if j.pt > 3 else 0, "a truth value is needed now"),
}


@pytest.mark.parametrize(("function", "message"), WRONG.values(), ids=WRONG)
def test_map_refuses(toy: Any, function: Any, message: str) -> None:
    with pytest.raises(ht.HepTablesError, match=message) as caught:
        toy.jets.map(function)
    assert "test_lambdas.py" in str(caught.value)


def test_error_names_the_function_inside_a_partial(toy: Any) -> None:
    def broken(cut: float, jet: Any) -> Any:
        msg = "no luck"
        raise RuntimeError(msg)

    with pytest.raises(ht.HepTablesError, match="broken raised RuntimeError: no luck") as caught:
        toy.jets.map(functools.partial(broken, 3))
    assert "def broken" in str(caught.value)


@pytest.mark.parametrize("function", [None, "pt", 3])
def test_map_needs_a_function(toy: Any, function: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="map needs a function"):
        toy.jets.map(function)


def test_mask_of_a_deeper_list_is_refused(toy: Any) -> None:
    with pytest.raises(FilterError, match="a mask with one value for each of the mcs cannot select jets"):
        toy.jets[lambda j: toy.mcs.pt < j.pt]


@pytest.mark.parametrize("use", [lambda e, j: j.pt, lambda e, j: e.jets.pt + j.pt, lambda e, j: j.pt.Sum(axis=None)])
def test_parameter_is_of_no_use_outside(toy: Any, use: Any) -> None:
    kept: list[Any] = []
    toy.jets.map(lambda j: kept.append(j) or j.pt)
    with pytest.raises(RecordingError, match="the parameter of a lambda is used outside of it"):
        ht.make_local(use(toy, kept[0]))


def test_lists_of_one_length_are_filtered_one_by_one(toy: Any, local: Any) -> None:
    first = ak.pad_none(toy.jets, 1, clip=True)
    assert local(first[first.pt > 40].pt, first[lambda j: j.pt < 40].pt) == ([[50], [], []], [[], [], [31]])


def test_numbers_are_no_rows_to_take_away(toy: Any) -> None:
    with pytest.raises(AxisError, match="cannot be taken away"):
        toy.jets.pt.without(toy.jets[0])
