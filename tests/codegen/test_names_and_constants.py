"""Names that Python, the generated code or the user's data could confuse, constants of every kind, and long programs."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "plain key events class 1st é self column out in_order np ak hist None fill x x_num x_merged _ __ total 変数 read_columns"
).split() + ["a b", "", 'a"b', "a\\b", "x\ny", "'''", '"""', "{x}", "%s"]


@pytest.mark.parametrize("name", NAMES)
def test_output_of_any_name_is_a_column(name: str, d: ht.Array) -> None:
    assert ht.make_local({name: d.met * 2})[name].tolist() == [20.0, -60.0, 140.0]


def test_outputs_of_all_names_are_told_apart(d: ht.Array) -> None:
    answers = ht.make_local({name: d.met + k for k, name in enumerate(NAMES)})
    assert [answers[name][0] for name in NAMES] == [10.0 + k for k in range(len(NAMES))]


def test_totals_of_all_names_are_told_apart(d: ht.Array) -> None:
    answers = ht.make_local({name: d.met.Sum() / d.met.Count() + k for k, name in enumerate(NAMES)})
    assert [round(answers[name] - 50 / 3) for name in NAMES] == list(range(len(NAMES)))


def test_part_of_a_total_does_not_take_the_name_of_another_output(d: ht.Array) -> None:
    answers = ht.make_local({"x": d.met.Sum() / d.met.Count(), "x_num": d.met})
    assert answers["x_num"].tolist() == [10.0, -30.0, 70.0]


@pytest.mark.parametrize("text", ["class", 'a"b\\c', "$p_\\mathrm{T}$ [GeV]\n", "'\"'"])
def test_histogram_keeps_names_and_labels(text: str, d: ht.Array) -> None:
    made = ht.Hist.new.Reg(3, 0, 80, name="x", label=text).Double().fill(d.met)
    answer = ht.make_local({text: made})[text]
    assert answer.axes[0].label == text
    assert answer.values().tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", [*NAMES[:20], "a b", "a-b", 'q"x', "pt.x", "fields", "Sum"])
def test_column_of_any_name_is_read(name: str, tmp_path: Path) -> None:
    ak.to_parquet(
        ak.zip({name: ak.Array([1.0, 2.0]), "other": ak.Array([3.0, 4.0])}, depth_limit=1), tmp_path / "t.parquet"
    )
    events = ht.flat(tmp_path / "t.parquet")
    assert ht.make_local(events[name] + events["other"]).tolist() == [4.0, 6.0]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        -0.0,
        1e300,
        5e-324,
        2**40,
        -5,
        True,
        1j,
        complex(1, -2),
        np.float32(1.5),
        np.float64("nan"),
        np.int8(3),
        np.uint64(2**63),
        np.bool_(True),
        np.complex64(1j),
    ],
    ids=repr,
)
def test_constant_is_written_as_it_was_given(value: Any, d: ht.Array) -> None:
    with np.errstate(all="ignore"):
        expected = np.array([10.0, -30.0, 70.0]) * value
    answer = ak.to_numpy(ht.make_local(d.met * value))
    assert answer.dtype == expected.dtype
    np.testing.assert_array_equal(np.copysign(1, answer.real), np.copysign(1, expected.real))
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a\nb", "é", "\\", "{x}", "%s", ""])
def test_string_is_written_as_it_was_given(text: str, d: ht.Array) -> None:
    assert ht.make_local(ht.where(d.flag, text, "z")).tolist() == [text, "z", text]
    assert ht.make_local(d.name == text).tolist() == [False, text == "", False]


# -- long programs ---------------------------------------------------------------------------------------------------


def chain(d: ht.Array, steps: int) -> ht.Array:
    value = d.jets.pt
    for k in range(steps):
        value = value + k % 3
    return value


def test_chain_of_ten_thousand_steps_is_recorded_pickled_and_compiled(d: ht.Array) -> None:
    value = chain(d, 10_000)
    assert pickle.loads(pickle.dumps(value)) is value
    assert tuple(ht.to_processor({"x": value}).columns) == ("jets_pt",)


def test_chain_of_two_thousand_steps_is_run(d: ht.Array) -> None:
    assert ht.make_local(chain(d, 2000)).tolist() == [[2049.0, 2019.0], [], [2030.0]]


def test_value_that_is_used_twice_at_every_step_is_computed_once(d: ht.Array) -> None:
    value = d.met
    for _ in range(1000):
        value = value * 2 - value
    assert ht.make_local(value).tolist() == [10.0, -30.0, 70.0]


def test_chain_of_filters_is_run(d: ht.Array) -> None:
    jets = d.jets
    for k in range(500):
        jets = jets[jets.pt > k * 1e-3]
    assert ht.make_local(jets.pt).tolist() == [[50.0, 20.0], [], [31.0]]


def test_chain_of_values_of_the_dataset_is_run(d: ht.Array) -> None:
    value = d.met.Max()
    for _ in range(3000):
        value = value + 1
    assert ht.make_local(value) == 3070.0


def test_thousand_histograms_are_filled_in_one_run(d: ht.Array) -> None:
    made = [ht.Hist.new.Reg(2, 0, 60 + k).Double().fill(d.jets.pt) for k in range(1000)]
    answers = ht.make_local(made)
    assert {answer.sum(flow=True) for answer in answers} == {3.0}


# -- lines -----------------------------------------------------------------------------------------------------------


def test_variable_of_the_line_that_runs_names_nothing_in_the_code(d: ht.Array) -> None:
    good = d.jets[d.jets.pt > 30]
    the_answer = ht.explain(good.Count())
    assert "the_answer" not in the_answer.source


def test_generated_class_shows_its_source(d: ht.Array) -> None:
    import inspect

    with ht.options(engine="columnar"):
        processor = ht.to_processor({"n": d.met * 2})
    assert 'met = column["met"]' in inspect.getsource(type(processor).process)
