"""Columns that a user defines: kept with the rows, seen through every handle of them, and nowhere else."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.errors import AxisError, UsageError

DOUBLE = [[100, 40, 70], [], [62]]
NEAR = [[[1, 2], [1, 2], []], [], [[]]]

HANDLES: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "the collection": (lambda e: e.jets.double, DOUBLE),
    "a name": (lambda e: e["jets"]["double"], DOUBLE),
    "a filter": (lambda e: e.jets[e.jets.pt > 30].double, [[100, 70], [], [62]]),
    "an event filter": (lambda e: e[e.met > 0].jets.double, [[100, 40, 70], [62]]),
    "both filters": (lambda e: e[e.met > 0].jets[lambda j: j.pt > 40].double, [[100], []]),
    "an order": (lambda e: e.jets.OrderBy(lambda j: j.pt).double, [[40, 70, 100], [], [62]]),
    "a slice": (lambda e: e.jets[:1].double, [[100], [], [62]]),
    "a position": (lambda e: e.jets[-1].double, [70, None, 62]),
    "the greatest": (lambda e: e.jets.MaxBy(lambda j: j.double).double, [100, None, 62]),
    "a member of a pair": (lambda e: ht.pairs(e.jets).b.double, [[40, 70, 70], [], []]),
    "a member of a product": (lambda e: ht.cross(a=e.jets, b=e.tracks).a.double, [[100, 40, 70], [], [62, 62]]),
    "the rest": (lambda e: e.jets.without(e.jets[0]).double, [[40, 70], [], []]),
    "a parameter": (lambda e: e.jets.map(lambda j: j.double), DOUBLE),
    "a list of an element": (lambda e: e.mcs.map(lambda m: e.jets[lambda j: j.pt > 40]).double, [[[100], [100]], [[]], []]),
    "the first smaller one": (lambda e: e.jets.map(lambda j: e.jets[lambda i: i.pt < j.pt].First()).double, [[40, None, 40], [], [None]]),
    "rows that are masked": (lambda e: ak.mask(e.jets, e.jets.pt > 30).double, [[100, None, 70], [], [62]]),
    "rows of one choice": (lambda e: ht.where(e.jets.pt > 30, e.jets, e.jets).double, DOUBLE),
    "one list": (lambda e: ak.flatten(e.jets).double, [100, 40, 70, 62]),
    "a captured row": (lambda e: e.mcs.map(lambda m: e.jets.First()).double, [[100, 100], [None], []]),
    "a chosen record": (lambda e: e.jets["pt", "double"].double, DOUBLE),
}  # fmt: skip


@pytest.mark.parametrize(("read", "expected"), HANDLES.values(), ids=HANDLES)
def test_column_is_seen_through(toy: Any, local: Any, read: Any, expected: Any) -> None:
    toy.jets["double"] = toy.jets.pt * 2
    assert local(read(toy)) == expected


@pytest.mark.parametrize("name", [name for name in HANDLES if name != "a chosen record"])
def test_column_defined_after_the_handle_is_seen_through(toy: Any, local: Any, name: str) -> None:
    kept: list[Any] = []

    def read(events: Any) -> Any:
        try:
            return HANDLES[name][0](events)
        except ht.HepTablesError as error:
            kept.append(error)

    read(toy)
    toy.jets["double"] = lambda j: j.pt * 2
    assert local(read(toy)) == HANDLES[name][1]


DEFINITIONS: dict[str, tuple[Any, Any]] = {
    "an expression": (lambda e: e.jets.pt * 2, DOUBLE),
    "a function": (lambda e: lambda j: j.pt * 2, DOUBLE),
    "a number": (lambda e: 5, [[5, 5, 5], [], [5]]),
    "a numpy number": (lambda e: np.float32(1.5), [[1.5, 1.5, 1.5], [], [1.5]]),
    "a string": (lambda e: "x", [["x", "x", "x"], [], ["x"]]),
    "a mask": (lambda e: e.jets.pt > 30, [[True, False, True], [], [True]]),
    "a value of the event": (lambda e: e.met, [[10, 10, 10], [], [70]]),
    "a value of the dataset": (lambda e: e.met.Max(axis=None), [[70, 70, 70], [], [70]]),
}


@pytest.mark.parametrize(("define", "expected"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_column_may_be(toy: Any, local: Any, define: Any, expected: Any) -> None:
    toy.jets["new"] = define(toy)
    assert local(toy.jets.new) == expected


@pytest.mark.parametrize("form", ["expression", "lambda"])
def test_another_collection_is_a_list_for_each_row(toy: Any, local: Any, form: str) -> None:
    toy.jets["all"] = toy.mcs if form == "expression" else lambda j: toy.mcs
    assert local(toy.jets["all"].pt) == [[[1, 2]] * 3, [], [[]]]
    assert toy.jets["all"].pt.type == "event * jets * mcs * float64"


def test_filtered_collection_is_a_list_for_each_row(toy: Any, local: Any) -> None:
    toy.jets["near"] = lambda j: toy.mcs[lambda m: m.eta < j.eta]
    assert local(toy.jets.near.pt) == NEAR
    assert local(toy.jets[toy.jets.near.Count() > 0].near.First().pt) == [[1, 1], [], []]


def test_row_that_may_miss_stays_a_row_that_may_miss(toy: Any, local: Any) -> None:
    toy.jets["first"] = toy.els.First()
    assert local(toy.jets.first.exists) == [[True] * 3, [], [False]]
    assert local(toy.jets.first)[2] == [None]


def test_columns_of_columns_are_found(toy: Any, local: Any) -> None:
    toy.mcs["ten"] = toy.mcs.pt * 10
    toy.jets["near"] = lambda j: toy.mcs[lambda m: m.eta < j.eta]
    toy.jets.near["half"] = lambda m: m.pt / 2
    assert local(toy.jets.near.ten, toy.jets.near.half) == (
        [[[10, 20], [10, 20], []], [], [[]]],
        [[[0.5, 1], [0.5, 1], []], [], [[]]],
    )


def test_event_may_hold_a_named_selection(toy: Any, local: Any) -> None:
    toy["good"] = toy.jets[toy.jets.pt > 30]
    toy.good["half"] = toy.good.pt / 2
    assert local(toy.good.half, toy[toy.met > 50].good.half) == ([[25, 17.5], [], [15.5]], [[15.5]])
    assert local(toy[lambda e: e.good.Count() > 1].met) == [10]


# -- records that were put together --


PUT_TOGETHER: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], list[Any]]] = {
    "pairs": (lambda e: ht.pairs(e.jets), lambda p: p.a.pt + p.b.pt, [[70, 85, 55], [], []]),
    "products": (lambda e: ht.cross(a=e.jets, b=e.tracks), lambda p: p.a.pt + p.b.pt, [[55, 25, 40], [], [38, 39]]),
    "one collection after another": (lambda e: ht.concat(e.mcs, e.tracks), lambda x: x.pt, [[1, 2, 5], [3], [7, 8]]),
    "what map gives": (lambda e: e.jets.map(lambda j: {"a": j.pt}), lambda x: x.a + 1, [[51, 21, 36], [], [32]]),
}


@pytest.mark.parametrize(("make", "value", "expected"), PUT_TOGETHER.values(), ids=PUT_TOGETHER)
def test_columns_belong_to(toy: Any, local: Any, make: Any, value: Any, expected: Any) -> None:
    made = make(toy)
    made["new"] = value
    large = [[x for x in row if x > 30] for row in expected]
    assert local(made.new, make(toy).new, made[made.new > 30].new) == (expected, expected, large)


def test_columns_of_all_parts_are_columns_of_the_whole(toy: Any, local: Any) -> None:
    toy.mcs["key"] = toy.mcs.pt * 10
    both = ht.concat(toy.mcs, toy.tracks)
    with pytest.raises(AttributeError, match="key"):
        both.key  # noqa: B018
    toy.tracks["key"] = toy.tracks.pt * 100
    assert local(both.key, ht.concat(toy.mcs, toy.tracks).key) == (([[10, 20, 500], [30], [700, 800]],) * 2)
    assert local(both[both.pt > 2].key) == [[500], [30], [700, 800]]


# -- where it is not seen --


def test_column_of_a_subset_is_of_the_subset_alone(toy: Any, local: Any) -> None:
    good = toy.jets[toy.jets.pt > 30]
    good["only"] = good.pt + 1
    assert local(good[good.eta > 0].only, ht.pairs(good).b.only) == ([[51], [], [32]], [[36], [], []])
    for other in (toy.jets, toy.jets[toy.jets.pt > 20], toy.mcs):
        with pytest.raises(AttributeError, match="only"):
            other.only  # noqa: B018


def test_column_of_one_row_is_of_that_row_alone(toy: Any, local: Any) -> None:
    toy.jets[0]["only"] = toy.jets[0].pt + 1
    assert local(toy.jets[0].only, toy[toy.met > 0].jets[0].only) == ([51, None, 32], [51, 32])
    for other in (toy.jets[1], toy.jets[toy.jets.pt < 40][0], toy.jets):
        with pytest.raises(AttributeError, match="only"):
            other.only  # noqa: B018


def test_another_row_of_the_same_collection_has_its_own_value(toy: Any, local: Any) -> None:
    toy.els["copy"] = toy.els.pt
    large, small = toy.els[toy.els.pt > 40], toy.els[toy.els.pt < 40]
    found, expected = large.nearest(small), [[30], [None], []]
    assert local(found.copy, found.pt) == (expected, expected)


def test_parent_in_the_same_collection_has_its_own_value(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    events.GenPart["copy"] = events.GenPart.pt
    found, expected = ht.make_local(events.GenPart.parent.copy, events.GenPart.parent.pt)
    assert found.tolist() == expected.tolist()


def test_two_openings_of_a_file_are_apart(toy_path: str, toy: Any) -> None:
    toy.jets["mine"] = 1
    with pytest.raises(AttributeError, match="mine"):
        ht.flat(toy_path, tree="events").jets.mine  # noqa: B018


# -- shadowing --


def test_shadowing_reads_the_old_meaning_once(toy: Any, local: Any) -> None:
    before, hard = toy.jets.pt, toy.jets[toy.jets.pt > 30]
    toy.jets["pt"] = toy.jets.pt / 10
    assert local(before, toy.jets.pt, hard.pt) == (
        [[50, 20, 35], [], [31]],
        [[5, 2, 3.5], [], [3.1]],
        [[5, 3.5], [], [3.1]],
    )


def test_vectors_use_the_new_momentum(tmp_path: Path) -> None:
    path = ht.samples.nanoaod(tmp_path / "z.root", events=200, process="zmumu")
    plain, scaled = ht.nanoaod(path), ht.nanoaod(path)
    old = (scaled.Muon[0] + scaled.Muon[1]).mass
    scaled.Muon["pt"] = scaled.Muon.pt * 2
    scaled.Muon["mass"] = scaled.Muon.mass * 2
    pairs = ht.pairs(scaled.Muon[scaled.Muon.pt > 10])
    twice = ht.pairs(plain.Muon[plain.Muon.pt > 5])
    recorded_before, before = ht.make_local(old, (plain.Muon[0] + plain.Muon[1]).mass)
    assert recorded_before.tolist() == before.tolist()
    for new, reference in [
        ((pairs.a + pairs.b).mass, (twice.a + twice.b).mass),
        (scaled.Muon.Sum().mass, plain.Muon.Sum().mass),
        (scaled[scaled.Muon.Count() > 1].Muon.Sum().pt, plain[plain.Muon.Count() > 1].Muon.Sum().pt),
    ]:
        found, expected = ht.make_local(new, reference * 2)
        assert ak.to_numpy(ak.flatten(found, axis=None)) == pytest.approx(
            ak.to_numpy(ak.flatten(expected, axis=None)), rel=1e-4, abs=0.2
        )


def test_distances_use_new_directions(tmp_path: Path) -> None:
    events = ht.nanoaod(ht.samples.nanoaod(tmp_path / "z.root", events=50, process="zmumu"))
    events.Muon["eta"] = events.Muon.eta * 0
    events.Muon["phi"] = 0.0
    pairs = ht.pairs(events.Muon)
    far, near = ht.make_local(
        pairs.a.delta_r(pairs.b).Max(axis=None), events.Muon.delta_r(events.Muon.First()).Max(axis=None)
    )
    assert (far, near) == (0, 0)


def test_references_and_the_nearest_see_columns(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    events.GenPart["twice"] = lambda g: g.pt * 2
    events.Muon["mine"] = events.Muon.pt * 3
    found = ht.make_local(
        events.Muon.matched_gen.twice,
        events.Muon.matched_gen.pt * 2,
        events.GenPart.nearest(events.Muon).mine,
        events.GenPart.nearest(events.Muon).pt * 3,
    )
    assert found[0].tolist() == found[1].tolist()
    assert found[2].tolist() == found[3].tolist()


# -- outputs --


def test_whole_records_have_the_columns(toy: Any, local: Any) -> None:
    toy.mcs["key"] = toy.mcs.pt * 10
    assert local(toy.mcs) == [
        [{"pt": 1, "eta": 0.1, "key": 10}, {"pt": 2, "eta": 0.2, "key": 20}],
        [{"pt": 3, "eta": 0.3, "key": 30}],
        [],
    ]
    assert local(ht.pairs(toy.mcs))[0][0]["b"] == {"pt": 2, "eta": 0.2, "key": 20}
    assert "key" in toy.mcs.fields
    assert "key" in dir(toy.mcs)


WITH_KEY = "{pt: float64, eta: float64, key: float64}"
RECORDS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "rows": (lambda e: e.mcs, "event * mcs * {pt, eta, key}", f"3 * var * {WITH_KEY}"),
    "one row": (lambda e: e.mcs[1], "event * ?{pt, eta, key}", "3 * ?{pt: ?float64, eta: ?float64, key: ?float64}"),
    "pairs": (lambda e: ht.pairs(e.mcs), "event * mcs_2 * {a, b}", f"3 * var * {{a: {WITH_KEY}, b: {WITH_KEY}}}"),
    "a member of pairs": (lambda e: ht.pairs(e.mcs).a, "event * mcs_2 * {pt, eta, key}", f"3 * var * {WITH_KEY}"),
    "pairs as one list": (
        lambda e: ak.flatten(ht.pairs(e.mcs)),
        "mcs_2 * {a, b}",
        f"1 * {{a: {WITH_KEY}, b: {WITH_KEY}}}",
    ),
    "events": (
        lambda e: e["met", "mcs"][e.met > 0],
        "event' * {met, mcs}",
        f"2 * {{met: float64, mcs: var * {WITH_KEY}}}",
    ),
}


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("make", "declared", "delivered"), RECORDS.values(), ids=RECORDS)
def test_records_are_declared_with_the_columns(
    toy: Any, make: Any, declared: str, delivered: str, when: str, engine: str
) -> None:
    early = make(toy)
    toy.mcs["key"] = toy.mcs.pt * 10
    made = early if when == "before" else make(toy)
    assert (made.type, repr(made)) == (declared, f"<Array {declared}>")
    assert str(ht.make_local(made, engine=engine).type) == delivered


def test_whole_events_have_the_columns(toy: Any, local: Any) -> None:
    toy["twice"] = toy.met * 2
    toy.mcs["key"] = toy.mcs.pt * 10
    events = local(toy)
    assert [event["twice"] for event in events] == [20, -60, 140]
    assert events[1]["mcs"] == [{"pt": 3, "eta": 0.3, "key": 30}]


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        (lambda e: e.mcs[1], [{"pt": 2, "eta": 0.2, "key": 20}, None, None]),
        (lambda e: ak.mask(e.mcs, e.mcs.pt > 2), [[None, None], [{"pt": 3, "eta": 0.3, "key": 30}], []]),
    ],
    ids=["a position", "a mask"],
)
def test_missing_record_with_a_column_is_missing(toy: Any, pick: Any, expected: list[Any], engine: str) -> None:
    toy.mcs["key"] = toy.mcs.pt * 10
    assert ht.make_local(pick(toy), engine=engine).to_list() == expected


def test_pickled_records_have_the_columns_in_another_process(toy: Any, tmp_path: Path) -> None:
    toy.jets["double"] = toy.jets.pt * 2
    file = tmp_path / "events.pickle"
    file.write_bytes(pickle.dumps(toy))
    code = f"""
import pickle
import hep_tables_coffea as ht
events = pickle.load(open({str(file)!r}, "rb"))
print(events.jets.fields, ht.make_local(ht.pairs(events.jets).b.double).tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["['pt', 'eta', 'double'] [[40.0, 70.0, 70.0], [], []]"], done.stderr


def test_generated_processors_have_the_columns(toy: Any, toy_path: str, tmp_path: Path) -> None:
    toy.jets["near"] = lambda j: toy.mcs[lambda m: m.eta < j.eta]
    outputs = {"n": toy.jets.near.Count()}
    file = ht.write_processor(outputs, tmp_path / "near.py")
    code = f"""
import sys; sys.modules["hep_tables_coffea"] = None; sys.path.insert(0, {str(tmp_path)!r})
from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner
from {file.stem} import NearProcessor
runner = Runner(IterativeExecutor(status=False), schema=BaseSchema)
print(runner({{"toy": {{"files": {{{toy_path!r}: "events"}}}}}}, processor_instance=NearProcessor())["n"].tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[[2, 2, 0], [], [0]]"], done.stderr


def test_column_may_depend_on_the_sample(toy_path: str, local: Any) -> None:
    files = {
        name: {"files": {toy_path: "events"}, "metadata": {"shift": shift}} for name, shift in (("a", 1.0), ("b", 2.0))
    }
    events = ht.dataset(files, schema="flat")
    events.mcs["pt"] = events.mcs.pt + ht.metadata(events, "shift")
    assert local(events.mcs.pt) == [[2, 3], [4], [], [3, 4], [5], []]


# -- messages --


def test_redefinition_warns_on_the_line_of_the_user(toy: Any, local: Any) -> None:
    toy.jets["double"] = toy.jets.pt * 2
    before = toy.jets.double
    with pytest.warns(UserWarning, match="the column 'double' of jets is defined again") as caught:
        toy.jets["double"] = toy.jets.pt * 3
    assert caught[0].filename == __file__
    assert local(before, toy.jets.double) == (DOUBLE, [[150, 60, 105], [], [93]])


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "a value of a selection": (
        lambda e: e.jets[e.jets.pt > 30].pt,
        AxisError,
        "would have no value for some rows of jets",
    ),
    "nothing": (lambda e: None, UsageError, "cannot define the column 'x' by a recorded value with None"),
    "an array in memory": (lambda e: np.ones(3), UsageError, "an array in memory has no rows of the dataset"),
}


@pytest.mark.parametrize(("value", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_column_cannot_be(toy: Any, value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        toy.jets["x"] = value(toy)


@pytest.mark.parametrize("name", [3, ("a", "b"), None])
def test_name_of_a_column_is_a_string(toy: Any, name: Any) -> None:
    with pytest.raises(UsageError, match="the name of a column must be a string"):
        toy.jets[name] = 1


def test_numbers_have_no_columns(toy: Any) -> None:
    with pytest.raises(UsageError, match="a value of type float64 has no columns"):
        toy.met["x"] = 1


def test_parameters_take_no_columns(toy: Any) -> None:
    with pytest.raises(UsageError, match="cannot be defined on the parameter of a lambda"):
        toy.jets.map(lambda j: j.__setitem__("x", 1))
