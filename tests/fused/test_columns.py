"""Columns that come out of a kernel: values and types are those of the columnar engine, at every depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused.helpers import as_column, flat_known, flat_numbers, list_starts, longest

if TYPE_CHECKING:
    from collections.abc import Callable

#: Outputs of all depths and types, all of them fused: how they are recorded, and their type.
OUTPUTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "float64": (lambda d: d.met * 2, "4 * float64"),
    "float32": (lambda d: d.weight, "4 * float32"),
    "float32 of both": (lambda d: d.weight * d.jets.pt, "4 * var * float32"),
    "bool": (lambda d: ~d.flag, "4 * bool"),
    "int8": (lambda d: d.small, "4 * int8"),
    "int8 that overflows": (lambda d: d.small + d.small, "4 * int8"),
    "option": (lambda d: d.maybe + 1, "4 * ?float64"),
    "list": (lambda d: d.jets.pt, "4 * var * float32"),
    "list of bool": (lambda d: d.jets.ok, "4 * var * bool"),
    "list of options": (lambda d: d.jets.maybe * 2, "4 * var * ?float64"),
    "list of lists": (lambda d: d.jets.hits + 1, "4 * var * var * int64"),
    "filter": (lambda d: d.jets[d.jets.pt > 10].pt, "4 * var * float32"),
    "filter of lists": (lambda d: d.jets[d.jets.pt > 10].hits, "4 * var * var * int64"),
    "filter of events": (lambda d: d[d.flag].jets.pt, "3 * var * float32"),
    "no event": (lambda d: d[d.met > 1000].met, "0 * float64"),
    "no event with lists": (lambda d: d[d.met > 1000].jets.hits, "0 * var * var * int64"),
    "sum": (lambda d: d.jets.pt.Sum(), "4 * float32"),
    "number": (lambda d: d.jets[d.jets.ok].Count(), "4 * int64"),
    "maximum": (lambda d: d.jets.pt.Max(), "4 * ?float32"),
    "sum of inner lists": (lambda d: d.jets.hits.Sum(), "4 * var * int64"),
    "first row": (lambda d: d.jets[0].pt, "4 * ?float32"),
    "slice": (lambda d: d.jets.pt[:2], "4 * var * float32"),
    "pairs": (lambda d: ht.pairs(d.jets.pt), "4 * var * {a: float32, b: float32}"),
    "sums of pairs": (lambda d: ht.pairs(d.els).a.q + ht.pairs(d.els).b.q, "4 * var * int8"),
    "records": (lambda d: d.els, "4 * var * {pt: float64, q: int8}"),
    "filtered records": (lambda d: d.els[d.els.pt > 5], "4 * var * {pt: float64, q: int8}"),
    "records of pairs": (
        lambda d: ht.pairs(d.els),
        "4 * var * {a: {pt: float64, q: int8}, b: {pt: float64, q: int8}}",
    ),
    "cross": (lambda d: ht.cross(a=d.jets.pt, b=d.els.pt), "4 * var * {a: float32, b: float64}"),
}
#: Values of the whole dataset, all of them fused, and what they are.
TOTALS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "maximum of events": (lambda d: d.met.Max(), 70.0),
    "mean of all rows": (lambda d: d.jets.pt.Mean(axis=None), 24.0),
    "number of all rows": (lambda d: d.jets.Count(axis=None), 6),
    "maximum of all rows": (lambda d: d.jets.pt.Max(axis=None), 50.0),
    "number of events": (lambda d: d[d.flag].Count(), 3),
    "expression": (lambda d: d.met.Sum() / d.met.Count(), 23.875),
    "nothing": (lambda d: d[d.met > 1000].met.Max(), None),
}


@pytest.fixture(scope="module")
def outputs(d: ht.Array) -> dict[str, Any]:
    return {name: record(d) for name, (record, _) in {**OUTPUTS, **TOTALS}.items()}


@pytest.fixture(scope="module")
def answers(outputs: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(outputs, engine="fused")


@pytest.fixture(scope="module")
def columnar(outputs: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(outputs, engine="columnar")


@pytest.fixture(scope="module")
def chunks(outputs: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(outputs, engine="fused", chunksize=1)


def test_all_of_them_are_fused(outputs: dict[str, Any]) -> None:
    assert ht.explain(outputs, engine="fused").accounts[0].engine == ("fused",)


@pytest.mark.parametrize("name", OUTPUTS)
def test_column_has_its_type(name: str, answers: dict[str, Any]) -> None:
    assert str(answers[name].type) == OUTPUTS[name][1]


@pytest.mark.parametrize("name", OUTPUTS)
def test_column_is_that_of_the_columnar_engine(
    name: str, answers: dict[str, Any], columnar: dict[str, Any], same: Callable[..., bool]
) -> None:
    assert same(answers[name], columnar[name])


@pytest.mark.parametrize("name", OUTPUTS)
def test_column_does_not_depend_on_chunks(
    name: str, answers: dict[str, Any], chunks: dict[str, Any], same: Callable[..., bool]
) -> None:
    assert same(chunks[name], answers[name])


@pytest.mark.parametrize("name", TOTALS)
def test_value_of_the_dataset(name: str, answers: dict[str, Any], chunks: dict[str, Any]) -> None:
    expected = TOTALS[name][1]
    assert (answers[name], type(answers[name])) == (expected, type(expected))
    assert (chunks[name], type(chunks[name])) == (expected, type(expected))


def test_one_output_in_the_kernel_and_one_beside_it(d: ht.Array, same: Callable[..., bool]) -> None:
    good = d.jets[d.jets.pt > 10]
    outputs = {"fused": good.pt, "columnar": good, "name": d.name, "n": good.Count(axis=None)}
    engine = ht.explain(outputs, engine="fused").accounts[0].engine
    assert engine[0] == "fused for fused, n"
    answers = ht.make_local(outputs, engine="fused", chunksize=3)
    assert same(answers, ht.make_local(outputs, engine="columnar"))
    assert answers["name"].tolist() == ["a", "b", "", "d"]
    assert answers["n"] == 4


def test_value_that_a_run_before_has_computed(d: ht.Array) -> None:
    assert ht.make_local(d.met - d.met.Max(), engine="fused").tolist() == [-60.0, -100.0, 0.0, -24.5]


# -- what stands around the kernel -----------------------------------------------------------------------------------


def test_lists_begin_at_zero() -> None:
    array = ak.Array([[9.0], [1.0, 2.0], [], [3.0]])[1:]
    assert list_starts({"x": array}, 1).tolist() == [0, 2, 2, 3]
    assert flat_numbers(array, "float64").tolist() == [1.0, 2.0, 3.0]


def test_lists_in_lists_begin_at_zero() -> None:
    array = ak.Array([[[0]], [[1, 2], []], [[3]]])[1:]
    assert list_starts({"x": array}, 2).tolist() == [0, 2, 2, 3]


def test_columns_of_one_collection_must_agree() -> None:
    with pytest.raises(ValueError, match=r"^the columns a and b have lists of different lengths$"):
        list_starts({"a": ak.Array([[1], [2]]), "b": ak.Array([[1], []])}, 1)


def test_missing_numbers_are_zero_and_known_to_be_missing() -> None:
    array = ak.Array([[1.5, None], [], [None]])
    assert flat_numbers(array, "float64").tolist() == [1.5, 0.0, 0.0]
    assert flat_known(array).tolist() == [True, False, False]


def test_numbers_that_cannot_be_missing_are_known() -> None:
    assert flat_known(ak.Array([[1.5], []])).tolist() == [True]


def test_empty_column_has_its_type() -> None:
    assert flat_numbers(ak.Array([[], []]), "int8").dtype == np.int8


@pytest.mark.parametrize(("starts", "expected"), [([0], 0), ([0, 0], 0), ([0, 2, 7, 8], 5)])
def test_longest_list(starts: list[int], expected: int) -> None:
    assert longest(np.array(starts)) == expected


def test_flat_values_become_lists_again() -> None:
    values, known = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])
    array = as_column(values, known, [np.array([2, 0, 1]), np.array([1, 2])])
    assert array.tolist() == [[[1.0, None]], [[], [3.0]]]


def test_answer_does_not_hold_on_to_the_room_for_it() -> None:
    room = np.zeros(1000)
    array = as_column(room[:2], None, [])
    room[0] = 5
    assert array.tolist() == [0.0, 0.0]
