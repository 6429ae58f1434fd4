"""Loops whose number of steps depends on the row, and walks to the ancestors of particles."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import awkward as ak
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.errors import RecordingError, RunError, UsageError

HALVED = [[6.25, 5, 8.75], [], [7.75]]


def small(x: Any) -> Any:
    return x < 10


def halve(x: Any) -> Any:
    return x / 2


@ht.user_func
def minus_three(x: float) -> float:
    return x - 3


LOOPS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "one value": (lambda e: ht.iterate(e.jets.pt, halve, until=small), HALVED),
    "a tuple": (
        lambda e: ht.iterate((e.jets.pt, 0), lambda s: (s[0] / 2, s[1] + 1), until=lambda s: s[0] < 10),
        (HALVED, [[3, 2, 2], [], [2]]),
    ),
    "a dict, its names in any order": (
        lambda e: ht.iterate(
            {"x": e.jets.pt, "n": 0}, lambda s: {"n": s["n"] + 1, "x": s["x"] / 2}, until=lambda s: s["x"] < 10
        ),
        {"x": HALVED, "n": [[3, 2, 2], [], [2]]},
    ),
    "a captured value": (
        lambda e: ht.iterate(e.jets.pt, lambda x: x - abs(e.met), until=lambda x: x < e.jets.eta),
        [[0, 0, -5], [], [-39]],
    ),
    "a captured value of the dataset": (
        lambda e: ht.iterate(e.jets.pt, lambda x: x - e.jets.pt.Mean(axis=None), until=small),
        [[-18, -14, 1], [], [-3]],
    ),
    "a row that may miss": (lambda e: ht.iterate(e.jets.First().pt, halve, until=small), [6.25, None, 7.75]),
    "a step that may miss": (
        lambda e: ht.iterate(e.jets.pt, lambda x: ak.mask(x / 2, x > 30), until=lambda x: x < 1),
        [[None] * 3, [], [None]],
    ),
    "no step at all": (lambda e: ht.iterate(e.mcs.pt, halve, until=small), [[1, 2], [3], []]),
    "an element": (lambda e: e.jets.map(lambda j: ht.iterate(j.pt, halve, until=small)), HALVED),
    "elements of two lambdas": (
        lambda e: e.jets.map(
            lambda j: e.mcs.map(lambda m: ht.iterate(m.pt, lambda x: x * 2, until=lambda x: x > j.pt))
        ),
        [[[64, 64], [32, 32], [64, 64]], [], [[]]],
    ),
    "a loop in a loop": (
        lambda e: ht.iterate(
            e.jets.pt,
            lambda x: ht.iterate(x, lambda y: y - x / 4, until=lambda y: y < x / 2),
            until=lambda x: x < 20,
        ),
        [[12.5, 5, 8.75], [], [7.75]],
    ),
    "a function of the user": (lambda e: ht.iterate(e.jets.pt, minus_three, until=small), [[8, 8, 8], [], [7]]),
    "two loops": (
        lambda e: ht.iterate(e.mcs.pt, halve, until=small) + ht.iterate(e.mcs.pt, lambda x: x * 3, until=lambda x: x > 5),
        [[10, 8], [12], []],
    ),
    "selected events": (lambda e: ht.iterate(e[e.met > 20].jets.pt, halve, until=small), [[7.75]]),
    "a later selection": (lambda e: ht.iterate(e.jets.pt, halve, until=small)[e.jets.pt > 30], [[6.25, 8.75], [], [7.75]]),
}  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), LOOPS.values(), ids=LOOPS)
def test_loop_over(toy: Any, local: Any, record: Any, expected: Any) -> None:
    assert local(record(toy)) == expected


@pytest.mark.parametrize("name", [name for name in LOOPS if "dataset" not in name])
def test_reference_agrees(toy: Any, local: Any, name: str) -> None:
    assert local(LOOPS[name][0](toy), backend="reference") == LOOPS[name][1]


def test_state_is_as_wide_as_its_steps(toy: Any, local: Any) -> None:
    number = ht.iterate((toy.jets.pt, 0), lambda s: (s[0] / 2, s[1] + 0.5), until=lambda s: s[0] < 10)[1]
    assert number.type == "event * jets * float64"
    assert local(number) == [[1.5, 1, 1], [], [1]]


def test_state_that_no_step_changes_is_as_wide_as_declared(toy: Any) -> None:
    number = ht.iterate((toy.jets.pt > 0, 0), lambda s: (s[0] * 2, s[1] + 1), until=lambda s: s[1] >= 0)[0]
    for rows in (number, number[toy.jets.pt > 1000]):
        assert str(ht.make_local(rows).type) == "3 * var * int64"
    assert ht.make_local(number).tolist() == [[1, 1, 1], [], [1]]


def test_loop_can_be_pickled(toy: Any, local: Any) -> None:
    assert local(pickle.loads(pickle.dumps(ht.iterate(toy.jets.pt, halve, until=small)))) == HALVED


def test_the_same_loop_has_the_same_digest(toy: Any, toy_path: str) -> None:
    again = ht.flat(toy_path, tree="events")
    one, other = (ht.iterate(events.jets.pt, halve, until=small)._node.digest for events in (toy, again))
    assert one == other


def test_inner_and_outer_state_have_two_digests(toy: Any) -> None:
    def loop(which: Callable[[Any, Any], Any]) -> str:
        nested = ht.iterate(
            toy.mcs.pt, lambda x: ht.iterate(x, lambda y: which(x, y), until=lambda y: y < 1), until=small
        )
        return str(nested._node.digest)

    assert loop(lambda x, y: y - x) != loop(lambda x, y: y - y)


@pytest.mark.parametrize("backend", ["coffea", "reference"])
def test_loop_that_does_not_end_names_the_event(toy: Any, backend: str) -> None:
    endless = ht.iterate(toy.met, lambda x: x * 2, until=lambda x: x > 0, max_iterations=5)
    with pytest.raises(RunError, match="a loop was not finished after 5 steps") as caught:
        ht.make_local(endless, chunksize=1, backend=backend)
    assert ("entry 1 of the file" if backend == "coffea" else "event: 1") in str(caught.value)


def test_bound_is_the_number_of_steps(toy: Any) -> None:
    for bound, ends in ((3, True), (2, False)):
        loop = ht.iterate(toy.jets.pt, halve, until=small, max_iterations=bound)
        if ends:
            assert ht.make_local(loop).tolist() == HALVED
        else:
            with pytest.raises(RunError, match="not finished after 2 steps"):
                ht.make_local(loop)


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "records": (lambda e: ht.iterate(e.jets, halve, until=small), UsageError, "iterate needs numbers"),
    "no condition": (lambda e: ht.iterate(e.met, halve, until=halve), RecordingError, "gives float64, which is no truth value"),
    "another structure": (lambda e: ht.iterate(e.met, lambda x: (x, x), until=small), RecordingError, "the step gives 2 values"),
    "other names": (
        lambda e: ht.iterate({"a": e.met}, lambda s: {"b": s["a"]}, until=lambda s: s["a"] < 1),
        RecordingError,
        r"the step gives 1 values \(b\)",
    ),
    "other rows": (lambda e: ht.iterate(e.met, lambda x: x + e.jets.pt, until=small), RecordingError, "values of other rows"),
    "no steps": (lambda e: ht.iterate(e.met, halve, until=small, max_iterations=0), UsageError, "max_iterations=int 0"),
    "an error": (lambda e: ht.iterate(e.met, lambda x: x / {}["a"], until=small), RecordingError, "the lambda raised KeyError"),
    "two parameters": (lambda e: ht.iterate(e.met, lambda x, y: x, until=small), UsageError, "cannot be called with one argument"),
}  # fmt: skip


@pytest.mark.parametrize(("record", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_loop_refuses(toy: Any, record: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        record(toy)


def test_state_is_of_no_use_outside(toy: Any) -> None:
    kept: list[Any] = []
    ht.iterate(toy.met, lambda x: kept.append(x) or x / 2, until=small)
    with pytest.raises(RecordingError, match="is used outside of it"):
        ht.make_local(kept[0] + toy.met)


# -- ancestors --


def walked(mothers: list[int]) -> list[list[int]]:
    """For each particle its mother, her mother, and so on."""
    chains = []
    for mother in mothers:
        chain = []
        while mother >= 0:
            chain.append(mother)
            mother = mothers[mother]
        chains.append(chain)
    return chains


def test_ancestors_are_those_of_a_walk(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    found, pdg, mothers = ht.make_local(
        events.GenPart.ancestors().pdgId, events.GenPart.pdgId, events.GenPart.genPartIdxMother
    )
    for chains, ids, mother in zip(found.tolist(), pdg.tolist(), mothers.tolist(), strict=True):
        assert chains == [[ids[place] for place in chain] for chain in walked(mother)]


def test_ancestors_of_a_selection_and_in_a_lambda(data: Any) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    muons = events.GenPart[abs(events.GenPart.pdgId) == 13]
    selected = (muons.ancestors().pdgId == 23).Any()
    inside = muons.map(lambda m: m.ancestors()[lambda a: a.pdgId == 23].Count() > 0)
    every = (events.GenPart.ancestors().pdgId == 23).Any()[abs(events.GenPart.pdgId) == 13]
    found = ht.make_local(selected, inside, every)
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()
    assert ak.any(found[0])


@pytest.mark.parametrize("chunksize", [7, None])
def test_too_many_ancestors_name_the_event(data: Any, chunksize: int | None) -> None:
    events = ht.nanoaod(data("nano_dy.root"))
    mothers = ht.make_local(events.GenPart.genPartIdxMother).tolist()
    long = next(k for k, one in enumerate(mothers) if max(map(len, walked(one)), default=0) > 2)
    with pytest.raises(RunError, match=f"more than 2 ancestors in the event at entry {long} of the file"):
        ht.make_local(events.GenPart.ancestors(max_iterations=2).pdgId, chunksize=chunksize)


def test_ancestors_of_what_is_missing_are_none(tmp_path: Any) -> None:
    events = ht.nanoaod(ht.samples.nanoaod(tmp_path / "tt.root", events=200, process="ttbar"))
    truth = events.Electron.matched_gen
    number, unknown = ht.make_local(truth.ancestors().Count(), ht.is_missing(truth))
    assert ak.any(unknown)
    assert set(ak.flatten(number[unknown]).tolist()) == {0}
    assert ht.make_local((truth.ancestors().pdgId == 24).Any()).tolist() == [
        [bool(one) for one in row]
        for row in ht.make_local((truth.ancestors().pdgId == 24).Any(), backend="reference").tolist()
    ]


def test_constants_are_not_missing_where_other_values_are(toy: Any, local: Any) -> None:
    counted = ht.iterate((toy.jets.First().pt, 0), lambda s: (s[0], s[1] + 1), until=lambda s: s[1] >= 3)[1]
    assert local(counted, toy.jets.First().pt.map(lambda x: 1)) == ([3, 3, 3], [1, 1, 1])
